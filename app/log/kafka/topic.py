"""The topics and their groups: created where that is allowed, checked before anything runs.

With kafka-python's admin client, whichever client carries the messages: librdkafka shows neither the
brokers' versions nor which are fenced. So a process with KAFKA_CLIENT=confluent loads this module, and
kafka-python with it, only in `release` and where the topic is missing (see log.py).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from kafka import KafkaAdminClient
from kafka.errors import (
    AuthorizationError,
    InvalidConfigurationError,
    InvalidReplicationFactorError,
    KafkaError,
    PolicyViolationError,
    TopicAlreadyExistsError,
)

from app.errors import LogUnavailable, TailraceError
from app.groups import log_group_names
from app.log.interface import PLATFORM_TOPIC, TOPIC
from app.log.kafka.clients import TopicMissing
from app.log.kafka.connection import PARTITIONS, PLATFORM_PARTITIONS, group_name, python_config, topic_name
from app.log.kafka.copies import (
    COPIES,
    MIN_IN_SYNC,
    Copies,
    describe_copies,
    live_brokers,
    topic_options,
)
from app.log.kafka.kafka_python_connect import connected, is_passing
from app.log.kafka.reach import no_broker_error
from app.settings import Settings

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")
ASK_AGAIN_S = 0.2
SIZES = {TOPIC: PARTITIONS, PLATFORM_TOPIC: PLATFORM_PARTITIONS}
"""Partitions of each topic."""

__all__ = ["GroupRefused", "TopicMissing", "ensure_topic", "ensure_topics", "find_copies"]


class GroupRefused(TailraceError):
    """This client may not use the consumer group; says which command creates it."""


def ensure_topic(
    settings: Settings, timeout_s: float, groups: Sequence[str] = (), *, topic: str = TOPIC
) -> str:
    """`ensure_topics` for one."""
    return ensure_topics(settings, timeout_s, [topic], groups)[topic]


def ensure_topics(
    settings: Settings, timeout_s: float, topics: Sequence[str], groups: Sequence[str] = ()
) -> dict[str, str]:
    """Makes the topics that are absent; `created` or `present` of each. Checks that the groups may be used.

    Raises TopicMissing and GroupRefused where the plan lets no app make topics and groups,
    LogUnavailable where no broker answers, with the reason.
    """

    def ensured(admin: KafkaAdminClient) -> dict[str, str]:
        known = set(admin.list_topics())
        missing = [topic for topic in topics if topic_name(settings, topic) not in known]
        refused = {topic: fault for topic in missing if (fault := _make(admin, settings, topic))}
        if refused:
            raise TopicMissing(missing_topics_text(settings, list(refused), next(iter(refused.values()))))
        for group in groups:
            _check_group(admin, settings, group)
        return {topic: "created" if topic in missing else "present" for topic in topics}

    return _answer(settings, timeout_s, ensured)


def find_copies(settings: Settings, timeout_s: float, *, topic: str = TOPIC) -> Copies | None:
    """The copies of a topic that is there; None where the brokers do not show them.

    Raises LogUnavailable.
    """
    return _answer(settings, timeout_s, lambda admin: describe_copies(admin, topic_name(settings, topic)))


def _answer(settings: Settings, timeout_s: float, question: Callable[[KafkaAdminClient], Answer]) -> Answer:
    """The answer to the question, retried on a fresh connection until time is up."""
    deadline = time.monotonic() + timeout_s
    while True:
        admin = _connected(settings, timeout_s)
        try:
            return question(admin)
        except KafkaError as fault:
            if not is_passing(fault) or time.monotonic() > deadline:
                kind = type(fault).__name__
                raise LogUnavailable(
                    f"Kafka did not describe the topic {topic_name(settings)}: {kind}"
                ) from fault
        finally:
            admin.close()
        time.sleep(ASK_AGAIN_S)


def _connected(settings: Settings, timeout_s: float) -> KafkaAdminClient:
    limit_ms = int(timeout_s * 1000)
    try:
        limits = {"request_timeout_ms": limit_ms, "bootstrap_timeout_ms": limit_ms}
        return connected(KafkaAdminClient, {**python_config(settings), **limits})
    except KafkaError as fault:
        raise no_broker_error(settings, type(fault).__name__) from fault


_REFUSALS = (
    AuthorizationError,
    PolicyViolationError,
    InvalidReplicationFactorError,
    InvalidConfigurationError,
)


def _make(admin: KafkaAdminClient, settings: Settings, topic: str) -> KafkaError | None:
    """Makes a topic; why it may not be made, or nothing."""
    wanted = topic_options(len(live_brokers(admin)), SIZES[topic])
    try:
        try:
            _create(admin, settings, topic, wanted)
        except (PolicyViolationError, InvalidReplicationFactorError, InvalidConfigurationError) as fault:
            # Some clusters choose the copies themselves and refuse whoever names a number.
            log.debug("the topic is created with the brokers' defaults: %s", type(fault).__name__)
            _create(admin, settings, topic, {"num_partitions": SIZES[topic]})
    except TopicAlreadyExistsError:
        return None
    except _REFUSALS as fault:
        return fault
    return None


def _create(admin: KafkaAdminClient, settings: Settings, topic: str, options: dict[str, Any]) -> None:
    name = topic_name(settings, topic)
    admin.create_topics({name: options}, wait_for_metadata=True)
    copies = options.get("replication_factor", "default")
    log.info("created the topic: topic=%s partitions=%d copies=%s", name, SIZES[topic], copies)


def _check_group(admin: KafkaAdminClient, settings: Settings, group: str) -> None:
    try:
        admin.list_group_offsets({group_name(settings, group): None})
    except AuthorizationError:
        raise GroupRefused(
            f"the consumer group {group_name(settings, group)} may not be used. On Heroku, run:\n"
            f"  {_GROUP_COMMAND.format(group=group)}"
        ) from None
    except KafkaError as fault:
        # This says nothing about permission: a fresh cluster, say, creates its coordinators on first use.
        log.debug("no answer about the group: %s", type(fault).__name__)


_GROUP_COMMAND = "heroku kafka:consumer-groups:create {group} -a APP"


def missing_topics_text(settings: Settings, topics: Sequence[str], fault: KafkaError) -> str:
    """What an operator does where only the platform makes topics and groups.

    The names in Heroku's commands go without KAFKA_PREFIX: its command line adds it. Its clusters
    have three brokers or more, and keep three copies or more (Heroku Dev Center, "Managing Apache
    Kafka on Heroku"). Only its multi-tenant plans, which set the prefix, have groups made by command
    (Heroku Dev Center, "Multi-Tenant Apache Kafka on Heroku").
    """
    names = " and ".join(topic_name(settings, topic) for topic in topics)
    partitions = " and ".join(str(SIZES[topic]) for topic in topics)
    sizes = {topic: f"--partitions {SIZES[topic]} --replication-factor {COPIES}" for topic in topics}
    is_one = len(topics) == 1
    them = "it" if is_one else "them"
    commands = [f"heroku kafka:topics:create {topic} {sizes[topic]} -a APP" for topic in topics]
    if settings.kafka_prefix and TOPIC in topics:
        commands += [_GROUP_COMMAND.format(group=group) for group in log_group_names()]
    return "\n  ".join(
        (
            f"the {f'topic {names} is' if is_one else f'topics {names} are'} missing, "
            f"and apps may not create {them} ({type(fault).__name__}). "
            f"Create {them} with {partitions} partitions and {COPIES} copies; on Heroku, run:",
            *commands,
            *(
                "elsewhere: kafka-topics.sh --bootstrap-server BROKER:9092 --create "
                f"--topic {topic_name(settings, topic)} {size} --config min.insync.replicas={MIN_IN_SYNC}"
                for topic, size in sizes.items()
            ),
        )
    )
