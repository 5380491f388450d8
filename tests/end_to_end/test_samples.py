"""Samples are exact through kills, rebalances and restarts: each is a line that was sent, none twice.

As in test_exactly_once.py, what must be there at the end is worked out in plain Python.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Sequence

import pytest
import redis

from app.settings import Settings
from app.store import keys, queries
from servers.kafka_broker import KafkaBroker
from servers.processes import Processes, wait_until
from servers.redis_server import RedisServer
from tests.end_to_end.frames import Frame, frames
from tests.end_to_end.kills import counted, kill_and_start, kill_in_turn
from tests.end_to_end.rows import give_rows
from tests.end_to_end.test_exactly_once import IsNotFound, append_all
from tests.support.reference import pairs_of
from tests.support.sample_reference import SampleReference

pytestmark = pytest.mark.slow


def check_samples(
    store: redis.Redis, made: Sequence[Frame], now_s: float, is_not_found: IsNotFound
) -> SampleReference:
    wait_until(lambda: not store.llen(keys.journal("metrics")), "end of the journal", 60)
    reference = SampleReference(now_s, is_not_found=is_not_found)
    for frame in made:
        reference.add_all(frame.messages)
    assert reference.differences(store) == []
    return reference


def check_query(store: redis.Redis, made: Sequence[Frame], now_s: float) -> None:
    """What the API gives are requests that were sent, and the slowest is the slowest of its app."""
    lines = [(pairs_of(message["msg"]), message["app"]) for frame in made for message in frame.messages]
    sent = {pairs["request_id"]: app for pairs, app in lines}
    times = {
        pairs["request_id"]: float(pairs["service"][:-2]) for pairs, _ in lines if pairs["status"] != "101"
    }
    for app in ("", "shop"):
        found = queries.samples(store, app, keys.ALL_ROUTES, None, now_s + 60)
        assert found.slowest
        assert found.failed
        assert found.slowest[0].service_ms == max(times[id] for id in times if app in ("", sent[id]))
        for sample in found.slowest + found.failed:
            assert sent[sample.request_id] == sample.app
            assert not app or sample.app == app


def test_on_the_redis_log_through_kills_and_a_restart() -> None:
    made = frames(160, 250, ("", "shop"), seed=3)
    expected = sum(len(frame.messages) for frame in made)
    with RedisServer() as server:
        now_s = time.time()
        environ = {"REDIS_URL": server.url}
        with redis.Redis.from_url(server.url) as store:
            is_not_found = give_rows(store, made)
        with Processes(environ) as processes:
            writing = threading.Thread(target=append_all, args=(made, Settings.load(environ), 5.0))
            writing.start()
            workers = kill_in_turn(
                processes, lambda: counted(server), writing, then={2: lambda: kill_and_start(server)}
            )
            writing.join(60)
            wait_until(lambda: counted(server) >= expected, "count of all messages", 120)
            with redis.Redis.from_url(server.url) as store:
                check_samples(store, made, now_s, is_not_found)
                check_query(store, made, now_s)
            assert [worker.terminate(15) for worker in workers] == [0, 0, 0]


@pytest.mark.kafka
def test_on_kafka_through_kills_rebalances_and_restarts(own_kafka_broker: KafkaBroker) -> None:
    made = frames(200, 250, ("", "shop"), seed=4)
    expected = sum(len(frame.messages) for frame in made)
    with RedisServer() as server:
        environ = {
            "REDIS_URL": server.url,
            "KAFKA_URL": own_kafka_broker.url,
            "KAFKA_PREFIX": f"samples-{uuid.uuid4().hex[:8]}.",
        }
        now_s = time.time()
        with redis.Redis.from_url(server.url) as store:
            is_not_found = give_rows(store, made)
        with Processes(environ) as processes:
            assert processes.start("release").popen.wait(30) == 0
            settings = Settings.load({**environ, "KAFKA_CLIENT": "confluent"})
            writing = threading.Thread(target=append_all, args=(made, settings, 6.0))
            writing.start()
            workers = kill_in_turn(
                processes,
                lambda: counted(server),
                writing,
                kills=4,
                then={1: lambda: kill_and_start(own_kafka_broker), 2: lambda: kill_and_start(server)},
            )
            writing.join(120)
            wait_until(lambda: counted(server) >= expected, "count of all messages", 120)
            with redis.Redis.from_url(server.url) as store:
                check_samples(store, made, now_s, is_not_found)
                check_query(store, made, now_s)
            assert [worker.terminate(15) for worker in workers] == [0, 0, 0]
