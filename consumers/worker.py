"""The loop of a worker: poll, handle, settle; wait for what is unreachable; stop when told.

Start order: reader, then loop. Stop order: the loop ends after its batch, the reader commits and
leaves the group. SIGTERM and SIGINT are a normal end: exit code 0, within 10 seconds, even where
Redis or a broker hangs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain
from threading import Event

import redis

from app.backoff import Outage
from app.errors import LogUnavailable, StaleBatch, TailraceError, first_words
from app.log import Batch, Lag, Reader
from app.message import BadValue, decode, encode
from app.store.poison import POISON_AFTER, count_failure, forget_failures, poison_keys
from consumers.current_message import CurrentMessage, message_key
from consumers.status import StatusReporter, is_redis

log = logging.getLogger(__name__)

POLL_S = 1.0


@dataclass(slots=True)
class Worker:
    """One process of a consumer group.

    `open_reader` may raise LogUnavailable: it is called until it does not. `handle` settles the
    batch itself, atomically with its effects, and may raise StaleBatch (dropped, read again by
    whoever holds it) or RedisError and LogUnavailable (the same batch again, after a wait). Where a
    batch takes long, it calls `keepalive`, its second argument, every few seconds: that keeps the
    membership and may raise LogUnavailable.

    If the worker hangs, dies or fails unexpectedly on a message, that message is counted. Once it has been
    counted POISON_AFTER times, it goes to the batch's bad values before `handle` sees it.
    """

    group: str
    open_reader: Callable[[], Reader]
    handle: Callable[[Batch, Callable[[], None]], None]
    store: redis.Redis
    stop: Event
    max_messages: int = 5_000
    idle: Callable[[], None] = lambda: None
    current_message: CurrentMessage = field(default_factory=CurrentMessage)
    _shrink_factor: int = 1
    """A batch that went stale may have been too large for its lease (15 s, not renewed while rows are
    computed); on a slow machine it would go stale every time. So the next batch has half as many messages,
    and each settled batch lets the size double again."""
    _behind_since_ms: int = 0
    _lag: Lag = Lag(0)
    _status: StatusReporter = field(init=False)

    def __post_init__(self) -> None:
        self._status = StatusReporter(self.group, self.store)

    @property
    def id(self) -> str:
        return self._status.id

    def run(self) -> None:
        """Runs until told to stop. Raises only what waiting cannot fix."""
        outage = Outage(log, self.stop)
        self._count_predecessors_failure(outage)
        reader = self._wait_for_reader(outage)
        if reader is None:
            return
        log.info("reading: group=%s", self.group)
        try:
            while not self.stop.is_set():
                self._poll_once(reader, outage)
        finally:
            reader.close()
            self._status.deregister()
            log.info("stopped: group=%s", self.group)

    def _count_predecessors_failure(self, outage: Outage) -> None:
        """Counts the message that the previous worker died on, and frees its lease."""
        while not self.current_message.is_empty and not self.stop.is_set():
            name, lease = self.current_message.message_and_lease()
            try:
                if name:
                    count_failure(self.store, self.group, name)
                self.current_message.clear()
                if lease:
                    self.store.delete(lease)
                outage.resolved()
            except redis.RedisError as fault:
                outage.wait(fault)

    def _wait_for_reader(self, outage: Outage) -> Reader | None:
        while not self.stop.is_set():
            try:
                reader = self.open_reader()
                outage.resolved()
                return reader
            except (LogUnavailable, redis.RedisError) as fault:
                self._report_waiting(fault)
                outage.wait(fault)
        return None

    def _poll_once(self, reader: Reader, outage: Outage) -> None:
        try:
            batch = reader.poll(POLL_S, max(1, self.max_messages // self._shrink_factor))
            outage.resolved()
        except LogUnavailable as fault:
            self._report_waiting(fault)
            outage.wait(fault)
            return
        if batch is not None:
            if first := (batch.messages or batch.platform)[:1]:
                self._behind_since_ms = first[0]["received_at"]
            self._handle(reader, batch, outage)
        self.idle()
        self._report_status(reader)

    def _handle(self, reader: Reader, batch: Batch, outage: Outage) -> None:
        def keepalive() -> None:
            self.idle()
            self._report_status(reader)
            reader.heartbeat()

        while True:
            try:
                self._divert_poison(batch)
                self.current_message.begin_batch(
                    [message["id"] for message in chain(batch.messages, batch.platform)], batch.lease
                )
                self.handle(batch, keepalive)
                self.current_message.clear()
                self._shrink_factor = max(1, self._shrink_factor // 2)
                outage.resolved()
                reader.settled(batch)
                self._forget_poison(batch)
                if last := (batch.messages or batch.platform)[-1:]:
                    self._behind_since_ms = last[0]["received_at"]
                return
            except StaleBatch:
                self.current_message.clear()
                self._shrink_factor = min(64, 2 * self._shrink_factor)
                reader.rejected(batch)
                return
            except (LogUnavailable, redis.RedisError) as fault:
                self.current_message.clear()
                # Whether the step was done is not known. The same claim again is safe: if it
                # was, it is stale now.
                self._report_waiting(fault)
                outage.wait(f"the batch is not settled: {first_words(fault)}")
                if self.stop.is_set():
                    reader.rejected(batch)
                    return
            except TailraceError:
                self.current_message.clear()
                raise  # Raised on purpose, so not the message's fault.
            except Exception:
                # The process ends, but not again and again because of the same message.
                self._count_failure()
                raise

    def _count_failure(self) -> None:
        name, _ = self.current_message.message_and_lease()
        self.current_message.clear()
        try:
            if name:
                count_failure(self.store, self.group, name)
        except redis.RedisError as fault:
            log.warning("the current message could not be counted: %s", first_words(fault))

    def _divert_poison(self, batch: Batch) -> None:
        """Raises redis.RedisError."""
        names = poison_keys(self.store, self.group) if batch.messages or batch.platform else frozenset()
        if not names:
            return
        for messages in (batch.messages, batch.platform):
            for message in [message for message in messages if message_key(message["id"]) in names]:
                messages.remove(message)
                reason = f"poison: {POISON_AFTER} workers hung or died while processing it"
                batch.bad.append(BadValue(encode(message), reason, is_poison=True))
                log.warning(
                    "a message that stopped two workers is moved to the dead letters: id=%s", message["id"]
                )

    def _forget_poison(self, batch: Batch) -> None:
        names = [message_key(decode(bad.value)["id"]) for bad in batch.bad if bad.is_poison]
        try:
            if names:
                forget_failures(self.store, self.group, names)
        except redis.RedisError as fault:
            log.debug("poison will be forgotten later: %s", type(fault).__name__)

    def _report_status(self, reader: Reader) -> None:
        if not self._status.is_due():
            return
        try:
            self._lag = reader.lag()
            self._write_status(waits=False)
        except (LogUnavailable, redis.RedisError) as fault:
            log.debug("no status: %s", type(fault).__name__)

    def _report_waiting(self, fault: LogUnavailable | redis.RedisError) -> None:
        """A worker whose log is unreachable still reports that it runs."""
        if is_redis(fault) or not self._status.is_due():
            return
        try:
            self._write_status(waits=True)
        except redis.RedisError as status_fault:
            log.debug("no status: %s", type(status_fault).__name__)

    def _write_status(self, *, waits: bool) -> None:
        self._status.report(waits=waits, lag=self._lag, behind_since_ms=self._behind_since_ms)
