"""What every message log promises: in memory, on Redis Streams (two versions), on Kafka (two clients)."""

from __future__ import annotations

import threading
import time

import pytest

from app.errors import LogUnavailable, NotDurable, StaleBatch
from app.log import Appended, History, Reach
from app.log.redis import reader as redis_reader
from app.message import encode
from app.store import queries
from tests.app.log.logs import Log, frame, ids, message


def test_a_frame_is_read_as_it_was_written_and_in_its_order(log: Log) -> None:
    reader = log.reader()
    appended = log.writer().append("f1", frame("f1", 300), 4)
    batch = log.batch(reader)
    assert appended == Appended(300)
    assert ids(batch) == [f"f1.{index}" for index in range(300)]
    assert batch.messages[7] == {
        **message("f1", 7),
        "timestamp": batch.messages[7]["timestamp"],
        "received_at": batch.messages[7]["received_at"],
    }


def test_an_empty_frame_writes_nothing(log: Log) -> None:
    reader, writer = log.reader(), log.writer()
    assert writer.append("empty", [], 4) == Appended(0)
    writer.append("f1", frame("f1", 1), 4)
    assert log.drain(reader, count=1).ids == ["f1.0"]


def test_a_retried_frame_is_handed_out_once(log: Log) -> None:
    reader, writer = log.reader(), log.writer()
    for _ in range(3):
        writer.append("f1", frame("f1", 20), 4)
    writer.append("f2", frame("f2", 1), 4)
    writer.append("f1", frame("f1", 20), 4)
    writer.append("f3", frame("f3", 1), 4)
    drained = log.drain(reader, count=22 if not log.is_kafka else 82)
    assert sorted(drained.ids) == sorted([f"f1.{index}" for index in range(20)] + ["f2.0", "f3.0"])
    assert not log.rest(reader).ids


def test_a_retried_frame_is_known_to_the_reader_that_comes_after(log: Log) -> None:
    reader, writer = log.reader(), log.writer()
    writer.append("f1", frame("f1", 20), 4)
    log.drain(reader, count=20)
    reader.close()
    writer.append("f1", frame("f1", 20), 4)
    writer.append("f2", frame("f2", 1), 4)
    assert log.drain(log.reader(), count=21 if log.is_kafka else 1).ids == ["f2.0"]


def test_a_claim_that_is_settled_twice_counts_once(log: Log) -> None:
    reader = log.reader()
    log.writer().append("f1", frame("f1", 5), 4)
    batch = log.batch(reader)
    assert log.settle(reader, batch) is True
    with pytest.raises(StaleBatch):
        log.settle(reader, batch)
    assert not log.rest(reader).ids


def test_a_rejected_batch_is_handed_out_again(log: Log) -> None:
    reader = log.reader()
    log.writer().append("f1", frame("f1", 5), 4)
    first = log.batch(reader)
    reader.rejected(first)
    again = log.batch(reader)
    assert ids(again) == ids(first)
    assert log.settle(reader, again)


def test_a_batch_is_stale_once_another_reader_has_settled_its_messages(log: Log) -> None:
    slow = log.reader()
    log.writer().append("f1", frame("f1", 5), 4)
    held = log.batch(slow)
    if held.lease:
        log.store.delete(held.lease)  # As after 15 s without a sign of life.
    else:
        slow.close()  # As after a rebalance: the messages are someone else's now.
    other = log.reader()
    assert log.settle(other, log.batch(other))
    with pytest.raises(StaleBatch):
        log.settle(slow, held)


def test_messages_that_a_closed_reader_had_not_settled_go_to_the_next(log: Log) -> None:
    first = log.reader()
    log.writer().append("f1", frame("f1", 5), 4)
    held = ids(log.batch(first))
    first.close()
    assert log.drain(log.reader(), count=5).ids == held


def test_an_earliest_group_begins_with_what_was_there_before_it(log: Log) -> None:
    log.reader("first").close()  # Makes the topic.
    log.writer().append("f1", frame("f1", 5), 4)
    reader = log.reader("metrics", "earliest")
    assert len(log.drain(reader, count=5).ids) == 5


def test_a_latest_group_begins_after_what_was_there_before_it(log: Log) -> None:
    log.reader("first").close()
    writer = log.writer()
    writer.append("before", frame("before", 5), 4)
    reader = log.reader("replay", "latest")
    log.join(reader, "replay")
    assert not log.rest(reader).ids
    writer.append("after", frame("after", 3), 4)
    assert {found.partition(".")[0] for found in log.drain(reader, count=3).ids} == {"after"}


def test_a_latest_group_keeps_its_beginning_when_its_first_reader_dies_before_the_first_batch(
    log: Log,
) -> None:
    log.reader("first").close()
    reader = log.reader("replay", "latest")
    log.join(reader, "replay")
    reader.close()
    log.writer().append("between", frame("between", 3), 4)
    assert len(log.drain(log.reader("replay", "latest"), count=3).ids) == 3


def test_each_group_sees_every_message(log: Log) -> None:
    metrics, replay = log.reader("metrics"), log.reader("replay")
    log.writer().append("f1", frame("f1", 5), 4)
    assert log.drain(metrics, count=5).ids == log.drain(replay, count=5).ids


def test_two_readers_of_a_group_share_the_messages(log: Log) -> None:
    one, other = log.reader(), log.reader()
    writer = log.writer()
    log.rest(one, other, seconds=2.0 if log.is_kafka else 0.1)  # Kafka shares its partitions out.
    for number in range(60):
        writer.append(f"f{number}", frame(f"f{number}", 4), 4)
    drained = log.drain(one, other, count=240)
    assert sorted(drained.ids) == sorted(f"f{number}.{index}" for number in range(60) for index in range(4))
    assert drained.duplicates == 0
    assert not log.rest(one, other).ids


def test_a_reader_that_joins_and_one_that_leaves_move_messages_without_loss_or_double(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_reader, "TAKE_OVER_EVERY_S", 0.5)
    writer = log.writer()
    readers = [log.reader()]
    got: list[str] = []
    for number in range(40):
        writer.append(f"f{number}", frame(f"f{number}", 5), 4)
        if number in (10, 20):
            readers.append(log.reader())
        if number == 30:
            readers.pop(0).close()
        got += log.rest(*readers, seconds=0.01).ids
    got += log.drain(*readers, count=200 - len(got), timeout_s=40).ids
    assert sorted(got) == sorted(f"f{number}.{index}" for number in range(40) for index in range(5))


def test_lag_is_what_is_written_and_not_yet_settled(log: Log) -> None:
    reader, writer = log.reader(), log.writer()
    writer.append("f1", frame("f1", 30), 4)
    batch = log.batch(reader)
    log.settle(reader, batch)
    assert reader.lag().messages == 30 - len(batch.messages)
    writer.append("f2", frame("f2", 12), 4)
    log.drain(reader, count=30 - len(batch.messages) + 12)
    assert reader.lag().messages == 0


def test_what_is_no_message_comes_as_bad_values_beside_the_good_ones(log: Log) -> None:
    reader = log.reader()
    values = [
        encode(message("f1", 0)),
        b'{"msg":5}',
        b"[]",
        encode(message("f1", 3, received_at=10**15)),
        encode(message("f1", 4)),
    ]
    log.writer().append("f1", values, 4)
    drained = log.drain(reader, count=5)
    assert drained.ids == ["f1.0", "f1.4"]
    assert drained.bad == values[1:4]


def test_a_window_of_the_past_is_read_whole_once_and_in_order(log: Log) -> None:
    log.reader("first").close()
    writer = log.writer()
    now_ms = int(time.time() * 1000)
    for number in range(12):
        at_ms = now_ms - 6_000 + number * 500
        values = [encode(message(f"f{number}", index, received_at=at_ms)) for index in range(10)]
        writer.append(f"f{number}", values, 4)
        writer.append(f"f{number}", values, 4)  # A retry.
    history = log.history()
    chunks = list(history.read(now_ms - 4_000, now_ms - 1_000))
    found = [one["id"] for chunk in chunks for one in chunk]
    assert sorted(found) == sorted(f"f{number}.{index}" for number in range(4, 10) for index in range(10))
    times = [one["received_at"] for chunk in chunks for one in chunk]
    assert times == sorted(times)
    assert list(history.read(now_ms + 60_000, now_ms + 120_000)) == []
    assert history.estimate(now_ms - 3_600_000, now_ms + 3_600_000) in (120, 240)
    assert history.estimate(now_ms + 3_600_000, now_ms + 7_200_000) == 0


def reach_of(history: History, timeout_s: float = 15) -> Reach | None:
    deadline_s = time.monotonic() + timeout_s
    while True:
        try:
            return history.reach()
        except LogUnavailable:  # A new topic of Kafka has no leaders yet.
            assert time.monotonic() < deadline_s
            time.sleep(0.1)


def test_a_log_says_how_far_it_reaches(log: Log) -> None:
    log.reader("first").close()  # Makes the topic.
    history = log.history()
    assert reach_of(history) is None
    writer = log.writer()
    now_ms = int(time.time() * 1000)
    for number in range(12):
        at_ms = now_ms - 6_000 + number * 500
        values = [encode(message(f"f{number}", index, received_at=at_ms)) for index in range(3)]
        writer.append(f"f{number}", values, 4)
    assert history.reach() == Reach(now_ms - 6_000, now_ms - 500, 0)
    later = log.history()
    assert later.reach() == history.reach()
    assert sum(map(len, later.read(now_ms - 6_000, now_ms))) == 36  # Asking has not moved it.


def test_values_that_are_no_messages_do_not_hide_how_far_a_log_reaches(log: Log) -> None:
    log.reader("first").close()
    now_ms = int(time.time() * 1000)
    good = encode(message("f1", 1, received_at=now_ms - 1_000))
    log.writer().append("f1", [b"[]", good, b'{"msg":5}'], 4)
    reach = reach_of(log.history())
    assert reach is not None
    assert reach.first_ms == now_ms - 1_000


def test_many_threads_write_at_once(log: Log) -> None:
    reader, writer = log.reader(), log.writer()

    def write(thread: int) -> None:
        for number in range(20):
            writer.append(f"t{thread}-{number}", frame(f"t{thread}-{number}", 3), 10)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(log.drain(reader, count=8 * 20 * 3).ids)) == 8 * 20 * 3


def test_a_log_is_ready_once_it_is_ensured(log: Log) -> None:
    ensured = log.opened().ensure(["metrics", "replay"], 10)
    assert ensured.text
    log.writer().check(10)
    assert log.opened().ensure(["metrics"], 10).text


def test_what_a_log_says_of_itself_adds_up(log: Log) -> None:
    groups = ["metrics", "replay", "unknown"]
    empty = log.opened().status(log.store, groups)
    assert {found.lost for found in empty.groups.values()} == {0}
    reader = log.reader()
    log.join(reader, "metrics")
    now_ms = int(time.time() * 1000)
    writer = log.writer()
    writer.append("f1", frame("f1", 20), 10)
    writer.append("f2", frame("f2", 5), 4)
    batch = log.batch(reader, most=20)
    log.settle(reader, batch)
    status = log.opened().status(log.store, groups)
    assert set(status.groups) == set(groups)
    # How far a group is behind Kafka's members alone know, and say so in their own words.
    behind = {None} if log.is_kafka else {25 - len(batch.messages)}
    assert {status.groups["metrics"].lag_messages} == behind
    assert (status.size is None) == log.is_kafka
    if status.size is not None:
        assert status.size.messages_added == status.size.messages_kept == 25
        assert status.size.messages_trimmed == 0
        assert status.size.bytes > 0
        assert status.size.first_ms is not None
        assert abs(status.size.first_ms - now_ms) < 60_000
    assert (status.redis_share.bytes > 0) == ("REDIS_LOG" in log.opened().advice.take_less)


def test_health_alerts_and_memory_take_any_log(log: Log) -> None:
    log.reader().close()
    opened = log.opened()
    found = queries.health(log.store, time.time(), opened, routes_max=500)
    assert (found.log is None) == log.is_kafka
    assert [alert.code for alert in queries.alerts(found, opened.advice)] == ["no_worker:metrics"]
    kinds = {part.kind for part in queries.memory(log.store, opened).parts}
    assert kinds >= {"log", "dead_letters", "other"}


@pytest.mark.parametrize("environ", [{}, {"KAFKA_URL": "kafka://127.0.0.1:9"}])
@pytest.mark.parametrize("client", ["kafka-python", "confluent"])
def test_a_log_that_is_away_is_not_durable_in_time(environ: dict[str, str], client: str) -> None:
    log = Log({"REDIS_URL": "redis://127.0.0.1:9/0", "KAFKA_CLIENT": client, **environ}, None)  # type: ignore[arg-type]
    writer = log.writer()
    started = time.monotonic()
    outcomes: list[float] = []

    def write() -> None:
        with pytest.raises(NotDurable):
            writer.append("f1", frame("f1", 1), 1.0)
        outcomes.append(time.monotonic() - started)

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 6
    assert max(outcomes) < 4
    with pytest.raises(NotDurable):
        writer.check(0.5)
    log.close()
