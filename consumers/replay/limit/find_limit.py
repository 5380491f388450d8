"""`--find-limit`: the highest speed at which the target keeps within the thresholds.

Each step replays the window's beginning, again and again, for a bounded time, and is judged like a run of its
own. What broke must be clear: a threshold that was crossed, or a pace that the target did not keep. After a
step that broke, the target gets time to recover.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Sequence

from app.errors import TargetDown
from app.log import History
from app.store.run_figures import RunFigures
from app.store.run_result import RunResult, SpeedStep
from consumers.replay.choice.coverage import coverage_of
from consumers.replay.gate.judge import Evidence, judge
from consumers.replay.gate.thresholds import Threshold
from consumers.replay.limit.found import Found, error_share, is_own_limit, p95_ms, why_broken
from consumers.replay.limit.search import BROKEN_MAX, STEPS_MAX, LimitSearch
from consumers.replay.load.forecast import COUNT_S
from consumers.replay.load.shapes import Load, at_speed
from consumers.replay.plan import Progress
from consumers.replay.sending.senders import LAST_ANSWERS_S
from consumers.replay.window import LAST_S, WindowReplay

RECOVERY_S = 20.0
"""How long a target may take, after a step that broke, until its answers are as before."""

PROBE_S = 2.0
"""How long one look at the answers takes, at the first speed."""

AS_BEFORE, AS_BEFORE_MS, ERRORS_AS_BEFORE = 1.5, 20.0, 0.02
"""Answers are as before where the p95 is at most so many times the first step's, and some ms more, and the
share of errors is at most that much above."""


def longest_s(step_s: float) -> float:
    """How long a search takes at most, s."""
    last_s = LAST_S + LAST_ANSWERS_S
    return COUNT_S + (STEPS_MAX + 1) * (step_s + last_s) + BROKEN_MAX * (RECOVERY_S + PROBE_S + last_s)


class FindLimit:
    """One search. `run` does it; `found` is complete even if it is interrupted."""

    def __init__(
        self,
        load: Load,
        window_of: Callable[[Load], WindowReplay],
        thresholds: Sequence[Threshold],
        on_step: Callable[[SpeedStep], None] = lambda step: None,
        recovery_s: float = RECOVERY_S,
    ) -> None:
        """`load`: of the first step; its `cap` limits all of them."""
        self.found = Found()
        self._load = load
        self._window_of = window_of
        self._thresholds = thresholds
        self._on_step = on_step
        self._recovery_s = recovery_s
        self._has_retried = False
        self._window: WindowReplay | None = None
        self._of_step = RunFigures()
        self._not_taken = RunFigures()

    def run(self, history: History, on_progress: Callable[[Progress], None]) -> None:
        """Searches. Raises what `WindowReplay.run` does, but not TargetDown: such a step broke."""
        forecast = self._window_of(self._load).forecast(history)
        if not forecast.requests:
            self.found.ending = "no-requests"
            return
        first = self._load.stages[0].speed
        cap = self._load.cap
        search = LimitSearch(first, cap / forecast.per_s if cap else math.inf)
        while (speed := search.next_speed()) is not None:
            step, result = self._try(speed, history, on_progress)
            self._note(step, result)
            if is_own_limit(result.pace):
                if self._has_retried:
                    self.found.ending = "own-limit"
                    return
                self._has_retried = True  # It may have been busy with something else.
                continue
            search.tried(speed, held=step.held)
            if not step.held and search.next_speed() is not None and not self._recovers(history, on_progress):
                self.found.stopped_early = f"the target did not recover within {self._recovery_s:.0f} s"
                break
        if search.broke is None:
            self.found.ending = "all-held"
        else:
            self.found.ending = "found" if search.held is not None else "first-broke"

    def take_figures(self) -> RunFigures:
        """What all steps have counted since the last call."""
        self._collect()
        taken, self._not_taken = self._not_taken, RunFigures()
        return taken

    def _note(self, step: SpeedStep, result: RunResult) -> None:
        found = self.found
        found.steps.append(step)
        found.first_result = found.first_result or result
        if step.held:
            found.held, found.held_result = step, result
        else:
            found.broke = step
        self._on_step(step)

    def _try(
        self, speed: float, history: History, on_progress: Callable[[Progress], None]
    ) -> tuple[SpeedStep, RunResult]:
        load = dataclasses.replace(self._load, stages=(at_speed(speed),))
        down, took_s, window = self._replay(load, history, on_progress)
        figures = self._of_step
        pace = window.pace()
        result = judge(
            Evidence(
                figures=figures,
                pairs=window.pairs,
                coverage=coverage_of(figures),
                pace=pace,
                has_baseline=window.plan.baseline is not None,
                timeline=window.timeline(),
            ),
            self._thresholds,
        )
        reason = down or why_broken(result)
        return (
            SpeedStep(
                speed=speed,
                rate=pace.rate_reached or figures.sent / max(took_s, 0.001),
                held=not reason,
                reason=reason,
                p95_ms=p95_ms(figures),
                error_share=error_share(figures),
            ),
            result,
        )

    def _replay(
        self, load: Load, history: History, on_progress: Callable[[Progress], None]
    ) -> tuple[str, float, WindowReplay]:
        """Replays one step; returns why the target is down, if it is, and how long that took, s."""
        self._collect()
        self._of_step = RunFigures()
        window = self._window = self._window_of(load)
        started_s, down = time.monotonic(), ""
        try:
            window.run(history, on_progress)
        except TargetDown as fault:
            down = str(fault)
        self._collect()
        return down, time.monotonic() - started_s, window

    def _recovers(self, history: History, on_progress: Callable[[Progress], None]) -> bool:
        """Waits until answers at the first speed are as they were in the first step."""
        normal = self.found.steps[0]
        load = dataclasses.replace(self._load, duration_s=min(PROBE_S, self._load.duration_s))
        ends_s = time.monotonic() + self._recovery_s
        while True:
            down, _, _ = self._replay(load, history, on_progress)
            if not down and self._is_as_before(normal):
                return True
            if time.monotonic() >= ends_s:
                return False
            time.sleep(min(1.0, self._recovery_s / 10))

    def _is_as_before(self, normal: SpeedStep) -> bool:
        found_ms = p95_ms(self._of_step)
        most_ms = math.inf if normal.p95_ms is None else normal.p95_ms * AS_BEFORE + AS_BEFORE_MS
        if found_ms is not None and found_ms > most_ms:
            return False
        return error_share(self._of_step) <= normal.error_share + ERRORS_AS_BEFORE

    def _collect(self) -> None:
        """Takes what the window of this step has counted."""
        if self._window is not None:
            new = self._window.take_figures()
            self._of_step.merge(new)
            self._not_taken.merge(new)
