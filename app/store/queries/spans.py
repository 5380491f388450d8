"""Spans of time, cut into the windows that Redis keeps. Pure arithmetic on Unix seconds.

Each step is covered by the longest windows that fit: a day takes about 140 of them, not 8,640. The last
seconds are kept apart (`running`): their counts are shown, but no rate is computed from them, because
their lines are still on the way.

What is asked for is widened to whole windows, of the shortest kind that is still complete: one of 10 s for an
hour, then of a minute for a day, then of an hour. (Redis keeps some for longer, but a line that comes late is
not added to those any more.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.durations import seconds_of
from app.store.keys import WINDOWS

FINE_S, MINUTE_S, HOUR_S = (length_s for length_s, _ in WINDOWS)
_KEPT_S = dict(WINDOWS)
SPAN_MAX_S = 31 * 86_400
"""What the longest windows are kept for."""

KEPT_MARGIN_S = 5
"""So much earlier a window counts as gone: reading takes a moment, and clocks differ."""

ON_THE_WAY_S = 3
"""A line needs this long from the router to Redis when nothing is behind."""

STEPS_S = (10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400)

STEPS_MAX = 2_000
"""Steps of a series at most: a shorter step that is asked for becomes longer."""

Window = tuple[int, int]
"""(length, start) in seconds."""


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time that somebody asks for: so many seconds that end now, or at `until_s` (Unix s). One that
    ends later than now ends now, but begins where it says."""

    seconds: int
    until_s: int | None = None
    step_s: int | None = None
    """The length of the steps of a series; None: as short as fits."""


@dataclass(frozen=True, slots=True)
class Bin:
    """One step of a series: from `start_s`, before `end_s`, and the windows that it sums up."""

    start_s: int
    end_s: int
    windows: tuple[Window, ...]

    @property
    def seconds(self) -> int:
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class SpanPlan:
    """A span: whole bins, oldest first, and where it ends now the windows that are still filling."""

    step_s: int
    """The length of the bins, but for the first and the last, and for those of a time of which such short
    windows are not kept any more."""
    grain_s: int
    """The length of the windows that the beginning of the span is rounded to."""
    bins: tuple[Bin, ...]
    running: tuple[Window, ...]
    until_s: int
    """Where what is counted ends: now, if the span runs on, else at the end of the last bin."""

    @property
    def start_s(self) -> int:
        return self.bins[0].start_s

    @property
    def end_s(self) -> int:
        """Where the last whole window ends; what runs on is in `running`."""
        return self.bins[-1].end_s

    @property
    def windows(self) -> int:
        """How many windows there are to read, for one route."""
        return sum(len(part.windows) for part in self.bins) + len(self.running)


def plan(span: Span, now_s: float, most_bins: int) -> SpanPlan:
    """The windows of a span, in at most about `most_bins` steps, or in steps of the length that the span asks
    for, as far as such windows are kept. What is older than all windows is left out.

    It begins with the window that holds its first moment. (One that ends now may begin with the next, if only
    that is still kept: "the last hour" is not to begin minutes earlier because of it.)
    """
    now = int(now_s)
    settled_s = _round_down(int(now_s - ON_THE_WAY_S), FINE_S)
    if span.until_s is None:
        from_s, until_s = now - max(span.seconds, FINE_S), now + 1
        grain_s = next(
            (length_s for length_s, _ in WINDOWS if kept_from_s(length_s, now_s) < from_s + length_s), HOUR_S
        )
    else:
        from_s, until_s = span.until_s - span.seconds, min(span.until_s, now + 1)
        grain_s = kept_grain_s(from_s, now_s)
    start_s = max(_round_down(from_s, grain_s), kept_from_s(grain_s, now_s))
    start_s = min(start_s, settled_s - FINE_S)
    until_s = max(until_s, start_s + 1)
    step_s = _step_s(span, min(until_s, settled_s) - start_s, most_bins)
    bins = tuple(_bins(start_s, until_s, settled_s, step_s, now_s))
    running = tuple((FINE_S, at) for at in range(settled_s, until_s, FINE_S))
    counted_s = min(running[-1][1] + FINE_S, now) if running else bins[-1].end_s
    return SpanPlan(step_s, grain_s, bins, running, counted_s)


def last_minute(now_s: float) -> SpanPlan:
    """The last whole minute, of which every line should be there."""
    return plan(Span(60, _round_down(int(now_s - ON_THE_WAY_S), FINE_S)), now_s, 6)


def kept_from_s(length_s: int, now_s: float) -> int:
    """When the oldest window of this length begins that is surely complete (Unix s)."""
    return _round_up(int(now_s) + 1 + KEPT_MARGIN_S - _KEPT_S[length_s] - length_s, length_s)


def kept_grain_s(at_s: int, now_s: float) -> int:
    """The length in seconds of the shortest windows that are still complete of a time (Unix s)."""
    return next(
        (length_s for length_s, _ in WINDOWS if _round_down(at_s, length_s) >= kept_from_s(length_s, now_s)),
        HOUR_S,
    )


def _step_s(span: Span, seconds: int, most_bins: int) -> int:
    if span.step_s is not None:
        return _round_up(max(span.step_s, -(-seconds // STEPS_MAX)), FINE_S)
    return next((step_s for step_s in STEPS_S if seconds <= step_s * most_bins), STEPS_S[-1])


def _bins(start_s: int, until_s: int, settled_s: int, step_s: int, now_s: float) -> Iterator[Bin]:
    """Older windows are longer, and each a whole number of the shorter ones: so all bins begin and end with a
    window."""
    while start_s < min(until_s, settled_s):
        grain_s = kept_grain_s(start_s, now_s)
        length_s = _round_up(step_s, grain_s)
        end_s = min(_round_down(start_s, length_s) + length_s, _round_up(until_s, grain_s), settled_s)
        yield Bin(start_s, end_s, cover(start_s, end_s))
        start_s = end_s


def cover(start_s: int, end_s: int) -> tuple[Window, ...]:
    """The longest windows that fit, from one that begins at `start_s` on. Both are multiples of FINE_S."""
    windows = []
    while start_s < end_s:
        length_s = next(
            length
            for length in (HOUR_S, MINUTE_S, FINE_S)
            if start_s % length == 0 and start_s + length <= end_s
        )
        windows.append((length_s, start_s))
        start_s += length_s
    return tuple(windows)


def finer(window: Window) -> list[Window]:
    """The windows of the next shorter kind within this one; empty for the shortest."""
    length_s, start_s = window
    shorter_s = {HOUR_S: MINUTE_S, MINUTE_S: FINE_S}.get(length_s)
    return [(shorter_s, at_s) for at_s in range(start_s, start_s + length_s, shorter_s)] if shorter_s else []


def _round_down(at_s: int, length_s: int) -> int:
    return at_s // length_s * length_s


def _round_up(at_s: int, length_s: int) -> int:
    return -(-at_s // length_s) * length_s


def read_span(text: str) -> int:
    """Seconds of `90s`, `5m`, `24h`, `7d`, `1w`. Raises ValueError for anything else or out of range."""
    try:
        span_s = seconds_of(text)
    except ValueError:
        span_s = 0
    if not FINE_S <= span_s <= SPAN_MAX_S:
        raise ValueError("must be a number with s, m, h, d or w, from 10s to 31d, such as 15m or 24h")
    return span_s
