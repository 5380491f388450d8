"""The log on Redis Streams: leases, a Redis that is full, and one that is cleared."""

from __future__ import annotations

import random
import threading
import time
from typing import Any

import pytest
import redis

from app.errors import LogUnavailable, NotDurable, StaleBatch
from app.log import Batch, open_log
from app.log.redis import writer as redis_writer
from app.log.redis.reader import (
    BATCH_BYTES,
    READ_BYTES,
    READ_ENTRIES,
    READ_ENTRIES_AT_FIRST,
    RedisReader,
)
from app.log.redis.stream import (
    SHARE_OF_MAXMEMORY,
    STREAM,
    entries_of,
    log_counts,
    pack,
    packed_size_bytes,
)
from app.message import encode
from app.script_connection import ScriptConnection
from app.settings import Settings
from app.store.claims import EntriesClaim
from servers.processes import wait_until
from tests.app.log.logs import Log, bounded_writer, frame, ids, message


def expire_lease(log: Log, held: Batch) -> None:
    """As when a worker was killed, 15 seconds later."""
    log.store.delete(held.lease)


def entries(batch: Batch) -> EntriesClaim:
    """Its claim, of the kind that this log makes."""
    assert batch.claim["kind"] == "entries"
    return batch.claim


def test_a_dead_readers_messages_are_taken_over_and_count_once(redis_log: Log) -> None:
    dead, heir = redis_log.reader(), redis_log.reader()
    redis_log.writer().append("f1", frame("f1", 5), 4)
    held = redis_log.batch(dead)
    assert not redis_log.rest(heir, seconds=0.2).ids, "a living reader's messages are its own"
    expire_lease(redis_log, held)
    heir = redis_log.reader()
    assert redis_log.drain(heir, count=5).ids == ids(held)
    with pytest.raises(StaleBatch):
        redis_log.settle(dead, held)
    assert not redis_log.rest(dead, heir, seconds=0.3).ids
    assert log_counts(redis_log.store)["read:metrics"] == 5


def test_a_dead_reader_is_removed_from_the_group(redis_log: Log) -> None:
    dead = redis_log.reader()
    redis_log.writer().append("f1", frame("f1", 5), 4)
    held = redis_log.batch(dead)
    expire_lease(redis_log, held)
    redis_log.drain(redis_log.reader(), count=5)
    names = [found["name"].decode() for found in redis_log.store.xinfo_consumers(STREAM, "metrics")]
    assert entries(held)["consumer"] not in names
    assert len(names) == 1


def test_a_reader_whose_lease_ran_out_while_nobody_else_was_there_goes_on(redis_log: Log) -> None:
    reader = redis_log.reader()
    redis_log.writer().append("f1", frame("f1", 5), 4)
    held = redis_log.batch(reader)
    expire_lease(redis_log, held)
    with pytest.raises(StaleBatch):
        redis_log.settle(reader, held)
    assert redis_log.drain(reader, count=5).ids == ids(held)


def test_a_heartbeat_keeps_the_lease(redis_log: Log) -> None:
    reader = redis_log.reader()
    redis_log.writer().append("f1", frame("f1", 1), 4)
    held = redis_log.batch(reader)
    redis_log.store.pexpire(held.lease, 1_000)
    reader.heartbeat()
    assert redis_log.store.pttl(held.lease) > 10_000
    assert redis_log.settle(reader, held)


def test_entries_whose_answer_was_lost_on_its_way_are_read_again(redis_log: Log) -> None:
    reader = redis_log.reader()
    writer = redis_log.writer()
    writer.append("f1", frame("f1", 2), 4)
    consumer = entries(redis_log.batch(reader))["consumer"]
    writer.append("f2", frame("f2", 2), 4)
    # The server gave the entry to this consumer, and the connection broke.
    redis_log.store.xreadgroup("metrics", consumer, {STREAM: ">"})
    reader.rejected(redis_log.batch(redis_log.reader("other")))
    assert sorted(redis_log.drain(reader, count=4).ids) == ["f1.0", "f1.1", "f2.0", "f2.1"]


def test_a_claim_of_which_a_part_was_settled_elsewhere_is_stale_as_a_whole(redis_log: Log) -> None:
    reader, writer = redis_log.reader(), redis_log.writer()
    for number in range(3):
        writer.append(f"f{number}", frame(f"f{number}", 1), 4)
    held = redis_log.batch(reader)
    assert len(entries(held)["ids"]) == 3
    redis_log.store.xack(STREAM, "metrics", entries(held)["ids"][1])
    with pytest.raises(StaleBatch):
        redis_log.settle(reader, held)
    assert redis_log.drain(reader, count=2).ids == ["f0.0", "f2.0"]


def test_batches_are_about_as_large_as_asked_for_whatever_the_frames(redis_log: Log) -> None:
    reader, writer = redis_log.reader(), redis_log.writer()
    for number in range(300):
        writer.append(f"small{number}", frame(f"small{number}", 1), 4)
    for number in range(30):
        writer.append(f"large{number}", frame(f"large{number}", 200), 4)
    sizes: list[int] = []
    while sum(sizes) < 300 + 30 * 200:
        batch = redis_log.batch(reader, most=500)
        sizes.append(len(batch.messages))
        redis_log.settle(reader, batch)
    assert max(sizes) < 500 + 200
    assert sum(sizes) == 6_300


def test_a_batch_is_bounded_in_bytes_however_well_its_frames_are_packed(redis_log: Log) -> None:
    # 100 of them take 400 kB in Redis and 90 MB in the worker; 512, which one read may bring, 460 MB.
    reader, writer = redis_log.reader(), redis_log.writer()
    for number in range(100):
        writer.append(f"f{number}", [encode(message(f"f{number}", 0, "/" + "y" * 890_000))], 4)
    sizes: list[int] = []
    while sum(sizes) < 100:
        batch = redis_log.batch(reader, most=20_000)
        sizes.append(len(batch.messages))
        assert sum(len(found["msg"]) for found in batch.messages) < BATCH_BYTES + 1_000_000
        redis_log.settle(reader, batch)
    assert sum(sizes) == 100


class Answers(redis.Redis):
    """A client that notes how much of the stream each answer brought: (entries, bytes as packed)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.noted: list[tuple[int, int]] = []
        super().__init__(*args, **kwargs)

    def xreadgroup(self, *args: Any, **kwargs: Any) -> Any:
        answer = super().xreadgroup(*args, **kwargs)
        entries = entries_of(answer)
        self.noted.append((len(entries), sum(packed_size_bytes(fields) for _, fields in entries)))
        return answer


def large_frame(frame_id: str) -> list[bytes]:
    """One message of about the largest size that the drain takes, which can't be packed."""
    return [encode(message(frame_id, 0, "/" + random.Random(frame_id).randbytes(440_000).hex()))]


def test_an_answer_has_few_entries_where_they_are_large(redis_log: Log) -> None:
    # 240 of 890 kB in one answer kept Redis for 688 ms, and took a worker 390 MB.
    writer = redis_log.writer()
    for number in range(200):
        writer.append(f"small{number}", frame(f"small{number}", 1), 4)
    for number in range(80):
        writer.append(f"large{number}", large_frame(f"large{number}"), 4)
    with Answers.from_url(redis_log.settings.redis_url) as client:
        reader = RedisReader(client, "metrics", "earliest")
        drained = redis_log.drain(reader, count=280, most=20_000)
        assert sorted(drained.ids) == sorted(
            [f"small{number}.0" for number in range(200)] + [f"large{number}.0" for number in range(80)]
        )
        noted = [(count, size) for count, size in client.noted if count]
        assert noted[0][0] <= READ_ENTRIES_AT_FIRST
        assert max(count for count, _ in noted) == READ_ENTRIES, "it grows while they are small"
        surprise = next(at for at, (_, size) in enumerate(noted) if size > READ_BYTES)
        assert noted[surprise][1] < READ_ENTRIES * 900_000
        assert max(size for _, size in noted[surprise + 1 :]) <= READ_BYTES, "and shrinks at once"


def test_entries_that_a_member_holds_already_come_in_small_answers_too(redis_log: Log) -> None:
    writer = redis_log.writer()
    for number in range(40):
        writer.append(f"f{number}", large_frame(f"f{number}"), 4)
    with Answers.from_url(redis_log.settings.redis_url) as client:
        reader = RedisReader(client, "metrics", "earliest")
        reader.rejected(redis_log.batch(reader, most=20_000))
        client.noted.clear()
        assert sorted(redis_log.drain(reader, count=40, most=20_000).ids) == sorted(
            f"f{number}.0" for number in range(40)
        )
        assert max(size for _, size in client.noted) <= READ_BYTES


def test_the_bound_is_at_most_a_share_of_what_redis_may_hold(redis_log: Log) -> None:
    used = int(redis_log.store.info("memory")["used_memory"])
    redis_log.store.config_set("maxmemory", used + 4_000_000)
    try:
        writer = bounded_writer(redis_log, 10**9)
        writer.append("f1", frame("f1", 1), 4)
        share = int((used + 4_000_000) * SHARE_OF_MAXMEMORY)
        wait_until(lambda: writer.bound.bytes() == share, "the share")
    finally:
        redis_log.store.config_set("maxmemory", 0)


def test_a_redis_that_is_full_takes_no_frame_and_says_so(redis_log: Log) -> None:
    writer = bounded_writer(redis_log, 10_000_000)
    writer.append("f1", frame("f1", 1), 4)
    writer.bound.close()  # Its limit is known: a later answer, of no memory at all, would empty the log.
    redis_log.store.config_set("maxmemory", 1)
    try:
        with pytest.raises(NotDurable, match=r"OutOfMemory|OOM"):
            writer.append("f2", frame("f2", 1), 4)
    finally:
        redis_log.store.config_set("maxmemory", 0)
    assert writer.append("f2", frame("f2", 1), 4).messages == 1


def used_bytes(log: Log) -> int:
    return int(log.store.info("memory")["used_memory"])


def test_a_full_redis_is_not_ready_and_takes_frames_again_once_the_bound_is_lowered(redis_log: Log) -> None:
    writer = bounded_writer(redis_log, 10_000_000)
    empty = used_bytes(redis_log)
    for number in range(1_000):
        writer.append(f"f{number}", frame(f"f{number}", 100), 4)
    writer.check(1)
    writer.bound.close()
    # Far below what the log takes: buffers of connections come and go.
    redis_log.store.config_set("maxmemory", (empty + used_bytes(redis_log)) // 2)
    try:
        with pytest.raises(NotDurable):
            writer.append("refused", frame("refused", 100), 4)
        with pytest.raises(NotDurable, match="accepts no writes"):
            writer.check(1)
        lower = bounded_writer(redis_log, 20_000)
        for number in range(5):
            assert lower.append(f"g{number}", frame(f"g{number}", 100), 4).messages == 100
        lower.check(1)
    finally:
        redis_log.store.config_set("maxmemory", 0)


def test_frames_are_remembered_for_two_generations(redis_log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_writer, "FRAMES_REMEMBERED", 5)
    writer = redis_log.writer()
    for number in range(10):
        assert writer.append(f"f{number}", frame(f"f{number}", 1), 4).messages == 1
    assert all(writer.append(f"f{number}", frame("x", 1), 4).duplicate for number in range(5, 10))
    writer.append("f10", frame("f10", 1), 4)
    assert redis_log.store.scard(f"{STREAM}:frames:old") + redis_log.store.scard(f"{STREAM}:frames:new") <= 10


def test_after_redis_is_cleared_the_reader_starts_over_and_says_so(
    redis_log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = redis_log.reader(), redis_log.writer()
    writer.append("f1", frame("f1", 5), 4)
    held = redis_log.batch(reader)
    redis_log.store.flushall()
    with pytest.raises(StaleBatch):
        redis_log.settle(reader, held)
    writer.append("f2", frame("f2", 3), 4)
    assert redis_log.drain(reader, count=3).ids == ["f2.0", "f2.1", "f2.2"]
    assert "Redis was cleared" in caplog.text
    assert log_counts(redis_log.store)["read:metrics"] == 3
    assert reader.lag().messages == 0


def test_after_redis_is_cleared_while_a_reader_waits_it_goes_on(redis_log: Log) -> None:
    reader, writer = redis_log.reader(), redis_log.writer()
    redis_log.rest(reader, seconds=0.1)
    redis_log.store.flushall()
    redis_log.rest(reader, seconds=0.1)
    writer.append("f1", frame("f1", 3), 4)
    assert redis_log.drain(reader, count=3).ids == ["f1.0", "f1.1", "f1.2"]


def test_after_the_stream_alone_is_removed_a_held_batch_is_stale_and_the_reader_goes_on(
    redis_log: Log,
) -> None:
    reader, writer = redis_log.reader(), redis_log.writer()
    writer.append("f1", frame("f1", 3), 4)
    held = redis_log.batch(reader)
    redis_log.store.delete(STREAM)
    with pytest.raises(StaleBatch):
        redis_log.settle(reader, held)
    writer.append("f2", frame("f2", 3), 4)
    assert redis_log.drain(reader, count=3).ids == ["f2.0", "f2.1", "f2.2"]


def test_an_entry_that_someone_else_wrote_is_a_bad_value_and_stops_nothing(redis_log: Log) -> None:
    reader, writer = redis_log.reader(), redis_log.writer()
    redis_log.store.xadd(STREAM, {"some": "thing"})
    redis_log.store.xadd(STREAM, {"v": b"\x04\x22\x4d\x18 not LZ4", "n": "many"})
    redis_log.store.xadd(STREAM, {"v": pack([b'{"a":1}, 5'])})
    writer.append("f1", frame("f1", 2), 4)
    drained = redis_log.drain(reader, count=6)
    assert drained.ids == ["f1.0", "f1.1"]
    assert len(drained.bad) == 4


def test_a_redis_that_is_away_is_unavailable() -> None:
    settings = Settings.load({"REDIS_URL": "redis://127.0.0.1:9/0"})
    reader = open_log(settings).reader("metrics", "earliest", rewind_to_store=True)
    for ask in (lambda: reader.poll(0.1, 1), reader.heartbeat, reader.lag):
        with pytest.raises(LogUnavailable):
            ask()
    reader.close()


def test_a_writer_gives_up_in_time_when_redis_hangs(redis_log: Log) -> None:
    writer = redis_log.writer()
    writer.append("f1", frame("f1", 1), 4)
    redis_log.store.client_pause(4_500)
    started = time.monotonic()
    with pytest.raises(NotDurable, match="Timeout"):
        writer.append("f2", frame("f2", 1), 1.0)
    assert time.monotonic() - started < 4


def test_a_reader_without_messages_waits_no_longer_than_told(redis_log: Log) -> None:
    reader = RedisReader(redis_log.store, "metrics", "earliest")
    started = time.monotonic()
    assert reader.poll(0.3, 100) is None
    assert 0.2 < time.monotonic() - started < 4


def test_no_sender_waits_for_the_question_of_what_redis_may_hold(
    redis_log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answer = threading.Event(), threading.Event()

    def slow(connection: ScriptConnection, *command: str | int, timeout_s: float) -> bytes:
        asked.set()
        assert answer.wait(10)
        return b"# Memory\r\nmaxmemory:1000000\r\n"

    monkeypatch.setattr(ScriptConnection, "command", slow)
    writer = bounded_writer(redis_log, 10**9)
    assert writer.append("f1", frame("f1", 1), 4).messages == 1
    assert asked.wait(10)
    assert writer.append("f2", frame("f2", 1), 4).messages == 1
    assert writer.bound.bytes() == 10**9
    answer.set()
    wait_until(lambda: writer.bound.bytes() == int(1_000_000 * SHARE_OF_MAXMEMORY), "the share")


def test_a_redis_that_does_not_say_what_it_may_hold_keeps_the_bound_of_the_settings(
    redis_log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(connection: ScriptConnection, *command: str | int, timeout_s: float) -> bytes:
        raise redis.ResponseError("this user has no permissions to run the 'info' command")

    monkeypatch.setattr(ScriptConnection, "command", refuses)
    writer = bounded_writer(redis_log, 10**6)
    assert writer.append("f1", frame("f1", 1), 4).messages == 1
    writer.bound.close()
    assert writer.bound.bytes() == 10**6
