"""The producer of kafka-python.

Facts of kafka-python 3.0 that the code rests on: the producer is idempotent by default (order is
kept through its own retries); `delivery_timeout_ms` must be at least `linger_ms` plus
`request_timeout_ms`.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence

from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError
from kafka.partitioner.default import murmur2

from app.errors import NotDurable
from app.log.interface import PLATFORM_TOPIC, TOPIC
from app.log.kafka.clients import TIMED_OUT
from app.log.kafka.connection import (
    BATCH_BYTES,
    DELIVERY_MS,
    MAX_REQUEST_BYTES,
    python_config,
    topic_name,
)
from app.log.kafka.kafka_python_connect import connected, is_passing
from app.log.kafka.topic import ASK_AGAIN_S
from app.settings import Settings


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key, as Kafka's Java client computes it."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


class PythonProducer:
    """One KafkaProducer, created on first use, and again after a fault from which it cannot recover."""

    def __init__(self, settings: Settings) -> None:
        self._config = python_config(settings)
        self._names = {topic: topic_name(settings, topic) for topic in (TOPIC, PLATFORM_TOPIC)}
        self._lock = threading.Lock()
        self._producer: KafkaProducer | None = None
        self._partitions: dict[str, int] = {}
        """Of each topic; those that are not in it are to be asked for."""

    def _connected(self, timeout_s: float) -> KafkaProducer:
        # One thread connects; the others' time must not run out behind it one after the other.
        deadline = time.monotonic() + timeout_s
        if not self._lock.acquire(timeout=max(0.0, timeout_s)):
            raise NotDurable("no Kafka broker answers: another thread waits for one")
        try:
            if self._producer is None:
                left_s = deadline - time.monotonic()
                self._producer = KafkaProducer(
                    **self._config,
                    acks="all",
                    enable_idempotence=True,
                    compression_type="lz4",
                    linger_ms=2,
                    batch_size=BATCH_BYTES,
                    max_request_size=MAX_REQUEST_BYTES,
                    max_block_ms=DELIVERY_MS,
                    request_timeout_ms=2_500,
                    delivery_timeout_ms=DELIVERY_MS,
                    bootstrap_timeout_ms=max(1, int(left_s * 1000)),
                    metrics_enabled=False,
                )
            return self._producer
        except KafkaError as fault:
            raise NotDurable(f"no Kafka broker answers: {type(fault).__name__}") from fault
        finally:
            self._lock.release()

    def send_all(
        self, key: bytes, values: Sequence[bytes], timeout_s: float, platform: Sequence[bytes] = ()
    ) -> None:
        deadline = time.monotonic() + timeout_s
        producer = self._connected(timeout_s)
        parts = [(topic, some) for topic, some in ((TOPIC, values), (PLATFORM_TOPIC, platform)) if some]
        partitions = [
            self._partitions.get(topic) or self._ask_partitions(producer, topic) for topic, _ in parts
        ]
        try:
            send, names = producer.send, self._names
            futures = [
                send(names[topic], value, key, partition=partition_of(key, count))
                for (topic, some), count in zip(parts, partitions, strict=True)
                for value in some
            ]
            for future in futures:
                future.get(max(0.0, deadline - time.monotonic()))
        except (KafkaError, AssertionError) as fault:
            self._partitions = {}  # A topic may have been made anew, with fewer.
            self._discard(producer)
            reason = TIMED_OUT if isinstance(fault, KafkaTimeoutError) else type(fault).__name__
            raise NotDurable(f"Kafka did not acknowledge the frame: {reason}") from fault

    def _discard(self, producer: KafkaProducer) -> None:
        """A fresh producer for the next frame; frames under way in this one get their 503.

        After a timeout too: an idempotent producer of kafka-python 3.0 whose batch expired while a
        broker hung never sends to that partition again.
        """
        if not self._lock.acquire(timeout=0.1):
            return  # Somebody connects already, so this one has been discarded.
        try:
            if self._producer is not producer:
                return
            self._producer = None
        finally:
            self._lock.release()
        threading.Thread(target=_close, args=(producer, 0), daemon=True).start()

    def _ask_partitions(self, producer: KafkaProducer, topic: str) -> int:
        name = self._names[topic]
        try:
            found = producer.partitions_for(name)
        except KafkaError as fault:
            raise NotDurable(f"no Kafka broker answers: {type(fault).__name__}") from fault
        if not found:
            raise NotDurable(f"the topic {name} is missing: run `python -m app release`")
        self._partitions = {**self._partitions, topic: len(found)}
        return len(found)

    def check(self, timeout_s: float) -> None:
        if not self.has_topic(TOPIC, timeout_s):
            raise NotDurable(f"the topic {self._names[TOPIC]} is missing: run `python -m app release`")

    def has_topic(self, topic: str, timeout_s: float) -> bool:
        # A producer answers from what it remembers; a client of its own has to ask.
        deadline = time.monotonic() + timeout_s / 2
        while True:
            try:
                return self._names[topic] in self._topics(timeout_s / 2)
            except KafkaError as fault:
                if not is_passing(fault) or time.monotonic() > deadline:
                    raise NotDurable(f"no Kafka broker answers: {type(fault).__name__}") from fault
            time.sleep(ASK_AGAIN_S)

    def _topics(self, timeout_s: float) -> list[str]:
        """All that the brokers name. Raises KafkaError."""
        limit_ms = int(timeout_s * 1000)
        limits = {"bootstrap_timeout_ms": limit_ms, "request_timeout_ms": limit_ms}
        admin = connected(KafkaAdminClient, {**self._config, **limits})
        try:
            return list(admin.list_topics())
        finally:
            admin.close()

    def close(self) -> None:
        with self._lock:
            producer, self._producer = self._producer, None
        if producer is not None:
            _close(producer, DELIVERY_MS / 1000)


def _close(producer: KafkaProducer, timeout_s: float) -> None:
    """Ends its thread; what it could not send has had its NotDurable."""
    try:
        producer.close(timeout=timeout_s)
    except KafkaError:
        # close() of kafka-python 3.0 leaves its thread running when something is still on its way.
        producer._sender.force_close()
        with contextlib.suppress(KafkaError):
            producer.close(timeout=1)
