"""The faster Kafka client, as an option: confluent-kafka (librdkafka), KAFKA_CLIENT=confluent."""

from __future__ import annotations

import threading
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
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from app.errors import LogUnavailable, NotDurable
from app.log.kafka.clients import TIMED_OUT
from app.log.kafka.connection import (
    ANSWER_MS,
    BATCH_BYTES,
    DELIVERY_MS,
    FETCH_BYTES,
    MAX_REQUEST_BYTES,
    confluent_config,
    group_name,
    topic_name,
)
from app.log.kafka.reach import no_broker_error
from app.settings import Settings

ANSWER_S = ANSWER_MS / 1000


def open_producer(settings: Settings) -> ConfluentProducer:
    """See `Client`."""
    return ConfluentProducer(settings)


def open_consumer(settings: Settings, group: str) -> ConfluentConsumer:
    """See `Client`."""
    return ConfluentConsumer(settings, group)


def ensure_topic(settings: Settings, timeout_s: float) -> None:
    """See `Client`. kafka-python makes the topic where it is missing, and is loaded only then."""
    topic = topic_name(settings)
    try:
        found = AdminClient(confluent_config(settings)).list_topics(topic, timeout=timeout_s).topics[topic]
    except KafkaException as fault:
        raise no_broker_error(settings, fault.args[0].name()) from fault
    if found.error is None:
        return
    from app.log.kafka.topic import ensure_topic as make_topic

    make_topic(settings, timeout_s)


class _Delivery:
    """Counts a frame's acknowledgements; the last one, or the first fault, wakes the sender."""

    __slots__ = ("done", "fault", "left")

    def __init__(self, count: int) -> None:
        self.left = count
        self.fault: KafkaError | None = None
        self.done = threading.Event()

    def __call__(self, fault: KafkaError | None, message: object) -> None:
        # Called by the one thread that polls, so the count needs no lock.
        self.left -= 1
        if fault is not None and self.fault is None:
            self.fault = fault
        if self.left == 0 or fault is not None:
            self.done.set()


class ConfluentProducer:
    """One librdkafka producer and the thread that takes its acknowledgements."""

    def __init__(self, settings: Settings) -> None:
        self._topic = topic_name(settings)
        self._config = {
            **confluent_config(settings),
            "acks": "all",
            "enable.idempotence": True,
            "compression.type": "lz4",
            "linger.ms": 2,
            "batch.size": BATCH_BYTES,
            "message.max.bytes": MAX_REQUEST_BYTES,
            "partitioner": "murmur2",
            "delivery.timeout.ms": DELIVERY_MS,
            "request.timeout.ms": 2_500,
        }
        self._lock = threading.Lock()
        self._producer: Producer | None = None
        self._has_topic = False
        self._stopping = threading.Event()

    def _connected(self) -> Producer:
        # On first use, not at the start: a forked worker has none of its parent's threads.
        with self._lock:
            if self._producer is None:
                self._producer = Producer(self._config)
                threading.Thread(
                    target=self._take_acknowledgements, args=(self._producer,), name="kafka-acks", daemon=True
                ).start()
            return self._producer

    def _take_acknowledgements(self, producer: Producer) -> None:
        while not self._stopping.is_set() and self._producer is producer:
            producer.poll(0.1)

    def send_all(self, key: bytes, values: Sequence[bytes], timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        producer = self._connected()
        if not self._has_topic:
            self.check(timeout_s)
            self._has_topic = True
        try:
            self._send_all(producer, key, values, deadline - time.monotonic())
        except NotDurable:
            self._has_topic = False  # It may have been removed.
            raise

    def _send_all(self, producer: Producer, key: bytes, values: Sequence[bytes], timeout_s: float) -> None:
        delivery = _Delivery(len(values))
        try:
            produce, topic = producer.produce, self._topic
            for value in values:
                produce(topic, value, key, on_delivery=delivery)
        except (BufferError, KafkaException) as fault:
            raise NotDurable(f"the queue of the Kafka client is full: {type(fault).__name__}") from fault
        if not delivery.done.wait(max(0.0, timeout_s)):
            raise NotDurable(f"Kafka did not acknowledge the frame: {TIMED_OUT}")
        if delivery.fault is not None:
            if delivery.fault.fatal():
                self._discard(producer)
            is_timeout = delivery.fault.code() == KafkaError._MSG_TIMED_OUT
            reason = TIMED_OUT if is_timeout else delivery.fault.name()
            raise NotDurable(f"Kafka did not acknowledge the frame: {reason}")

    def _discard(self, producer: Producer) -> None:
        """A fresh producer for the next frame: an idempotent one never leaves a fatal fault."""
        with self._lock:
            if self._producer is producer:
                self._producer = None

    def check(self, timeout_s: float) -> None:
        try:
            found = self._connected().list_topics(self._topic, timeout=timeout_s).topics[self._topic]
        except KafkaException as fault:
            raise NotDurable(f"no Kafka broker answers: {fault.args[0].name()}") from fault
        if found.error is not None or not found.partitions:
            raise NotDurable(f"the topic {self._topic} is missing: run `python -m app release`")

    def close(self) -> None:
        with self._lock:
            producer = self._producer
        if producer is not None:
            producer.flush(DELIVERY_MS / 1000)
        self._stopping.set()


class ConfluentConsumer:
    """A librdkafka consumer of the topic: in a group, or (group empty) where `read_from` puts it."""

    def __init__(self, settings: Settings, group: str) -> None:
        self._topic = topic_name(settings)
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
            self._consumer.subscribe([self._topic], on_assign=self._on_assign, on_revoke=self._on_revoke)

    def _on_assign(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        names = {found.partition for found in partitions}
        self._new |= names
        self._assigned |= names

    def _on_revoke(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._assigned -= {found.partition for found in partitions}

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
                raise LogUnavailable(f"Kafka did not return messages: {fault.name()}")
            by_partition.setdefault(message.partition(), []).append(
                (message.offset(), message.value() or b"")
            )
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
                self._consumer.seek(TopicPartition(self._topic, partition, offset))
                return
            except KafkaException as fault:
                if time.monotonic() > deadline or partition not in self._assigned:
                    raise LogUnavailable(f"Kafka reassigned partition {partition}") from fault
                time.sleep(0.05)

    def committed(self, partitions: Iterable[int]) -> dict[int, int | None]:
        wanted = [TopicPartition(self._topic, name) for name in partitions]
        found = self._ask("return positions", self._consumer.committed, wanted, timeout=ANSWER_S)
        return {place.partition: None if place.offset == OFFSET_INVALID else place.offset for place in found}

    def first_offsets(self, partitions: Iterable[int]) -> dict[int, int]:
        return self._list_offsets(partitions, OFFSET_BEGINNING)

    def end_offsets(self, partitions: Iterable[int]) -> dict[int, int]:
        return self._list_offsets(partitions, OFFSET_END)

    def offsets_at(self, partitions: Iterable[int], time_ms: int) -> dict[int, int | None]:
        found = self._list_offsets(partitions, time_ms)
        return {name: offset if offset >= 0 else None for name, offset in found.items()}

    def _list_offsets(self, partitions: Iterable[int], time_or_place: int) -> dict[int, int]:
        """One question for all partitions: ListOffsets takes -1 and -2 for end and beginning."""
        wanted = [TopicPartition(self._topic, name, time_or_place) for name in partitions]
        found = self._ask("return offsets", self._consumer.offsets_for_times, wanted, timeout=ANSWER_S)
        return {place.partition: place.offset for place in found}

    def high_water(self, partition: int) -> int | None:
        try:
            _, high = self._consumer.get_watermark_offsets(
                TopicPartition(self._topic, partition), cached=True
            )
        except KafkaException:
            return None
        return high if high >= 0 else None

    def all_partitions(self) -> list[int]:
        found = self._ask("describe the topic", self._consumer.list_topics, self._topic, timeout=ANSWER_S)
        if not found.topics[self._topic].partitions:
            raise LogUnavailable(f"the topic {self._topic} is missing: run `python -m app release`")
        return sorted(found.topics[self._topic].partitions)

    def read_from(self, offsets: Mapping[int, int]) -> None:
        self._consumer.assign([TopicPartition(self._topic, name, at) for name, at in offsets.items()])

    def commit(self, offsets: Mapping[int, int], *, wait: bool) -> None:
        placed = [TopicPartition(self._topic, name, offset) for name, offset in offsets.items()]
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
