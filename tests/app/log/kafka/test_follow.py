"""Following the topic: what happens to brokers and to the topic while nobody but the follower reads it."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

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
    """What was given so far, and how long each part took."""

    def __init__(self, parts: Iterator[Scanned]) -> None:
        self.parts = parts
        self.ids: list[str] = []
        self.took_s: list[float] = []

    def step(self) -> None:
        before_s = time.monotonic()
        self.ids += [one["id"] for one in next(self.parts).messages]
        self.took_s.append(time.monotonic() - before_s)

    def until(self, count: int) -> None:
        deadline_s = time.monotonic() + 60
        while len(self.ids) < count:
            assert time.monotonic() < deadline_s, f"{len(self.ids)} of {count}"
            self.step()


@dataclass(frozen=True, slots=True)
class Both:
    """A topic of each client, written to all the time and followed, a step of each in turn."""

    followings: list[Following]
    writings: list[Writing]

    def until(self, goals: list[int]) -> None:
        """Until each was given so many messages. Both are stepped all the time: a client that nobody asks
        does not live through what happens to its broker."""
        deadline_s = time.monotonic() + 120
        while any(len(one.ids) < goal for one, goal in zip(self.followings, goals, strict=True)):
            assert time.monotonic() < deadline_s, f"{[len(one.ids) for one in self.followings]} of {goals}"
            self.step()

    def during(self, seconds: float) -> None:
        deadline_s = time.monotonic() + seconds
        while time.monotonic() < deadline_s:
            self.step()

    def step(self) -> None:
        for one in self.followings:
            one.step()

    def further(self, count: int) -> None:
        """Until so many more messages of each were given."""
        self.until([len(one.ids) + count for one in self.followings])

    def check(self) -> None:
        """None missing, none doubled."""
        all_written = [writing.stop() for writing in self.writings]
        self.until([len(written) for written in all_written])
        self.during(3)
        for following, written in zip(self.followings, all_written, strict=True):
            following.parts.close()  # type: ignore[attr-defined]
            # One that was given up at the very end may be there without its acknowledgement.
            assert len(following.ids) == len(set(following.ids))
            assert set(written) <= set(following.ids)
            assert len(following.ids) <= len(written) + 3
            assert sorted(following.took_s)[-2] < 2  # The machine may stall once.


@contextlib.contextmanager
def both_followed(url: str, server: RedisServer) -> Iterator[Both]:
    with contextlib.ExitStack() as stack:
        logs = [stack.enter_context(contextlib.closing(log_of(url, server, client))) for client in CLIENTS]
        followings = [Following(log.history().follow(0)) for log in logs]
        for following in followings:
            stack.callback(following.parts.close)  # type: ignore[attr-defined]
        yield Both(followings, [stack.enter_context(Writing(log.writer(), frame, 0.02)) for log in logs])


@pytest.mark.slow
def test_following_misses_and_doubles_none_through_a_restart_of_the_broker(
    own_kafka_broker: KafkaBroker, redis_server: RedisServer
) -> None:
    with both_followed(own_kafka_broker.url, redis_server) as both:
        both.further(150)
        own_kafka_broker.kill()
        both.during(3)
        own_kafka_broker.start()
        both.further(150)
        own_kafka_broker.restart()
        both.further(150)
        both.check()


@pytest.mark.slow
def test_following_misses_and_doubles_none_when_another_broker_takes_over(
    kafka_cluster: KafkaCluster, redis_server: RedisServer
) -> None:
    broker = kafka_cluster.brokers[1]
    with both_followed(kafka_cluster.url, redis_server) as both:
        both.further(150)
        broker.kill()
        try:
            both.further(300)
        finally:
            broker.start()
            wait_until(kafka_cluster.is_in_sync, "copies in sync", 90)
        both.further(150)
        both.check()


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
