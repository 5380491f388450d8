"""Spans of time, cut into the windows that Redis keeps. Pure arithmetic on Unix seconds.

Each step is covered by the longest windows that fit: a day takes about 140 of them, not 8,640. The last
seconds are kept apart (`running`): their counts are shown, but no rate is computed from them, because
their lines are still on the way.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.durations import seconds_of
from app.store.keys import WINDOWS

FINE_S, MINUTE_S, HOUR_S = (length_s for length_s, _ in WINDOWS)
SPAN_MAX_S = 31 * 86_400
"""What the longest windows are kept for."""

ON_THE_WAY_S = 3
"""A line needs this long from the router to Redis when nothing is behind."""

STEPS_S = (10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400)

STEPS_MAX = 2_000
"""Steps of a series at most: a shorter step that is asked for becomes longer."""

Window = tuple[int, int]
"""(length, start) in seconds."""


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time that somebody asks for: so many seconds that end now, or at `until_s` (Unix s)."""

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
    bins: tuple[Bin, ...]
    running: tuple[Window, ...]

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
    for, as far as such windows are kept.

    The last so many seconds begin with the first moment from which windows of the needed length are still
    kept. A span that ends at a time of its own is widened to whole windows: of 10 s, and where these are not
    kept any more of a minute or an hour.
    """
    seconds = min(max(span.seconds, FINE_S), SPAN_MAX_S)
    settled_s = _round_down(int(now_s - ON_THE_WAY_S), FINE_S)
    if span.until_s is None:
        end_s, until_s = settled_s, int(now_s) + 1
        grain_s = FINE_S if seconds < 600 else MINUTE_S if seconds <= 86_400 else HOUR_S
        start_s = min(_round_up(settled_s - seconds, grain_s), settled_s - FINE_S)
    else:
        until_s = min(span.until_s, int(now_s) + 1)
        from_s = max(span.until_s - seconds, int(now_s) - SPAN_MAX_S)
        grain_s = kept_grain_s(from_s, now_s)
        start_s = min(_round_down(from_s, grain_s), settled_s - FINE_S)
        end_s = min(_round_up(until_s, kept_grain_s(until_s, now_s)), settled_s)
        end_s = max(end_s, start_s + FINE_S)
    step_s = next(
        (step for step in STEPS_S if step >= grain_s and end_s - start_s <= step * most_bins), STEPS_S[-1]
    )
    if span.step_s is not None:
        step_s = max(span.step_s, grain_s, _round_up(-(-(end_s - start_s) // STEPS_MAX), grain_s))
    bins = []
    at_s = start_s
    while at_s < end_s:
        bin_end_s = min(_round_down(at_s, step_s) + step_s, end_s)
        bins.append(Bin(at_s, bin_end_s, _cover(at_s, bin_end_s)))
        at_s = bin_end_s
    running = tuple((FINE_S, at) for at in range(settled_s, until_s, FINE_S))
    return SpanPlan(step_s, tuple(bins), running)


def kept_grain_s(at_s: int, now_s: float) -> int:
    """The length in seconds of the shortest windows that are still kept of a time (Unix s)."""
    return next(
        (length_s for length_s, kept_s in WINDOWS if at_s + length_s + kept_s > now_s), WINDOWS[-1][0]
    )


def _cover(start_s: int, end_s: int) -> tuple[Window, ...]:
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
