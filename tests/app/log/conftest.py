"""The logs: in memory, Redis Streams on two versions of Redis, Kafka by both of its clients."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
import redis

from app.log.memory import MemoryLog
from servers.kafka_broker import KafkaBroker
from servers.redis_server import RedisServer
from tests.app.log.logs import Log

REDIS = ["redis_server", "old_redis_server"]
KAFKA = [pytest.param(client, marks=pytest.mark.kafka) for client in ("kafka-python", "confluent")]


def _redis_log(server: RedisServer) -> Log:
    store = redis.Redis.from_url(server.url)
    store.flushall()
    return Log({"REDIS_URL": server.url}, store)


def _kafka_log(broker: KafkaBroker, server: RedisServer, client: str) -> Log:
    store = redis.Redis.from_url(server.url)
    store.flushall()
    environ = {
        "REDIS_URL": server.url,
        "KAFKA_URL": broker.url,
        "KAFKA_CLIENT": client,
        "KAFKA_PREFIX": f"t{uuid.uuid4().hex[:10]}.",
    }
    return Log(environ, store, broker)


def _closing(log: Log) -> Iterator[Log]:
    yield log
    log.close()
    log.store.close()


@pytest.fixture(params=REDIS)
def redis_log(request: pytest.FixtureRequest) -> Iterator[Log]:
    """The log on Redis Streams."""
    yield from _closing(_redis_log(request.getfixturevalue(request.param)))


@pytest.fixture(params=KAFKA)
def kafka_log(request: pytest.FixtureRequest, redis_server: RedisServer) -> Iterator[Log]:
    """The log on Kafka, its topic new."""
    broker = request.getfixturevalue("kafka_broker")
    yield from _closing(_kafka_log(broker, redis_server, request.param))


@pytest.fixture(params=["memory", *REDIS, *KAFKA])
def log(request: pytest.FixtureRequest, redis_server: RedisServer) -> Iterator[Log]:
    """Every log in turn."""
    if request.param == "memory":
        log = _redis_log(redis_server)
        log.memory = MemoryLog(log.store)
        yield from _closing(log)
    elif request.param in REDIS:
        yield from _closing(_redis_log(request.getfixturevalue(request.param)))
    else:
        broker = request.getfixturevalue("kafka_broker")
        yield from _closing(_kafka_log(broker, redis_server, request.param))
