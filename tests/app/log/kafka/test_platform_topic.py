"""The topic `platform`, on real brokers: beside `router`, missing after an upgrade, written with it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import pytest
from kafka import KafkaAdminClient, KafkaConsumer

from app.errors import NotDurable, StaleBatch
from app.log import Appended
from app.log.interface import PLATFORM_TOPIC
from app.log.kafka import confluent, kafka_python
from app.log.kafka import writer as kafka_writer
from app.log.kafka.clients import TopicMissing
from app.log.kafka.connection import PLATFORM_PARTITIONS, PLATFORM_PLACES, python_config, topic_name
from app.log.kafka.kafka_python_producer import partition_of
from app.log.kafka.topic import ensure_topic
from app.message import decode
from app.settings import Settings
from app.store import keys
from app.store.settle import settle
from tests.app.log.logs import Log, frame, said


def admin_of(log: Log) -> KafkaAdminClient:
    return KafkaAdminClient(**python_config(log.settings))


def values_in(log: Log, topic: str) -> list[str]:
    """The ids of all messages in a topic, as any consumer sees them."""
    consumer = KafkaConsumer(
        topic_name(log.settings, topic),
        **python_config(log.settings),
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        group_id=None,
        consumer_timeout_ms=3_000,
    )
    found = [decode(record.value)["id"] for record in consumer]
    consumer.close()
    return sorted(found)


def test_consumers_of_router_see_router_lines_alone(kafka_log: Log) -> None:
    kafka_log.opened().ensure([], 10)
    kafka_log.writer().append("f1", frame("f1", 2), 10, platform=said("f1", 2, 1))
    assert values_in(kafka_log, "router") == ["f1.0", "f1.1"]
    assert values_in(kafka_log, PLATFORM_TOPIC) == ["f1.2"]


def test_release_makes_both_topics_and_says_so(kafka_log: Log) -> None:
    first = kafka_log.opened().ensure(["metrics"], 10)
    names = [topic_name(kafka_log.settings, topic) for topic in ("router", PLATFORM_TOPIC)]
    assert all(f"Kafka topic {name} created" in first.text for name in names)
    again = kafka_log.opened().ensure(["metrics"], 10)
    assert all(f"Kafka topic {name} present" in again.text for name in names)
    admin = admin_of(kafka_log)
    (described,) = admin.describe_topics([names[1]])
    admin.close()
    assert len(described["partitions"]) == PLATFORM_PARTITIONS == 8


def test_positions_and_memory_of_the_two_topics_are_beside_each_other(kafka_log: Log) -> None:
    reader = kafka_log.reader(reads_platform=True)
    kafka_log.writer().append("f1", frame("f1", 2), 10, platform=said("f1", 2, 3))
    kafka_log.drain(reader, count=5)
    place = PLATFORM_PLACES + partition_of(b"f1", PLATFORM_PARTITIONS)
    stored = kafka_log.store.hgetall(keys.positions("metrics"))
    assert {name: at for name, at in stored.items() if at != b"0"} == {
        str(partition_of(b"f1", 32)).encode(): b"2",
        str(place).encode(): b"3",
    }
    assert kafka_log.store.hgetall(keys.seen("metrics", place) + ":new") == {b"0:f1": b"1c"}


def test_a_group_of_an_earlier_version_goes_on_where_it_was_and_reads_the_platform_from_its_beginning(
    kafka_log: Log,
) -> None:
    earlier, writer = kafka_log.reader(), kafka_log.writer()
    writer.append("f1", frame("f1", 3), 10)
    kafka_log.drain(earlier, count=3)
    earlier.close()
    kafka_log.opened().ensure([], 10)
    writer.append("f1", frame("f1", 3), 10, platform=said("f1", 3, 2))
    drained = kafka_log.drain(kafka_log.reader(reads_platform=True), count=5)
    assert (drained.ids, drained.platform, drained.duplicates) == ([], ["f1.3", "f1.4"], 3)


def test_members_that_read_the_platform_and_ones_that_do_not_share_a_group(kafka_log: Log) -> None:
    kafka_log.opened().ensure([], 10)
    earlier, later = kafka_log.reader(), kafka_log.reader(reads_platform=True)
    kafka_log.rest(earlier, later, seconds=3)
    writer = kafka_log.writer()
    for number in range(20):
        writer.append(f"f{number}", frame(f"f{number}", 2), 10, platform=said(f"f{number}", 2, 1))
    drained = kafka_log.drain(earlier, later, count=60, timeout_s=40)
    assert (len(set(drained.ids)), len(set(drained.platform)), drained.duplicates) == (40, 20, 0)


def test_a_drain_without_the_topic_keeps_router_lines_and_says_what_is_missing(
    kafka_log: Log, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ensure_topic(kafka_log.settings, 10)
    writer = kafka_log.writer()
    started_s = time.monotonic()
    for number in range(5):
        appended = writer.append(f"f{number}", frame(f"f{number}", 2), 4, platform=said(f"f{number}", 2, 1))
        assert appended == Appended(2, platform=0)
    assert writer.append("alone", [], 4, platform=said("alone", 0, 1)) == Appended(0)
    assert time.monotonic() - started_s < 15  # It asks once, and waits for no time limit.
    assert caplog.text.count("the topic platform is missing") == 1
    assert "python -m app release" in caplog.text
    monkeypatch.setattr(kafka_writer, "ASK_AGAIN_S", 0.0)
    writer._ask_at_s = 0.0  # type: ignore[attr-defined]
    ensure_topic(kafka_log.settings, 10, topic=PLATFORM_TOPIC)
    assert writer.append("later", [], 10, platform=said("later", 0, 1)) == Appended(0, platform=1)


def test_a_drain_that_loses_the_topic_refuses_a_frame_and_goes_on_without_it(kafka_log: Log) -> None:
    kafka_log.opened().ensure([], 10)
    writer = kafka_log.writer()
    assert writer.append("f1", frame("f1", 1), 10, platform=said("f1", 1, 1)).platform == 1
    admin = admin_of(kafka_log)
    admin.delete_topics([topic_name(kafka_log.settings, PLATFORM_TOPIC)])
    admin.close()
    outcomes: list[int] = []
    deadline_s = time.monotonic() + 40
    while outcomes[-1:] != [0]:
        assert time.monotonic() < deadline_s, outcomes
        try:
            appended = writer.append("f2", frame("f2", 1), 4, platform=said("f2", 1, 1))
            outcomes.append(appended.platform)
        except NotDurable:
            outcomes.append(-1)  # The sender tries again, as Logplex does.
    assert set(values_in(kafka_log, "router")) == {"f1.0", "f2.0"}


def test_a_worker_reads_router_lines_without_the_topic_and_the_platform_once_it_is_there(
    kafka_log: Log, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for client in (confluent, kafka_python):
        monkeypatch.setattr(client, "ensure_topic", partial(_refuse_platform, client.ensure_topic))
    reader = kafka_log.reader(reads_platform=True)
    kafka_log.writer().append("f1", frame("f1", 3), 10)
    assert sorted(kafka_log.drain(reader, count=3).ids) == ["f1.0", "f1.1", "f1.2"]
    assert "releases, dynos and add-ons are not read: make it by command" in caplog.text
    reader.close()
    kafka_log.opened().ensure([], 10)
    kafka_log.writer().append("f2", [], 10, platform=said("f2", 0, 2))
    assert kafka_log.drain(kafka_log.reader(reads_platform=True), count=2).platform == ["f2.0", "f2.1"]


def _refuse_platform(
    ensure: Callable[..., object], settings: Settings, timeout_s: float, *, topic: str = "router"
) -> object:
    """As on a plan where only commands make topics."""
    if topic == PLATFORM_TOPIC:
        raise TopicMissing("make it by command")
    return ensure(settings, timeout_s)


def test_a_drain_that_died_between_the_topics_is_made_good_by_the_retry(kafka_log: Log) -> None:
    """Either topic may have got its part when it died: nothing was acknowledged, so the frame comes again."""
    reader = kafka_log.reader(reads_platform=True)
    writer = kafka_log.writer()
    writer.append("router-first", frame("router-first", 3), 10)
    writer.append("platform-first", [], 10, platform=said("platform-first", 3, 2))
    kafka_log.drain(reader, count=5)
    for name in ("router-first", "platform-first"):
        writer.append(name, frame(name, 3), 10, platform=said(name, 3, 2))
    again = kafka_log.drain(reader, count=10)
    assert sorted(again.ids) == [f"platform-first.{index}" for index in range(3)]
    assert sorted(again.platform) == ["router-first.3", "router-first.4"]
    assert again.duplicates == 5


def test_the_positions_of_both_topics_move_with_the_effects_or_not_at_all(kafka_log: Log) -> None:
    first = kafka_log.reader(reads_platform=True)
    kafka_log.writer().append("f1", frame("f1", 3), 10, platform=said("f1", 3, 2))
    held = kafka_log.batch(first)
    first.close()
    heir = kafka_log.reader(reads_platform=True)
    drained = kafka_log.drain(heir, count=5)
    assert (len(drained.ids), len(drained.platform)) == (3, 2)
    with pytest.raises(StaleBatch):
        settle(kafka_log.store, held.claim)
