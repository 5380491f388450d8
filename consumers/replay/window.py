"""Replays a window of the kept log: to one target, or to two that are compared with each other."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from app.errors import TargetDown
from app.log import History
from app.message import RouterMessage
from app.router_line import RouterLine
from app.store.replay import RunFigures
from app.store.run_result import Pace, TimePoint
from consumers.replay.answers import AnswerComparison
from consumers.replay.breaker import Breaker
from consumers.replay.comparison import Compared, Comparison
from consumers.replay.pace import Pacer
from consumers.replay.pace_kept import Asked, Sending, pace_of
from consumers.replay.pairs import Pairs
from consumers.replay.policy import ReplayPolicy, prepare
from consumers.replay.request import Job, Outcome, Request, request_of
from consumers.replay.resume import ResumePoint, earliest_from_each
from consumers.replay.senders import Done, Senders, Skipped
from consumers.replay.stats import ReplayStats
from consumers.replay.target import Target

WAIT_S = 0.25
"""How often progress is reported, and a dead target noticed, while there is nothing else to do."""

LEAD_S = 0.2
"""From reading the first request to sending it: time to fill the queue."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a replay is: messages that are dealt with, and the log time of the latest (Unix ms)."""

    done: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """What is replayed, where to, and how fast."""

    from_ms: int
    until_ms: int
    target: Target
    baseline: Target | None
    policy: ReplayPolicy
    app: str
    concurrency: int | None
    """Limit of requests at once to each target; None: it grows as needed."""
    timeout_s: float
    rate: float = 0.0
    """Limit of requests/s to each target, 0 for none."""
    compares_answers: bool = False
    """Needs a baseline, which then gets each request twice."""

    speed: float = math.inf
    """1 keeps the original spacing, infinity ignores it."""

    @property
    def asked(self) -> Asked:
        """The pace, as it is judged."""
        if math.isinf(self.speed):
            text = f"{self.rate:g}/s" if self.rate else "max"
            return Asked(text, rate=self.rate or None, flag="--rate", is_paced=bool(self.rate))
        return Asked(f"{self.speed:g}x", speed=self.speed, is_paced=True)

    @property
    def targets(self) -> list[Target]:
        """The target, and the baseline if there is one."""
        return [self.target] if self.baseline is None else [self.target, self.baseline]


@dataclass(slots=True)
class DryRun:
    """What a replay would do."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(route, reason) -> requests; the reason is `sent` for those that would be sent. The route is empty for
    lines that are no request."""
    reencoded: int = 0
    """Of those that would be sent, the ones whose path or query would be percent-encoded again."""


class WindowReplay:
    """One replay of a window. `run` does it; the figures are complete even if it is interrupted."""

    def __init__(
        self,
        plan: ReplayPlan,
        route_of: Callable[[RouterLine], str],
        is_connection: Callable[[RouterLine], bool],
        pacer: Pacer,
    ) -> None:
        self.plan = plan
        self._route_of = route_of
        self._is_connection = is_connection
        self._pacer = pacer
        self._stats = ReplayStats()
        self._resume = ResumePoint(plan.from_ms)
        self._of_other_apps = 0
        self._all_senders: list[Senders] = []
        """Of the target, and of the baseline if there is one."""
        self._done_before: frozenset[str] = frozenset()
        """Messages that an earlier part of this run has dealt with."""

    def dry_run(self, history: History, on_progress: Callable[[Progress], None]) -> DryRun:
        """Counts what would be sent, and what would not. Sends nothing."""
        found = DryRun()
        for done, request in enumerate(self._requests(history), 1):
            job = prepare(request, self.plan.target, self.plan.policy)
            is_sent = isinstance(job, Job)
            found.counts[request.route, "sent" if is_sent else str(job)] += 1
            found.reencoded += is_sent and request.is_reencoded
            on_progress(Progress(done + self._of_other_apps, request.at_ms))
        for reason, count in self._stats.take().skipped.items():
            found.counts["", reason] += count
        return found

    def run(self, history: History, on_progress: Callable[[Progress], None]) -> None:
        """Sends all of it. Raises TargetDown, SameHost, LogUnavailable and KeyboardInterrupt: what was
        done until then is in the figures, and `resume_ms` says where to continue."""
        answers = self._start_answers()
        comparison = Comparison(self._compared_by(answers), self._skip_unsent)
        self._all_senders = self._start_senders(comparison)
        # Last, because what they send depends on what the others report.
        all_senders = [*self._all_senders, *([answers.senders] if answers else [])]

        def check() -> None:
            for senders in all_senders:
                if senders.breaker.has_opened:
                    raise TargetDown(f"{senders.target.url} failed many times in a row: stopped")
            on_progress(self._progress())

        try:
            for request in self._requests(history):
                self._submit(request, self._all_senders, check)
                check()
            while not all(senders.drain(WAIT_S) for senders in all_senders):
                check()
            check()
        finally:
            for senders in all_senders:
                senders.close()
            comparison.close()

    @property
    def resume_ms(self) -> int:
        """Where to continue after an interruption (when lines were received, Unix ms)."""
        return self._resume.time_ms

    @property
    def to_send(self) -> Counter[tuple[str, str]]:
        """(reason, route) -> requests that count as skipped, and that the resumed replay sends."""
        return self._resume.to_send

    @property
    def done_ids(self) -> list[str]:
        """Messages that were received after `resume_ms`, and that the resumed replay need not send."""
        return [*self._done_before, *self._resume.done_ids]

    def go_on(self, pairs: Pairs, done_ids: Iterable[str]) -> None:
        """Goes on with the pairs of an earlier part of this run, without the messages it dealt with."""
        self._stats.pairs = pairs
        self._done_before = frozenset(done_ids)

    def take_figures(self) -> RunFigures:
        """What was counted since the last call."""
        return self._stats.take()

    @property
    def pairs(self) -> Pairs:
        """The times of single requests, before and after."""
        return self._stats.pairs

    def pace(self) -> Pace:
        """How fast it went, and whose fault it is if that was slower than asked."""
        return pace_of(
            self.plan.asked,
            [
                Sending(
                    name,
                    senders.meter,
                    senders.under_way_max,
                    senders.concurrency.limit,
                    senders.concurrency.shortage,
                )
                for name, senders in zip(("The target", "The baseline"), self._all_senders, strict=False)
            ],
        )

    def timeline(self) -> list[TimePoint]:
        """The run in steps of equal length, at most 300: what the target was sent."""
        return self._all_senders[0].meter.timeline() if self._all_senders else []

    def _requests(self, history: History) -> Iterator[Request]:
        """The window's requests, each chunk of the log in order of time."""
        for chunk in history.read(self.plan.from_ms, self.plan.until_ms):
            requests = sorted(self._requests_of(chunk), key=lambda request: request.at_ms)
            received_ms = [request.received_ms for request in requests]
            # The log is read in order of reception, and the requests are sent in order of their own
            # time: any of those that are left in the chunk may have been received first.
            for request, unread_ms in zip(requests, earliest_from_each(received_ms), strict=True):
                self._resume.unread(unread_ms)
                yield request
                self._resume.taken(request.received_ms, request.message_id)
            if received_ms:
                self._resume.unread(max(received_ms))

    def _requests_of(self, chunk: Sequence[RouterMessage]) -> Iterator[Request]:
        for message in chunk:
            if message["id"] in self._done_before:
                continue
            if self.plan.app and message["app"] != self.plan.app:
                self._of_other_apps += 1
                self._resume.taken(message["received_at"], message["id"])
                continue
            request = request_of(message, self._route_of, self._is_connection)
            if request is None:
                self._stats.skipped(None, "no-path")
                self._resume.taken(message["received_at"], message["id"])
            else:
                yield request

    def _start_answers(self) -> AnswerComparison | None:
        """What compares the answers; None where they are not compared."""
        plan = self.plan
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

    def _start_senders(self, comparison: Comparison) -> list[Senders]:
        """The senders of each target, the baseline's second."""
        plan = self.plan
        if plan.baseline is None:
            return [self._senders(plan.target, self._stats.done, self._skip_unsent)]
        return [
            self._senders(
                target, partial(comparison.done, is_baseline), partial(comparison.skipped, is_baseline)
            )
            for is_baseline, target in ((False, plan.target), (True, plan.baseline))
        ]

    def _senders(self, target: Target, done: Done, skipped: Skipped) -> Senders:
        plan = self.plan
        return Senders(
            target,
            plan.concurrency,
            plan.timeout_s,
            done,
            skipped,
            Breaker(),
            rate=plan.rate,
            is_paced=plan.asked.is_paced,
            keeps_answers=plan.compares_answers,
        )

    def _submit(self, request: Request, all_senders: list[Senders], check: Callable[[], None]) -> None:
        """Gives the request to each target's senders at its time, or counts why it is not sent. Calls
        `check` while it waits."""
        jobs = []
        for senders in all_senders:
            job = prepare(request, senders.target, self.plan.policy)
            if isinstance(job, str):
                # It holds for every target, because the reason never depends on the target.
                self._stats.skipped(request, job)
                return
            jobs.append(job)
        due_s = self._pacer.due_s(request.at_ms)
        if due_s is None:
            self._stats.skipped(request, "late")
            return
        for senders, job in zip(all_senders, jobs, strict=True):
            while not senders.submit(job, due_s, WAIT_S):
                check()

    def _skip_unsent(self, request: Request, reason: str) -> None:
        """Counts a request that has to be sent when this replay is resumed."""
        self._resume.unsent(request.received_ms, request.message_id, reason, request.route)
        self._stats.skipped(request, reason)

    def _progress(self) -> Progress:
        """What was sent or skipped; what waits for its time is not done yet."""
        return Progress(self._stats.handled + self._of_other_apps, self._stats.at_ms)
