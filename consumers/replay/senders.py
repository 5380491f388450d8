"""The threads that send: each request at its time, over connections that are kept.

Requests wait in one heap, ordered by their time. One thread at a time waits for the head of it;
when it takes the head it wakes the next, so a due request never waits for a sleeping crowd.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from consumers.replay.breaker import Breaker
from consumers.replay.connection import Connection, tls_context
from consumers.replay.request import Outcome, Request
from consumers.replay.target import Target

log = logging.getLogger(__name__)

QUEUE_MAX = 2_000
"""What may wait; whoever submits more waits too. A crash loses these, and the batch at hand."""

RATE_SLACK_S = 0.1
"""A thread that wakes late may be made up for; after a stall of the target no more than this may."""

LAST_ANSWERS_S = 1.0
"""How long the end waits for answers that are under way."""

Done = Callable[[Request, Outcome, float], None]
"""(request, outcome, sent minus due in ms); called by the sending threads."""

Skipped = Callable[[Request, str], None]
"""(request, reason): `late`, `breaker-open`, `stopped` before it was sent or answered, or `fault`, which
is ours."""


@dataclass(frozen=True, slots=True)
class Job:
    """One request, ready to be written to the wire."""

    request: Request
    target: bytes
    headers: Sequence[tuple[str, str]]


class Senders:
    """`concurrency` threads with a connection each. What is submitted is reported once: done, or skipped."""

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
    ) -> None:
        """`rate`: at most so many requests a second are sent, 0: no limit."""
        self.target = target
        self.breaker = breaker
        self._done = done
        self._skipped = skipped
        self._max_late_s = max_late_s
        self._gap_s = 1 / rate if rate else 0.0
        self._free_s = -math.inf
        """When the rate lets the next one go."""
        self._heap: list[tuple[float, int, Job]] = []
        self._numbers = itertools.count()
        lock = threading.Lock()
        self._changed = threading.Condition(lock)
        """For the threads: the head of the heap is another."""
        self._emptied = threading.Condition(lock)
        """For `drain`, which must not take a wake-up that is a thread's."""
        self._space = threading.Semaphore(QUEUE_MAX)
        self._is_waited_for = False
        self._in_hand: dict[int, Job] = {}
        """What threads are at, by its number."""
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

    def submit(self, job: Job, due_s: float, timeout_s: float | None = None) -> bool:
        """Adds a request to be sent at `due_s` (monotonic); waits while too many wait. False, and
        nothing is added, when that takes longer than `timeout_s`."""
        if not self._space.acquire(timeout=timeout_s):
            return False
        with self._changed:
            heapq.heappush(self._heap, (due_s, next(self._numbers), job))
            if self._heap[0][2] is job:
                # A new head: whoever waits for the old one must look again.
                self._changed.notify_all()
        return True

    def _next(self) -> tuple[float, int, Job] | None:
        """The head of the heap once it is due; None when all is over."""
        with self._changed:
            while not self._closed:
                if not self._heap or self._is_waited_for:
                    self._changed.wait()
                    continue
                now = time.monotonic()
                left_s = max(self._heap[0][0], self._free_s) - now
                if left_s > 0:
                    self._is_waited_for = True
                    self._changed.wait(left_s)
                    self._is_waited_for = False
                    continue
                head = heapq.heappop(self._heap)
                self._in_hand[head[1]] = head[2]
                if now - head[0] <= self._max_late_s:
                    self._free_s = max(self._free_s, now - RATE_SLACK_S) + self._gap_s
                self._changed.notify()
                return head
        return None

    def _send(self, connection: Connection) -> None:
        while (found := self._next()) is not None:
            due_s, number, job = found
            self._space.release()
            sent: tuple[Outcome, float] | str
            try:
                sent = self._send_one(connection, due_s, job)
            except Exception:
                # A fault of ours is not to cost the thread, and the request's place in the figures.
                log.exception("a request could not be sent")
                connection.close()
                sent = "fault"
            with self._changed:
                if self._in_hand.pop(number, None) is None:
                    continue  # `close` did not wait that long, and has reported it.
                if isinstance(sent, str):
                    self._skipped(job.request, sent)
                else:
                    self._done(job.request, *sent)
                if not self._in_hand and not self._heap:
                    self._emptied.notify_all()
        connection.close()

    def _send_one(self, connection: Connection, due_s: float, job: Job) -> tuple[Outcome, float] | str:
        """What came of it and how late it was sent (ms), or why it was not."""
        late_s = time.monotonic() - due_s
        if late_s > self._max_late_s:
            return "late"
        leave = self.breaker.allows()
        if leave is None:
            return "breaker-open"
        outcome = connection.exchange(job.request.method, job.target, job.headers)
        self.breaker.record(leave, outcome.kind == "answered")
        return outcome, late_s * 1000

    def drain(self, timeout_s: float) -> bool:
        """Waits until all is sent; False when time was up first."""
        deadline = time.monotonic() + timeout_s
        with self._emptied:
            while self._heap or self._in_hand:
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    return False
                self._emptied.wait(left_s)
        return True

    def close(self) -> int:
        """Ends the threads, soon; how many requests were left unsent or unanswered, each of them
        reported skipped."""
        with self._changed:
            left = [job for _, _, job in self._heap]
            self._heap.clear()
            self._closed = True
            self._changed.notify_all()
        deadline = time.monotonic() + LAST_ANSWERS_S
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._changed:
            left += self._in_hand.values()
            self._in_hand.clear()
        for job in left:
            self._skipped(job.request, "stopped")
        return len(left)
