"""Exactly once, against a plain Python reference, while everything dies now and then: figures and samples."""

from __future__ import annotations

import threading
import time
import uuid
from functools import partial

import pytest
import redis

from app.log import open_log
from app.log.redis.stream import STREAM
from app.settings import Settings
from servers.kafka_broker import KafkaBroker
from servers.processes import Process, Processes, wait_until
from servers.redis_server import RedisServer
from tests.end_to_end.frames import Frame, frames
from tests.end_to_end.kills import counted, kill_and_start, kill_in_turn, until_durable, wait_for_progress
from tests.end_to_end.rows import give_rows
from tests.end_to_end.samples import IsNotFound, check_query, check_samples
from tests.support.reference import Reference, differences, hashes_in

pytestmark = pytest.mark.slow


def append_all(made: list[Frame], settings: Settings, spread_s: float) -> None:
    """Writes every frame, one in ten twice, over `spread_s`; again as often as the log is away."""
    writer = open_log(settings).writer()
    for number, frame in enumerate(made):
        started = time.monotonic()
        for _ in range(2 if number % 10 == 0 else 1):
            until_durable(partial(writer.append, frame.id, frame.values, 4.0))
        time.sleep(max(0.0, spread_s / len(made) - (time.monotonic() - started)))
    writer.close()


def give_rows_in(server: RedisServer, made: list[Frame]) -> IsNotFound:
    with redis.Redis.from_url(server.url) as store:
        return give_rows(store, made)


def check(
    made: list[Frame], server: RedisServer, now_s: float, expected: int, is_not_found: IsNotFound
) -> None:
    wait_until(lambda: counted(server) >= expected, "count of all messages", 120)
    reference = Reference(now_s, is_not_found=is_not_found)
    for frame in made:
        reference.add_all(frame.messages)
    client = redis.Redis.from_url(server.url)
    assert counted(server) == expected
    assert differences(hashes_in(client), reference.hashes()) == []
    client.close()


def check_all_samples(made: list[Frame], server: RedisServer, now_s: float, is_not_found: IsNotFound) -> None:
    with redis.Redis.from_url(server.url) as store:
        check_samples(store, made, now_s, is_not_found)
        check_query(store, made, now_s)


@pytest.mark.kafka
def test_a_hundred_thousand_messages_and_their_samples_through_kills_rebalances_and_restarts(
    own_kafka_broker: KafkaBroker,
) -> None:
    made = frames(400, 250, ("", "shop"))
    expected = sum(len(frame.messages) for frame in made)
    assert expected >= 100_000
    with RedisServer() as server:
        environ = {
            "REDIS_URL": server.url,
            "KAFKA_URL": own_kafka_broker.url,
            "KAFKA_PREFIX": f"once-{uuid.uuid4().hex[:8]}.",
        }
        now_s = time.time()
        is_not_found = give_rows_in(server, made)
        with Processes(environ) as processes:
            assert processes.start("release").popen.wait(30) == 0
            settings = Settings.load({**environ, "KAFKA_CLIENT": "confluent"})
            writing = threading.Thread(target=append_all, args=(made, settings, 8.0))
            writing.start()
            further: list[Process] = []
            workers = kill_in_turn(
                processes,
                lambda: counted(server),
                writing,
                then={
                    1: lambda: further.append(processes.start_worker("metrics")),
                    2: lambda: kill_and_start(own_kafka_broker),
                    3: lambda: kill_and_start(server),
                },
            )
            writing.join(120)
            check(made, server, now_s, expected, is_not_found)
            check_all_samples(made, server, now_s, is_not_found)
            assert [worker.terminate(15) for worker in workers + further] == [0, 0, 0, 0]


def test_fifty_thousand_messages_and_their_samples_on_the_redis_log_through_kills_and_a_restart() -> None:
    made = frames(200, 250, ("", "shop"))
    expected = sum(len(frame.messages) for frame in made)
    with RedisServer() as server:
        now_s = time.time()
        environ = {"REDIS_URL": server.url}
        is_not_found = give_rows_in(server, made)
        with Processes(environ) as processes:
            writing = threading.Thread(target=append_all, args=(made, Settings.load(environ), 5.0))
            writing.start()
            workers = kill_in_turn(
                processes, lambda: counted(server), writing, then={2: lambda: kill_and_start(server)}
            )
            writing.join(60)
            check(made, server, now_s, expected, is_not_found)
            check_all_samples(made, server, now_s, is_not_found)
            assert [worker.terminate(15) for worker in workers] == [0, 0, 0]


@pytest.mark.parametrize("version", ["redis_server", "old_redis_server"])
def test_no_message_counts_twice_where_the_group_is_destroyed_again_and_again(
    version: str, request: pytest.FixtureRequest
) -> None:
    """By hand, while three workers hold batches of its stream, and some of them are killed."""
    server: RedisServer = request.getfixturevalue(version)
    made = frames(150, 100, ("", "shop"))
    expected = sum(len(frame.messages) for frame in made)
    now_s = time.time()
    environ = {"REDIS_URL": server.url}
    with redis.Redis.from_url(server.url) as store, Processes(environ) as processes:
        store.flushall()
        is_not_found = give_rows(store, made)
        writing = threading.Thread(target=append_all, args=(made, Settings.load(environ), 5.0))
        writing.start()
        workers: list[Process] = [processes.start_worker("metrics") for _ in range(3)]
        for number in range(6):
            wait_for_progress(lambda: counted(server), writing)
            if number % 2:
                workers[number % 3].kill()
            assert store.xgroup_destroy(STREAM, "metrics") in (0, 1)
            if number % 2:
                workers[number % 3] = processes.start_worker("metrics")
        writing.join(60)
        assert store.xgroup_destroy(STREAM, "metrics") in (0, 1)
        check(made, server, now_s, expected, is_not_found)
        time.sleep(2)
        assert counted(server) == expected
        assert [worker.terminate(15) for worker in workers] == [0, 0, 0]
        said = "".join(process.output for process in workers)
        assert "goes on where it was, nothing counts twice" in said
        assert "may count twice" not in said
        store.flushall()
