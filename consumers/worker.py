"""The loop of a worker: poll, handle, settle; wait for what is unreachable; stop when told.

Start order: reader, then loop. Stop order: the loop ends after its batch, the reader commits and
leaves the group. SIGTERM and SIGINT are a normal end: exit code 0, within 10 seconds, even where
Redis or a broker hangs.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Timer

import redis

from app.backoff import Outage
from app.errors import LogUnavailable, StaleBatch, TailraceError, first_words
from app.log import BadValue, Batch, Lag, Reader
from app.message import decode, encode
from app.store.held import POISON_AFTER, count_held, forget_held, poison
from app.store.workers import WorkerStatus, deregister, report_status
from consumers.hand import Hand, name_of

log = logging.getLogger(__name__)

POLL_S = 1.0
STATUS_EVERY_S = 2.0
END_S = 8.5
"""Less than the guard's, which kills."""


def stop_on_signals() -> Event:
    """An event that SIGTERM or SIGINT sets; the process ends within END_S of it in any case."""
    stop = Event()

    def told(number: int, frame: object) -> None:
        if not stop.is_set():
            stop.set()
            limit = Timer(END_S, _end_now)
            limit.daemon = True
            limit.start()

    signal.signal(signal.SIGTERM, told)
    signal.signal(signal.SIGINT, told)
    return stop


def _end_now() -> None:
    # No count suffers: what is not settled is read again, as after kill -9.
    log.warning("forced exit: Redis or the broker does not answer")
    os._exit(0)


@dataclass(slots=True)
class Worker:
    """One process of a consumer group.

    `open_reader` may raise LogUnavailable: it is called until it does not. `handle` settles the
    batch itself, atomically with its effects, and may raise StaleBatch (dropped, read again by
    whoever holds it) or RedisError and LogUnavailable (the same batch again, after a wait). Where a
    batch takes long, it calls `keepalive`, its second argument, every few seconds: that keeps the
    membership and may raise LogUnavailable.

    What hangs, dies or fails in an unexpected way while a message is in `hand` is counted; a message
    that has done that POISON_AFTER times is moved to the batch's bad values before `handle` sees it.
    """

    group: str
    open_reader: Callable[[], Reader]
    handle: Callable[[Batch, Callable[[], None]], None]
    store: redis.Redis
    stop: Event
    max_messages: int = 5_000
    idle: Callable[[], None] = lambda: None
    hand: Hand = field(default_factory=Hand)
    _behind_since_ms: int = 0
    _told_at_s: float = 0.0
    _lag: Lag = Lag(0)
    _started_at_ms: int = field(default_factory=lambda: int(time.time() * 1000))

    @property
    def id(self) -> str:
        return f"{self.group}.{os.uname().nodename}.{os.getpid()}"

    def run(self) -> None:
        """Until told to stop. Raises only what no waiting mends."""
        outage = Outage(log, self.stop)
        self._count_what_the_last_one_held(outage)
        reader = self._opened(outage)
        if reader is None:
            return
        log.info("reading: group=%s", self.group)
        try:
            while not self.stop.is_set():
                self._once(reader, outage)
        finally:
            reader.close()
            self._sign_off()
            log.info("stopped: group=%s", self.group)

    def _count_what_the_last_one_held(self, outage: Outage) -> None:
        """And frees its share of the log: it is dead, so nobody needs to wait for its lease to run out."""
        while not self.hand.is_empty and not self.stop.is_set():
            name, lease = self.hand.held()
            try:
                if name:
                    count_held(self.store, self.group, name)
                self.hand.drop()
                if lease:
                    self.store.delete(lease)
                outage.resolved()
            except redis.RedisError as fault:
                outage.wait(fault)

    def _opened(self, outage: Outage) -> Reader | None:
        while not self.stop.is_set():
            try:
                reader = self.open_reader()
                outage.resolved()
                return reader
            except (LogUnavailable, redis.RedisError) as fault:
                self._tell_that_it_waits(fault)
                outage.wait(fault)
        return None

    def _once(self, reader: Reader, outage: Outage) -> None:
        try:
            batch = reader.poll(POLL_S, self.max_messages)
            outage.resolved()
        except LogUnavailable as fault:
            self._tell_that_it_waits(fault)
            outage.wait(fault)
            return
        if batch is not None:
            if batch.messages:
                self._behind_since_ms = batch.messages[0]["received_at"]
            self._handle(reader, batch, outage)
        self.idle()
        self._tell(reader)

    def _handle(self, reader: Reader, batch: Batch, outage: Outage) -> None:
        def keepalive() -> None:
            self.idle()
            self._tell(reader)
            reader.heartbeat()

        while True:
            try:
                self._set_poison_aside(batch)
                self.hand.take([message["id"] for message in batch.messages], batch.claim.get("lease", ""))
                self.handle(batch, keepalive)
                self.hand.drop()
                outage.resolved()
                reader.settled(batch)
                self._forget_poison(batch)
                if batch.messages:
                    self._behind_since_ms = batch.messages[-1]["received_at"]
                return
            except StaleBatch:
                self.hand.drop()
                reader.rejected(batch)
                return
            except (LogUnavailable, redis.RedisError) as fault:
                self.hand.drop()
                # Whether the step was done is not known. The same claim again is safe: if it
                # was, it is stale now.
                self._tell_that_it_waits(fault)
                outage.wait(f"the batch is not settled: {first_words(fault)}")
                if self.stop.is_set():
                    reader.rejected(batch)
                    return
            except TailraceError:
                self.hand.drop()
                raise  # On purpose, and not the message's fault.
            except Exception:
                # The process ends with it, as ever; but not for ever because of the same message.
                self._count_what_is_in_hand()
                raise

    def _count_what_is_in_hand(self) -> None:
        name, _ = self.hand.held()
        self.hand.drop()
        try:
            if name:
                count_held(self.store, self.group, name)
        except redis.RedisError as fault:
            log.warning("the message in hand could not be counted: %s", first_words(fault))

    def _set_poison_aside(self, batch: Batch) -> None:
        """Raises redis.RedisError."""
        names = poison(self.store, self.group) if batch.messages else frozenset()
        if not names:
            return
        for message in [message for message in batch.messages if name_of(message["id"]) in names]:
            batch.messages.remove(message)
            reason = f"poison: {POISON_AFTER} workers hung or died while processing it"
            batch.bad.append(BadValue(encode(message), reason, is_poison=True))
            log.warning(
                "a message that stopped two workers is moved to the dead letters: id=%s", message["id"]
            )

    def _forget_poison(self, batch: Batch) -> None:
        names = [name_of(decode(bad.value)["id"]) for bad in batch.bad if bad.is_poison]
        try:
            if names:
                forget_held(self.store, self.group, names)
        except redis.RedisError as fault:
            log.debug("poison will be forgotten later: %s", type(fault).__name__)

    def _tell(self, reader: Reader) -> None:
        if not self._is_time_to_tell():
            return
        try:
            self._lag = reader.lag()
            self._write_status(waits=False)
        except (LogUnavailable, redis.RedisError) as fault:
            log.debug("no status: %s", type(fault).__name__)

    def _tell_that_it_waits(self, fault: LogUnavailable | redis.RedisError) -> None:
        """A worker whose log is unreachable still runs, and says so. If it is Redis, nobody can be told."""
        is_redis = isinstance(fault, redis.RedisError) or isinstance(fault.__cause__, redis.RedisError)
        if is_redis or not self._is_time_to_tell():
            return
        try:
            self._write_status(waits=True)
        except redis.RedisError as also:
            log.debug("no status: %s", type(also).__name__)

    def _is_time_to_tell(self) -> bool:
        now_s = time.monotonic()
        if now_s - self._told_at_s < STATUS_EVERY_S:
            return False
        self._told_at_s = now_s
        return True

    def _write_status(self, *, waits: bool) -> None:
        now_ms = int(time.time() * 1000)
        # Until it has read something, it has been behind at least since it started.
        behind_ms = now_ms - (self._behind_since_ms or self._started_at_ms) if self._lag.messages else 0
        report_status(
            self.store,
            WorkerStatus(
                id=self.id,
                group=self.group,
                at_ms=now_ms,
                lag_messages=self._lag.messages,
                lag_seconds=max(0, behind_ms) / 1000,
                whole_group=self._lag.whole_group,
                started_at_ms=self._started_at_ms,
                waits=waits,
            ),
        )

    def _sign_off(self) -> None:
        try:
            deregister(self.store, self.id)
        except redis.RedisError:
            log.debug("not deregistered: Redis is unreachable")
