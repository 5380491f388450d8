"""What the platform says in an entry of the stream: its account, its bound, workers of an earlier version."""

from __future__ import annotations

import redis

from app.errors import NotDurable
from app.log import Writer
from app.log.redis.reader import BATCH_BYTES
from app.log.redis.stream import META, STREAM, log_counts, unpack
from app.store import replies
from app.store.settle import settle
from tests.app.log.logs import Log, bounded_writer, frame, said


def entries(store: redis.Redis) -> list[dict[bytes, bytes]]:
    return [fields for _, fields in replies.entries(store.xrange(STREAM))]


def fill(writer: Writer) -> int:
    """Messages that the log takes until it is full."""
    for number in range(100):
        try:
            writer.append(f"f{number}", [], 4, platform=said(f"f{number}", 0, 5))
        except NotDurable:
            return number * 5
    raise AssertionError("the log was never full")


def size_bytes(store: redis.Redis) -> int:
    """What all entries take, as the log counts it."""
    return sum(len(fields[b"v"]) + len(fields.get(b"p", b"")) + 128 for fields in entries(store))


def test_an_entry_counts_all_its_messages_and_bytes(redis_log: Log) -> None:
    writer = redis_log.writer()
    writer.append("f1", frame("f1", 3), 4, platform=said("f1", 3, 2))
    writer.append("f2", [], 4, platform=said("f2", 0, 4))
    writer.append("f3", frame("f3", 1), 4)
    counts = log_counts(redis_log.store)
    assert (counts["added"], counts["kept"]) == (10, 10)
    assert counts["bytes"] == size_bytes(redis_log.store)
    assert [(fields[b"n"], fields.get(b"pn")) for fields in entries(redis_log.store)] == [
        (b"5", b"2"),
        (b"4", b"4"),
        (b"1", None),
    ]


def test_a_worker_of_an_earlier_version_passes_over_it_without_a_fault(redis_log: Log) -> None:
    """It reads `n` and `v` alone. What it acknowledges is what was counted, so its lag comes to 0."""
    writer = redis_log.writer()
    writer.append("f1", frame("f1", 3), 4, platform=said("f1", 3, 2))
    writer.append("f2", [], 4, platform=said("f2", 0, 4))
    found = entries(redis_log.store)
    assert [len(unpack(fields[b"v"])[0]) for fields in found] == [3, 0]
    assert [unpack(fields[b"v"])[1] for fields in found] == [[], []]
    assert sum(int(fields[b"n"]) for fields in found) == log_counts(redis_log.store)["added"]


def test_trimming_frees_what_was_taken_and_counts_what_no_group_had_read(redis_log: Log) -> None:
    redis_log.store.xgroup_create(STREAM, "metrics", "0", mkstream=True)
    redis_log.store.hset(META, "stopped:metrics", 0)  # Its workers never ran.
    writer = bounded_writer(redis_log, 20_000)
    added = 0
    for number in range(200):
        name = f"f{number}"
        lines = frame(name, 2) if number % 3 == 0 else []
        added += len(lines) + 5
        writer.append(name, lines, 4, platform=said(name, len(lines), 5))
    counts = log_counts(redis_log.store)
    assert counts["bytes"] == size_bytes(redis_log.store) <= 20_000
    assert counts["trimmed"] == counts["lost:metrics"] == added - counts["kept"] > 0
    kept = sum(int(fields[b"n"]) for fields in entries(redis_log.store))
    assert kept == counts["kept"]
    drained = redis_log.drain(redis_log.reader(reads_platform=True), count=kept)
    assert len(drained.ids) + len(drained.platform) == kept


def test_entries_of_the_platform_alone_are_not_pushed_out_while_a_group_has_them_to_read(
    redis_log: Log,
) -> None:
    reader = redis_log.reader(reads_platform=True)
    redis_log.rest(reader, seconds=0.1)
    writer = bounded_writer(redis_log, 5_000)
    taken = fill(writer)
    assert len(redis_log.drain(reader, count=taken).platform) == taken
    assert writer.append("more", [], 4, platform=said("more", 0, 5)).platform == 5


def test_an_entry_that_was_trimmed_while_a_reader_held_it_counts_as_lost(redis_log: Log) -> None:
    reader = redis_log.reader(reads_platform=True)
    writer = redis_log.writer()
    writer.append("f1", [], 4, platform=said("f1", 0, 3))
    held = redis_log.batch(reader)
    (found,) = replies.entries(redis_log.store.xrange(STREAM))
    redis_log.store.xdel(STREAM, found[0])
    redis_log.store.hset(f"{META}:gone:metrics", found[0], 3)
    redis_log.store.delete(held.lease)
    redis_log.rest(redis_log.reader(reads_platform=True), seconds=0.3)
    assert log_counts(redis_log.store)["lost:metrics"] == 3


def test_a_batch_is_bounded_by_what_the_platform_says_too(redis_log: Log) -> None:
    text = "x" * 800_000  # It packs into a few kB.
    writer = redis_log.writer()
    for number in range(60):
        value = said(f"f{number}", 0, 1)[0].replace(b"State changed", text.encode())
        writer.append(f"f{number}", [], 4, platform=[value])
    reader = redis_log.reader(reads_platform=True)
    first = redis_log.batch(reader)
    assert 30 < len(first.platform) <= BATCH_BYTES // 800_000 + 1
    assert settle(redis_log.store, first.claim)


def test_a_group_that_does_not_read_it_does_not_unpack_it(redis_log: Log) -> None:
    writer = redis_log.writer()
    writer.append("f1", frame("f1", 1), 4, platform=said("f1", 1, 1))
    (found,) = replies.entries(redis_log.store.xrange(STREAM))
    fields = {**found[1], b"p": b"not packed"}
    redis_log.store.xdel(STREAM, found[0])
    redis_log.store.xadd(STREAM, fields)  # type: ignore[arg-type]
    drained = redis_log.drain(redis_log.reader("replay"), count=1)
    assert (drained.ids, drained.bad) == (["f1.0"], [])
    other = redis_log.batch(redis_log.reader("metrics", reads_platform=True))
    assert ([found["id"] for found in other.messages], len(other.bad)) == (["f1.0"], 1)
