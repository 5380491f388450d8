"""When each request of a window is due, by the load: speeds, rates and stages. Pure but for a clock.

The log's own time, from a window's first request on, is mapped to ours piece by piece: a stage of `5x` lets
five seconds of the log go by in one. A stage of a rate chooses that speed by how many requests the log has. A
window that begins again goes on after a mean gap, so the log's time never jumps.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from app.log import History
from app.message import RouterMessage
from consumers.replay.load.forecast import Forecast, Tally, extrapolate
from consumers.replay.load.shapes import Load, Stage, stage_ends_s

LEAD_S = 0.2
"""From reading the first request to sending it: time to fill the queue."""

FASTER_MAX, SLOWER_MAX = 4.0, 20.0
"""A rate never makes the log go faster or slower than by the forecast alone by more than these factors: where
it is too fast, a burst follows, where it is too slow, a lull."""

REFINE_FIRST, REFINE_EVERY = 100, 1_000
"""After how many messages an estimate is corrected by what was read, and how often after that."""

PRIOR_SHARE = 0.03
PRIOR_MIN = 20
"""How many requests the forecast stands for, beside those that a stage of a rate has had: a share of the
stage's, but at least so many."""


class Schedule:
    """Gives each request its time. Not thread-safe: only the thread that reads the log uses it."""

    def __init__(
        self,
        load: Load,
        forecast: Forecast,
        clock: Callable[[], float] = time.monotonic,
        lead_s: float = LEAD_S,
    ) -> None:
        self.forecast = forecast
        """Of this pass; a rate goes by it. May be replaced by a better one at any time."""
        self.planned = 0
        """Requests that got a time, in all passes."""
        self._load = load
        self._ends_s = [min(end_s, load.ends_s) for end_s in stage_ends_s(load.stages)]
        self._clock = clock
        self._lead_s = 0.0 if math.isinf(load.stages[0].speed) else lead_s
        self._start_s: float | None = None
        self._gap_s = 1 / load.cap if load.cap else 0.0
        self._next_free_s = 0.0
        # How far the schedule is: in our time and in the log's, both since the first request.
        self._at_s = 0.0
        self._log_s = 0.0
        self._speed = 1.0
        self._number = 0  # Of the stage.
        self._stage_log_s = 0.0
        self._stage_planned = 0
        self._refines_at = REFINE_FIRST
        # Of this pass.
        self._pass_starts_s = 0.0
        self.tally = Tally()
        """What got a time in this pass."""

    @property
    def ends_at_s(self) -> float:
        """When nothing more is due (clock time, s); infinite before the first request, and without an end."""
        return math.inf if self._start_s is None else self._start_s + self._load.ends_s

    def due_s(self, at_ms: int) -> float | None:
        """When to send a request logged at `at_ms` (clock time, s); None: the time is up before.

        A request that was read out of order keeps its own time, but where that has gone by, it is due with
        its neighbours: it could not have been sent earlier."""
        now_s = self._clock()
        if self._start_s is None:
            self._start_s = now_s + self._lead_s
        since_s = now_s - self._start_s
        first_ms = self.tally.first_ms if self.tally.requests else at_ms
        due_s = self._wanted_s(self._pass_starts_s + (at_ms - first_ms) / 1000, since_s)
        if self._gap_s:
            due_s = max(due_s, self._next_free_s)
        if self._start_s + due_s >= self.ends_at_s:
            return None
        self._next_free_s = due_s + self._gap_s
        self.tally.add(at_ms)
        self.planned += 1
        self._stage_planned += 1
        return self._start_s + due_s

    def refine(self, history: History, from_ms: int, chunk: Sequence[RouterMessage]) -> None:
        """Corrects an estimated forecast now and then by what was read before this chunk. Raises
        LogUnavailable."""
        tally, last_ms = self.tally, self.forecast.last_ms
        if last_ms and tally.requests and tally.messages >= self._refines_at:
            self.forecast = extrapolate(history, from_ms, last_ms, tally)
            self._refines_at = tally.messages + min(tally.messages, REFINE_EVERY)
        tally.read(chunk)

    def begin_pass(self) -> bool:
        """The window begins again; False, and nothing changes, where its last pass had nothing to send."""
        if not self.tally.requests:
            return False
        self.forecast = self.tally.as_forecast()
        self._pass_starts_s += self.forecast.span_s
        self.tally = Tally()
        return True

    def _wanted_s(self, log_s: float, since_s: float) -> float:
        """Without the cap; since the first request."""
        if math.isinf(self._stage.speed):
            self._at_s = max(self._at_s, since_s)
            return self._at_s
        if log_s >= self._log_s:
            self._advance(log_s - self._log_s)
            return self._at_s
        own_s = self._at_s - (self._log_s - log_s) / self._speed
        return own_s if own_s >= since_s else min(self._at_s, max(own_s, since_s))

    def _advance(self, log_s: float) -> None:
        """Lets so much of the log's time go by, in as many stages as it takes."""
        while log_s > 0 and self._at_s < self._load.ends_s:
            stage, end_s = self._stage, self._ends_s[self._number]
            speed = self._rate_speed(stage, end_s) if stage.rate else stage.speed
            self._speed = speed or self._speed
            room_s = (end_s - self._at_s) * speed
            if log_s < room_s:
                self._at_s += log_s / speed
                self._went(log_s)
                return
            self._went(room_s)
            log_s -= room_s
            self._at_s = end_s
            if self._number + 1 < len(self._load.stages):
                self._number += 1
                self._stage_log_s, self._stage_planned = 0.0, 0

    def _went(self, log_s: float) -> None:
        self._log_s += log_s
        self._stage_log_s += log_s

    @property
    def _stage(self) -> Stage:
        return self._load.stages[self._number]

    def _rate_speed(self, stage: Stage, end_s: float) -> float:
        """How fast the log goes by for this rate on average."""
        usual = stage.rate / (self.forecast.per_s or stage.rate)
        went_s = self._at_s - (self._ends_s[self._number - 1] if self._number else 0.0)
        in_log = max(0.0, self.forecast.requests - self.tally.requests)
        if not self._load.is_looped and in_log < (end_s - self._at_s) * stage.rate:
            # The window ends in this stage: what is left of its time takes what is left of ours.
            left_log_s = self._pass_starts_s + self.forecast.span_s - self._log_s
            left_s = (self._stage_planned + in_log) / stage.rate - went_s
            speed = left_log_s / left_s if left_s > 0 and left_log_s > 0 else usual
        else:
            asked = stage.rate * (went_s + end_s - self._at_s)
            need = (asked - self._stage_planned) / (end_s - self._at_s)
            need = min(2 * stage.rate, max(stage.rate / 4, need))
            prior = max(PRIOR_SHARE * asked, PRIOR_MIN)
            prior_log_s = prior / (self.forecast.per_s or stage.rate)
            speed = need * (self._stage_log_s + prior_log_s) / (self._stage_planned + prior)
        return min(usual * FASTER_MAX, max(usual / SLOWER_MAX, speed))
