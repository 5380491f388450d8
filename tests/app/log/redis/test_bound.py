"""The log's bound: what a running group has still to read stays, and the writer is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import redis

from app.errors import NotDurable
from app.log import Writer
from app.log.redis.stream import META, STREAM, group_lag, log_counts
from app.log.redis.writer import RedisWriter
from app.message import encode
from servers.processes import wait_until
from servers.redis_server import RedisServer
from tests.app.log.logs import Log, bounded_writer, ids, message

HOUR_MS = 3_600_000
MOMENT_S = 1_790_000_000.0


def frame(frame_id: str, count: int) -> list[bytes]:
    """The values of a frame of `count` lines of one moment. Packed, it has the same size in every run, so the
    same number of frames fills a log."""
    return [encode(message(frame_id, index, at_s=MOMENT_S)) for index in range(count)]


def silent(log: Log, group: str = "metrics") -> None:
    """As when no worker of the group has run for eleven minutes."""
    shift_seen(log, -11 * 60_000, group)
    expire_leases(log)
    # This Redis may have started just now; then it would wait for workers to come back.
    log.store.hset(META, f"stopped:{group}", int(log.store.hget(META, f"seen:{group}") or 0))


def expire_leases(log: Log) -> None:
    """As 15 s after the last word of each worker."""
    for lease in log.store.scan_iter(f"{STREAM}:lease:*"):
        log.store.delete(lease)


def shift_seen(log: Log, by_ms: int, group: str = "metrics") -> None:
    seconds, _ = log.store.time()
    log.store.hset(META, f"seen:{group}", seconds * 1000 + by_ms)


def fill(writer: Writer, name: str = "f", most: int = 200) -> int:
    """Frames of 10 messages that the log takes until it is full."""
    for number in range(most):
        try:
            writer.append(f"{name}{number}", frame(f"{name}{number}", 10), 20)
        except NotDurable as fault:
            if "the log is full" not in str(fault):
                raise
            return number
    raise AssertionError("the log was never full")


def joined(log: Log, group: str = "metrics") -> None:
    """A group with a worker that runs and has read nothing yet."""
    log.rest(log.reader(group), seconds=0.1)


def test_a_frame_that_would_push_out_what_a_running_group_has_not_read_is_refused(redis_log: Log) -> None:
    joined(redis_log)
    writer = bounded_writer(redis_log, 20_000)
    taken = fill(writer)
    with pytest.raises(NotDurable) as refused:
        writer.append("more", frame("more", 10), 4)
    assert str(refused.value) == (
        f"the log is full and group metrics has {taken * 10} messages to read: "
        "start more workers or raise REDIS_LOG_MAX_MB"
    )
    counts = log_counts(redis_log.store)
    assert counts["added"] == counts["kept"] == taken * 10
    assert counts["full:metrics"] == 2
    assert "trimmed" not in counts
    assert "lost:metrics" not in counts


def test_a_frame_that_was_refused_is_taken_once_the_group_has_read_on_and_counts_once(redis_log: Log) -> None:
    reader = redis_log.reader()
    redis_log.rest(reader, seconds=0.1)
    writer = bounded_writer(redis_log, 20_000)
    taken = fill(writer)
    with pytest.raises(NotDurable):
        writer.append("retried", frame("retried", 10), 4)
    redis_log.drain(reader, count=taken * 10)
    assert writer.append("retried", frame("retried", 10), 4).messages == 10
    assert writer.append("retried", frame("retried", 10), 4).duplicate
    assert redis_log.drain(reader, count=10).ids == [f"retried.{index}" for index in range(10)]
    assert not redis_log.rest(reader, seconds=0.2).ids


def test_a_frame_that_the_log_has_is_acknowledged_again_while_it_is_full(redis_log: Log) -> None:
    joined(redis_log)
    writer = bounded_writer(redis_log, 20_000)
    fill(writer)
    assert writer.append("f0", frame("f0", 10), 4).duplicate


def test_what_a_running_group_holds_and_has_not_settled_is_not_pushed_out(redis_log: Log) -> None:
    reader = redis_log.reader()
    redis_log.rest(reader, seconds=0.1)
    writer = bounded_writer(redis_log, 20_000)
    taken = fill(writer)
    held = redis_log.batch(reader)
    expire_leases(redis_log)  # The worker has died; the group runs on.
    with pytest.raises(NotDurable, match="the log is full"):
        writer.append("more", frame("more", 10), 4)
    heir = redis_log.reader()
    assert redis_log.drain(heir, count=taken * 10).ids[: len(held.messages)] == ids(held)
    assert writer.append("more", frame("more", 10), 4).messages == 10


def test_the_slowest_of_the_running_groups_decides_and_is_named(redis_log: Log) -> None:
    metrics = redis_log.reader()
    redis_log.rest(metrics, seconds=0.1)
    joined(redis_log, "replay")
    writer = bounded_writer(redis_log, 20_000)
    taken = fill(writer)
    redis_log.drain(metrics, count=taken * 10)
    with pytest.raises(NotDurable, match=f"group replay has {taken * 10} messages"):
        writer.append("more", frame("more", 10), 4)
    silent(redis_log, "replay")
    assert writer.append("more", frame("more", 10), 4).messages == 10
    counts = log_counts(redis_log.store)
    assert counts["lost:replay"] == counts["trimmed"] == 10
    assert "lost:metrics" not in counts


def test_a_group_that_was_silent_for_ten_minutes_no_longer_holds_frames_up(redis_log: Log) -> None:
    joined(redis_log)
    writer = bounded_writer(redis_log, 20_000)
    taken = fill(writer)
    expire_leases(redis_log)
    shift_seen(redis_log, -9 * 60_000)
    with pytest.raises(NotDurable):
        writer.append("more", frame("more", 10), 4)
    wait_until(lambda: int(redis_log.store.info("server")["uptime_in_seconds"]) > 21, "Redis to be up", 30)
    shift_seen(redis_log, -11 * 60_000)
    for number in range(20):
        assert writer.append(f"more{number}", frame("more", 10), 4).messages == 10
    counts = log_counts(redis_log.store)
    assert counts["lost:metrics"] == counts["trimmed"] > 0
    assert counts["kept"] + counts["trimmed"] == (taken + 20) * 10
    joined(redis_log)
    lost = counts["lost:metrics"]
    fill(writer, "again")
    assert log_counts(redis_log.store)["lost:metrics"] == lost, "a group that is back has what is left"


def test_a_worker_of_an_older_version_is_known_by_its_lease(redis_log: Log) -> None:
    joined(redis_log)
    redis_log.store.hdel(META, "seen:metrics")
    writer = bounded_writer(redis_log, 20_000)
    fill(writer)
    expire_leases(redis_log)
    redis_log.store.hset(META, "stopped:metrics", 0)  # As found when Redis was up for long.
    assert writer.append("more", frame("more", 10), 4).messages == 10
    assert log_counts(redis_log.store)["lost:metrics"] == 10


def test_a_clock_that_is_set_back_starts_the_ten_minutes_anew(redis_log: Log) -> None:
    joined(redis_log)
    writer = bounded_writer(redis_log, 20_000)
    fill(writer)
    expire_leases(redis_log)
    shift_seen(redis_log, HOUR_MS)
    with pytest.raises(NotDurable):
        writer.append("more", frame("more", 10), 4)
    assert abs(log_counts(redis_log.store)["seen:metrics"] - time.time() * 1000) < 60_000
    silent(redis_log)
    assert writer.append("more", frame("more", 10), 4).messages == 10


@pytest.fixture
def fresh_log() -> Iterator[Log]:
    """A log in a Redis that has just started."""
    with RedisServer() as server:
        store = redis.Redis.from_url(server.url)
        log = Log({"REDIS_URL": server.url}, store)
        yield log
        log.close()
        store.close()


def test_after_a_long_outage_of_redis_the_workers_have_time_to_come_back(fresh_log: Log) -> None:
    joined(fresh_log)
    writer = bounded_writer(fresh_log, 20_000)
    fill(writer)
    # As Redis finds it when it starts again after an hour.
    shift_seen(fresh_log, -HOUR_MS)
    expire_leases(fresh_log)
    with pytest.raises(NotDurable, match="the log is full"):
        writer.append("more", frame("more", 10), 4)


def test_a_log_that_nobody_ever_read_drops_its_oldest(redis_log: Log) -> None:
    writer = bounded_writer(redis_log, 20_000)
    for number in range(100):
        assert writer.append(f"f{number}", frame(f"f{number}", 10), 4).messages == 10
    counts = log_counts(redis_log.store)
    assert counts["trimmed"] > 0
    assert counts["bytes"] <= 20_000


def test_what_every_group_has_read_makes_room(redis_log: Log) -> None:
    reader = redis_log.reader()
    redis_log.rest(reader, seconds=0.1)
    writer = bounded_writer(redis_log, 20_000)
    for number in range(100):
        assert writer.append(f"f{number}", frame(f"f{number}", 10), 4).messages == 10
        redis_log.drain(reader, count=10)
    counts = log_counts(redis_log.store)
    assert counts["read:metrics"] == counts["added"] == 1_000
    assert counts["trimmed"] > 0
    assert "full:metrics" not in counts


def test_a_frame_larger_than_the_bound_is_taken_once_all_is_read(redis_log: Log) -> None:
    reader = redis_log.reader()
    redis_log.rest(reader, seconds=0.1)
    writer = bounded_writer(redis_log, 3_000)
    writer.append("small", frame("small", 1), 4)
    with pytest.raises(NotDurable, match="1 message to read"):
        writer.append("large", frame("large", 2_000), 4)
    redis_log.drain(reader, count=1)
    assert writer.append("large", frame("large", 2_000), 4).messages == 2_000
    assert len(redis_log.drain(reader, count=2_000).ids) == 2_000


def test_a_frame_larger_than_the_bound_begins_a_new_log(redis_log: Log) -> None:
    assert bounded_writer(redis_log, 3_000).append("f1", frame("f1", 2_000), 4).messages == 2_000


def test_a_refusal_is_said_when_redis_is_full_too(redis_log: Log) -> None:
    joined(redis_log)
    writer = bounded_writer(redis_log, 20_000)
    fill(writer)
    redis_log.store.config_set("maxmemory", 1)
    try:
        with pytest.raises(NotDurable, match="the log is full"):
            writer.append("more", frame("more", 10), 4)
    finally:
        redis_log.store.config_set("maxmemory", 0)


def test_a_heartbeat_is_a_sign_of_life(redis_log: Log) -> None:
    reader = redis_log.reader()
    writer = bounded_writer(redis_log, 20_000)
    writer.append("held", frame("held", 10), 4)
    redis_log.batch(reader)
    shift_seen(redis_log, -HOUR_MS)
    reader.heartbeat()
    assert abs(log_counts(redis_log.store)["seen:metrics"] - time.time() * 1000) < 60_000


def test_ten_times_overload_loses_nothing_that_was_acknowledged(redis_log: Log) -> None:
    """Ten senders against one slow worker; each tries a frame three times, as Logplex does."""
    reader = redis_log.reader()
    redis_log.rest(reader, seconds=0.1)
    writer = bounded_writer(redis_log, 30_000)
    acknowledged: list[str] = []
    refused: list[str] = []

    def send(sender: int) -> None:
        for number in range(60):
            name = f"s{sender}-{number}"
            for _ in range(3):
                try:
                    writer.append(name, frame(name, 10), 4)
                except NotDurable:
                    refused.append(name)
                    time.sleep(0.005)
                else:
                    acknowledged.append(name)
                    break

    senders = [threading.Thread(target=send, args=(number,)) for number in range(10)]
    for sender in senders:
        sender.start()
    got: list[str] = []
    while any(sender.is_alive() for sender in senders):
        batch = reader.poll(0.01, 50)
        if batch is not None:
            time.sleep(0.05)
            redis_log.settle(reader, batch)
            got += ids(batch)
    got += redis_log.drain(reader, count=len(acknowledged) * 10 - len(got)).ids
    assert refused
    assert sorted(got) == sorted(f"{name}.{index}" for name in acknowledged for index in range(10))
    counts = log_counts(redis_log.store)
    assert counts["full:metrics"] == len(refused)
    assert "lost:metrics" not in counts
    assert group_lag(counts, "metrics") == 0


def test_messages_that_the_bound_dropped_before_they_were_read_are_counted_as_lost(redis_log: Log) -> None:
    reader = redis_log.reader()
    redis_log.rest(reader, seconds=0.1)  # The group is there before the first message.
    silent(redis_log)
    writer = bounded_writer(redis_log, 20_000)
    for number in range(100):
        writer.append(f"f{number}", frame(f"f{number}", 10), 4)
    drained = redis_log.drain(reader, count=1)
    drained.ids += redis_log.rest(reader, seconds=0.3).ids
    counts = log_counts(redis_log.store)
    assert counts["bytes"] <= 20_000
    assert counts["kept"] + counts["trimmed"] == counts["added"] == 1_000
    assert counts["lost:metrics"] == 1_000 - len(drained.ids) > 0
    assert counts["read:metrics"] == len(drained.ids) == counts["kept"]
    assert group_lag(counts, "metrics") == 0


def test_a_batch_that_the_bound_trimmed_while_it_was_held_counts_and_is_not_lost(redis_log: Log) -> None:
    reader = redis_log.reader()
    writer = bounded_writer(redis_log, 5_000)
    writer.append("held", frame("held", 10), 4)
    held = redis_log.batch(reader)
    lease = held.lease
    silent(redis_log)
    _push_out(writer)
    redis_log.store.set(lease, "1", px=15_000)
    assert redis_log.settle(reader, held)
    redis_log.rest(reader, seconds=0.3)
    counts = log_counts(redis_log.store)
    assert counts["read:metrics"] + counts.get("lost:metrics", 0) == counts["added"]
    assert group_lag(counts, "metrics") == 0
    assert not redis_log.store.exists(f"{META}:gone:metrics")


def test_a_batch_that_was_trimmed_and_never_settled_is_lost_and_counted(redis_log: Log) -> None:
    dead = redis_log.reader()
    writer = bounded_writer(redis_log, 5_000)
    writer.append("held", frame("held", 10), 4)
    redis_log.batch(dead)
    silent(redis_log)
    _push_out(writer)
    heir = redis_log.reader()
    redis_log.rest(heir, seconds=0.3)
    counts = log_counts(redis_log.store)
    assert counts["lost:metrics"] >= 10
    assert group_lag(counts, "metrics") == 0
    assert redis_log.store.xpending(STREAM, "metrics")["pending"] == 0
    assert not redis_log.store.exists(f"{META}:gone:metrics")


def _push_out(writer: RedisWriter) -> None:
    for number in range(30):
        writer.append(f"push{number}", frame(f"push{number}", 10), 4)


def test_a_log_that_was_trimmed_says_from_when_on_it_is_whole(redis_log: Log) -> None:
    writer = bounded_writer(redis_log, 20_000)
    first_ms = int(time.time() * 1000) - HOUR_MS
    for number in range(200):
        value = encode(message(f"f{number}", 0, received_at=first_ms + number * 1_000))
        writer.append(f"f{number}", [value] * 10, 4)
    reach = redis_log.history().reach()
    assert reach is not None
    assert first_ms + 10_000 < reach.first_ms == reach.dropped_until_ms < reach.last_ms
    assert reach.last_ms == first_ms + 199_000


def test_a_log_that_is_read_slower_than_it_drops_says_so(redis_log: Log) -> None:
    writer = bounded_writer(redis_log, 10**9)
    for number in range(60):
        writer.append(f"f{number}", frame(f"f{number}", 10), 4)
    writer = bounded_writer(redis_log, log_counts(redis_log.store)["bytes"])
    slow, fast = redis_log.history(), redis_log.history()
    chunks = slow.read(0, 2**42)
    read = len(next(chunks))
    assert sum(map(len, fast.read(0, 2**42))) == 600
    for number in range(60, 120):
        writer.append(f"f{number}", frame(f"f{number}", 10), 4)
    read += sum(map(len, chunks))
    assert (slow.was_overtaken, fast.was_overtaken) == (True, False)
    assert read < 1_200
    assert sum(map(len, fast.read(0, 2**42))) < 700
    assert not fast.was_overtaken  # What was gone at the start is for `reach` to say.
