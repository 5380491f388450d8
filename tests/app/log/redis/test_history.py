"""Scans of the stream, and following it: answers of bounded size, a bound that trims, a Redis that dies."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator

import pytest
import redis

from app.log import Scanned
from app.log.redis.history import RedisHistory
from app.log.redis.ranges import ANSWER_BYTES, ENTRIES_MAX, RangeReader
from app.log.redis.stream import FRAMES, META, STREAM, log_counts, pack, range_of
from app.log.redis.writer import RedisWriter
from app.message import encode
from servers.redis_server import RedisServer
from tests.app.log.logs import Log, bounded_writer, frame, message
from tests.support.replicated_redis import ReplicatedRedis
from tests.support.writing import Writing


def ids_of(parts: Iterator[Scanned]) -> list[str]:
    return [one["id"] for part in parts for one in part.messages]


def append(log: Log, first: int, last: int, writer: RedisWriter | None = None) -> None:
    """One frame of ten lines each."""
    writer = writer or bounded_writer(log, 10**9)
    for number in range(first, last):
        writer.append(f"f{number}", frame(f"f{number}", 10), 4)


def large(frame_id: str) -> list[bytes]:
    """A message of nearly the largest size, which can't be packed."""
    return [encode(message(frame_id, 0, "/" + random.Random(frame_id).randbytes(440_000).hex()))]


@pytest.mark.parametrize("command", ["XRANGE", "XREVRANGE"])
def test_answers_are_bounded_in_bytes_and_hold_every_entry_once(redis_log: Log, command: str) -> None:
    writer = bounded_writer(redis_log, 10**9)
    for number in range(150):
        writer.append(f"small{number}", frame(f"small{number}", 1), 4)
    for number in range(30):
        writer.append(f"large{number}", large(f"large{number}"), 4)
    for number in range(150):
        writer.append(f"after{number}", frame(f"after{number}", 1), 4)
    reader = RangeReader(redis_log.store)
    ends = ("-", "+") if command == "XRANGE" else ("+", "-")
    answers = list(reader.read("XRANGE" if command == "XRANGE" else "XREVRANGE", *ends))
    reader.close()
    assert max(map(len, answers)) == ENTRIES_MAX
    sizes = [sum(len(one.packed) for one in answer) for answer in answers]
    # Their size is known only once they are here: then one at a time, beside the last of the answer before.
    assert len([size for size in sizes if size > 5 * ANSWER_BYTES]) < 15
    names = [one.frame_id for answer in answers for one in answer]
    assert len(set(names)) == 330
    assert len(names) == 330 + len(answers) - 1


def test_a_scan_of_a_log_without_entries_gives_nothing(redis_log: Log) -> None:
    history = redis_log.history()
    assert ids_of(history.scan(0, 2**42)) == ids_of(history.scan(0, 2**42, newest_first=True)) == []
    assert not history.was_overtaken


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_scan_that_the_bound_overtakes_says_so(redis_log: Log, newest_first: bool) -> None:
    append(redis_log, 0, 300)
    slow, fast = redis_log.history(), redis_log.history()
    parts = slow.scan(0, 2**42, newest_first=newest_first)
    given = [one["id"] for one in next(parts).messages]
    assert len(ids_of(fast.scan(0, 2**42, newest_first=newest_first))) == 3_000
    append(redis_log, 300, 600, bounded_writer(redis_log, log_counts(redis_log.store)["bytes"]))
    given += ids_of(parts)
    assert len(given) == len(set(given))
    assert (slow.was_overtaken, fast.was_overtaken) == (True, False)
    list(fast.scan(0, 2**42, newest_first=newest_first))
    assert not fast.was_overtaken  # What was gone at the start is for `reach` to say.


def test_a_scan_that_is_left_early_holds_no_connection(redis_log: Log) -> None:
    append(redis_log, 0, 100)
    history = redis_log.history()
    before = int(redis_log.store.info("clients")["connected_clients"])
    parts = history.scan(0, 2**42)
    next(parts)
    assert int(redis_log.store.info("clients")["connected_clients"]) == before + 1
    parts.close()  # type: ignore[attr-defined]
    deadline_s = time.monotonic() + 5
    while int(redis_log.store.info("clients")["connected_clients"]) > before:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_scan_goes_on_when_redis_has_closed_its_idle_connection(redis_log: Log, newest_first: bool) -> None:
    append(redis_log, 0, 300)
    parts = redis_log.history().scan(0, 2**42, newest_first=newest_first)
    given = [one["id"] for part in (next(parts), next(parts)) for one in part.messages]
    assert redis_log.store.client_kill_filter(skipme=True) >= 1
    given += ids_of(parts)
    assert len(given) == len(set(given)) == 3_000


def test_following_says_where_the_bound_was_faster(redis_log: Log) -> None:
    append(redis_log, 0, 50)
    history = redis_log.history()
    parts = history.follow(0)
    given: list[str] = []
    while len(given) < 500:
        given += [one["id"] for one in next(parts).messages]
    assert not history.was_overtaken
    # All in one transaction: the follower sees nothing of what is between.
    with redis_log.store.pipeline(transaction=True) as pipeline:
        pipeline.xtrim(STREAM, maxlen=0)
        pipeline.execute()
    append(redis_log, 50, 60)
    while len(given) < 600:
        given += [one["id"] for one in next(parts).messages]
    assert history.was_overtaken


def follow_until(
    parts: Iterator[Scanned], given: list[str], wanted: int, timeout_s: float = 60
) -> list[float]:
    """Returns how long each part took."""
    took_s: list[float] = []
    deadline_s = time.monotonic() + timeout_s
    while len(given) < wanted:
        assert time.monotonic() < deadline_s, f"{len(given)} of {wanted}"
        before_s = time.monotonic()
        given += [one["id"] for one in next(parts).messages]
        took_s.append(time.monotonic() - before_s)
    return took_s


@pytest.mark.slow
def test_following_misses_and_doubles_none_through_kills_of_redis() -> None:
    with RedisServer(extra=["--appendfsync", "always"]) as server:
        history = RedisHistory(redis.Redis.from_url(server.url, socket_timeout=5))
        writer = RedisWriter(redis.Redis.from_url(server.url), 10**9)
        parts = history.follow(0)
        given: list[str] = []
        took_s: list[float] = []
        with Writing(writer, frame, 0.005) as writing:
            for _ in range(3):
                took_s += follow_until(parts, given, len(given) + 150)
                server.kill()
                down_until_s = time.monotonic() + 1.5
                while time.monotonic() < down_until_s:
                    given += [one["id"] for one in next(parts).messages]
                server.start()
            took_s += follow_until(parts, given, len(given) + 150)
            acknowledged = writing.stop()
        follow_until(parts, given, len(acknowledged))
        ending_s = time.monotonic() + 1
        while time.monotonic() < ending_s:
            given += [one["id"] for one in next(parts).messages]
        parts.close()  # type: ignore[attr-defined]
        assert sorted(given) == sorted(acknowledged)
        assert not history.was_overtaken
        # Without a thread, it is 3 to 5 s after each kill. The machine may stall once.
        assert sorted(took_s)[-2] < 2
        history.close()
        writer.close()


def test_a_frame_that_redis_lost_and_its_sender_repeats_is_given_once(redis_log: Log) -> None:
    append(redis_log, 0, 20)
    parts = redis_log.history().follow(0)
    given: list[str] = []
    follow_until(parts, given, 200)
    # As after a kill with `appendfsync everysec`: its last second is gone, the frames that it knew with it.
    for entry_id, _ in range_of(redis_log.store.xrevrange(STREAM, count=5)):
        redis_log.store.xdel(STREAM, entry_id)
    redis_log.store.delete(META, *FRAMES)
    for client in redis_log.store.client_list():
        if client["cmd"].startswith("xr"):
            redis_log.store.client_kill(client["addr"])
    append(redis_log, 15, 25)
    follow_until(parts, given, 250)
    assert sorted(given) == sorted(f"f{number}.{index}" for number in range(25) for index in range(10))


@pytest.mark.slow
def test_following_goes_on_with_a_replica_that_took_over() -> None:
    with ReplicatedRedis() as pair:
        primary = redis.Redis.from_url(pair.primary.url)
        writer = RedisWriter(redis.Redis.from_url(pair.primary.url), 10**9)
        for number in range(20):
            writer.append(f"f{number}", frame(f"f{number}", 3), 4)
        assert primary.wait(1, 5_000) == 1
        pair.link.delay_s = 60
        # The replica never gets this one, and gives earlier ids from then on: its clock is 4 s behind.
        ahead = f"{int(time.time() * 1000) + 4_000}-0"
        primary.xadd(STREAM, {"f": "lost", "n": 1, "v": pack(frame("lost", 1))}, id=ahead)
        client = redis.Redis.from_url(pair.primary.url, socket_timeout=2)
        parts = RedisHistory(client).follow(0)
        given: list[str] = []
        follow_until(parts, given, 61)
        # The same address leads to the replica then.
        pool = client.connection_pool
        pool.connection_kwargs["port"] = pair.replica.port
        for connection in (*pool._available_connections, *pool._in_use_connections):
            connection.port = pair.replica.port
        heir = RedisWriter(pair.fail_over(), 10**9)
        for number in range(20, 40):
            heir.append(f"f{number}", frame(f"f{number}", 3), 4)
        follow_until(parts, given, 121)
        assert sorted(given) == sorted(
            [f"f{n}.{index}" for n in range(40) for index in range(3)] + ["lost.0"]
        )
        parts.close()  # type: ignore[attr-defined]


def test_following_from_a_past_moment_catches_up_first(redis_log: Log) -> None:
    append(redis_log, 0, 30)
    parts = redis_log.history().follow(0, [re.compile(rb'"id":"f\d*7\.')])
    given: list[str] = []
    follow_until(parts, given, 30)
    append(redis_log, 30, 40)
    follow_until(parts, given, 40)
    assert given == [f"f{number}.{index}" for number in (7, 17, 27, 37) for index in range(10)]
