"""The log on Kafka: where its position and its memory live, and what rebalances and losses do."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from kafka import KafkaAdminClient, TopicPartition
from kafka.partitioner.default import murmur2

from app.errors import LogUnavailable, NotDurable
from app.log import Reach, Reader, Writer, open_log
from app.log.kafka import frame_memory
from app.log.kafka import history as kafka_history
from app.log.kafka import reader as kafka_reader
from app.log.kafka.connection import PARTITIONS, group_name, topic_name
from app.log.kafka.kafka_python_producer import partition_of
from app.log.kafka.topic import ensure_topic
from app.message import encode
from app.store.queries.health import health
from servers.processes import wait_until
from tests.app.log.logs import Log, frame, message
from tests.support.stopping import stopped

POSITIONS = "tailrace:positions:metrics"


def in_partition(partition: int, count: int) -> list[str]:
    """Frame ids that all go to one partition."""
    found: list[str] = []
    number = 0
    while len(found) < count:
        if partition_of(f"f{number}".encode(), PARTITIONS) == partition:
            found.append(f"f{number}")
        number += 1
    return found


def positions(log: Log) -> Mapping[int, int]:
    """The group's stored positions, without the partitions that nothing was written to."""
    found = log.store.hgetall(POSITIONS)
    return {int(partition): int(at) for partition, at in found.items() if int(at)}


def delete_before(log: Log, partition: int, offset: int) -> None:
    """What the retention does in time."""
    assert log.broker is not None
    admin = log.broker.admin()
    try:
        admin.delete_records({TopicPartition(topic_name(log.settings), partition): offset})
    finally:
        admin.close()


def dump(store: redis.Redis) -> dict[bytes, bytes]:
    return {key: store.dump(key) or b"" for key in store.scan_iter()}


def restore(store: redis.Redis, dumped: Mapping[bytes, bytes]) -> None:
    """As a replica that was behind, or a backup, would leave Redis."""
    store.flushall()
    for key, value in dumped.items():
        store.restore(key, 0, value)


@given(st.binary(max_size=60), st.integers(1, 200))
def test_a_key_goes_to_the_partition_that_other_kafka_clients_choose(key: bytes, partitions: int) -> None:
    assert partition_of(key, partitions) == (murmur2(key) & 0x7FFFFFFF) % partitions


def test_the_topic_is_made_with_its_partitions_and_only_once(kafka_log: Log) -> None:
    assert ensure_topic(kafka_log.settings, 10) == "created"
    assert ensure_topic(kafka_log.settings, 10) == "present"
    assert kafka_log.broker is not None
    admin: KafkaAdminClient = kafka_log.broker.admin()
    try:
        (described,) = admin.describe_topics([topic_name(kafka_log.settings)])
    finally:
        admin.close()
    assert len(described["partitions"]) == PARTITIONS == 32


def test_all_messages_of_a_frame_lie_together_and_the_position_is_in_redis(kafka_log: Log) -> None:
    reader = kafka_log.reader()
    kafka_log.writer().append("f1", frame("f1", 9), 4)
    kafka_log.drain(reader, count=9)
    assert positions(kafka_log) == {partition_of(b"f1", PARTITIONS): 9}


def test_kafkas_own_committed_offset_follows(kafka_log: Log) -> None:
    reader = kafka_log.reader()
    kafka_log.writer().append("f1", frame("f1", 9), 4)
    kafka_log.drain(reader, count=9)
    reader.close()
    assert kafka_log.broker is not None
    admin: KafkaAdminClient = kafka_log.broker.admin()
    try:
        group = group_name(kafka_log.settings, "metrics")
        found = admin.list_group_offsets({group: None})[group]
    finally:
        admin.close()
    committed = {place.partition: entry.offset for place, entry in found.items() if entry.offset > 0}
    assert committed == {partition_of(b"f1", PARTITIONS): 9}


def test_a_frame_is_known_again_after_the_memory_has_turned(
    kafka_log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_memory, "BLOCKS_PER_GENERATION", 10)
    reader, writer = kafka_log.reader(), kafka_log.writer()
    names = in_partition(3, 40)
    for name in names:
        writer.append(name, frame(name, 2), 4)
        kafka_log.drain(reader, count=2)
    for name in names[-10:]:
        writer.append(name, frame(name, 2), 4)
    assert kafka_log.drain(reader, count=20).duplicates == 20
    seen = "tailrace:seen:metrics:3"
    assert kafka_log.store.hlen(f"{seen}:new") + kafka_log.store.hlen(f"{seen}:old") <= 20


def test_a_partly_written_frame_that_is_retried_gives_only_what_was_missing(kafka_log: Log) -> None:
    reader, writer = kafka_log.reader(), kafka_log.writer()
    values = frame("f1", 1_200)
    writer.append("f1", values[:700], 4)
    kafka_log.drain(reader, count=700)
    writer.append("f1", values, 4)
    drained = kafka_log.drain(reader, count=1_200)
    assert drained.ids == [f"f1.{index}" for index in range(700, 1_200)]


@pytest.mark.parametrize("group", ["metrics", "replay"])
def test_what_expired_before_it_was_read_is_counted_as_lost(kafka_log: Log, group: str) -> None:
    reader, writer = kafka_log.reader(group), kafka_log.writer()
    names = in_partition(5, 4)
    writer.append(names[0], frame(names[0], 10), 4)
    kafka_log.drain(reader, count=10)
    reader.close()
    writer.append(names[1], frame(names[1], 10), 4)
    writer.append(names[2], frame(names[2], 10), 4)
    delete_before(kafka_log, 5, 23)
    drained = kafka_log.drain(kafka_log.reader(group), count=7)
    assert drained.lost == 13
    found = health(kafka_log.store, time.time(), open_log(kafka_log.settings), routes_max=500)
    wanted = {"metrics": 0, "replay": 0, "alerts": 0} | {group: 13}
    assert {told.group: told.log_lost for told in found.groups} == wanted
    assert drained.ids == [f"{names[2]}.{index}" for index in range(3, 10)]


def test_a_new_group_on_a_log_that_has_lost_its_beginning_has_lost_nothing(kafka_log: Log) -> None:
    kafka_log.reader("first").close()
    writer = kafka_log.writer()
    (name,) = in_partition(5, 1)
    writer.append(name, frame(name, 10), 4)
    delete_before(kafka_log, 5, 4)
    drained = kafka_log.drain(kafka_log.reader(), count=6)
    assert drained.lost == 0
    assert drained.ids == [f"{name}.{index}" for index in range(4, 10)]


def test_a_topic_that_has_lost_its_beginning_says_from_when_on_it_is_whole(kafka_log: Log) -> None:
    kafka_log.reader("first").close()
    writer = kafka_log.writer()
    now_ms = int(time.time() * 1000)
    names = {5: in_partition(5, 3), 6: in_partition(6, 3)}
    for partition, frames in names.items():
        for number, name in enumerate(frames):
            at_ms = now_ms - 60_000 + number * 10_000 + partition
            writer.append(name, [encode(message(name, 0, received_at=at_ms))], 4)
    history = kafka_log.history()
    assert history.reach() == Reach(now_ms - 59_995, now_ms - 39_994)
    delete_before(kafka_log, 5, 2)
    assert history.reach() == Reach(now_ms - 59_994, now_ms - 39_994, now_ms - 39_995)
    for partition in names:
        delete_before(kafka_log, partition, 3)
    assert history.reach() is None


def test_a_topic_that_is_read_slower_than_it_drops_says_so(
    kafka_log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_history, "SLICE_MESSAGES", 1)
    monkeypatch.setattr(kafka_history, "SLICE_MIN_MS", 100)
    kafka_log.reader("first").close()
    writer = kafka_log.writer()
    now_ms = int(time.time() * 1000)
    names = in_partition(5, 4)
    for name in names:
        writer.append(name, frame(name, 2), 4)
        time.sleep(0.5)
    slow, fast = kafka_log.history(), kafka_log.history()
    assert sum(map(len, fast.read(now_ms, now_ms + 60_000))) == 8
    chunks = slow.read(now_ms, now_ms + 60_000)
    next(chunks)
    delete_before(kafka_log, 5, 5)
    left = sum(map(len, chunks))
    # kafka-python may have fetched them before they were deleted: then nothing is lost.
    assert left in (3, 6)
    assert slow.was_overtaken or left == 6
    assert not fast.was_overtaken


def test_after_redis_is_cleared_a_running_reader_goes_on_where_it_was(kafka_log: Log) -> None:
    reader, writer = kafka_log.reader(), kafka_log.writer()
    one, other = in_partition(5, 2)
    writer.append(one, frame(one, 10), 4)
    kafka_log.drain(reader, count=10)
    kafka_log.store.flushall()
    writer.append(other, frame(other, 3), 4)
    drained = kafka_log.drain(reader, count=3)
    assert drained.fresh == 1
    assert drained.ids == [f"{other}.{index}" for index in range(3)]
    assert positions(kafka_log) == {5: 13}


def test_after_redis_is_cleared_a_new_reader_begins_at_kafkas_committed_offset(kafka_log: Log) -> None:
    reader, writer = kafka_log.reader(), kafka_log.writer()
    one, other = in_partition(5, 2)
    writer.append(one, frame(one, 10), 4)
    kafka_log.drain(reader, count=10)
    reader.close()
    kafka_log.store.flushall()
    writer.append(other, frame(other, 3), 4)
    assert kafka_log.drain(kafka_log.reader(), count=3).ids == [f"{other}.{index}" for index in range(3)]


def test_after_redis_is_restored_from_an_older_state_messages_are_read_again(kafka_log: Log) -> None:
    reader, writer = kafka_log.reader(), kafka_log.writer()
    names = in_partition(5, 3)
    writer.append(names[0], frame(names[0], 10), 4)
    kafka_log.drain(reader, count=10)
    older = dump(kafka_log.store)
    writer.append(names[1], frame(names[1], 10), 4)
    kafka_log.drain(reader, count=10)
    restore(kafka_log.store, older)
    writer.append(names[2], frame(names[2], 10), 4)
    again = kafka_log.drain(reader, count=20)
    assert again.ids == [f"{name}.{index}" for name in names[1:] for index in range(10)]
    assert positions(kafka_log) == {5: 30}


def test_a_group_that_sends_does_not_go_back_when_redis_is_restored(kafka_log: Log) -> None:
    reader, writer = kafka_log.reader(rewind_to_store=False), kafka_log.writer()
    names = in_partition(5, 3)
    writer.append(names[0], frame(names[0], 10), 4)
    kafka_log.drain(reader, count=10)
    older = dump(kafka_log.store)
    writer.append(names[1], frame(names[1], 10), 4)
    kafka_log.drain(reader, count=10)
    reader.close()
    restore(kafka_log.store, older)
    writer.append(names[2], frame(names[2], 10), 4)
    assert kafka_log.drain(kafka_log.reader(rewind_to_store=False), count=10).ids == [
        f"{names[2]}.{index}" for index in range(10)
    ]
    assert positions(kafka_log) == {5: 30}


def test_an_older_redis_is_noticed_even_where_nothing_new_comes(
    kafka_log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_reader, "IDLE_CHECK_EVERY_S", 0.2)
    reader, writer = kafka_log.reader(), kafka_log.writer()
    (name,) = in_partition(5, 1)
    wait_until(lambda: _is_placed(kafka_log, reader), "positions")
    older = dump(kafka_log.store)
    writer.append(name, frame(name, 10), 4)
    kafka_log.drain(reader, count=10)
    restore(kafka_log.store, older)
    assert kafka_log.drain(reader, count=10).ids == [f"{name}.{index}" for index in range(10)]


def _is_placed(log: Log, reader: Reader) -> bool:
    with contextlib.suppress(LogUnavailable):
        assert reader.poll(0.1, 1) is None
    return log.store.exists(POSITIONS) == 1


def test_a_topic_that_was_made_anew_is_read_from_its_beginning(kafka_log: Log) -> None:
    reader, writer = kafka_log.reader(), kafka_log.writer()
    one, other = in_partition(5, 2)
    writer.append(one, frame(one, 10), 4)
    kafka_log.drain(reader, count=10)
    reader.close()
    assert kafka_log.broker is not None
    admin = kafka_log.broker.admin()
    try:
        admin.delete_topics([topic_name(kafka_log.settings)])
    finally:
        admin.close()
    wait_until(lambda: _is_made_anew(kafka_log), "new topic")
    kafka_log.writer().append(other, frame(other, 4), 10)
    drained = kafka_log.drain(kafka_log.reader(), count=4)
    assert drained.ids == [f"{other}.{index}" for index in range(4)]
    assert drained.lost == 0
    assert positions(kafka_log) == {5: 4}


def _is_made_anew(log: Log) -> bool:
    with contextlib.suppress(LogUnavailable):
        return ensure_topic(log.settings, 10) == "created"
    return False


def test_a_broker_that_hangs_is_not_durable_in_time_and_mends_by_itself(kafka_log: Log) -> None:
    assert kafka_log.broker is not None
    threads = threading.active_count()
    kafka_log.reader().close()
    writer = kafka_log.writer()
    writer.append("f1", frame("f1", 3), 10)
    with stopped(kafka_log.broker.pid):
        for name in ("f2", "f3"):
            started = time.monotonic()
            with pytest.raises(NotDurable):
                writer.append(name, frame(name, 3), 2.0)
            assert time.monotonic() - started < 6
        with pytest.raises(NotDurable):
            writer.check(1.0)
    wait_until(lambda: _is_appended(writer, "f4"), "recovery", 10)
    writer.check(5)
    # The frames without an acknowledgement may have arrived: they are sent again, and count once.
    for name in ("f2", "f3"):
        writer.append(name, frame(name, 3), 4)
    reader = kafka_log.reader()
    deadline = time.monotonic() + 20
    got: list[str] = []
    while len(got) < 12 and time.monotonic() < deadline:
        got += kafka_log.rest(reader, seconds=0.3).ids
    assert sorted(got) == sorted(f"f{number}.{index}" for number in (1, 2, 3, 4) for index in range(3))
    kafka_log.close()
    wait_until(lambda: threading.active_count() <= threads, "end of the producers' threads", 10)


def _is_appended(writer: Writer, name: str) -> bool:
    with contextlib.suppress(NotDurable):
        return writer.append(name, frame(name, 3), 4).messages == 3
    return False


def test_a_reader_says_when_no_broker_answers_and_goes_on_when_one_does(
    kafka_log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_reader, "IDLE_CHECK_EVERY_S", 0.5)
    assert kafka_log.broker is not None
    reader, writer = kafka_log.reader(), kafka_log.writer()
    writer.append("f1", frame("f1", 3), 4)
    kafka_log.drain(reader, count=3)
    with stopped(kafka_log.broker.pid), pytest.raises(LogUnavailable, match="no Kafka broker answers"):
        kafka_log.poll_for(reader, 15)
    wait_until(lambda: _is_appended(writer, "f2"), "recovery", 20)
    assert kafka_log.drain(reader, count=3, timeout_s=30).ids == ["f2.0", "f2.1", "f2.2"]


def test_members_whose_joins_end_between_their_polls_come_to_rest(kafka_log: Log) -> None:
    # One thread polls them in turn: while one waits in its poll, the others' joins go on.
    assert kafka_log.broker is not None
    readers = [kafka_log.reader()]
    kafka_log.rest(*readers, seconds=0.5)
    for _ in range(2):
        readers.append(kafka_log.reader())
        kafka_log.rest(*readers, seconds=3.0)  # A heartbeat later the others have learned of it.
    states: set[tuple[str, int]] = set()
    with contextlib.closing(kafka_log.broker.admin()) as admin:
        group = group_name(kafka_log.settings, "metrics")
        for _ in range(5):
            kafka_log.rest(*readers, seconds=0.2)
            described = admin.describe_groups([group])[group]
            states.add((described["group_state"], len(described["members"])))
    assert states == {("Stable", 3)}


def test_a_value_that_other_programs_wrote_to_the_topic_is_bad_and_stops_nothing(kafka_log: Log) -> None:
    reader = kafka_log.reader()
    strange = [
        b"",
        b"\xff\xfe",
        b"null",
        b'{"msg":"a=b","timestamp":"","id":"no index","app":"","received_at":1}',
        encode({**message("f1", 0), "id": "f1." + "9" * 5_000}),
        encode({**message("f1", 0), "id": "f1.\u0661"}),
    ]
    kafka_log.writer().append("f1", [*strange, encode(message("f1", 999_999_999))], 4)
    drained = kafka_log.drain(reader, count=7)
    assert drained.bad == strange[:5]
    assert drained.ids == ["f1.\u0661", "f1.999999999"]
