"""What confluent-kafka's consumer does while a partition gets its leader.

The topic and its offsets are real; the answers of that moment are not: no test can hold a broker in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException

from app.errors import LogUnavailable
from app.log.kafka import confluent
from app.log.kafka.connection import PARTITIONS
from app.log.kafka.topic import ensure_topic
from tests.app.log.logs import Log, frame

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.parametrize("kafka_log", ["confluent"], indirect=True),
]


class Electing:
    """A consumer whose first questions about offsets meet these faults, and are then answered."""

    def __init__(self, consumer: Consumer, faults: Sequence[int], *, of_one_partition: bool = False) -> None:
        self.consumer = consumer
        self.faults = list(faults)
        self.of_one_partition = of_one_partition
        self.asked = 0

    def offsets_for_times(self, places: list[Any], timeout: float) -> Sequence[Any]:
        self.asked += 1
        if not self.faults:
            return list(self.consumer.offsets_for_times(places, timeout=timeout))
        fault = KafkaError(self.faults.pop(0))
        if not self.of_one_partition:
            raise KafkaException(fault)
        return [
            SimpleNamespace(topic=place.topic, partition=place.partition, offset=-1001, error=error)
            for place, error in zip(places, [fault, *[None] * len(places)], strict=False)
        ]

    def close(self) -> None:
        self.consumer.close()


def open_electing(
    log: Log, faults: Sequence[int], **more: bool
) -> tuple[confluent.ConfluentConsumer, Electing]:
    """A consumer of the topic, in which a frame of three lines is, and what it asks through."""
    ensure_topic(log.settings, 10)
    writer = log.writer()
    writer.append("f", frame("f", 3), 4)
    consumer = confluent.open_consumer(log.settings, "")
    electing = Electing(consumer._consumer, faults, **more)
    consumer._consumer = electing  # type: ignore[assignment]
    return consumer, electing


@pytest.mark.parametrize("of_one_partition", [False, True])
def test_offsets_are_asked_for_again_until_the_partition_has_its_leader(
    kafka_log: Log, of_one_partition: bool
) -> None:
    faults = [
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.OFFSET_NOT_AVAILABLE,
    ]
    consumer, electing = open_electing(kafka_log, faults, of_one_partition=of_one_partition)
    try:
        ends = consumer.end_offsets(name for name in range(PARTITIONS))
    finally:
        consumer.close()
    assert electing.asked == len(faults) + 1
    assert sum(ends.values()) == 3
    assert set(ends) == set(range(PARTITIONS))


def test_a_partition_that_gets_no_leader_is_said_when_the_time_is_up(
    kafka_log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confluent, "ANSWER_S", 0.5)
    consumer, electing = open_electing(kafka_log, [KafkaError.NOT_LEADER_FOR_PARTITION] * 100)
    try:
        with pytest.raises(LogUnavailable, match="did not return offsets: NOT_LEADER_FOR_PARTITION"):
            consumer.first_offsets([0])
    finally:
        consumer.close()
    assert 2 <= electing.asked <= 6


def test_a_fault_that_does_not_pass_is_said_at_once(kafka_log: Log) -> None:
    consumer, electing = open_electing(kafka_log, [KafkaError.TOPIC_AUTHORIZATION_FAILED])
    try:
        with pytest.raises(LogUnavailable, match="TOPIC_AUTHORIZATION_FAILED"):
            consumer.end_offsets([0])
    finally:
        consumer.close()
    assert electing.asked == 1
