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

Window = tuple[int, int]
"""(length, start) in seconds."""


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
    """A span that ends now: whole bins, oldest first, and the windows that are still filling."""

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


def plan(span_s: int, now_s: float, most_bins: int) -> SpanPlan:
    """The windows of the last `span_s` seconds, in at most about `most_bins` steps.

    The start is the first moment from which windows of the needed length are still kept.
    """
    span_s = min(max(span_s, FINE_S), SPAN_MAX_S)
    settled_s = _round_down(int(now_s - ON_THE_WAY_S), FINE_S)
    grain_s = FINE_S if span_s < 600 else MINUTE_S if span_s <= 86_400 else HOUR_S
    start_s = min(_round_up(settled_s - span_s, grain_s), settled_s - FINE_S)
    step_s = next((step for step in STEPS_S if step >= grain_s and span_s <= step * most_bins), STEPS_S[-1])
    bins = []
    at_s = start_s
    while at_s < settled_s:
        end_s = min(_round_down(at_s, step_s) + step_s, settled_s)
        bins.append(Bin(at_s, end_s, _cover(at_s, end_s)))
        at_s = end_s
    running = tuple((FINE_S, at) for at in range(settled_s, int(now_s) + 1, FINE_S))
    return SpanPlan(step_s, tuple(bins), running)


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
    """Seconds of `90s`, `5m`, `24h`, `7d`. Raises ValueError for anything else or out of range."""
    try:
        span_s = seconds_of(text)
    except ValueError:
        span_s = 0
    if not FINE_S <= span_s <= SPAN_MAX_S:
        raise ValueError("must be a number with s, m, h or d, from 10s to 31d, such as 15m or 24h")
    return span_s
