"""Replays a window of the kept log: to one target, or to two that are compared with each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate

from app.errors import TargetDown
from app.log import History
from app.store.replay import Figures
from consumers.replay.breaker import Breaker
from consumers.replay.pace import Pacer
from consumers.replay.pairs import Pairs
from consumers.replay.player import ReplayPolicy, ReplayStats, prepare
from consumers.replay.request import Request, request_of
from consumers.replay.senders import Done, Senders, Skipped
from consumers.replay.target import Target

WAIT_S = 0.25
"""How often progress is told and a dead target seen while nothing is to be done."""

LEAD_S = 0.2
"""From the first request read to its sending: time to fill the queue."""


MARGIN_MS = 1_000
"""The log's order is about that of reception; what is gone on with begins a little earlier."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a replay is: messages done with, and the time in the log of the last one (Unix ms)."""

    done: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What is replayed, where to, and how fast."""

    from_ms: int
    until_ms: int
    target: Target
    baseline: Target | None
    choice: ReplayPolicy
    app: str
    concurrency: int
    timeout_s: float
    rate: float = 0.0
    """Requests a second to each target; 0: no limit."""


@dataclass(slots=True)
class Window:
    """One replay of a window; `run` does it, the figures are whole even when it is interrupted."""

    plan: Plan
    route_of: Callable[[str], str]
    pacer: Pacer
    _tally: ReplayStats = field(default_factory=ReplayStats)
    _of_other_apps: int = 0
    _next_from_ms: int = 0
    _unsent_from_ms: int = 0

    def requests(self, history: History) -> Iterator[Request]:
        """The window's requests in order of time."""
        for chunk in history.read(self.plan.from_ms, self.plan.until_ms):
            found = []
            for message in chunk:
                if self.plan.app and message["app"] != self.plan.app:
                    self._of_other_apps += 1
                    continue
                request = request_of(message, self.route_of)
                if request is None:
                    self._tally.skipped(None, "no-path")
                else:
                    found.append(request)
            found.sort(key=lambda request: request.at_ms)
            # The log is read by when lines were received, which is another order.
            oldest = list(accumulate((request.received_ms for request in reversed(found)), min))
            for request in found:
                self._next_from_ms = oldest.pop()
                yield request
            if found:
                self._next_from_ms = max(request.received_ms for request in found)

    def rehearse(self, history: History, on_progress: Callable[[Progress], None]) -> Counter[tuple[str, str]]:
        """(route, reason) -> requests; reason `sent` for those that would go. Sends nothing."""
        counts: Counter[tuple[str, str]] = Counter()
        for done, request in enumerate(self.requests(history), 1):
            job = prepare(request, self.plan.target, self.plan.choice)
            counts[request.route, job if isinstance(job, str) else "sent"] += 1
            on_progress(Progress(done + self._of_other_apps, request.at_ms))
        return counts

    def run(self, history: History, on_progress: Callable[[Progress], None]) -> None:
        """Sends all of it. Raises TargetDown, SameHost, LogUnavailable, KeyboardInterrupt: what was
        done until then is in `figures`, and `resume_ms` says where to go on."""
        pairs = Pairs(self._tally.compared, self._left_unsent)
        crew = self._crew(pairs)

        def wait() -> None:
            for senders in crew:
                if senders.breaker.has_opened:
                    raise TargetDown(f"{senders.target.url} failed many times in a row: stopped")
            on_progress(self._progress())

        try:
            for request in self.requests(history):
                self._send(request, crew, wait)
                wait()
            while not all(senders.drain(WAIT_S) for senders in crew):
                wait()
            wait()
        finally:
            for senders in crew:
                senders.close()
            pairs.close()

    def _progress(self) -> Progress:
        """Of what was sent or left out; what waits for its time is still to come."""
        return Progress(self._tally.handled + self._of_other_apps, self._tally.at_ms)

    def _crew(self, pairs: Pairs) -> list[Senders]:
        """The senders of each target, the baseline's second."""
        plan = self.plan
        if plan.baseline is None:
            return [self._senders(plan.target, self._tally.done, self._left_unsent)]
        return [
            self._senders(target, partial(pairs.done, is_baseline), partial(pairs.skipped, is_baseline))
            for is_baseline, target in ((False, plan.target), (True, plan.baseline))
        ]

    def _senders(self, target: Target, done: Done, skipped: Skipped) -> Senders:
        plan = self.plan
        return Senders(target, plan.concurrency, plan.timeout_s, done, skipped, Breaker(), rate=plan.rate)

    def _send(self, request: Request, crew: list[Senders], wait: Callable[[], None]) -> None:
        plan = self.plan
        jobs = []
        for senders in crew:
            job = prepare(request, senders.target, plan.choice)
            if isinstance(job, str):
                # For all alike: what is sent does not depend on the target.
                self._tally.skipped(request, job)
                return
            jobs.append(job)
        due_s = self.pacer.due_s(request.at_ms)
        if due_s is None:
            self._tally.skipped(request, "late")
            return
        for senders, job in zip(crew, jobs, strict=True):
            while not senders.submit(job, due_s, WAIT_S):
                wait()

    def _left_unsent(self, request: Request, reason: str) -> None:
        """Notes what is to be sent when this replay is gone on with."""
        if not self._unsent_from_ms or request.received_ms < self._unsent_from_ms:
            self._unsent_from_ms = request.received_ms
        self._tally.skipped(request, reason)

    @property
    def resume_ms(self) -> int:
        """Where an interrupted replay goes on (when lines were received, Unix ms): the first request
        that was not sent."""
        places = [place for place in (self._unsent_from_ms, self._next_from_ms) if place]
        return max(self.plan.from_ms, min(places, default=0) - MARGIN_MS)

    def take_figures(self) -> Figures:
        """What was counted since the last call."""
        return self._tally.take()
