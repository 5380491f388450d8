"""Replays a window of the kept log: to one target, or to two that are compared with each other."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from app.store.replay import Figures
from app.streams import History
from consumers.replay.breaker import Breaker
from consumers.replay.pace import Pacer
from consumers.replay.player import Choice, Tally, job_for
from consumers.replay.request import Outcome, Request, request_of
from consumers.replay.senders import Job, Senders
from consumers.replay.target import Target

LAST_ANSWERS_S = 30.0
LEAD_S = 0.2
"""From the first request read to its sending: time to fill the queue."""


class TargetDown(Exception):
    """The target failed many times in a row: what follows would measure nothing."""


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
    choice: Choice
    app: str
    concurrency: int
    timeout_s: float


class Pairs:
    """Outcomes of the two targets, joined: the baseline takes the place of the original."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._lock = threading.Lock()
        self._first: dict[int, tuple[bool, Outcome, float]] = {}

    def done(self, is_baseline: bool, request: Request, outcome: Outcome, late_ms: float) -> None:
        """Notes one of the two; with the second, both are counted."""
        with self._lock:
            first = self._first.pop(id(request), None)
            if first is None:
                self._first[id(request)] = (is_baseline, outcome, late_ms)
                return
        other = first[1]
        before, after = (outcome, other) if is_baseline else (other, outcome)
        late = first[2] if is_baseline else late_ms
        self._tally.compared(request, before, after, late)

    def skipped(self, request: Request, reason: str) -> None:
        with self._lock:
            self._first.pop(id(request), None)
        self._tally.skipped(request, reason)


@dataclass(slots=True)
class Window:
    """One replay of a window; `run` does it, the figures are whole even when it is interrupted."""

    plan: Plan
    route_of: Callable[[str], str]
    pacer: Pacer
    _tally: Tally = field(default_factory=Tally)
    _of_other_apps: int = 0
    _submitted_ms: int = 0
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
            yield from sorted(found, key=lambda request: request.at_ms)

    def rehearse(self, history: History, on_progress: Callable[[Progress], None]) -> Counter[tuple[str, str]]:
        """(route, reason) -> requests; reason `sent` for those that would go. Sends nothing."""
        counts: Counter[tuple[str, str]] = Counter()
        for done, request in enumerate(self.requests(history), 1):
            job = job_for(request, self.plan.target, self.plan.choice)
            counts[request.route, job if isinstance(job, str) else "sent"] += 1
            on_progress(Progress(done + self._of_other_apps, request.at_ms))
        return counts

    def run(self, history: History, on_progress: Callable[[Progress], None]) -> None:
        """Sends all of it. Raises TargetDown, SameHost, LogUnavailable, KeyboardInterrupt: what was
        done until then is in `figures`, and `resume_ms` says where to go on."""
        breaker = Breaker()
        crew = self._crew(breaker)
        try:
            for request in self.requests(history):
                if breaker.is_open:
                    raise TargetDown
                self._send(request, crew)
                self._submitted_ms = request.at_ms
                on_progress(self._progress())
            deadline = time.monotonic() + LAST_ANSWERS_S
            while not all(senders.drain(0.5) for senders in crew):
                if breaker.is_open:
                    raise TargetDown
                on_progress(self._progress())
                if time.monotonic() > deadline and not any(senders.waiting for senders in crew):
                    break
            if breaker.is_open:
                raise TargetDown
        finally:
            for senders in crew:
                senders.close()

    def _progress(self) -> Progress:
        """Of what was sent or left out; what waits for its time is still to come."""
        return Progress(self._tally.handled + self._of_other_apps, self._tally.at_ms)

    def _crew(self, breaker: Breaker) -> list[Senders]:
        plan = self.plan
        if plan.baseline is None:
            done = self._tally.done
            return [Senders(plan.target, plan.concurrency, plan.timeout_s, done, self._skipped, breaker)]
        pairs = Pairs(self._tally)

        def skipped(request: Request, reason: str) -> None:
            self._note_unsent(request, reason)
            pairs.skipped(request, reason)

        def to_target(request: Request, outcome: Outcome, late_ms: float) -> None:
            pairs.done(False, request, outcome, late_ms)

        def to_baseline(request: Request, outcome: Outcome, late_ms: float) -> None:
            pairs.done(True, request, outcome, late_ms)

        return [
            Senders(plan.target, plan.concurrency, plan.timeout_s, to_target, skipped, breaker),
            Senders(plan.baseline, plan.concurrency, plan.timeout_s, to_baseline, skipped, Breaker()),
        ]

    def _send(self, request: Request, crew: list[Senders]) -> None:
        plan = self.plan
        job = job_for(request, plan.target, plan.choice)
        if isinstance(job, str):
            self._tally.skipped(request, job)
            return
        jobs = [job]
        if plan.baseline is not None:
            other = job_for(request, plan.baseline, plan.choice)
            assert isinstance(other, Job)  # The same rules said yes a moment ago.
            jobs.append(other)
        due_s = self.pacer.due_s(request.at_ms)
        if due_s is None:
            self._tally.skipped(request, "late")
            return
        for senders, own in zip(crew, jobs, strict=True):
            senders.submit(own, due_s)

    def _skipped(self, request: Request, reason: str) -> None:
        self._note_unsent(request, reason)
        self._tally.skipped(request, reason)

    def _note_unsent(self, request: Request, reason: str) -> None:
        if reason == "stopped" and (not self._unsent_from_ms or request.at_ms < self._unsent_from_ms):
            self._unsent_from_ms = request.at_ms

    @property
    def resume_ms(self) -> int:
        """Where an interrupted replay goes on: the first request that was not sent, else the last."""
        return self._unsent_from_ms or self._submitted_ms or self.plan.from_ms

    def take_figures(self) -> Figures:
        """What was counted since the last call."""
        return self._tally.take()
