"""A group that is destroyed by hand while its stream stands: nothing counts twice, nothing is missing."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from app.errors import StaleBatch
from app.log.redis.stream import META, STREAM, log_counts
from app.store import keys
from tests.app.log.logs import Log, bounded_writer, frame, ids

GROUP = "metrics"
SETTLED = keys.log_settled(STREAM, GROUP)


def append(log: Log, first: int, count: int, lines: int = 2) -> list[str]:
    writer = log.writer()
    for number in range(first, first + count):
        writer.append(f"f{number}", frame(f"f{number}", lines), 4)
    return [f"f{number}.{line}" for number in range(first, first + count) for line in range(lines)]


def destroy(log: Log) -> None:
    assert log.store.xgroup_destroy(STREAM, GROUP) == 1


def test_a_destroyed_group_goes_on_behind_what_it_has_settled(
    redis_log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    reader = redis_log.reader()
    first = append(redis_log, 0, 10)
    assert redis_log.drain(reader, count=20).ids == first
    destroy(redis_log)
    later = append(redis_log, 10, 5)
    assert redis_log.drain(reader, count=10).ids == later
    assert not redis_log.rest(reader, redis_log.reader(), seconds=0.3).ids
    assert "goes on where it was, nothing counts twice" in caplog.text
    assert "Redis was cleared" not in caplog.text
    assert reader.lag().messages == 0


def test_a_new_process_finds_where_a_destroyed_group_was(
    redis_log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    reader = redis_log.reader()
    append(redis_log, 0, 3)
    redis_log.drain(reader, count=6)
    reader.close()
    destroy(redis_log)
    later = append(redis_log, 3, 1)
    assert redis_log.drain(redis_log.reader(), count=2).ids == later
    assert "goes on where it was" in caplog.text


def test_a_batch_that_is_held_when_the_group_is_destroyed_is_stale_and_read_again(redis_log: Log) -> None:
    reader = redis_log.reader()
    append(redis_log, 0, 3)
    redis_log.drain(reader, count=6)
    held_ids = append(redis_log, 3, 3)
    held = redis_log.batch(reader)
    destroy(redis_log)
    with pytest.raises(StaleBatch):
        redis_log.settle(reader, held)
    assert redis_log.drain(reader, count=6).ids == held_ids == ids(held)
    assert reader.lag().messages == 0


def test_a_held_batch_is_stale_too_where_another_reader_has_made_the_group_again(redis_log: Log) -> None:
    """What was settled behind it stays settled."""
    slow, quick = redis_log.reader(), redis_log.reader()
    held_ids = append(redis_log, 0, 2)
    held = redis_log.batch(slow)
    assert ids(held) == held_ids
    append(redis_log, 2, 4)
    redis_log.drain(quick, count=8)
    destroy(redis_log)
    later = append(redis_log, 6, 2)
    heir = redis_log.reader()
    assert sorted(redis_log.drain(heir, quick, count=8).ids) == sorted(held_ids + later)
    with pytest.raises(StaleBatch):
        redis_log.settle(slow, held)
    assert not redis_log.rest(slow, quick, heir, seconds=0.3).ids
    assert log_counts(redis_log.store)[f"read:{GROUP}"] == 16
    assert slow.lag().messages == 0


def test_whatever_is_settled_and_held_each_message_is_settled_once(redis_log: Log) -> None:
    chance = random.Random(5)
    readers = [redis_log.reader() for _ in range(3)]
    held: dict[int, object] = {}
    settled: Counter[str] = Counter()
    written: list[str] = []

    def settle(at: int) -> None:
        batch = held.pop(at)
        try:
            redis_log.settle(readers[at], batch)  # type: ignore[arg-type]
            settled.update(ids(batch))  # type: ignore[arg-type]
        except StaleBatch:
            pass

    for _ in range(150):
        if chance.random() < 0.6:
            written += append(redis_log, len(written), chance.randint(1, 4), lines=1)
        at = chance.randrange(3)
        if at in held:
            settle(at)
        elif (batch := readers[at].poll(0.01, chance.choice((1, 2, 100)))) is not None:
            held[at] = batch
        if chance.random() < 0.1:
            redis_log.store.xgroup_destroy(STREAM, GROUP)
    for at in list(held):
        settle(at)
    settled.update(redis_log.rest(*readers, seconds=1).ids)
    assert settled == Counter(dict.fromkeys(written, 1))
    assert readers[0].lag().messages == 0
    assert redis_log.store.zcard(SETTLED) == 1


def test_what_the_bound_drops_meanwhile_is_counted_lost(
    redis_log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    writer = bounded_writer(redis_log, 3_000)
    reader = redis_log.reader()
    writer.append("a", frame("a", 5), 4)
    redis_log.drain(reader, count=5)
    destroy(redis_log)
    for number in range(40):
        writer.append(f"b{number}", frame(f"b{number}", 5), 4)
    kept = log_counts(redis_log.store)["kept"]
    assert 0 < kept < 200
    found = redis_log.drain(reader, count=kept)
    assert found.ids[-1] == "b39.4"
    assert log_counts(redis_log.store)[f"lost:{GROUP}"] == 200 - kept
    assert reader.lag().messages == 0
    assert f"lost={200 - kept} messages" in caplog.text


def test_a_group_of_an_earlier_version_is_noted_when_a_reader_joins(redis_log: Log) -> None:
    slow, quick = redis_log.reader(), redis_log.reader()
    held_ids = append(redis_log, 0, 2)
    redis_log.batch(slow)
    append(redis_log, 2, 4)
    redis_log.drain(quick, count=8)
    redis_log.store.delete(SETTLED)
    redis_log.rest(redis_log.reader(), seconds=0.1)
    destroy(redis_log)
    assert redis_log.drain(redis_log.reader(), count=4).ids == held_ids
    assert not redis_log.rest(quick, seconds=0.2).ids


def test_a_destroyed_group_of_which_nothing_is_noted_says_what_may_count_twice(
    redis_log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    reader = redis_log.reader()
    append(redis_log, 0, 3)
    redis_log.drain(reader, count=6)
    destroy(redis_log)
    redis_log.store.delete(SETTLED)
    redis_log.drain(redis_log.reader(), count=6)
    assert "up to 6 messages may count twice" in caplog.text


def test_a_stream_that_is_removed_begins_anew_whatever_was_noted(
    redis_log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    reader = redis_log.reader()
    append(redis_log, 0, 3)
    redis_log.drain(reader, count=6)
    append(redis_log, 3, 1)
    redis_log.store.delete(STREAM)
    redis_log.rest(reader, seconds=0.2)
    later = append(redis_log, 4, 2)
    assert redis_log.drain(reader, count=4).ids == later
    assert "2 messages that the group had not read" in caplog.text
    # Ids of before, and a stream that begins with smaller ones, as after a clock was set back:
    redis_log.store.delete(STREAM)
    redis_log.store.xadd(STREAM, {"f": "x", "n": 1, "v": b""}, id="5-1")
    assert len(redis_log.drain(reader, count=1).bad) == 1


@pytest.mark.parametrize(("start", "expected"), [("earliest", 6), ("latest", 0)])
def test_a_group_that_is_new_begins_where_it_is_told(redis_log: Log, start: str, expected: int) -> None:
    append(redis_log, 0, 3)
    redis_log.drain(redis_log.reader(), count=6)
    toy = redis_log.reader("toy", start)  # type: ignore[arg-type]
    assert len(redis_log.rest(toy, seconds=0.3).ids) == expected
    later = append(redis_log, 3, 1)
    assert redis_log.drain(toy, count=2).ids == later
    assert redis_log.store.hget(META, "read:toy") == b"8"
