"""What this log needs from a Kafka client library; kafka_python.py and confluent.py provide it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from app.errors import TailraceError
from app.log.interface import TOPIC
from app.settings import Settings

TIMED_OUT = "timed out; a broker is unreachable, or too few copies are in sync (min.insync.replicas)"
"""Both clients retry silently until time is up, so they cannot say which it was."""


class TopicMissing(TailraceError):
    """A topic is missing and may not be created from here; says which command creates it."""


class Producer(Protocol):
    """What the writer needs from a Kafka client. Thread-safe."""

    def send_all(
        self, key: bytes, values: Sequence[bytes], timeout_s: float, platform: Sequence[bytes] = ()
    ) -> None:
        """Returns once all in-sync replicas have every value, those of the topic `platform` too. All of a
        topic go to one partition, the one that Kafka's Java client chooses for the key (murmur2): a retried
        frame meets its first copy there, and what other clients write under the same key is beside ours.

        Raises NotDurable, with the fix where the topic is missing.
        """

    def has_topic(self, topic: str, timeout_s: float) -> bool:
        """Asks the brokers whether there is a topic (its name without the prefix). Raises NotDurable if they
        are unreachable."""

    def check(self, timeout_s: float) -> None:
        """Asks the brokers. Raises NotDurable if they are unreachable or the topic is missing."""

    def close(self) -> None: ...


class Consumer(Protocol):
    """What the reader needs from a Kafka client. Partitions of both topics are numbers (see `Places`).
    Methods raise LogUnavailable."""

    def poll(self, timeout_s: float, max_messages: int) -> Mapping[int, Sequence[tuple[int, bytes]]]:
        """(offset, value) pairs by partition, in order, of partitions that gave some."""

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


class SeekableConsumer(Consumer, Protocol):
    """A consumer outside of any group."""

    def all_partitions(self) -> list[int]: ...

    def offsets_at(self, partitions: Iterable[int], time_ms: int) -> dict[int, int | None]:
        """The first offset at or after a time (Unix ms); None where nothing is that new."""

    def read_from(self, offsets: Mapping[int, int]) -> None:
        """From now on `poll` gives these partitions from these offsets, and no others."""


class Client(Protocol):
    """What the module of a client library provides."""

    def open_producer(self, settings: Settings) -> Producer:
        """It connects when it is first used."""

    def open_consumer(
        self, settings: Settings, group: str, *, reads_platform: bool = False
    ) -> SeekableConsumer:
        """A member of a group; of none where `group` is empty. Raises LogUnavailable."""

    def ensure_topic(self, settings: Settings, timeout_s: float, *, topic: str = TOPIC) -> object:
        """Makes the topic if absent. Raises LogUnavailable, and TopicMissing where it cannot be made."""
