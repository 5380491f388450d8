"""Appends frames to the topic; the client library is behind `Producer`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from app.log.interface import Appended, Beside

TIMED_OUT = "timed out; a broker is unreachable, or too few copies are in sync (min.insync.replicas)"
"""Both clients retry without a word until time is up, so they cannot say which it was."""


class Producer(Protocol):
    """What the writer needs of a Kafka client. Thread-safe."""

    def send_all(self, key: bytes, values: Sequence[bytes], timeout_s: float) -> None:
        """Returns once all in-sync replicas have every value. All go to one partition, the one that
        Kafka's Java client chooses for the key (murmur2): a retried frame meets its first copy there,
        and what other clients write under the same key is beside ours.

        Raises NotDurable, with the fix where the topic is missing.
        """

    def check(self, timeout_s: float) -> None:
        """Asks the brokers. Raises NotDurable where they or the topic are not there."""

    def close(self) -> None: ...


class KafkaWriter:
    """Appends frames; Kafka keeps a retried frame twice, and its readers leave the second out."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer

    def append(
        self, frame_id: str, values: Sequence[bytes], timeout_s: float, beside: Beside | None = None
    ) -> Appended:
        if values:
            self._producer.send_all(frame_id.encode(), values, timeout_s)
        if beside:
            beside()  # REDIS_LOG_REPLICAS and REDIS_LOG_FSYNC are of the log in Redis: nothing to wait for.
        return Appended(len(values))

    def check(self, timeout_s: float) -> None:
        self._producer.check(timeout_s)

    def close(self) -> None:
        self._producer.close()
