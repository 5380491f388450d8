"""The default Kafka client: kafka-python, in pure Python.

A fact of kafka-python 3.0 that the consumer rests on: rebalance listeners run on its network thread
and must not block. The producer is in kafka_python_producer.py.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kafka import (
    ConsumerRebalanceListener,
    KafkaConsumer,
    TopicPartition,
)
from kafka.errors import KafkaError
from kafka.future import Future
from kafka.structs import OffsetAndMetadata

from app.errors import LogUnavailable
from app.log.interface import PLATFORM_TOPIC
from app.log.kafka.connection import (
    ANSWER_MS,
    FETCH_BYTES,
    Places,
    group_name,
    python_config,
    topic_name,
)
from app.log.kafka.kafka_python_connect import connected
from app.log.kafka.kafka_python_producer import PythonProducer
from app.log.kafka.topic import ensure_topic
from app.settings import Settings

FAULTS = (KafkaError, LookupError, ValueError, AttributeError)
"""What the consumer raises, including the errors of a call during which its network thread changes the
assignment."""


__all__ = ["PythonConsumer", "PythonProducer", "ensure_topic", "open_consumer", "open_producer"]


def open_producer(settings: Settings) -> PythonProducer:
    """See `Client`."""
    return PythonProducer(settings)


def open_consumer(settings: Settings, group: str, *, reads_platform: bool = False) -> PythonConsumer:
    """See `Client`."""
    return PythonConsumer(settings, group, reads_platform=reads_platform)


class _Assignments(ConsumerRebalanceListener):  # type: ignore[misc]
    """Notes which partitions were assigned, until the reader asks for them."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self.new: set[int] = set()

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        pass

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self.new |= {self._places.number(found.topic, found.partition) for found in assigned}


class _Join:
    """A join of the group; one that succeeds stays under way until a poll has taken its result.

    kafka-python 3.0 throws away a join that ends between two polls and joins again. That makes all
    other members join again as well, whose joins may end between two polls of theirs: a group
    could go on like this for minutes with partitions that nobody reads.
    """

    def __init__(self, task: Future) -> None:
        self._task = task
        self.add_callback = task.add_callback
        self.add_errback = task.add_errback

    @property
    def is_done(self) -> bool:
        return bool(self._task.failed())


class PythonConsumer:
    """A KafkaConsumer of the topics: in a group, or (group empty) where `read_from` puts it."""

    def __init__(self, settings: Settings, group: str, *, reads_platform: bool = False) -> None:
        self._topic = topic_name(settings)
        self._places = Places(settings)
        self._assignments = _Assignments(self._places)
        topics = [self._topic, *([topic_name(settings, PLATFORM_TOPIC)] if reads_platform else [])]
        try:
            self._consumer = connected(
                KafkaConsumer,
                {
                    **python_config(settings),
                    "group_id": group_name(settings, group) if group else None,
                    "enable_auto_commit": False,
                    "auto_offset_reset": "earliest",
                    "fetch_max_wait_ms": 200,
                    "max_partition_fetch_bytes": FETCH_BYTES,
                    "session_timeout_ms": 10_000,
                    "heartbeat_interval_ms": 2_000,
                    "max_poll_interval_ms": 300_000,
                    "request_timeout_ms": 15_000,
                    "bootstrap_timeout_ms": ANSWER_MS,
                    "allow_auto_create_topics": False,
                    "metrics_enabled": False,
                },
            )
            if group:
                # A leader of the group that does not know the partitions yet shares out none.
                for topic in topics:
                    self._consumer.partitions_for_topic(topic)
                self._consumer.subscribe(topics, listener=self._assignments)
        except KafkaError as fault:
            raise LogUnavailable(f"no Kafka broker answers: {type(fault).__name__}") from fault

    def _tp(self, partition: int) -> TopicPartition:
        return TopicPartition(*self._places.topic_and_partition(partition))

    def _number(self, place: TopicPartition) -> int:
        return self._places.number(place.topic, place.partition)

    def _ask(self, what: str, method: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except FAULTS as fault:
            raise LogUnavailable(f"Kafka did not {what}: {type(fault).__name__}") from fault

    def poll(self, timeout_s: float, max_messages: int) -> Mapping[int, Sequence[tuple[int, bytes]]]:
        try:
            found = self._ask(
                "return messages",
                self._consumer.poll,
                timeout_ms=int(timeout_s * 1000),
                max_records=max_messages,
            )
        except LogUnavailable:
            self._forget_fetches()
            raise
        self._keep_join()
        return {
            self._number(place): [(record.offset, record.value or b"") for record in records]
            for place, records in found.items()
        }

    def _forget_fetches(self) -> None:
        """kafka-python 3.0 notes that a fetch is on its way before it sends it. One that it cannot send, as
        to a leader whose address it does not know yet, stays noted, and nothing is fetched from that broker
        ever again. (A fetch that is on its way after all is sent twice; one answer is thrown away.)"""
        self._consumer._fetcher._nodes_with_pending_fetch_requests.clear()

    def _keep_join(self) -> None:
        coordinator = self._consumer._coordinator
        if isinstance(coordinator._join_task, Future):
            coordinator._join_task = _Join(coordinator._join_task)

    def take_new_partitions(self) -> set[int]:
        new, self._assignments.new = self._assignments.new, set()
        return new

    def assigned(self) -> set[int]:
        return set(map(self._number, self._consumer.assignment()))

    def seek(self, partition: int, offset: int) -> None:
        try:
            self._consumer.seek(self._tp(partition), offset)
        except FAULTS as fault:
            raise LogUnavailable(f"Kafka reassigned partition {partition}") from fault

    def committed(self, partitions: Iterable[int]) -> dict[int, int | None]:
        ask = self._consumer.committed
        return {
            name: self._ask("return positions", ask, self._tp(name), timeout_ms=ANSWER_MS)
            for name in partitions
        }

    def first_offsets(self, partitions: Iterable[int]) -> dict[int, int]:
        return self._offsets(self._consumer.beginning_offsets, partitions)

    def end_offsets(self, partitions: Iterable[int]) -> dict[int, int]:
        return self._offsets(self._consumer.end_offsets, partitions)

    def offsets_at(self, partitions: Iterable[int], time_ms: int) -> dict[int, int | None]:
        """The first offset at or after a time (Unix ms); None where nothing is that new."""
        wanted = {self._tp(name): time_ms for name in partitions}
        found = self._ask("return offsets", self._consumer.offsets_for_times, wanted, timeout_ms=ANSWER_MS)
        return {self._number(place): entry.offset if entry else None for place, entry in found.items()}

    def _offsets(self, method: Any, partitions: Iterable[int]) -> dict[int, int]:
        places = [self._tp(name) for name in partitions]
        found = self._ask("return offsets", method, places, timeout_ms=ANSWER_MS)
        return {self._number(place): offset for place, offset in found.items()}

    def high_water(self, partition: int) -> int | None:
        try:
            end = self._consumer.highwater(self._tp(partition))
        except FAULTS:
            return None
        return int(end) if end is not None else None

    def all_partitions(self) -> list[int]:
        found = self._ask("describe the topic", self._consumer.partitions_for_topic, self._topic)
        if not found:
            raise LogUnavailable(f"the topic {self._topic} is missing: run `python -m app release`")
        return sorted(found)

    def read_from(self, offsets: Mapping[int, int]) -> None:
        self._consumer.assign([self._tp(partition) for partition in offsets])
        for partition, offset in offsets.items():
            self.seek(partition, offset)

    def commit(self, offsets: Mapping[int, int], *, wait: bool) -> None:
        placed = {self._tp(name): OffsetAndMetadata(offset, "", -1) for name, offset in offsets.items()}
        if wait:
            self._ask("accept positions", self._consumer.commit, placed, timeout_ms=ANSWER_MS)
        else:
            with contextlib.suppress(*FAULTS):  # They come again with the next ones.
                self._consumer.commit_async(placed)

    def close(self) -> None:
        with contextlib.suppress(*FAULTS):
            self._consumer.close(autocommit=False, timeout_ms=ANSWER_MS)
