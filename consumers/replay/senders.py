"""The threads that send: each request at its time, over connections that are kept.

Requests wait in one heap, ordered by their time. One thread at a time waits for the head of it;
when it takes the head it wakes the next, so a due request never waits for a sleeping crowd.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from consumers.replay.breaker import Breaker
from consumers.replay.connection import Connection, tls_context
from consumers.replay.request import Outcome, Request
from consumers.replay.target import Target

QUEUE_MAX = 2_000
"""What may wait; whoever submits more waits too. A crash loses no more than these."""

Done = Callable[[Request, Outcome, float], None]
"""(request, outcome, sent minus due in ms); called by the sending threads."""

Skipped = Callable[[Request, str], None]


@dataclass(frozen=True, slots=True)
class Job:
    """One request, ready to be written to the wire."""

    request: Request
    target: bytes
    headers: Sequence[tuple[str, str]]


class Senders:
    """`concurrency` threads with a connection each."""

    def __init__(
        self,
        target: Target,
        concurrency: int,
        timeout_s: float,
        done: Done,
        skipped: Skipped,
        breaker: Breaker,
    ) -> None:
        self._done = done
        self._skipped = skipped
        self._breaker = breaker
        self._heap: list[tuple[float, int, Job]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._space = threading.Semaphore(QUEUE_MAX)
        self._is_waited_for = False
        self._busy = 0
        self._closed = False
        tls = tls_context(target)
        self._threads = [
            threading.Thread(
                target=self._send,
                args=(Connection(target, timeout_s, tls),),
                name=f"sender-{number}",
                daemon=True,
            )
            for number in range(concurrency)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, job: Job, due_s: float) -> None:
        """Adds a request to be sent at `due_s` (monotonic); waits while too many wait."""
        self._space.acquire()
        with self._changed:
            heapq.heappush(self._heap, (due_s, next(self._numbers), job))
            if self._heap[0][2] is job:
                # A new head: whoever waits for the old one must look again.
                self._changed.notify_all()

    def _next(self) -> tuple[float, Job] | None:
        """The head of the heap once it is due; None when all is over."""
        with self._changed:
            while not self._closed:
                if not self._heap or self._is_waited_for:
                    self._changed.wait()
                    continue
                left_s = self._heap[0][0] - time.monotonic()
                if left_s > 0:
                    self._is_waited_for = True
                    self._changed.wait(left_s)
                    self._is_waited_for = False
                    continue
                due_s, _, job = heapq.heappop(self._heap)
                self._busy += 1
                self._changed.notify()
                return due_s, job
        return None

    def _send(self, connection: Connection) -> None:
        while (found := self._next()) is not None:
            due_s, job = found
            self._space.release()
            try:
                self._send_one(connection, due_s, job)
            finally:
                with self._changed:
                    self._busy -= 1
                    if not self._busy and not self._heap:
                        self._changed.notify_all()
        connection.close()

    def _send_one(self, connection: Connection, due_s: float, job: Job) -> None:
        if not self._breaker.allows():
            self._skipped(job.request, "breaker-open")
            return
        late_ms = (time.monotonic() - due_s) * 1000
        outcome = connection.exchange(job.request.method, job.target, job.headers)
        self._breaker.record(outcome.kind == "answered")
        self._done(job.request, outcome, late_ms)

    @property
    def waiting(self) -> int:
        """Requests that are not sent yet."""
        return len(self._heap)

    def drain(self, timeout_s: float) -> bool:
        """Waits until all is sent; False when time was up first."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while self._heap or self._busy:
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    return False
                self._changed.wait(min(left_s, 0.2))
        return True

    def close(self) -> int:
        """Ends the threads; how many requests were left unsent, each of them reported skipped."""
        with self._changed:
            left = [job for _, _, job in self._heap]
            self._heap.clear()
            self._closed = True
            self._changed.notify_all()
        for job in left:
            self._space.release()
            self._skipped(job.request, "stopped")
        for thread in self._threads:
            thread.join(1.0)
        return len(left)
