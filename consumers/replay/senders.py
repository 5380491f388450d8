"""The threads that send: each request at its time, over connections that are kept alive."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable

from consumers.replay.breaker import Breaker
from consumers.replay.connection import Connection, tls_context
from consumers.replay.due_queue import DueQueue
from consumers.replay.pace import RateLimit
from consumers.replay.request import Job, Outcome, Request
from consumers.replay.target import Target

log = logging.getLogger(__name__)

QUEUE_MAX = 2_000
"""Requests that may wait. A crash loses these, and what is left of the current batch."""

LAST_ANSWERS_S = 1.0
"""How long `close` waits for answers that are on their way."""

Done = Callable[[Request, Outcome, float], None]
"""(request, outcome, sent minus due in ms); called by the sending threads."""

Skipped = Callable[[Request, str], None]
"""(request, reason): `late`, `breaker-open`, `stopped` before it was sent or answered, or `fault` after
an error in this program."""


class Senders:
    """`concurrency` threads with a connection each. Every request that is submitted is reported once, to
    `done` or to `skipped`."""

    def __init__(
        self,
        target: Target,
        concurrency: int,
        timeout_s: float,
        done: Done,
        skipped: Skipped,
        breaker: Breaker,
        max_late_s: float = math.inf,
        rate: float = 0.0,
        *,
        keeps_answers: bool = False,
    ) -> None:
        """`rate`: limit of requests/s, 0 for none. `keeps_answers`: outcomes have their `answer`."""
        self.target = target
        self.breaker = breaker
        self._done = done
        self._skipped = skipped
        self._max_late_s = max_late_s
        self._queue: DueQueue[Job] = DueQueue(QUEUE_MAX, RateLimit(rate), max_late_s)
        tls = tls_context(target)
        self._threads = [
            threading.Thread(
                target=self._work,
                args=(Connection(target, timeout_s, tls, keeps_answers=keeps_answers),),
                name=f"sender-{number}",
                daemon=True,
            )
            for number in range(concurrency)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, job: Job, due_s: float, timeout_s: float | None = None) -> bool:
        """Adds a request to be sent at `due_s` (monotonic). Waits while QUEUE_MAX requests are waiting;
        False, and nothing is added, when that takes longer than `timeout_s`."""
        return self._queue.put(job, due_s, timeout_s)

    def drain(self, timeout_s: float) -> bool:
        """Waits until every request is reported; False when time ran out first."""
        return self._queue.join(timeout_s)

    def close(self) -> int:
        """Stops the threads, soon. Requests that are unsent or unanswered by then are reported as
        skipped; returns how many they are."""
        left = self._queue.close()
        deadline_s = time.monotonic() + LAST_ANSWERS_S
        for thread in self._threads:
            thread.join(max(0.0, deadline_s - time.monotonic()))
        left += self._queue.abandon()
        for job in left:
            self._skipped(job.request, "stopped")
        return len(left)

    def _work(self, connection: Connection) -> None:
        while (entry := self._queue.take()) is not None:
            result = self._attempt(connection, entry.item, entry.due_s)
            if not self._queue.claim(entry):
                continue  # `close` did not wait that long, and has reported it.
            try:
                self._report(entry.item.request, result)
            finally:
                self._queue.finish(entry)
        connection.close()

    def _attempt(self, connection: Connection, job: Job, due_s: float) -> tuple[Outcome, float] | str:
        """As `_send`; an error of this program costs neither the thread nor the request's report."""
        try:
            return self._send(connection, job, due_s)
        except Exception:
            log.exception("a request could not be sent")
            connection.close()
            return "fault"

    def _send(self, connection: Connection, job: Job, due_s: float) -> tuple[Outcome, float] | str:
        """The outcome and sent minus due in ms, or the reason why the request was not sent."""
        late_s = time.monotonic() - due_s
        if late_s > self._max_late_s:
            return "late"
        permit = self.breaker.acquire()
        if permit is None:
            return "breaker-open"
        outcome = connection.exchange(job.request.method, job.target, job.headers)
        self.breaker.record(permit, outcome.kind == "answered")
        return outcome, late_s * 1000

    def _report(self, request: Request, result: tuple[Outcome, float] | str) -> None:
        if isinstance(result, str):
            self._skipped(request, result)
        else:
            self._done(request, *result)
