"""`--find-limit` on the command line: says at the start how long it takes, and then each step as it ends."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable, Sequence
from typing import TextIO

from app.formatting import duration
from app.router_line import RouterLine
from app.store.run_result import SpeedStep
from consumers.replay.gate.thresholds import Threshold, parse_threshold
from consumers.replay.limit.find_limit import FindLimit, longest_s
from consumers.replay.limit.found import step_text
from consumers.replay.load.shapes import Load
from consumers.replay.plan import Progress, ReplayPlan
from consumers.replay.window import WindowReplay

DEFAULT = "errors>1%"
"""What breaks a step where no --fail-if is given, beside a pace that is not kept."""


def limit_thresholds(thresholds: Sequence[Threshold]) -> list[Threshold]:
    """Those that are given, or the default one."""
    return list(thresholds) or [parse_threshold(DEFAULT)]


def search_of(
    plan: ReplayPlan,
    route_of: Callable[[RouterLine], str],
    is_connection: Callable[[RouterLine], bool],
    thresholds: Sequence[Threshold],
) -> FindLimit:
    """The search that this plan's load begins."""

    def window_of(load: Load) -> WindowReplay:
        return WindowReplay(dataclasses.replace(plan, load=load), route_of, is_connection)

    return FindLimit(plan.load, window_of, thresholds, _say_step)


class LimitProgress:
    """In place of the progress bar: a first line, then one line a step."""

    def __init__(self, out: TextIO, plan: ReplayPlan, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._plan = plan
        self._clock = clock
        self._longest_s = longest_s(plan.load.duration_s)
        self._started_s = clock()

    def begin(self) -> None:
        """Says how long it takes."""
        step, first = duration(self._plan.load.duration_s), self._plan.load.stages[0].text
        most = duration(self._longest_s)
        self._out.write(f"steps of {step}, from {first} on: at most about {most}, usually less\n")
        self._out.flush()

    def show(self, progress: Progress) -> None:
        """Nothing: a step is bounded, and says what came of it."""

    def share(self, progress: Progress) -> float:
        """Of the longest that it can take, 0 to 1."""
        return min(1.0, (self._clock() - self._started_s) / self._longest_s)

    def finish(self) -> None:
        """Nothing is left to write."""


def _say_step(step: SpeedStep) -> None:
    print(step_text(step), file=sys.stderr, flush=True)
