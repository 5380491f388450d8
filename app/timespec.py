"""Times as people write them on a command line. Pure."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime, timedelta

from app.durations import seconds_of
from app.errors import TailraceError
from app.masking import safe_repr
from app.message import RECEIVED_MAX_MS

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?Z?")


class BadTime(TailraceError):
    """A --from or --until that is not a time."""


def parse_time_ms(text: str, now: datetime, day: datetime | None = None) -> int:
    """Unix ms of `now`, `1h` (ago), `11:00Z` (on `day`, else today) or ISO 8601; UTC without an offset.

    Raises BadTime.
    """
    try:
        return _unix_ms(_parse(text, now, day))
    except (ValueError, OverflowError):  # The latter: a time before the year 1.
        raise BadTime(
            f"{safe_repr(text)} is not a time: write 2026-11-23T10:00Z, 10:00Z (today, or the day "
            "of --from), 1h (ago) or now"
        ) from None


def _parse(text: str, now: datetime, day: datetime | None) -> datetime:
    if text == "now":
        return now
    with contextlib.suppress(ValueError):
        return now - timedelta(seconds=seconds_of(text.removeprefix("-")))
    if clock := _CLOCK.fullmatch(text):
        base = (day or now).astimezone(UTC)
        return base.replace(
            hour=int(clock[1]), minute=int(clock[2]), second=int(clock[3] or 0), microsecond=0
        )
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _unix_ms(time: datetime) -> int:
    """Raises ValueError for a time that no log can hold."""
    time_ms = int(time.timestamp() * 1000)
    if not 0 <= time_ms < RECEIVED_MAX_MS:
        raise ValueError
    return time_ms


def iso_seconds(at_s: float) -> str:
    """ISO 8601 in UTC, to the second, of Unix seconds: `2026-11-23T10:00:00Z`."""
    return iso(int(at_s * 1000))[:19] + "Z"


def iso(time_ms: int) -> str:
    """ISO 8601 in UTC, to the millisecond: a form that `parse_time_ms` accepts."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
