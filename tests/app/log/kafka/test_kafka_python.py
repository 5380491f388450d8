"""kafka-python: what it would never recover from by itself."""

from __future__ import annotations

import pytest
from kafka.errors import KafkaConnectionError, KafkaError, UnknownBrokerIdError

from app.errors import LogUnavailable
from app.log.interface import TOPIC
from app.log.kafka.kafka_python import PythonConsumer, open_consumer, open_producer
from servers.kafka_broker import KafkaBroker
from servers.redis_server import RedisServer
from tests.app.log.kafka.test_follow import log_of
from tests.app.log.logs import frame

pytestmark = [pytest.mark.kafka]


def read(consumer: PythonConsumer, count: int) -> int:
    """How many came in 20 polls at most, up to so many."""
    found = 0
    for _ in range(20):
        found += sum(map(len, consumer.poll(0.5, 100).values()))
        if found >= count:
            break
    return found


def test_a_broker_whose_address_is_unknown_for_a_moment_is_read_again(
    kafka_broker: KafkaBroker, redis_server: RedisServer
) -> None:
    log = log_of(kafka_broker.url, redis_server, "kafka-python")
    writer = log.writer()
    writer.append("before", frame("before", 3), 10)
    consumer = open_consumer(log.settings, "")
    consumer.read_from(consumer.first_offsets(consumer.all_partitions()))
    assert read(consumer, 3) == 3
    manager = consumer._consumer._client._manager
    known = dict(manager.cluster._brokers)

    def lose_the_broker() -> None:
        manager.cluster._brokers.clear()
        for connection in list(manager._conns.values()):
            connection.close()

    manager.run(lose_the_broker)
    with pytest.raises(LogUnavailable, match="UnknownBrokerIdError"):
        consumer.poll(0.5, 100)
    manager.run(lambda: manager.cluster._brokers.update(known))

    writer.append("after", frame("after", 3), 10)
    assert read(consumer, 3) == 3
    consumer.close()
    log.close()


@pytest.mark.parametrize("fault", [KafkaConnectionError(), UnknownBrokerIdError(2)])
def test_whether_there_is_a_topic_is_asked_again_where_a_broker_has_died_or_just_started(
    kafka_broker: KafkaBroker, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, fault: KafkaError
) -> None:
    log = log_of(kafka_broker.url, redis_server, "kafka-python")
    producer = open_producer(log.settings)
    faults, topics = [fault], producer._topics

    def faulty_first(timeout_s: float) -> list[str]:
        if faults:
            raise faults.pop()
        return topics(timeout_s)

    monkeypatch.setattr(producer, "_topics", faulty_first)
    assert producer.has_topic(TOPIC, 10)
    assert faults == []
    log.close()
