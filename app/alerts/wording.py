"""The words that conditions share. Pure."""

from __future__ import annotations

from app.alerts.clause import plain
from app.formatting import duration, number, rate


def within(minutes: int) -> str:
    return "in the last minute" if minutes == 1 else f"in the last {minutes} minutes"


def percent_limit(share: float) -> str:
    """A limit as it was written: `2 %`, `0.5 %`."""
    return f"{plain(100 * share)} %"


def per_minute(per_min: float) -> str:
    """`12 a minute`."""
    shown = number(round(per_min)) if per_min == round(per_min) else rate(per_min)
    return f"{shown} a minute"


def ms_limit(limit_ms: float) -> str:
    """`800 ms`, `1.5 s`."""
    return f"{plain(limit_ms / 1000)} s" if limit_ms >= 1000 else f"{plain(limit_ms)} ms"


def of_requests(count: int) -> str:
    """`1,240 requests`; of one, `the only request`."""
    return "the only request" if count == 1 else f"{number(count)} requests"


def span_of(seconds: int) -> str:
    """A duration in a rule: `5m`, `90s`, `30d`."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds and seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def days_or(seconds: int) -> str:
    """`30 days`, `12 h`."""
    return f"{seconds // 86_400} days" if seconds % 86_400 == 0 and seconds > 86_400 else duration(seconds)


def written_ms(limit_ms: float) -> str:
    """A time as one writes it in a rule: `500ms`, `1.5s`."""
    return f"{plain(limit_ms / 1000)}s" if limit_ms >= 1000 else f"{plain(limit_ms)}ms"
