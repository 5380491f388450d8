"""What every message log promises of what the platform itself says: in memory, on Redis Streams, on Kafka."""

from __future__ import annotations

import re
import time

import pytest

from app.errors import StaleBatch
from app.log import Appended
from app.message import encode
from tests.app.log.logs import Log, frame, ids, message, platform_message, said


def test_it_comes_beside_the_router_lines_of_its_frame_to_a_group_that_reads_it(log: Log) -> None:
    reader = log.reader(reads_platform=True)
    appended = log.writer().append("f1", frame("f1", 20), 4, platform=said("f1", 20, 3))
    assert appended == Appended(20, platform=3)
    drained = log.drain(reader, count=23)
    assert drained.ids == [f"f1.{index}" for index in range(20)]
    assert drained.platform == ["f1.20", "f1.21", "f1.22"]
    assert reader.lag().messages == 0


def test_it_is_read_as_it_was_written(log: Log) -> None:
    reader = log.reader(reads_platform=True)
    written = platform_message("f1", 0, "Release v48 created")
    log.writer().append("f1", [], 4, platform=[encode(written)])
    assert log.batch(reader).platform == [written]


def test_a_frame_may_have_nothing_else(log: Log) -> None:
    reader, writer = log.reader(reads_platform=True), log.writer()
    assert writer.append("f1", [], 4, platform=said("f1", 0, 2)) == Appended(0, platform=2)
    writer.append("f2", frame("f2", 1), 4)
    drained = log.drain(reader, count=3)
    assert (drained.ids, drained.platform) == (["f2.0"], ["f1.0", "f1.1"])
    assert reader.lag().messages == 0


def test_a_group_that_does_not_read_it_passes_over_it(log: Log) -> None:
    reader, writer = log.reader("replay"), log.writer()
    writer.append("f1", [], 4, platform=said("f1", 0, 2))
    writer.append("f2", frame("f2", 2), 4, platform=said("f2", 2, 1))
    drained = log.drain(reader, count=2)
    drained.platform += log.rest(reader).platform
    assert (drained.ids, drained.platform, drained.bad) == (["f2.0", "f2.1"], [], [])
    assert reader.lag().messages == 0


def test_a_retried_frame_gives_it_once(log: Log) -> None:
    reader, writer = log.reader(reads_platform=True), log.writer()
    for _ in range(3):
        writer.append("f1", frame("f1", 4), 4, platform=said("f1", 4, 2))
    writer.append("f2", [], 4, platform=said("f2", 0, 1))
    writer.append("f2", [], 4, platform=said("f2", 0, 1))
    drained = log.drain(reader, count=20 if log.is_kafka else 7)
    rest = log.rest(reader)
    assert sorted(drained.ids + rest.ids) == [f"f1.{index}" for index in range(4)]
    assert sorted(drained.platform + rest.platform) == ["f1.4", "f1.5", "f2.0"]


def test_a_retried_frame_is_known_to_the_reader_that_comes_after(log: Log) -> None:
    reader, writer = log.reader(reads_platform=True), log.writer()
    writer.append("f1", [], 4, platform=said("f1", 0, 5))
    log.drain(reader, count=5)
    reader.close()
    writer.append("f1", [], 4, platform=said("f1", 0, 5))
    writer.append("f2", [], 4, platform=said("f2", 0, 1))
    reader = log.reader(reads_platform=True)
    assert log.drain(reader, count=6 if log.is_kafka else 1).platform == ["f2.0"]


def test_a_claim_that_is_settled_twice_counts_once(log: Log) -> None:
    reader = log.reader(reads_platform=True)
    log.writer().append("f1", [], 4, platform=said("f1", 0, 5))
    batch = log.batch(reader)
    assert log.settle(reader, batch) is True
    with pytest.raises(StaleBatch):
        log.settle(reader, batch)
    rest = log.rest(reader)
    assert (rest.ids, rest.platform) == ([], [])


def test_what_a_closed_reader_had_not_settled_goes_to_the_next(log: Log) -> None:
    first = log.reader(reads_platform=True)
    log.writer().append("f1", [], 4, platform=said("f1", 0, 5))
    assert len(log.batch(first).platform) == 5
    first.close()
    assert len(log.drain(log.reader(reads_platform=True), count=5).platform) == 5


def test_what_is_no_message_comes_as_a_bad_value(log: Log) -> None:
    reader = log.reader(reads_platform=True)
    good = encode(platform_message("f1", 1))
    log.writer().append("f1", [], 4, platform=[b"[]", good])
    drained = log.drain(reader, count=2)
    assert (drained.platform, drained.bad) == (["f1.1"], [b"[]"])


def test_the_past_is_of_router_lines_alone(log: Log) -> None:
    log.reader("first", reads_platform=True).close()
    writer = log.writer()
    now_ms = int(time.time() * 1000)
    for number in range(6):
        at_ms = now_ms - 6_000 + number * 500
        values = [encode(message(f"f{number}", index, received_at=at_ms)) for index in range(3)]
        platform = [encode({**platform_message(f"f{number}", 3), "received_at": at_ms})]
        writer.append(f"f{number}", values if number % 2 else [], 4, platform=platform)
    expected = [f"f{number}.{index}" for number in (1, 3, 5) for index in range(3)]
    history = log.history()
    assert [one["id"] for part in history.read(now_ms - 60_000, now_ms + 60_000) for one in part] == expected
    scanned = list(history.scan(now_ms - 60_000, now_ms + 60_000))
    assert sorted(one["id"] for part in scanned for one in part.messages) == sorted(expected)
    assert sum(part.read for part in scanned) == 9
    found = list(history.scan(now_ms - 60_000, now_ms + 60_000, [_any()], newest_first=True))
    assert sorted(one["id"] for part in found for one in part.messages) == sorted(expected)
    assert sum(part.read for part in found) == 9


def test_following_gives_router_lines_alone(log: Log) -> None:
    log.reader("first", reads_platform=True).close()
    writer = log.writer()
    now_ms = int(time.time() * 1000)
    writer.append("f1", [], 4, platform=said("f1", 0, 2))
    writer.append("f2", frame("f2", 2), 4, platform=said("f2", 2, 2))
    got: list[str] = []
    deadline_s = time.monotonic() + 15
    for part in log.history().follow(now_ms - 60_000):
        got += [found["id"] for found in part.messages]
        if len(got) >= 2 and not part.messages:
            break
        assert time.monotonic() < deadline_s
    assert got == ["f2.0", "f2.1"]


def _any() -> re.Pattern[bytes]:
    return re.compile(rb'"path|at=info')


def test_a_batch_of_the_platform_alone_is_claimed(log: Log) -> None:
    reader = log.reader(reads_platform=True)
    log.writer().append("f1", [], 4, platform=said("f1", 0, 1))
    batch = log.batch(reader)
    assert (ids(batch), len(batch.platform)) == ([], 1)
    assert log.settle(reader, batch)
