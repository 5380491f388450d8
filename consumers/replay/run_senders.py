"""The senders of one run: of its target, its baseline, and of the comparison of their answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from app.errors import TargetDown
from app.store.run_result import Pace, TimePoint
from consumers.replay.bodies.answers import AnswerComparison
from consumers.replay.choice.policy import prepare
from consumers.replay.choice.target import Target
from consumers.replay.plan import ReplayPlan
from consumers.replay.request import Outcome, Request
from consumers.replay.sending.breaker import Breaker
from consumers.replay.sending.comparison import Compared, Comparison
from consumers.replay.sending.pace_kept import Sending, pace_of
from consumers.replay.sending.senders import Done, Senders, Skipped
from consumers.replay.stats import ReplayStats

WAIT_S = 0.25
"""How often progress is reported, and a dead target noticed, while there is nothing else to do."""


class RunSenders:
    """Starts with the run. Each request that is sent is counted once, in `stats` or by `skipped`."""

    def __init__(self, plan: ReplayPlan, stats: ReplayStats, skipped: Skipped) -> None:
        """`skipped`: takes what was submitted and is not sent after all."""
        self._plan = plan
        self._stats = stats
        self._answers = self._start_answers()
        self._comparison = Comparison(self._compared_by(self._answers), skipped)
        self.of_targets = self._start(skipped)
        """Of the target, and of the baseline if there is one."""
        # Last, because what they send depends on what the others report.
        self._all = [*self.of_targets, *([self._answers.senders] if self._answers else [])]

    def check(self) -> None:
        """Raises TargetDown where one of the targets failed many times in a row."""
        for senders in self._all:
            if senders.breaker.has_opened:
                raise TargetDown(f"{senders.target.url} failed many times in a row: stopped")

    def drain(self, check: Callable[[], None]) -> None:
        """Waits until every request is reported; calls `check` meanwhile."""
        while not all(senders.drain(WAIT_S) for senders in self._all):
            check()

    def close(self) -> None:
        """Stops sending; what is unsent or unanswered by then is skipped."""
        for senders in self._all:
            senders.close()
        self._comparison.close()

    def pace(self) -> Pace:
        """How fast it went, and whose fault it is if that was slower than asked."""
        return pace_of(
            self._plan.asked,
            [
                Sending(
                    name,
                    senders.meter,
                    senders.under_way_max,
                    senders.concurrency.limit,
                    senders.concurrency.shortage,
                )
                for name, senders in zip(("The target", "The baseline"), self.of_targets, strict=False)
            ],
        )

    def timeline(self) -> list[TimePoint]:
        """The run in steps of equal length, at most 300: what the target was sent."""
        return self.of_targets[0].meter.timeline()

    def _start_answers(self) -> AnswerComparison | None:
        """What compares the answers; None where they are not compared."""
        plan = self._plan
        if plan.baseline is None or not plan.compares_answers:
            return None
        baseline = plan.baseline
        return AnswerComparison(
            plan.target.url,
            baseline.url,
            lambda request: prepare(request, baseline, plan.policy),
            lambda done, skipped: self._senders(baseline, done, skipped),
            self._stats.answers_compared,
            self._stats.answers_uncompared,
        )

    def _compared_by(self, answers: AnswerComparison | None) -> Compared:
        if answers is None:
            return self._stats.compared

        def compared(request: Request, before: Outcome, after: Outcome, late_ms: float) -> None:
            self._stats.compared(request, before, after, late_ms)
            answers.add(request, before, after)

        return compared

    def _start(self, skipped: Skipped) -> list[Senders]:
        """The senders of each target, the baseline's second."""
        plan, comparison = self._plan, self._comparison
        if plan.baseline is None:
            return [self._senders(plan.target, self._stats.done, skipped)]
        return [
            self._senders(
                target, partial(comparison.done, is_baseline), partial(comparison.skipped, is_baseline)
            )
            for is_baseline, target in ((False, plan.target), (True, plan.baseline))
        ]

    def _senders(self, target: Target, done: Done, skipped: Skipped) -> Senders:
        plan = self._plan
        return Senders(
            target,
            plan.concurrency,
            plan.timeout_s,
            done,
            skipped,
            Breaker(),
            rate=plan.load.cap,
            is_paced=plan.asked.is_paced,
            keeps_answers=plan.compares_answers,
        )
