"""Appends frames to the topic; the client library is behind `Producer`.

All messages of a frame go to the partition of its id, so that a retried frame meets its first
copy there and the memory of frames seen is per partition.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

from app.errors import NotDurable
from app.log.interface import Appended, Beside

TIMED_OUT = "timed out; a broker is unreachable, or too few copies are in sync (min.insync.replicas)"
"""Both clients retry without a word until time is up, so they cannot say which it was."""


class Producer(Protocol):
    """What the writer needs of a Kafka client. Thread-safe."""

    def send_all(self, partition: int, key: bytes, values: Sequence[bytes], timeout_s: float) -> None:
        """Returns once all in-sync replicas have every value. Raises NotDurable."""

    def partitions(self, timeout_s: float) -> int:
        """Partitions of the topic. Raises NotDurable where the brokers do not say in time."""

    def check(self, timeout_s: float) -> None:
        """Asks the brokers. Raises NotDurable where they or the topic are not there."""

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

    def append(
        self, frame_id: str, values: Sequence[bytes], timeout_s: float, beside: Beside | None = None
    ) -> Appended:
        if values:
            self._send(frame_id, values, timeout_s)
        if beside:
            beside()  # REDIS_LOG_REPLICAS and REDIS_LOG_FSYNC are of the log in Redis: nothing to wait for.
        return Appended(len(values))

    def _send(self, frame_id: str, values: Sequence[bytes], timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        if not self._partitions:
            self._partitions = self._producer.partitions(timeout_s)
        key = frame_id.encode()
        partition = partition_of(key, self._partitions)
        try:
            self._producer.send_all(partition, key, values, deadline - time.monotonic())
        except NotDurable:
            self._partitions = 0  # The topic may have been made anew, with fewer.
            raise

    def check(self, timeout_s: float) -> None:
        self._producer.check(timeout_s)

    def close(self) -> None:
        self._producer.close()
