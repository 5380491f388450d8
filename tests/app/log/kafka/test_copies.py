"""How many copies Kafka keeps: what is asked for, what is warned of, what no frame gets past."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from kafka import TopicPartition
from kafka.errors import (
    InvalidReplicationFactorError,
    KafkaConnectionError,
    PolicyViolationError,
    TopicAuthorizationFailedError,
    UnknownBrokerIdError,
)

from app.log.kafka import topic as kafka_topic
from app.log.kafka.connection import topic_name
from app.log.kafka.copies import (
    Copies,
    TooFewCopies,
    copy_warnings,
    describe_copies,
    require_writable,
    topic_options,
)
from app.log.kafka.topic import TopicMissing, ensure_topic, find_copies
from app.settings import Settings
from servers.kafka_broker import KafkaBroker, KafkaCluster
from servers.processes import ROOT, Processes, wait_until
from tests.app.log.logs import Log, frame
from tests.support.hosted_kafka import PREFIX, HerokuKafka
from tests.support.kafka_topics import administered, configure, make

TIMEOUT_S = 10.0
RELEASE_S = 60


def copies(
    brokers: int,
    fewest_copies: int,
    min_in_sync: int | None = 2,
    unclean_election: bool | None = False,
    waiting: int = 0,
) -> Copies:
    return Copies(brokers, fewest_copies, 32, waiting, min_in_sync, unclean_election)


# --- What is asked for ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("brokers", "asked"),
    [
        (1, {"num_partitions": 32, "replication_factor": 1}),
        (2, {"num_partitions": 32, "replication_factor": 2}),
        (3, {"num_partitions": 32, "replication_factor": 3, "configs": {"min.insync.replicas": "2"}}),
        (8, {"num_partitions": 32, "replication_factor": 3, "configs": {"min.insync.replicas": "2"}}),
    ],
)
def test_as_many_copies_as_brokers_are_asked_for_and_three_at_most(
    brokers: int, asked: Mapping[str, object]
) -> None:
    assert topic_options(brokers) == asked


class Cluster:
    """A cluster whose policy refuses some wishes: no broker here has such a policy."""

    def __init__(self, refuses: Callable[[Mapping[str, Any]], Exception | None]) -> None:
        self.made: list[Mapping[str, Any]] = []
        self._why_silent = refuses

    def __call__(self, settings: Settings, timeout_s: float) -> Cluster:
        return self

    def list_topics(self) -> list[str]:
        return []

    def describe_cluster(self) -> dict[str, Any]:
        down = {"broker_id": 4, "is_fenced": True}  # Kafka 4 names it.
        return {"brokers": [{"broker_id": number, "is_fenced": False} for number in (1, 2, 3)] + [down]}

    def create_topics(self, topics: Mapping[str, Mapping[str, Any]], wait_for_metadata: bool) -> None:
        (options,) = topics.values()
        if fault := self._why_silent(options):
            raise fault
        self.made.append(options)

    def close(self) -> None: ...


class OldBroker:
    """The only broker, of Kafka 3.6, whose topic has one copy; the suite has no jars of that."""

    broker_version = (3, 6)

    def describe_topics(self, topics: list[str]) -> list[dict[str, Any]]:
        partition = {"leader_id": 1, "replica_nodes": [1], "isr_nodes": [1]}
        return [{"error_code": 0, "partitions": [partition]}]

    def describe_cluster(self) -> dict[str, Any]:
        return {"brokers": [{"broker_id": 1}]}

    def describe_configs(self, resources: object, config_filter: str) -> dict[str, Any]:
        return {"topic": {"router": {"min.insync.replicas": {"value": "2"}}}}

    def get_broker_version_data(self, broker: int) -> OldBroker:
        return self


def ensured(monkeypatch: pytest.MonkeyPatch, cluster: Cluster) -> str:
    monkeypatch.setattr(kafka_topic, "_connected", cluster)
    return ensure_topic(Settings.load({"KAFKA_URL": "kafka://127.0.0.1:1"}), TIMEOUT_S)


@pytest.mark.parametrize("fault", [PolicyViolationError, InvalidReplicationFactorError])
def test_a_cluster_that_chooses_the_copies_itself_makes_the_topic_its_own_way(
    monkeypatch: pytest.MonkeyPatch, fault: type[Exception]
) -> None:
    cluster = Cluster(lambda options: fault() if "replication_factor" in options else None)
    assert ensured(monkeypatch, cluster) == "created"
    assert cluster.made == [{"num_partitions": 32}]


@pytest.mark.parametrize(
    "fault", [PolicyViolationError, InvalidReplicationFactorError, TopicAuthorizationFailedError]
)
def test_a_cluster_that_refuses_every_topic_gives_the_commands_with_the_copies(
    monkeypatch: pytest.MonkeyPatch, fault: type[Exception]
) -> None:
    with pytest.raises(TopicMissing) as caught:
        ensured(monkeypatch, Cluster(lambda options: fault()))
    reason = str(caught.value)
    assert fault.__name__ in reason
    assert "kafka:topics:create router --partitions 32 --replication-factor 3 -a APP" in reason
    assert "--replication-factor 3 --config min.insync.replicas=2" in reason


@pytest.mark.parametrize("fault", [KafkaConnectionError(), UnknownBrokerIdError(2)])
def test_a_broker_that_died_or_started_a_moment_ago_costs_one_more_question(
    monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    """kafka-python asks any broker that the others name. They name a dead one for some seconds, and may name
    one as controller before they say where it is."""
    cluster = Cluster(lambda options: None)
    answers: list[Exception | None] = [fault, None]
    list_topics = cluster.list_topics

    def dead_first() -> list[str]:
        if fault := answers.pop(0):
            raise fault
        return list_topics()

    monkeypatch.setattr(cluster, "list_topics", dead_first)
    assert ensured(monkeypatch, cluster) == "created"
    assert answers == []


# --- What is warned of ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "found",
    [
        copies(3, 3),
        copies(5, 3),
        copies(8, 5, 3),
        copies(2, 2),
        copies(3, 3, 4),
        copies(3, 3, min_in_sync=None, unclean_election=None),  # A plan that shows no settings.
    ],
    ids=str,
)
def test_a_topic_that_survives_the_loss_of_a_broker_deserves_no_word(found: Copies) -> None:
    assert copy_warnings(found, "router") == ()


@pytest.mark.parametrize(("fewest_copies", "has"), [(1, "one copy"), (2, "2 copies")])
def test_fewer_copies_than_the_brokers_allow_come_with_the_command(fewest_copies: int, has: str) -> None:
    (reason,) = copy_warnings(copies(4, fewest_copies, min_in_sync=min(fewest_copies, 2)), "t1.router")
    assert f"the topic t1.router has {has} although 4 brokers allow 3" in reason
    assert "heroku kafka:topics:replication-factor router 3 -a APP" in reason
    assert "kafka-reassign-partitions.sh" in reason


def test_the_only_brokers_one_copy_is_said_once_and_plainly() -> None:
    (reason,) = copy_warnings(copies(1, 1, min_in_sync=1), "router")
    assert "the topic router has one copy, on the only broker" in reason
    assert "kafka-" not in reason


@pytest.mark.parametrize(("fewest_copies", "has_price"), [(2, True), (3, False)])
def test_an_acknowledgement_that_may_mean_one_copy_comes_with_the_command(
    fewest_copies: int, has_price: bool
) -> None:
    (reason,) = copy_warnings(copies(fewest_copies, fewest_copies, min_in_sync=1), "t1.router")
    assert "acks=all may mean one copy" in reason
    assert "--entity-type topics --entity-name t1.router --add-config min.insync.replicas=2" in reason
    assert ("no frame is accepted while either broker is down" in reason) == has_price


def test_an_unclean_election_comes_with_the_command() -> None:
    (reason,) = copy_warnings(copies(3, 3, unclean_election=True), "t1.router")
    assert "--entity-name t1.router --add-config unclean.leader.election.enable=false" in reason


def test_partitions_that_take_no_frame_now_are_counted() -> None:
    (reason,) = copy_warnings(copies(3, 3, waiting=7), "router")
    assert "7 of 32 partitions of the topic router accept no frames now" in reason


@pytest.mark.parametrize(
    ("found", "fix"),
    [
        (copies(1, 1), "--add-config min.insync.replicas=1"),
        (copies(2, 2, 3), "--add-config min.insync.replicas=2"),
        (copies(3, 1), "heroku kafka:topics:replication-factor router 3 -a APP"),
        (copies(3, 3, 4), "--add-config min.insync.replicas=2"),
    ],
    ids=str,
)
def test_a_topic_that_no_frame_gets_into_is_an_error_with_the_fix(found: Copies, fix: str) -> None:
    require_writable(found, "t1.router")  # Kafka 3.7 and newer ask for no more than there are.
    with pytest.raises(TooFewCopies) as caught:
        require_writable(replace(found, rejects_every_frame=True), "t1.router")
    assert f"the topic t1.router accepts no frames: min.insync.replicas is {found.min_in_sync}" in str(
        caught.value
    )
    assert fix in str(caught.value)


# --- On real brokers ------------------------------------------------------------------------


def release(**environ: str) -> tuple[int, str]:
    """Exit code and output of the Procfile's `release`."""
    credentials = {"DRAIN_USER": "logplex", "DRAIN_PASSWORD": "s3cret"}
    with Processes({**credentials, **environ}) as processes:
        process = processes.start("release")
        return process.popen.wait(RELEASE_S), process.output


def raise_copies(cluster: KafkaCluster, topic: str) -> None:
    """By the plan that docs/plain-host.md makes; kafka-reassign-partitions.sh is not among the jars."""
    text = (ROOT / "docs" / "plain-host.md").read_text("utf-8")
    (program,) = re.findall(r"<<'END'\n(.*?)^END$", text, re.DOTALL | re.MULTILINE)
    command = [sys.executable, "-", topic, "4", "1", "2", "3"]
    printed = subprocess.run(command, input=program, capture_output=True, text=True, check=True).stdout
    plan = {
        TopicPartition(entry["topic"], entry["partition"]): entry["replicas"]
        for entry in json.loads(printed)["partitions"]
    }
    with administered(cluster) as admin:
        assert set(admin.alter_partition_reassignments(plan).values()) == {None}
    wait_until(
        lambda: all(
            len(partition["replica_nodes"]) == len(partition["isr_nodes"]) == 3
            for partition in cluster.partitions(topic)
        ),
        "copies",
        30,
    )


def new_prefix() -> str:
    return f"copies-{uuid.uuid4().hex[:8]}."


@pytest.mark.kafka
def test_release_says_once_that_a_single_broker_keeps_one_copy(
    redis_url: str, kafka_broker: KafkaBroker
) -> None:
    prefix = new_prefix()
    code, output = release(REDIS_URL=redis_url, KAFKA_URL=kafka_broker.url, KAFKA_PREFIX=prefix)
    assert code == 0
    made = [f"Kafka topic {prefix}{topic} created, 1 copy" for topic in ("router", "platform")]
    assert f"ok       log: {'; '.join(made)}\n" in output
    assert output.count("WARNING  log: ") == 1
    assert f"WARNING  log: the topic {prefix}router has one copy, on the only broker" in output


@pytest.mark.kafka
def test_release_names_the_topic_with_its_prefix_in_the_command(
    redis_url: str, kafka_broker: KafkaBroker
) -> None:
    prefix = new_prefix()
    topic = f"{prefix}router"
    make(kafka_broker, topic, 1, unclean_leader_election_enable="true")
    code, output = release(REDIS_URL=redis_url, KAFKA_URL=kafka_broker.url, KAFKA_PREFIX=prefix)
    assert code == 0
    assert f"WARNING  log: unclean.leader.election.enable is on for the topic {topic}" in output
    assert f"--entity-name {topic} --add-config unclean.leader.election.enable=false" in output


@pytest.mark.kafka
def test_more_copies_in_sync_than_there_are_stop_no_deploy_where_the_broker_takes_frames(
    kafka_log: Log,
) -> None:
    assert kafka_log.broker is not None
    topic = topic_name(kafka_log.settings)
    make(kafka_log.broker, topic, 1, min_insync_replicas="2")
    found = find_copies(kafka_log.settings, TIMEOUT_S)
    assert found == Copies(1, 1, 4, 0, 2, False, rejects_every_frame=False)
    assert kafka_log.writer().append("f1", frame("f1", 3), 4.0).messages == 3


def test_brokers_before_3_7_ask_for_all_the_copies() -> None:
    found = describe_copies(OldBroker(), "router")
    assert found == Copies(1, 1, 1, 0, 2, None, rejects_every_frame=True)


@pytest.mark.kafka
def test_a_plan_that_shows_no_settings_gets_no_word_about_them(heroku_kafka: HerokuKafka) -> None:
    heroku_kafka.allow_tenant("copies", ["copies-metrics"])
    prefix = f"{PREFIX}copies-"
    make(heroku_kafka.broker, f"{prefix}router", 1, unclean_leader_election_enable="true")
    found = find_copies(Settings.load(heroku_kafka.environ("copies", prefix)), TIMEOUT_S)
    assert found == Copies(1, 1, 4, 0, None, None)
    assert len(copy_warnings(found, f"{prefix}router")) == 1


# --- On three brokers -----------------------------------------------------------------------


@pytest.mark.kafka
@pytest.mark.slow
def test_three_brokers_keep_three_copies_and_release_has_no_warning(
    redis_url: str, kafka_cluster: KafkaCluster
) -> None:
    prefix = new_prefix()
    code, output = release(REDIS_URL=redis_url, KAFKA_URL=kafka_cluster.url, KAFKA_PREFIX=prefix)
    assert code == 0
    assert f"Kafka topic {prefix}router created, 3 copies, at least 2 of them before a 2xx" in output
    assert "WARNING  log" not in output
    partitions = kafka_cluster.partitions(f"{prefix}router")
    assert [len(partition["replica_nodes"]) for partition in partitions] == [3] * 32


@pytest.mark.kafka
@pytest.mark.slow
def test_release_warns_of_one_copy_on_three_brokers_until_its_own_command_was_run(
    redis_url: str, kafka_cluster: KafkaCluster
) -> None:
    prefix = new_prefix()
    topic = f"{prefix}router"
    make(kafka_cluster, topic, 1)
    environ = {"REDIS_URL": redis_url, "KAFKA_URL": kafka_cluster.url, "KAFKA_PREFIX": prefix}
    code, output = release(**environ)
    assert code == 0
    assert f"WARNING  log: the topic {topic} has one copy although 3 brokers allow 3" in output

    raise_copies(kafka_cluster, topic)
    code, output = release(**environ)
    assert (
        f"WARNING  log: acks=all may mean one copy: min.insync.replicas of the topic {topic} is 1" in output
    )

    configure(kafka_cluster, topic, min_insync_replicas="2")
    # The broker that `release` asks may hear of it a moment later.
    wait_until(lambda: "WARNING  log" not in release(**environ)[1], "no warning")
