"""The span of time that a command is asked about: `--since`, `--from` and `--until`, or all time. Pure."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import UTC, datetime

from app.errors import TailraceError
from app.store import queries
from app.store.queries.spans import FINE_S, SPAN_MAX_S
from app.timespec import iso_seconds, parse_time_ms

ALL_TIME = "all"
OLD_NAMES = {"ever": ALL_TIME}
"""Old names of spans that are still accepted -> new names."""

DEFAULT = "1h"


class BadPeriod(TailraceError):
    """A --since, --from or --until that gives no span of time with figures in it."""


@dataclass(frozen=True, slots=True)
class Period:
    """A span, and its name (`1h`, `all`); empty where it has a beginning and an end of its own."""

    span: queries.Span | None
    """None: all time."""
    name: str


def length(text: str) -> str:
    """The length, or `all`, once it is known to be valid: a type for argparse."""
    text = OLD_NAMES.get(text, text)
    if text != ALL_TIME:
        try:
            queries.read_span(text)
        except ValueError as fault:
            raise argparse.ArgumentTypeError(f"{fault}, or `all`") from None
    return text


def named(name: str) -> Period:
    """The period of a length that `length` has accepted, until now."""
    return Period(None if name == ALL_TIME else queries.Span(queries.read_span(name)), name)


def period(since: str | None, start: str | None, until: str | None, now_s: float) -> Period:
    """What the flags ask for; each is None where it was not given. Raises BadPeriod, BadTime."""
    if start is None and until in (None, "now"):
        return named(since or DEFAULT)
    if since == ALL_TIME:
        raise BadPeriod("--since all takes neither --from nor --until: all time has no end of its own")
    if since and start:
        raise BadPeriod("give --since (a length) or --from (a time), not both")
    now = datetime.fromtimestamp(now_s, UTC)
    if start is None:
        until_s = parse_time_ms(until or "now", now) // 1000
        from_s = until_s - queries.read_span(since or DEFAULT)
    else:
        from_ms = parse_time_ms(start, now)
        from_s = from_ms // 1000
        until_s = parse_time_ms(until or "now", now, datetime.fromtimestamp(from_ms / 1000, UTC)) // 1000
    _check(from_s, until_s, int(now_s))
    # What ends now is read as such: with the seconds that are still filling.
    ends_now = until in (None, "now")
    return Period(queries.Span(max(FINE_S, until_s - from_s), None if ends_now else until_s), "")


def _check(from_s: int, until_s: int, now_s: int) -> None:
    if from_s >= now_s:
        raise BadPeriod(
            f"the span begins in the future, at {iso_seconds(from_s)}; it is {iso_seconds(now_s)} now. "
            f"For the day before write {iso_seconds(from_s - 86_400)[:16]}Z"
        )
    if until_s <= from_s:
        raise BadPeriod(f"--until ({iso_seconds(until_s)}) must be after --from ({iso_seconds(from_s)})")
    if until_s - from_s > SPAN_MAX_S or until_s <= now_s - SPAN_MAX_S:
        raise BadPeriod(
            f"figures of a span are kept for {SPAN_MAX_S // 86_400} days, so it cannot begin at "
            f"{iso_seconds(from_s)}; --since all shows the sums of all time"
        )
