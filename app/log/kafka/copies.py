"""How many copies the brokers keep of the topic, and what could still lose an acknowledged frame.

With `acks=all` a write is acknowledged once every copy *in sync* has it, and that may be one copy:
`min.insync.replicas` says how many there must be (Apache Kafka, "Topic Configs"). Three copies, two
of them in sync, survive the loss of any one broker, and writing continues.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from app.errors import TailraceError
from app.log.interface import PLATFORM_TOPIC, TOPIC
from app.log.kafka.connection import PARTITIONS

log = logging.getLogger(__name__)

COPIES = 3
MIN_IN_SYNC = 2
DESCRIBE_TRIES = 5
"""A topic that was just created may be unknown to the broker that is asked next."""
DESCRIBE_AGAIN_S = 0.2

_MIN_IN_SYNC = "min.insync.replicas"
_UNCLEAN = "unclean.leader.election.enable"


class TooFewCopies(TailraceError):
    """No frame can ever be acknowledged: more copies must be in sync than the topic has."""


@dataclass(frozen=True, slots=True)
class Copies:
    """What the brokers report about the topic's copies."""

    brokers: int
    fewest_copies: int
    """The number of copies of the partition with the fewest."""
    partitions: int
    waiting: int
    """Partitions that accept no frames now: no leader, or too few copies in sync."""
    min_in_sync: int | None
    """`min.insync.replicas` as it is set; None where the brokers do not show it."""
    unclean_election: bool | None
    """`unclean.leader.election.enable` in force; None where the brokers do not show it."""
    rejects_every_frame: bool = False
    """Whether the brokers refuse every frame, because `min_in_sync` exceeds the number of copies."""


def live_brokers(admin: KafkaAdminClient) -> list[int]:
    """The ids of the brokers that run now. Raises KafkaError."""
    # Kafka 4 also names brokers that are registered and down.
    named = admin.describe_cluster()["brokers"]
    return [broker["broker_id"] for broker in named if not broker.get("is_fenced", False)]


def topic_options(brokers: int, partitions: int = PARTITIONS) -> dict[str, Any]:
    """What to ask of `create_topics` where so many brokers run."""
    options: dict[str, Any] = {
        "num_partitions": partitions,
        "replication_factor": min(COPIES, max(1, brokers)),
    }
    if brokers >= COPIES:
        options["configs"] = {_MIN_IN_SYNC: str(MIN_IN_SYNC)}
    return options


def describe_copies(admin: KafkaAdminClient, topic: str) -> Copies | None:
    """The topic's copies; None where the brokers do not show the topic. Raises KafkaError."""
    partitions = _partitions(admin, topic)
    if not partitions:
        log.debug("no answer about the copies: topic=%s", topic)
        return None
    brokers = live_brokers(admin)
    fewest_copies = min(len(found["replica_nodes"]) for found in partitions)
    config = _config(admin, topic)
    min_in_sync = int(config[_MIN_IN_SYNC]) if _MIN_IN_SYNC in config else None
    return Copies(
        brokers=len(brokers),
        fewest_copies=fewest_copies,
        partitions=len(partitions),
        waiting=sum(_is_waiting(found, min_in_sync or 1) for found in partitions),
        min_in_sync=min_in_sync,
        unclean_election=config[_UNCLEAN] == "true" if _UNCLEAN in config else None,
        rejects_every_frame=(min_in_sync or 0) > fewest_copies and _is_before_3_7(admin, brokers),
    )


def _is_waiting(partition: Mapping[str, Any], min_in_sync: int) -> bool:
    needed = min(min_in_sync, len(partition["replica_nodes"]))
    return partition["leader_id"] < 0 or len(partition["isr_nodes"]) < needed


def _is_before_3_7(admin: KafkaAdminClient, brokers: Sequence[int]) -> bool:
    """Before Kafka 3.7 `min.insync.replicas` was not bounded by the number of copies (KAFKA-21110)."""
    return any(admin.get_broker_version_data(broker).broker_version < (3, 7) for broker in brokers)


def _partitions(admin: KafkaAdminClient, topic: str) -> list[dict[str, Any]]:
    for number in range(DESCRIBE_TRIES):
        if number:
            time.sleep(DESCRIBE_AGAIN_S)
        (found,) = admin.describe_topics([topic])
        if found["error_code"] == 0:
            return list(found["partitions"])
    return []


def _config(admin: KafkaAdminClient, topic: str) -> Mapping[str, str]:
    """The settings that the brokers show to this client: none on plans that hide them from apps."""
    resource = ConfigResource(ConfigResourceType.TOPIC, topic, [_MIN_IN_SYNC, _UNCLEAN])
    try:
        shown = admin.describe_configs([resource], config_filter="all").get("topic", {}).get(topic, {})
    except KafkaError as fault:
        log.debug("no answer about the topic's settings: %s", type(fault).__name__)
        return {}
    if not shown:
        log.debug("the topic's settings are not shown to this client: topic=%s", topic)
    return {name: entry["value"] for name, entry in shown.items() if entry["value"] is not None}


def summary(found: Copies) -> str:
    """In a few words, for `release`."""
    copies = "1 copy" if found.fewest_copies == 1 else f"{found.fewest_copies} copies"
    if found.min_in_sync is None or found.fewest_copies == 1:
        return copies
    return f"{copies}, at least {min(found.min_in_sync, found.fewest_copies)} of them before a 2xx"


def require_writable(found: Copies, topic: str) -> None:
    """Raises TooFewCopies where every frame would be refused, whatever runs."""
    if not found.rejects_every_frame or found.min_in_sync is None:
        return
    possible = min(COPIES, found.brokers)
    fix = f"Set it lower:\n  {_set(topic, _MIN_IN_SYNC, str(min(MIN_IN_SYNC, found.fewest_copies)))}"
    if possible >= found.min_in_sync:
        fix = f"Give it more copies:\n  {_more_copies(possible, topic)}"
    copies = "one copy" if found.fewest_copies == 1 else f"{found.fewest_copies} copies"
    raise TooFewCopies(
        f"the topic {topic} accepts no frames: {_MIN_IN_SYNC} is {found.min_in_sync}, "
        f"and it has {copies}. {fix}"
    )


def copy_warnings(found: Copies, topic: str) -> tuple[str, ...]:
    """What may lose acknowledged frames, each with the command that prevents it."""
    texts = (
        _too_few_copies(found, topic),
        _one_in_sync(found, topic),
        _unclean_election(found, topic),
        _waiting_partitions(found, topic),
    )
    return tuple(text for text in texts if text)


def _too_few_copies(found: Copies, topic: str) -> str:
    possible = min(COPIES, found.brokers)
    has = "one copy" if found.fewest_copies == 1 else f"{found.fewest_copies} copies"
    if found.fewest_copies < possible:
        return (
            f"the topic {topic} has {has} although {found.brokers} brokers allow {possible}: "
            f"losing {'a broker' if found.fewest_copies == 1 else f'{found.fewest_copies} brokers'} "
            f"loses acknowledged frames.\n  {_more_copies(possible, topic)}"
        )
    if found.fewest_copies == 1:
        return (
            f"the topic {topic} has one copy, on the only broker: if that broker is lost, so are the queued "
            f"messages. {COPIES} brokers would keep {COPIES} copies"
        )
    return ""


def _one_in_sync(found: Copies, topic: str) -> str:
    if found.fewest_copies < 2 or found.min_in_sync != 1:
        return ""
    price = ""
    if found.fewest_copies == 2:
        price = (
            ". With two copies, no frame is accepted while either broker is down; with three, one may be down"
        )
    return (
        f"acks=all may mean one copy: {_MIN_IN_SYNC} of the topic {topic} is 1, so a frame may be "
        f"acknowledged while only one broker has it.\n"
        f"  {_set(topic, _MIN_IN_SYNC, str(MIN_IN_SYNC))}{price}"
    )


def _unclean_election(found: Copies, topic: str) -> str:
    if not found.unclean_election:
        return ""
    return (
        f"{_UNCLEAN} is on for the topic {topic}: a broker that missed acknowledged frames may become "
        f"the leader, and those frames are lost.\n  {_set(topic, _UNCLEAN, 'false')}"
    )


def _waiting_partitions(found: Copies, topic: str) -> str:
    if not found.waiting:
        return ""
    return (
        f"{found.waiting} of {found.partitions} partitions of the topic {topic} accept no frames now: "
        "too few copies are in sync, or there is no leader. Senders get 503 until the brokers are back"
    )


def _more_copies(copies: int, topic: str) -> str:
    name = PLATFORM_TOPIC if topic.endswith(PLATFORM_TOPIC) else TOPIC
    # Heroku's command line adds the prefix by itself. The other command needs a plan of all
    # partitions, which only the operator's broker ids can make.
    return (
        f"heroku kafka:topics:replication-factor {name} {copies} -a APP\n"
        "  elsewhere: kafka-reassign-partitions.sh --bootstrap-server BROKER:9092 "
        '--reassignment-json-file copies.json --execute (docs/plain-host.md, "Apache Kafka", makes the file)'
    )


def _set(topic: str, name: str, value: str) -> str:
    return (
        "kafka-configs.sh --bootstrap-server BROKER:9092 --alter "
        f"--entity-type topics --entity-name {topic} --add-config {name}={value}"
    )
