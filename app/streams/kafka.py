"""The message log on Apache Kafka: frames in, batches out, positions in Redis.

All messages of a frame go to the partition of its id, so that a retried frame meets its first
copy there and the memory of frames seen is per partition. A group's position is kept in Redis
beside what was computed from the messages; Kafka's own committed offset follows it, for lag
tools, and decides only where Redis holds nothing. The client library is behind `Producer` and
`Consumer`: kafka_python.py, or confluent.py.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, cast

import redis

from app.errors import BadMessage, LogUnavailable
from app.message import decode, split_id
from app.streams.frame_memory import FrameMemory
from app.streams.interface import PARTITIONS, Appended, BadValue, Batch, Lag

log = logging.getLogger(__name__)

COMMIT_EVERY_S = 2.0
RETRY_STORED_S = 0.2


class Producer(Protocol):
    """What the writer needs of a Kafka client. Thread-safe."""

    def send_all(self, partition: int, key: bytes, values: Sequence[bytes], timeout_s: float) -> None:
        """Returns once all in-sync replicas have every value. Raises NotDurable."""

    def partitions(self, timeout_s: float) -> int:
        """Partitions of the topic. Raises NotDurable where the brokers do not say in time."""

    def close(self) -> None: ...


class Consumer(Protocol):
    """What the reader needs of a Kafka client, for one topic. Raises LogUnavailable."""

    def poll(self, timeout_s: float, max_messages: int) -> Mapping[int, Sequence[tuple[int, bytes]]]:
        """(offset, value) pairs by partition, in order."""

    def take_new_partitions(self) -> set[int]:
        """Partitions assigned since the last call, the ones given back to us among them."""

    def assigned(self) -> set[int]: ...

    def seek(self, partition: int, offset: int) -> None: ...

    def committed(self, partitions: Iterable[int]) -> dict[int, int | None]: ...

    def first_offsets(self, partitions: Iterable[int]) -> dict[int, int]: ...

    def end_offsets(self, partitions: Iterable[int]) -> dict[int, int]: ...

    def high_water(self, partition: int) -> int | None:
        """The end of a partition as last fetched, without asking the broker."""

    def commit(self, offsets: Mapping[int, int], *, wait: bool) -> None: ...

    def close(self) -> None: ...


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key as Kafka's Java client computes it (murmur2), so that messages that
    other clients write under the same key are beside ours."""
    return (_murmur2(key) & 0x7FFFFFFF) % partitions


def _murmur2(data: bytes) -> int:
    """MurmurHash2 with Kafka's seed, from the algorithm's published constants."""
    multiplier, mask = 0x5BD1E995, 0xFFFFFFFF
    hashed = 0x9747B28C ^ len(data)
    whole = len(data) & ~3
    for at in range(0, whole, 4):
        part = int.from_bytes(data[at : at + 4], "little") * multiplier & mask
        part = (part ^ part >> 24) * multiplier & mask
        hashed = hashed * multiplier & mask ^ part
    if rest := data[whole:]:
        hashed = (hashed ^ int.from_bytes(rest, "little")) * multiplier & mask
    hashed = (hashed ^ hashed >> 13) * multiplier & mask
    return hashed ^ hashed >> 15


class KafkaWriter:
    """Appends frames; Kafka keeps a retried frame twice, and its readers leave the second out."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._partitions = 0

    def append(self, frame_id: str, values: Sequence[bytes], timeout_s: float) -> Appended:
        if not values:
            return Appended(0)
        deadline = time.monotonic() + timeout_s
        if not self._partitions:
            self._partitions = self._producer.partitions(timeout_s)
        key = frame_id.encode()
        partition = partition_of(key, self._partitions)
        self._producer.send_all(partition, key, values, deadline - time.monotonic())
        return Appended(len(values))

    def check(self, timeout_s: float) -> None:
        self._producer.partitions(timeout_s)

    def close(self) -> None:
        self._producer.close()


class KafkaReader:
    """One member of a consumer group of the topic."""

    def __init__(self, consumer: Consumer, store: redis.Redis, group: str, start: str) -> None:
        self._consumer = consumer
        self._store = store
        self._group = group
        self._start = start
        self._positions_key = f"tailrace:positions:{group}"
        self._next: dict[int, int] = {}
        self._is_stored: dict[int, bool] = {}
        self._memory = FrameMemory(store, group)
        self._uncommitted: dict[int, int] = {}
        self._commit_at_s = 0.0

    def poll(self, timeout_s: float, max_messages: int) -> Batch | None:
        fetched = self._consumer.poll(timeout_s, max_messages)
        new = self._consumer.take_new_partitions()
        assigned = self._consumer.assigned()
        for partition in [p for p in self._next if p not in assigned]:
            self._forget(partition)
        for partition in new:
            self._forget(partition)
        unplaced = assigned - self._next.keys()
        if unplaced:
            # What was fetched for these came from Kafka's idea of the position, not from ours.
            self._place(unplaced)
        batch = Batch(messages=[], claim={})
        spans: list[list[int | bool]] = []
        for partition, records in fetched.items():
            if records and partition in self._next and partition not in unplaced:
                spans.append(self._take(partition, records, batch))
        if not spans:
            return None
        batch.claim = {
            "kind": "offsets",
            "positions": self._positions_key,
            "spans": spans,
            "seen": self._memory.changes([int(span[0]) for span in spans]),
        }
        return batch

    def _forget(self, partition: int) -> None:
        self._next.pop(partition, None)
        self._memory.forget(partition)
        self._uncommitted.pop(partition, None)

    def _place(self, partitions: set[int]) -> None:
        """Seeks each partition to where the group is: by Redis, else by Kafka, else by `start`."""
        names = sorted(partitions)
        try:
            stored = self._store.hmget(self._positions_key, [str(name) for name in names])
            self._memory.load(names)
        except redis.RedisError as fault:
            raise LogUnavailable(f"Redis does not give positions: {type(fault).__name__}") from fault
        missing = [name for name, value in zip(names, stored, strict=True) if value is None]
        fallback = self._positions_without_redis(missing) if missing else {}
        for name, value in zip(names, stored, strict=True):
            self._next[name] = fallback[name] if value is None else int(value)
            self._is_stored[name] = value is not None
            self._consumer.seek(name, self._next[name])
        if missing and self._start == "latest":
            # A crash before the first batch must not move the start to a later "latest".
            self._keep_start(missing)

    def _positions_without_redis(self, partitions: list[int]) -> dict[int, int]:
        committed = self._consumer.committed(partitions)
        unknown = [name for name in partitions if committed.get(name) is None]
        find = self._consumer.end_offsets if self._start == "latest" else self._consumer.first_offsets
        found = find(unknown) if unknown else {}
        return {name: found[name] if name in found else cast(int, committed[name]) for name in partitions}

    def _keep_start(self, partitions: list[int]) -> None:
        try:
            for name in partitions:
                self._store.hsetnx(self._positions_key, str(name), str(self._next[name]))
        except redis.RedisError as fault:
            self._next = {name: at for name, at in self._next.items() if name not in partitions}
            raise LogUnavailable(f"Redis does not keep positions: {type(fault).__name__}") from fault

    def _take(self, partition: int, records: Sequence[tuple[int, bytes]], batch: Batch) -> list[int | bool]:
        """Adds a partition's records to the batch; the span of offsets for its claim."""
        expected = self._next[partition]
        gap = records[0][0] - expected
        if gap > 0:
            batch.lost += gap
            log.warning("messages expired before they were read: partition=%d lost=%d", partition, gap)
        elif gap < 0:
            log.warning("the topic starts over: partition=%d offset=%d", partition, records[0][0])
        is_new = self._memory.of(partition)
        for _, value in records:
            try:
                message = decode(value)
                frame_id, index = split_id(message.get("id", ""))
            except BadMessage as fault:
                batch.bad.append(BadValue(value, str(fault)))
                continue
            if is_new(frame_id, index):
                batch.messages.append(message)
            else:
                batch.duplicates += 1
        following = records[-1][0] + 1
        self._next[partition] = following
        return [partition, expected, following, self._is_stored[partition]]

    def settled(self, batch: Batch) -> None:
        for partition, _, following, _ in batch.claim["spans"]:
            self._is_stored[partition] = True
            self._uncommitted[partition] = following
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
        for span in batch.claim["spans"]:
            self._forget(span[0])
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
            log.info("the broker was gone at the end; positions are safe in Redis. group=%s", self._group)
        self._consumer.close()
        self._store.close()


__all__ = ["PARTITIONS", "Consumer", "KafkaReader", "KafkaWriter", "Producer", "partition_of"]
