"""The producer of confluent-kafka (librdkafka)."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from confluent_kafka import KafkaError, KafkaException, Producer

from app.errors import NotDurable
from app.log.interface import PLATFORM_TOPIC, TOPIC
from app.log.kafka.clients import TIMED_OUT
from app.log.kafka.connection import (
    BATCH_BYTES,
    DELIVERY_MS,
    MAX_REQUEST_BYTES,
    confluent_config,
    topic_name,
)
from app.settings import Settings


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
        self._names = {topic: topic_name(settings, topic) for topic in (TOPIC, PLATFORM_TOPIC)}
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

    def send_all(
        self, key: bytes, values: Sequence[bytes], timeout_s: float, platform: Sequence[bytes] = ()
    ) -> None:
        deadline = time.monotonic() + timeout_s
        producer = self._connected()
        if not self._has_topic:
            self.check(timeout_s)
            self._has_topic = True
        try:
            parts = ((self._names[TOPIC], values), (self._names[PLATFORM_TOPIC], platform))
            self._send_all(producer, key, parts, deadline - time.monotonic())
        except NotDurable:
            self._has_topic = False  # It may have been removed.
            raise

    def _send_all(
        self, producer: Producer, key: bytes, parts: Sequence[tuple[str, Sequence[bytes]]], timeout_s: float
    ) -> None:
        delivery = _Delivery(sum(len(values) for _, values in parts))
        try:
            produce = producer.produce
            for topic, values in parts:
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
        if not self.has_topic(TOPIC, timeout_s):
            raise NotDurable(f"the topic {self._names[TOPIC]} is missing: run `python -m app release`")

    def has_topic(self, topic: str, timeout_s: float) -> bool:
        name = self._names[topic]
        try:
            found = self._connected().list_topics(name, timeout=timeout_s).topics[name]
        except KafkaException as fault:
            raise NotDurable(f"no Kafka broker answers: {fault.args[0].name()}") from fault
        return found.error is None and bool(found.partitions)

    def close(self) -> None:
        with self._lock:
            producer = self._producer
        if producer is not None:
            producer.flush(DELIVERY_MS / 1000)
        self._stopping.set()
