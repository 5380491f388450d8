"""Reads the topics as a member of a consumer group; the client library is behind `Consumer`.

A group's position is kept in Redis beside what was computed from the messages; Kafka's own
committed offset follows it, for lag tools, and decides only if Redis has no position, or, for a group
that does not rewind, an older one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import redis

from app.errors import BadMessage, LogUnavailable
from app.log.interface import Batch, Lag
from app.log.kafka.clients import Consumer
from app.log.kafka.connection import is_of_platform
from app.log.kafka.frame_memory import FrameMemory
from app.message import BadValue, RouterMessage, decode, split_id
from app.store import keys, replies
from app.store.claims import Span, offsets_claim

log = logging.getLogger(__name__)

COMMIT_EVERY_S = 2.0
RETRY_STORED_S = 0.2
IDLE_CHECK_EVERY_S = 5.0

_RAISE_POSITIONS = """
for i = 1, #ARGV, 2 do
  if tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or 0) < tonumber(ARGV[i + 1]) then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  end
end
"""


Records = Sequence[tuple[int, bytes]]
"""(offset, value) of one partition, in order."""


@dataclass(slots=True)
class _Polled:
    """What a poll adds up for its batch."""

    messages: list[RouterMessage] = field(default_factory=list)
    platform: list[RouterMessage] = field(default_factory=list)
    bad: list[BadValue] = field(default_factory=list)
    duplicates: int = 0
    lost: int = 0
    spans: list[Span] = field(default_factory=list)


class KafkaReader:
    """One member of a consumer group of the topics. `rewind_to_store`: see `MessageLog.reader`."""

    def __init__(
        self, consumer: Consumer, store: redis.Redis, group: str, start: str, *, rewind_to_store: bool
    ) -> None:
        self._consumer = consumer
        self._store = store
        self._group = group
        self._start = start
        self._rewinds_to_store = rewind_to_store
        self._positions_key = keys.positions(group)
        self._next: dict[int, int] = {}
        self._memory = FrameMemory(store, group)
        self._uncommitted: dict[int, int] = {}
        self._commit_at_s = 0.0
        self._idle_check_at_s = 0.0

    def poll(self, timeout_s: float, max_messages: int) -> Batch | None:
        try:
            return self._poll(timeout_s, max_messages)
        except LogUnavailable:
            # Whatever the client had handed out is gone; it comes again from where Redis says.
            for partition in list(self._next):
                self._forget(partition)
            raise

    def _poll(self, timeout_s: float, max_messages: int) -> Batch | None:
        fetched = self._consumer.poll(timeout_s, max_messages)
        placed = self._follow_assignment()
        polled = _Polled()
        for partition, records in fetched.items():
            # What was fetched for a partition that had no place yet came from Kafka's idea of it.
            if records and partition in placed:
                self._add_records(partition, records, polled)
        self._check_while_idle(was_idle=not fetched)
        return self._batch(polled) if polled.spans else None

    def _batch(self, polled: _Polled) -> Batch:
        claim = offsets_claim(
            self._positions_key,
            polled.spans,
            self._memory.changes(span[0] for span in polled.spans),
            totals=keys.group(self._group),
            lost=polled.lost,
        )
        return Batch(
            polled.messages, claim, polled.bad, polled.duplicates, polled.lost, platform=polled.platform
        )

    def _follow_assignment(self) -> set[int]:
        """Forgets revoked partitions and seeks in new ones; returns those that were placed before."""
        new = self._consumer.take_new_partitions()
        assigned = self._consumer.assigned()
        for partition in [p for p in self._next if p in new or p not in assigned]:
            self._forget(partition)
        placed = set(self._next)
        if assigned - placed:
            self._seek(assigned - placed)
        return placed

    def _forget(self, partition: int) -> None:
        self._next.pop(partition, None)
        self._memory.forget(partition)
        self._uncommitted.pop(partition, None)

    def _seek(self, partitions: set[int]) -> None:
        """Seeks each partition to the group's position: Redis's, else Kafka's, else `start`; Kafka's too if
        Redis is behind it and the group does not rewind."""
        names = sorted(partitions)
        try:
            stored = self._stored(names)
            missing = [name for name in names if name not in stored]
            if missing:
                stored |= self._store_start(self._positions_without_redis(missing))
            if not self._rewinds_to_store:
                stored |= self._adopt_kafka_offsets(stored)
            # After the positions: memory that is newer than its position makes a stale batch,
            # memory that is older would let a frame pass twice.
            self._memory.load(names)
        except redis.RedisError as fault:
            raise LogUnavailable(f"Redis did not return positions: {type(fault).__name__}") from fault
        for name in names:
            self._consumer.seek(name, stored[name])
            self._next[name] = stored[name]

    def _stored(self, partitions: Sequence[int]) -> dict[int, int]:
        """The positions that Redis holds of these partitions. Raises redis.RedisError."""
        found = self._store.hmget(self._positions_key, [str(name) for name in partitions])
        return {name: int(value) for name, value in replies.present(partitions, found).items()}

    def _positions_without_redis(self, partitions: list[int]) -> dict[int, int]:
        committed = self._consumer.committed(partitions)
        unknown = [name for name in partitions if committed.get(name) is None]
        start_offsets = (
            self._consumer.end_offsets if self._start == "latest" else self._consumer.first_offsets
        )
        found = start_offsets(unknown) if unknown else {}
        return {name: found[name] if name in found else cast(int, committed[name]) for name in partitions}

    def _store_start(self, positions: Mapping[int, int]) -> dict[int, int]:
        """Stores where the group begins, unless another reader has: a crash before the first batch must not
        move it to a later "latest". Returns the positions in force. Raises redis.RedisError."""
        pipeline = self._store.pipeline(transaction=False)
        for name, at in positions.items():
            pipeline.hsetnx(self._positions_key, str(name), str(at))
        pipeline.execute()
        return dict(positions) | self._stored(list(positions))

    def _adopt_kafka_offsets(self, stored: Mapping[int, int]) -> dict[int, int]:
        """Where Kafka's offset is ahead, so that Redis is an older copy, stores it in Redis; returns those
        positions. Raises redis.RedisError."""
        committed = self._consumer.committed(list(stored))
        later = {name: at for name, at in committed.items() if at is not None and at > stored[name]}
        if not later:
            return {}
        ends = self._consumer.end_offsets(list(later))
        # What was committed of a topic that was made anew since lies beyond its end.
        later = {name: at for name, at in later.items() if at <= ends[name]}
        if not later:
            return {}
        log.warning("Redis is older than Kafka's offsets: continuing from those. group=%s", self._group)
        self._store.eval(
            _RAISE_POSITIONS, 1, self._positions_key, *(str(part) for pair in later.items() for part in pair)
        )
        return self._stored(list(later))

    def _add_records(self, partition: int, records: Records, polled: _Polled) -> None:
        """Adds a partition's records, where they are what comes next there; else it is placed anew."""
        expected = self._next[partition]
        if not self._follows(partition, records[0][0], polled):
            self._forget(partition)
            return
        is_new = self._memory.of(partition)
        messages = polled.platform if is_of_platform(partition) else polled.messages
        for _, value in records:
            try:
                message = decode(value)
                frame_id, index = split_id(message["id"])
            except BadMessage as fault:
                polled.bad.append(BadValue(value, str(fault)))
                continue
            if is_new(frame_id, index):
                messages.append(message)
            else:
                polled.duplicates += 1
        next_offset = records[-1][0] + 1
        self._next[partition] = next_offset
        # True: Redis does hold a position, since _place. That it is gone will mean: cleared.
        polled.spans.append((partition, expected, next_offset, True))

    def _follows(self, partition: int, offset: int, polled: _Polled) -> bool:
        """True where records from `offset` on are what comes next in the partition; counts what is lost."""
        expected = self._next[partition]
        if offset > expected:
            # Offsets may be missing (markers of transactions); gone is what lies before the first.
            first = self._consumer.first_offsets([partition])[partition]
            lost = max(0, min(offset, first) - expected)
            if lost:
                polled.lost += lost
                log.warning("messages expired before they were read: partition=%d lost=%d", partition, lost)
        elif offset < expected:
            if self._consumer.end_offsets([partition])[partition] >= expected:
                return False  # The client has gone back by itself; its place is set anew.
            log.warning("the topic starts over: partition=%d offset=%d", partition, offset)
        return True

    def _check_while_idle(self, *, was_idle: bool) -> None:
        """While no messages arrive: is a broker reachable, and does Redis still have our positions?

        The clients wait for a broker in silence. And a Redis that was restored from an older
        state must not wait for the next message of a partition until its counts are right.
        """
        now = time.monotonic()
        if not was_idle:
            self._idle_check_at_s = now + IDLE_CHECK_EVERY_S
        if now < self._idle_check_at_s:
            return
        names = sorted(self._next)
        try:
            self._consumer.end_offsets(names[:1] or [0])
        except LogUnavailable as fault:
            raise LogUnavailable(f"no Kafka broker answers ({fault})") from fault
        try:
            stored = self._stored(names) if names else {}
        except redis.RedisError as fault:
            raise LogUnavailable(f"Redis did not return positions: {type(fault).__name__}") from fault
        for name, at in stored.items():
            if at != self._next[name]:
                self._forget(name)
        self._idle_check_at_s = now + IDLE_CHECK_EVERY_S

    def settled(self, batch: Batch) -> None:
        for partition, _, next_offset, _ in _spans(batch):
            self._uncommitted[partition] = next_offset
        self._memory.settled()
        now = time.monotonic()
        if now >= self._commit_at_s:
            self._commit_at_s = now + COMMIT_EVERY_S
            self._commit(wait=False)

    def _commit(self, *, wait: bool) -> None:
        offsets, self._uncommitted = self._uncommitted, {}
        if offsets:
            self._consumer.commit(offsets, wait=wait)

    def rejected(self, batch: Batch) -> None:
        """Forgets the partitions: the next poll places them by what Redis holds."""
        for partition, *_ in _spans(batch):
            self._forget(partition)
        time.sleep(RETRY_STORED_S)

    def heartbeat(self) -> None:
        """Nothing to do: the client keeps the membership in a thread of its own."""

    def lag(self) -> Lag:
        behind = 0
        for partition, at in self._next.items():
            end = self._consumer.high_water(partition)
            behind += max(0, end - at) if end is not None else 0
        return Lag(behind)

    def close(self) -> None:
        try:
            self._commit(wait=True)
        except LogUnavailable:
            log.info(
                "the broker was unreachable at shutdown; positions are safe in Redis. group=%s", self._group
            )
        self._consumer.close()
        self._store.close()


def _spans(batch: Batch) -> list[Span]:
    return batch.claim["spans"] if batch.claim["kind"] == "offsets" else []
