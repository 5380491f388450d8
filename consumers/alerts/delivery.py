"""Deliveries: one thread a target takes messages from the outbox and sends them, one after the other.

A target that hangs, fails or is dead keeps only its own thread waiting. What it does not take is sent again
after 2 s, 4, 8, ... 60 s, or when it asks for it, for ten minutes from the first attempt; then it is given
up, counted, and shown with its reason. The threads are daemons: one that hangs keeps no process from its end.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from threading import Event, Lock, Thread

import redis

from app.alerts.redis import outbox
from app.alerts.redis.outbox import Delivery
from app.alerts.targets.target import DeliveryFailed, Kind, Target
from app.backoff import Outage
from app.errors import first_words

log = logging.getLogger(__name__)

SEND_S = 10.0
"""For one attempt; a mail server may take longer (ACCEPT_S of targets/email.py)."""

POLL_S = 5.0
"""Whoever puts messages into the outbox wakes the threads; this is for what it may have missed."""

NEXT_POLL_S = 1.0

FAULT_DELAY_S = 30.0
"""After a defect."""

CLOSE_S = 3.0
"""So long the end of a process waits for what is being sent. What hangs is sent once more by the next one."""


class Deliveries:
    """All targets of one process. Nothing is sent before `resume`, or after `pause`."""

    def __init__(
        self,
        store: redis.Redis,
        holder: str,
        targets: Mapping[str, Target],
        kinds: Mapping[str, Kind],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.targets = targets
        self._senders = [
            Sender(store, holder, target, kinds.get(target.kind), clock) for target in targets.values()
        ]

    def resume(self) -> None:
        """This process has the lease."""
        for sender in self._senders:
            sender.resume()

    def pause(self) -> None:
        """Begins nothing more; what is being sent goes on."""
        for sender in self._senders:
            sender.pause()

    @property
    def is_sending(self) -> bool:
        return any(sender.is_sending for sender in self._senders)

    def wake(self) -> None:
        """There are new messages."""
        for sender in self._senders:
            sender.wake()

    def close(self, within_s: float = CLOSE_S) -> None:
        """Ends the threads, but for those that hang."""
        self.pause()
        for sender in self._senders:
            sender.stop()
        deadline_s = time.monotonic() + within_s
        for sender in self._senders:
            sender.join(max(0.0, deadline_s - time.monotonic()))


class Sender:
    """The thread of one target."""

    def __init__(
        self,
        store: redis.Redis,
        holder: str,
        target: Target,
        kind: Kind | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._holder = holder
        self._target = target
        self._kind = kind
        self._clock = clock
        self._stop = Event()
        self._woken = Event()
        self._lock = Lock()
        self._is_failing = False
        self._thread: Thread | None = None
        self.may_send = False
        """Whether this process has the lease, as far as it knows: a claim makes sure."""
        self.is_sending = False
        """Between a claim and its end."""

    def resume(self) -> None:
        if self.may_send or self._stop.is_set():
            return
        if self._thread is None:
            thread = Thread(target=self._run, name=f"alerts to {self._target.name}", daemon=True)
            thread.start()  # If the machine has none to spare, it is tried again.
            self._thread = thread
        with self._lock:
            self.may_send = True
        self._woken.set()

    def pause(self) -> None:
        with self._lock:
            self.may_send = False

    def wake(self) -> None:
        self._woken.set()

    def stop(self) -> None:
        self._stop.set()
        self._woken.set()

    def join(self, timeout_s: float) -> None:
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        outage = Outage(log, self._stop)
        while not self._stop.is_set():
            self._woken.clear()
            try:
                wait_s = self.deliver_next()
                outage.resolved()
            except redis.RedisError as fault:
                outage.wait(first_words(fault))
                continue
            except Exception:
                # Without this thread, the target would never get a message again.
                log.exception(
                    "a defect stopped the sending of alerts; trying again soon: target=%s", self._target.name
                )
                self._stop.wait(FAULT_DELAY_S)
                continue
            if wait_s:
                self._woken.wait(wait_s)

    def deliver_next(self) -> float:
        """Sends what is due, one message at most; how long to wait until the next look, in seconds. Raises
        redis.RedisError."""
        now_s = self._clock()
        waiting = outbox.read_outbox(self._store).without_claims_of(self._holder, self._target.name)
        found = outbox.take(self._store, waiting, now_s, self._target.name)
        if not found:
            next_s = waiting.next_s(self._target.name)
            return POLL_S if next_s is None else min(POLL_S, max(NEXT_POLL_S, next_s - now_s))
        with self._lock:
            if not self.may_send:
                return POLL_S
            self.is_sending = True
        try:
            return 0.0 if self._deliver(found[0]) else NEXT_POLL_S
        finally:
            self.is_sending = False

    def _deliver(self, delivery: Delivery) -> bool:
        """False: it is not this process's to send."""
        claimed_s = self._clock()
        if not outbox.claim(self._store, self._holder, delivery, claimed_s):
            return False
        try:
            self._send(delivery)
        except DeliveryFailed as fault:
            self._failed(delivery, fault, claimed_s)
        except Exception as fault:
            # A defect, whose text may hold the URL.
            self._failed(delivery, DeliveryFailed(f"{type(fault).__name__} while sending"), claimed_s)
        else:
            self._until_written(lambda: outbox.delivered(self._store, delivery, self._clock()))
            if self._is_failing:
                log.info("alerts arrive again: target=%s", self._target.name)
            self._is_failing = False
        return True

    def _send(self, delivery: Delivery) -> None:
        """Raises DeliveryFailed, and whatever a defect raises."""
        if self._target.unset:
            raise DeliveryFailed("; ".join(self._target.unset), is_final=True)
        if self._kind is None:
            raise DeliveryFailed(f"there is no kind {self._target.kind!r} of targets", is_final=True)
        self._kind.send(self._target, delivery.message, SEND_S)

    def _failed(self, delivery: Delivery, fault: DeliveryFailed, claimed_s: float) -> None:
        now_s = self._clock()
        begun_s = claimed_s if delivery.begun_s is None else delivery.begun_s
        due_s = (
            None if fault.is_final else outbox.retry_s(begun_s, delivery.attempts + 1, now_s, fault.after_s)
        )
        if due_s is None:
            log.error(
                "an alert is not delivered: target=%s id=%s reason=%s",
                *(self._target.name, delivery.message.id, fault.reason),
            )
        elif not self._is_failing:
            log.warning("alerts are sent again: target=%s reason=%s", self._target.name, fault.reason)
            self._is_failing = True
        self._until_written(
            lambda: outbox.failed(self._store, self._holder, delivery, fault.reason, due_s, now_s)
        )

    def _until_written(self, write: Callable[[], object]) -> None:
        """Writes how it ended, however long Redis is unreachable: until then it must not be sent again."""
        outage = Outage(log, self._stop)
        while True:
            try:
                write()
                outage.resolved()
                return
            except redis.RedisError as fault:
                if self._stop.is_set():
                    return
                outage.wait(first_words(fault))
