"""How to reach the brokers: the settings as each client library wants them, and the topic itself."""

from __future__ import annotations

import logging
import ssl
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
from app.log.interface import PARTITIONS, TOPIC
from app.log.kafka.client import connected
from app.log.kafka.copies import COPIES, MIN_IN_SYNC, Copies, live_brokers, look, topic_options
from app.log.kafka.reach import why_unreachable
from app.settings import Settings, pem

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")
ASK_AGAIN_S = 0.2


class TopicMissing(TailraceError):
    """The topic is not there and may not be made from here; says which command makes it."""


class GroupRefused(TailraceError):
    """The brokers know no such consumer group for this client; says which command makes it."""


def topic_name(settings: Settings) -> str:
    """The topic with the prefix of multi-tenant plans."""
    return settings.kafka_prefix + TOPIC


def group_name(settings: Settings, group: str) -> str:
    """A consumer group's name at the brokers; in Redis it goes without the prefix."""
    return settings.kafka_prefix + group


def security_protocol(settings: Settings) -> str:
    if settings.kafka_sasl_mechanism:
        return "SASL_SSL" if settings.kafka_over_tls else "SASL_PLAINTEXT"
    return "SSL" if settings.kafka_over_tls else "PLAINTEXT"


def checks_host_name(settings: Settings) -> bool:
    """Off only for brokers as Heroku's add-on runs them: certificates of the add-on's own
    authority, which do not name the host, and client certificates in the environment
    (Heroku Dev Center, "Apache Kafka on Heroku: Connecting to a Kafka cluster")."""
    return not (settings.kafka_trusted_cert and settings.kafka_client_cert)


def ssl_context(settings: Settings) -> ssl.SSLContext:
    """TLS 1.2 or newer, the chain always checked. The settings were checked to hold PEM text."""
    context = ssl.create_default_context(cadata=settings.kafka_trusted_cert or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = checks_host_name(settings)
    if settings.kafka_client_cert:
        pem.load_pair(context, settings.kafka_client_cert, settings.kafka_client_cert_key)
    return context


def python_config(settings: Settings) -> dict[str, Any]:
    """Connection settings of kafka-python (3.x)."""
    config: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_servers,
        "client_id": "tailrace",
        "security_protocol": security_protocol(settings),
        "reconnect_backoff_max_ms": 2000,
    }
    if settings.kafka_over_tls:
        config["ssl_context"] = ssl_context(settings)
    if settings.kafka_sasl_mechanism:
        config["sasl_mechanism"] = settings.kafka_sasl_mechanism
        config["sasl_plain_username"] = settings.kafka_sasl_username
        config["sasl_plain_password"] = settings.kafka_sasl_password
    return config


def confluent_config(settings: Settings) -> dict[str, Any]:
    """Connection settings of librdkafka."""
    config: dict[str, Any] = {
        "bootstrap.servers": ",".join(settings.kafka_servers),
        "client.id": "tailrace",
        "security.protocol": security_protocol(settings),
        "reconnect.backoff.max.ms": 2000,
        # librdkafka would print each failed attempt, some 20 a second; ours says it once a minute.
        "log_level": 2,
    }
    if settings.kafka_over_tls:
        if not checks_host_name(settings):
            config["ssl.endpoint.identification.algorithm"] = "none"
        if settings.kafka_trusted_cert:
            config["ssl.ca.pem"] = settings.kafka_trusted_cert
        if settings.kafka_client_cert:
            config["ssl.certificate.pem"] = settings.kafka_client_cert
            config["ssl.key.pem"] = settings.kafka_client_cert_key
    if settings.kafka_sasl_mechanism:
        config["sasl.mechanism"] = settings.kafka_sasl_mechanism
        config["sasl.username"] = settings.kafka_sasl_username
        config["sasl.password"] = settings.kafka_sasl_password
    return config


def ensure_topic(settings: Settings, timeout_s: float, groups: Sequence[str] = ()) -> str:
    """Makes the topic if absent; `created` or `present`. Checks that the groups may be used.

    Raises TopicMissing and GroupRefused where the plan lets no app make topics and groups,
    LogUnavailable where no broker answers, with the reason.
    """

    def ensured(admin: KafkaAdminClient) -> str:
        is_there = topic_name(settings) in admin.list_topics()
        if not is_there:
            _make(admin, settings)
        for group in groups:
            _check_group(admin, settings, group)
        return "present" if is_there else "created"

    return _answer(settings, timeout_s, ensured)


def find_copies(settings: Settings, timeout_s: float) -> Copies | None:
    """The copies of a topic that is there; None where the brokers do not show them.

    Raises LogUnavailable.
    """
    return _answer(settings, timeout_s, lambda admin: look(admin, topic_name(settings)))


def _answer(settings: Settings, timeout_s: float, question: Callable[[KafkaAdminClient], Answer]) -> Answer:
    """What the question finds out; asked again on a fresh connection until time is up.

    For some seconds the other brokers still name one that has died, and kafka-python may choose it.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        admin = _connected(settings, timeout_s)
        try:
            return question(admin)
        except KafkaError as fault:
            if not fault.retriable or time.monotonic() > deadline:
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
        context = ssl_context(settings) if settings.kafka_over_tls else None
        reason = why_unreachable(settings, context) or type(fault).__name__
        raise LogUnavailable(f"no Kafka broker answers: {reason}") from fault


_REFUSALS = (
    AuthorizationError,
    PolicyViolationError,
    InvalidReplicationFactorError,
    InvalidConfigurationError,
)


def _make(admin: KafkaAdminClient, settings: Settings) -> None:
    wanted = topic_options(len(live_brokers(admin)))
    try:
        try:
            _create(admin, settings, wanted)
        except (PolicyViolationError, InvalidReplicationFactorError, InvalidConfigurationError) as fault:
            # Some clusters choose the copies themselves and refuse whoever names a number.
            log.debug("the topic is created with the brokers' defaults: %s", type(fault).__name__)
            _create(admin, settings, {"num_partitions": PARTITIONS})
    except TopicAlreadyExistsError:
        return
    except _REFUSALS as fault:
        raise TopicMissing(missing_topic_text(settings, fault)) from None


def _create(admin: KafkaAdminClient, settings: Settings, options: dict[str, Any]) -> None:
    topic = topic_name(settings)
    admin.create_topics({topic: options}, wait_for_metadata=True)
    copies = options.get("replication_factor", "default")
    log.info("created the topic: topic=%s partitions=%d copies=%s", topic, PARTITIONS, copies)


def _check_group(admin: KafkaAdminClient, settings: Settings, group: str) -> None:
    try:
        admin.list_group_offsets({group_name(settings, group): None})
    except AuthorizationError:
        raise GroupRefused(
            f"the consumer group {group_name(settings, group)} may not be used. On Heroku, run:\n"
            f"  {_GROUP_COMMAND.format(group=group)}"
        ) from None
    except KafkaError as fault:
        # No word on permission: a fresh cluster, say, makes its coordinators on first use.
        log.debug("no answer about the group: %s", type(fault).__name__)


_GROUP_COMMAND = "heroku kafka:consumer-groups:create {group} -a APP"


def missing_topic_text(settings: Settings, fault: KafkaError) -> str:
    """What an operator does where only the platform makes topics and groups.

    The names in Heroku's commands go without KAFKA_PREFIX: its command line adds it. Its clusters
    have three brokers or more, and keep three copies or more (Heroku Dev Center, "Managing Apache
    Kafka on Heroku"). Only its multi-tenant plans, which set the prefix, have groups made by command
    (Heroku Dev Center, "Multi-Tenant Apache Kafka on Heroku").
    """
    topic = topic_name(settings)
    size = f"--partitions {PARTITIONS} --replication-factor {COPIES}"
    commands = [f"heroku kafka:topics:create {TOPIC} {size} -a APP"]
    if settings.kafka_prefix:
        commands += [_GROUP_COMMAND.format(group=group) for group in ("metrics", "replay")]
    return "\n  ".join(
        (
            f"the topic {topic} is missing, and apps may not create it ({type(fault).__name__}). "
            f"Create it with {PARTITIONS} partitions and {COPIES} copies; on Heroku, run:",
            *commands,
            "elsewhere: kafka-topics.sh --bootstrap-server BROKER:9092 --create "
            f"--topic {topic} {size} --config min.insync.replicas={MIN_IN_SYNC}",
        )
    )
