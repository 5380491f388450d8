"""The threads that send: each request at its time, over connections that are kept alive."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from functools import partial

from consumers.replay.choice.target import Target
from consumers.replay.load.pace import RateLimit
from consumers.replay.request import Job, Outcome, Request
from consumers.replay.sending.breaker import Breaker
from consumers.replay.sending.concurrency import (
    BUSY_CPU_SHARE,
    CONCURRENCY_MAX,
    Concurrency,
    CpuShare,
    allow_files,
    start_small,
)
from consumers.replay.sending.connection import Connection, tls_context
from consumers.replay.sending.due_queue import BEHIND_S, DueQueue, Entry
from consumers.replay.sending.meter import PaceMeter

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
    """Threads with a connection each, started as they are needed. Every request that is submitted is reported
    once, to `done` or to `skipped`."""

    def __init__(
        self,
        target: Target,
        concurrency: int | None,
        timeout_s: float,
        done: Done,
        skipped: Skipped,
        breaker: Breaker,
        max_late_s: float = math.inf,
        rate: float = 0.0,
        *,
        is_paced: bool = True,
        keeps_answers: bool = False,
    ) -> None:
        """`concurrency`: the limit of requests at once; None: it grows as needed. `rate`: limit of
        requests/s, 0 for none. `is_paced`: requests have a due time that they can miss; otherwise as many
        as the limit are under way at any time, and none is late. `keeps_answers`: outcomes have their
        `answer`."""
        self.target = target
        self.breaker = breaker
        self.meter = PaceMeter()
        self._done = done
        self._skipped = skipped
        self._max_late_s = max_late_s
        self._is_paced = is_paced
        self._keeps_answers = keeps_answers
        self._timeout_s = timeout_s
        self._tls = tls_context(target)
        self._queue: DueQueue[Job] = DueQueue(QUEUE_MAX, RateLimit(rate), max_late_s)
        # A comparison of answers has three such sets.
        files = allow_files(3 * (CONCURRENCY_MAX if concurrency is None else concurrency)) // 3
        self.concurrency = Concurrency.of(concurrency, files)
        self._threads: list[threading.Thread] = []
        self._connections: list[Connection] = []
        self._lock = threading.Lock()
        """Of the threads and connections."""
        self._is_closing = threading.Event()
        self._add_thread()
        if is_paced and self.concurrency.can_grow:
            self._start(self._watch, "sender-watch")

    def submit(self, job: Job, due_s: float, timeout_s: float | None = None) -> bool:
        """Adds a request to be sent at `due_s` (monotonic). Waits while QUEUE_MAX requests are waiting;
        False, and nothing is added, when that takes longer than `timeout_s`."""
        if not self.meter.has_begun:
            self.meter.begin(due_s)
        return self._queue.put(job, due_s, timeout_s)

    def drain(self, timeout_s: float) -> bool:
        """Waits until every request is reported; False when time ran out first."""
        return self._queue.join(timeout_s)

    @property
    def under_way_max(self) -> int:
        """The most requests that were under way at once."""
        return self._queue.taken_max

    def close(self) -> int:
        """Ends the threads, soon. Requests that are unsent or unanswered by then are reported as
        skipped; returns how many they are."""
        with self._lock:  # Nobody is just starting another thread.
            self._is_closing.set()
        left = self._queue.close()
        self._join(LAST_ANSWERS_S)
        left += self._queue.abandon()
        for job in left:
            self._skipped(job.request, "stopped")
        for connection in self._connections:
            connection.abort()  # Nobody waits for these answers any more.
        self._join(LAST_ANSWERS_S)
        return len(left)

    def _join(self, timeout_s: float) -> None:
        deadline_s = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline_s - time.monotonic()))

    def _start(self, run: Callable[[], None], name: str) -> None:
        """Raises RuntimeError where the system has no thread left."""
        thread = threading.Thread(target=run, name=name, daemon=True)
        start_small(thread)
        self._threads.append(thread)

    def _add_thread(self) -> None:
        """Starts another sender where the limit allows one."""
        with self._lock:
            count = len(self._connections)
            if count >= self.concurrency.limit or self._is_closing.is_set():
                return
            connection = Connection(
                self.target, self._timeout_s, self._tls, keeps_answers=self._keeps_answers
            )
            try:
                self._start(partial(self._work, connection), f"sender-{count}")
            except RuntimeError:
                if not count:
                    raise
                self.concurrency.no_more_threads(count)
                return
            self._connections.append(connection)

    def _watch(self) -> None:
        """Raises the limit while due requests find no free sender."""
        cpu_share = CpuShare()
        while self.concurrency.can_grow and not self._is_closing.wait(BEHIND_S):
            is_worth_it = cpu_share() < BUSY_CPU_SHARE
            if (waiting := self._queue.overdue()) and is_worth_it:
                self.concurrency.grow(self._queue.taken + waiting)
                self._add_thread()  # It starts the next one itself.

    def _work(self, connection: Connection) -> None:
        free_s = time.monotonic()
        while (entry := self._queue.take()) is not None:
            under_way = self._queue.taken
            if len(self._connections) < self.concurrency.limit and not self._queue.idle:
                self._add_thread()  # Somebody has to wait for the next request.
            sent_s = time.monotonic()
            result = self._attempt(connection, entry, sent_s)
            if not self._queue.claim(entry):
                break  # `close` did not wait that long, and has reported it.
            try:
                if isinstance(result, str):
                    self._skipped(entry.item.request, result)
                else:
                    self._done(entry.item.request, *result)
                    self.meter.note(entry, free_s, sent_s, under_way, result[0])
            finally:
                self._queue.finish(entry)
            free_s = time.monotonic()
        connection.close()

    def _attempt(
        self, connection: Connection, entry: Entry[Job], now_s: float
    ) -> tuple[Outcome, float] | str:
        """As `_send`; an error of this program costs neither the thread nor the request's report."""
        try:
            return self._send(connection, entry.item, now_s - entry.due_s)
        except Exception:
            log.exception("a request could not be sent")
            connection.close()
            return "fault"

    def _send(self, connection: Connection, job: Job, late_s: float) -> tuple[Outcome, float] | str:
        """The outcome and sent minus due in ms, or the reason why the request was not sent."""
        if late_s > self._max_late_s:
            return "late"
        permit = self.breaker.acquire()
        if permit is None:
            return "breaker-open"
        outcome = connection.exchange(job.request.method, job.target, job.headers)
        self.breaker.record(permit, outcome.has_status)
        return outcome, late_s * 1000 if self._is_paced else 0.0
