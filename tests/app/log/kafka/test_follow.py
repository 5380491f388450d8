"""Following the topic: what happens to brokers and to the topic while nobody but the follower reads it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import pytest
import redis

from app.log import Scanned
from app.log.kafka import follow as kafka_follow
from app.log.kafka.connection import topic_name
from servers.kafka_broker import KafkaBroker, KafkaCluster
from servers.processes import wait_until
from servers.redis_server import RedisServer
from tests.app.log.logs import Log, frame
from tests.support.kafka_topics import administered
from tests.support.writing import Writing

pytestmark = [pytest.mark.kafka]

CLIENTS = ["kafka-python", "confluent"]


def log_of(url: str, server: RedisServer, client: str) -> Log:
    environ = {
        "REDIS_URL": server.url,
        "KAFKA_URL": url,
        "KAFKA_CLIENT": client,
        "KAFKA_PREFIX": f"t{uuid.uuid4().hex[:8]}.",
    }
    log = Log(environ, redis.Redis.from_url(server.url))
    log.opened().ensure(["metrics"], 30)
    return log


class Following:
    """What was given so far, and the longest time that one part took."""

    def __init__(self, parts: Iterator[Scanned]) -> None:
        self.parts = parts
        self.ids: list[str] = []
        self.slowest_s = 0.0

    def step(self) -> None:
        before_s = time.monotonic()
        self.ids += [one["id"] for one in next(self.parts).messages]
        self.slowest_s = max(self.slowest_s, time.monotonic() - before_s)

    def until(self, count: int, timeout_s: float = 60) -> None:
        deadline_s = time.monotonic() + timeout_s
        while len(self.ids) < count:
            assert time.monotonic() < deadline_s, f"{len(self.ids)} of {count}"
            self.step()

    def during(self, seconds: float) -> None:
        deadline_s = time.monotonic() + seconds
        while time.monotonic() < deadline_s:
            self.step()


def check(following: Following, writing: Writing) -> None:
    """None missing, none doubled."""
    written = writing.stop()
    following.until(len(written))
    following.during(3)
    following.parts.close()  # type: ignore[attr-defined]
    # One that was given up at the very end may be there without its acknowledgement.
    assert len(following.ids) == len(set(following.ids))
    assert set(written) <= set(following.ids)
    assert len(following.ids) <= len(written) + 3
    assert following.slowest_s < 2


@pytest.mark.slow
@pytest.mark.parametrize("client", CLIENTS)
def test_following_misses_and_doubles_none_through_a_restart_of_the_broker(
    own_kafka_broker: KafkaBroker, redis_server: RedisServer, client: str
) -> None:
    log = log_of(own_kafka_broker.url, redis_server, client)
    writer = log.writer()
    following = Following(log.history().follow(0))
    with Writing(writer, frame, 0.02) as writing:
        following.until(150)
        own_kafka_broker.kill()
        following.during(3)
        own_kafka_broker.start()
        following.until(len(following.ids) + 150)
        own_kafka_broker.restart()
        following.until(len(following.ids) + 150)
        check(following, writing)
    log.close()


@pytest.mark.slow
@pytest.mark.parametrize("client", CLIENTS)
def test_following_misses_and_doubles_none_when_another_broker_takes_over(
    kafka_cluster: KafkaCluster, redis_server: RedisServer, client: str
) -> None:
    log = log_of(kafka_cluster.url, redis_server, client)
    following = Following(log.history().follow(0))
    broker = kafka_cluster.brokers[1]
    with Writing(log.writer(), frame, 0.02) as writing:
        following.until(150)
        broker.kill()
        try:
            following.until(len(following.ids) + 300, timeout_s=120)
        finally:
            broker.start()
            wait_until(kafka_cluster.is_in_sync, "copies in sync", 90)
        following.until(len(following.ids) + 150)
        check(following, writing)
    log.close()


def test_partitions_that_an_operator_adds_are_followed_too(
    kafka_broker: KafkaBroker, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # kafka-python asks for them every five minutes by itself: too long for a test.
    monkeypatch.setattr(kafka_follow, "PARTITIONS_EVERY_S", 1.0)
    log = log_of(kafka_broker.url, redis_server, "confluent")
    following = Following(log.history().follow(0))
    log.writer().append("f1", frame("f1", 2), 4)
    following.until(2)
    with administered(kafka_broker) as admin:
        admin.create_partitions({topic_name(log.settings): 64})
    later = log.writer()
    for number in range(60):
        later.append(f"g{number}", frame(f"g{number}", 1), 10)
    following.until(62)
    assert len(set(following.ids)) == 62
    following.parts.close()  # type: ignore[attr-defined]
    log.close()
