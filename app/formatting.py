"""Figures as a person reads them in plain text: numbers, times, tables. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

NONE = "-"


def number(value: int) -> str:
    """With commas between thousands."""
    return f"{value:,}"


def rate(per_s: float | None) -> str:
    """Three significant digits: `0.25`, `3.46`, `52.1`, `1,240`."""
    if per_s is None:
        return NONE
    if 0 < per_s < 0.01:
        return "<0.01"
    return f"{per_s:,.0f}" if per_s >= 99.95 else _digits(per_s)


def percent(share: float) -> str:
    """`0 %`, `<0.01 %`, `0.49 %`, `12.5 %`."""
    if share == 0:
        return "0 %"
    return "<0.01 %" if share < 0.0001 else f"{100 * share:.{1 if share >= 0.0995 else 2}f} %"


def milliseconds(value_ms: float | None) -> str:
    """`7.9 ms`, `263 ms`, `1.04 s`, `3.2 min`."""
    if value_ms is None:
        return NONE
    if value_ms < 9.95:
        whole = round(value_ms)
        return f"{whole} ms" if abs(value_ms - whole) < 0.05 else f"{value_ms:.1f} ms"
    if value_ms < 999.5:
        return f"{value_ms:.0f} ms"
    return f"{_digits(value_ms / 1e3)} s" if value_ms < 119_500 else f"{_digits(value_ms / 6e4)} min"


def _digits(value: float) -> str:
    return f"{value:.{0 if value >= 99.95 else 1 if value >= 9.995 else 2}f}"


def size(size_bytes: int) -> str:
    """`512 B`, `41.2 kB`, `3.46 MB`: 1 kB is 1,000 bytes."""
    if size_bytes < 1_000:
        return f"{size_bytes} B"
    value, unit = size_bytes / 1e3, "kB"
    for larger in ("MB", "GB", "TB"):
        if value < 999.5:
            break
        value, unit = value / 1e3, larger
    return f"{_digits(value)} {unit}"


def duration(seconds: float) -> str:
    """`42 s`, `3 min`, `2 h 10 min`, `3 d 4 h`."""
    whole = int(seconds)
    if whole < 90:
        return f"{whole} s"
    minutes, hours = whole // 60, whole // 3600
    if minutes < 90:
        return f"{minutes} min"
    if hours < 48:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{hours // 24} d {hours % 24} h" if hours % 24 else f"{hours // 24} d"


def plural(count: int, noun: str) -> str:
    """`1 message`, `1,200 messages`."""
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"


def shortened(text: str, width: int) -> str:
    """The text, shortened in the middle if it is longer than `width`."""
    if len(text) <= width:
        return text
    kept = max(2, width - 1)
    return text[: kept - kept // 3] + "\N{HORIZONTAL ELLIPSIS}" + text[len(text) - kept // 3 :]


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> list[str]:
    """Lines of a table with two spaces between columns; the columns in `left` start at the left."""
    widths = [max(len(line[at]) for line in (heads, *rows)) for at in range(len(heads))]
    return [
        "  ".join(
            cell.ljust(width) if at in left else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in (heads, *rows)
    ]
