"""The faster Kafka client, as an option: confluent-kafka (librdkafka), KAFKA_CLIENT=confluent."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    OFFSET_INVALID,
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from app.errors import LogUnavailable
from app.log.interface import PLATFORM_TOPIC, TOPIC
from app.log.kafka.confluent_producer import ConfluentProducer
from app.log.kafka.connection import (
    ANSWER_MS,
    FETCH_BYTES,
    Places,
    confluent_config,
    group_name,
    topic_name,
)
from app.log.kafka.reach import no_broker_error
from app.settings import Settings

ANSWER_S = ANSWER_MS / 1000
ASK_AGAIN_S = 0.1

PASSING_FAULTS = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.REPLICA_NOT_AVAILABLE,
        KafkaError.KAFKA_STORAGE_ERROR,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.OFFSET_NOT_AVAILABLE,
    }
)
"""What brokers answer about offsets while a partition gets its leader: after the topic is made, after an
election. Kafka's protocol calls all of them retriable; librdkafka hands them to the caller."""


def open_producer(settings: Settings) -> ConfluentProducer:
    """See `Client`."""
    return ConfluentProducer(settings)


def open_consumer(settings: Settings, group: str, *, reads_platform: bool = False) -> ConfluentConsumer:
    """See `Client`."""
    return ConfluentConsumer(settings, group, reads_platform=reads_platform)


def ensure_topic(settings: Settings, timeout_s: float, *, topic: str = TOPIC) -> None:
    """See `Client`. kafka-python makes the topic where it is missing, and is loaded only then."""
    name = topic_name(settings, topic)
    try:
        found = AdminClient(confluent_config(settings)).list_topics(name, timeout=timeout_s).topics[name]
    except KafkaException as fault:
        raise no_broker_error(settings, fault.args[0].name()) from fault
    if found.error is None:
        return
    from app.log.kafka.topic import ensure_topic as make_topic

    make_topic(settings, timeout_s, topic=topic)


class ConfluentConsumer:
    """A librdkafka consumer of the topics: in a group, or (group empty) where `read_from` puts it."""

    def __init__(self, settings: Settings, group: str, *, reads_platform: bool = False) -> None:
        self._topic = topic_name(settings)
        self._places = Places(settings)
        topics = [self._topic, *([topic_name(settings, PLATFORM_TOPIC)] if reads_platform else [])]
        self._consumer = Consumer(
            {
                **confluent_config(settings),
                "group.id": group_name(settings, group) if group else "unused",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "earliest",
                "session.timeout.ms": 10_000,
                "heartbeat.interval.ms": 2_000,
                "fetch.wait.max.ms": 200,
                "max.partition.fetch.bytes": FETCH_BYTES,
                "allow.auto.create.topics": False,
            }
        )
        self._new: set[int] = set()
        self._assigned: set[int] = set()
        if group:
            self._consumer.subscribe(topics, on_assign=self._on_assign, on_revoke=self._on_revoke)

    def _on_assign(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        names = set(map(self._number, partitions))
        self._new |= names
        self._assigned |= names

    def _on_revoke(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._assigned -= set(map(self._number, partitions))

    def _number(self, place: TopicPartition) -> int:
        return self._places.number(place.topic, place.partition)

    def _place(self, number: int, offset: int = OFFSET_INVALID) -> TopicPartition:
        topic, partition = self._places.topic_and_partition(number)
        return TopicPartition(topic, partition, offset)

    def _ask(self, what: str, method: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except KafkaException as fault:
            raise LogUnavailable(f"Kafka did not {what}: {fault.args[0].name()}") from fault

    def poll(self, timeout_s: float, max_messages: int) -> Mapping[int, Sequence[tuple[int, bytes]]]:
        # consume() waits for all of `max_messages`; so the wait is short once there is something.
        found = self._ask("return messages", self._consumer.consume, 1, timeout_s)
        if found and max_messages > 1:
            found += self._ask("return messages", self._consumer.consume, max_messages - 1, 0.01)
        by_partition: dict[int, list[tuple[int, bytes]]] = {}
        for message in found:
            if (fault := message.error()) is not None:
                if fault.code() == KafkaError.UNKNOWN_TOPIC_OR_PART and message.topic() != self._topic:
                    continue  # The topic `platform` is still to be made: the rest is read all the same.
                raise LogUnavailable(f"Kafka did not return messages: {fault.name()}")
            number = self._places.number(message.topic(), message.partition())
            by_partition.setdefault(number, []).append((message.offset(), message.value() or b""))
        return by_partition

    def take_new_partitions(self) -> set[int]:
        new, self._new = self._new, set()
        return new

    def assigned(self) -> set[int]:
        return set(self._assigned)

    def seek(self, partition: int, offset: int) -> None:
        # seek() needs a fetcher that runs already, which a new assignment has not at once.
        deadline = time.monotonic() + 5
        while True:
            try:
                self._consumer.seek(self._place(partition, offset))
                return
            except KafkaException as fault:
                if time.monotonic() > deadline or partition not in self._assigned:
                    raise LogUnavailable(f"Kafka reassigned partition {partition}") from fault
                time.sleep(0.05)

    def committed(self, partitions: Iterable[int]) -> dict[int, int | None]:
        wanted = [self._place(name) for name in partitions]
        found = self._ask("return positions", self._consumer.committed, wanted, timeout=ANSWER_S)
        return {
            self._number(place): None if place.offset == OFFSET_INVALID else place.offset for place in found
        }

    def first_offsets(self, partitions: Iterable[int]) -> dict[int, int]:
        return self._list_offsets(partitions, OFFSET_BEGINNING)

    def end_offsets(self, partitions: Iterable[int]) -> dict[int, int]:
        return self._list_offsets(partitions, OFFSET_END)

    def offsets_at(self, partitions: Iterable[int], time_ms: int) -> dict[int, int | None]:
        found = self._list_offsets(partitions, time_ms)
        return {name: offset if offset >= 0 else None for name, offset in found.items()}

    def _list_offsets(self, partitions: Iterable[int], time_or_place: int) -> dict[int, int]:
        """One question for all partitions: ListOffsets takes -1 and -2 for end and beginning."""
        wanted = [self._place(name, time_or_place) for name in partitions]
        deadline = time.monotonic() + ANSWER_S
        while True:
            left_s = max(deadline - time.monotonic(), ASK_AGAIN_S)
            try:
                found = self._consumer.offsets_for_times(wanted, timeout=left_s)
                fault = next((place.error for place in found if place.error is not None), None)
            except KafkaException as failed:
                fault = failed.args[0]
            if fault is None:
                return {self._number(place): place.offset for place in found}
            if fault.code() not in PASSING_FAULTS or time.monotonic() + ASK_AGAIN_S > deadline:
                raise LogUnavailable(f"Kafka did not return offsets: {fault.name()}")
            time.sleep(ASK_AGAIN_S)

    def high_water(self, partition: int) -> int | None:
        try:
            _, high = self._consumer.get_watermark_offsets(self._place(partition), cached=True)
        except KafkaException:
            return None
        return high if high >= 0 else None

    def all_partitions(self) -> list[int]:
        found = self._ask("describe the topic", self._consumer.list_topics, self._topic, timeout=ANSWER_S)
        if not found.topics[self._topic].partitions:
            raise LogUnavailable(f"the topic {self._topic} is missing: run `python -m app release`")
        return sorted(found.topics[self._topic].partitions)

    def read_from(self, offsets: Mapping[int, int]) -> None:
        self._consumer.assign([self._place(name, at) for name, at in offsets.items()])

    def commit(self, offsets: Mapping[int, int], *, wait: bool) -> None:
        placed = [self._place(name, offset) for name, offset in offsets.items()]
        try:
            if wait:
                self._consumer.commit(offsets=placed, asynchronous=False)
            else:
                self._consumer.commit(offsets=placed, asynchronous=True)
        except KafkaException as fault:
            if wait:
                raise LogUnavailable(f"Kafka did not accept positions: {fault.args[0].name()}") from fault

    def close(self) -> None:
        self._consumer.close()
