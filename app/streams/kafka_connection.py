"""How to reach the brokers: the settings as each client library wants them, and the topic itself."""

from __future__ import annotations

import logging
import os
import ssl
import tempfile
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import AuthorizationError, KafkaError, PolicyViolationError, TopicAlreadyExistsError

from app.config import Settings
from app.errors import LogUnavailable, TailraceError
from app.streams.interface import PARTITIONS, TOPIC

log = logging.getLogger(__name__)


class TopicMissing(TailraceError):
    """The topic is not there and may not be made from here; says which command makes it."""


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
    """TLS 1.2 or newer, the chain always checked. Raises TailraceError for text that is no PEM."""
    try:
        context = ssl.create_default_context(cadata=settings.kafka_trusted_cert or None)
    except (ssl.SSLError, ValueError):
        raise TailraceError("KAFKA_TRUSTED_CERT is not a certificate in PEM") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = checks_host_name(settings)
    if settings.kafka_client_cert:
        _load_client_certificate(context, settings)
    return context


def _load_client_certificate(context: ssl.SSLContext, settings: Settings) -> None:
    """Python's ssl reads certificates from files alone: one that only we can read, for a moment."""
    descriptor, path = tempfile.mkstemp(prefix="tailrace-", suffix=".pem")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(
                settings.kafka_client_cert.strip() + "\n" + settings.kafka_client_cert_key.strip() + "\n"
            )
        context.load_cert_chain(path)
    except ssl.SSLError:
        raise TailraceError("KAFKA_CLIENT_CERT and KAFKA_CLIENT_CERT_KEY are no pair in PEM") from None
    finally:
        os.unlink(path)


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
        "log_level": 3,
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


def ensure_topic(settings: Settings, timeout_s: float) -> str:
    """Makes the topic if absent; `created` or `present`.

    Raises TopicMissing where the plan lets no app make topics, LogUnavailable where no broker
    answers.
    """
    topic = topic_name(settings)
    try:
        admin = KafkaAdminClient(
            **python_config(settings),
            request_timeout_ms=int(timeout_s * 1000),
            bootstrap_timeout_ms=int(timeout_s * 1000),
        )
    except KafkaError as fault:
        raise LogUnavailable(f"no Kafka broker answers: {type(fault).__name__}") from fault
    try:
        if topic in admin.list_topics():
            return "present"
        admin.create_topics({topic: {"num_partitions": PARTITIONS}}, wait_for_metadata=True)
        log.info("made the topic: topic=%s partitions=%d", topic, PARTITIONS)
    except TopicAlreadyExistsError:
        return "present"
    except (AuthorizationError, PolicyViolationError):
        raise TopicMissing(missing_topic_text(settings)) from None
    except KafkaError as fault:
        raise LogUnavailable(f"Kafka has not made the topic {topic}: {type(fault).__name__}") from fault
    finally:
        admin.close()
    return "created"


def missing_topic_text(settings: Settings) -> str:
    """What an operator does where only the platform makes topics and groups.

    The names in the command go without KAFKA_PREFIX: Heroku's command line adds it.
    """
    return (
        f"the topic {topic_name(settings)} is missing and this plan lets no app make it. Run:\n"
        f"  heroku kafka:topics:create {TOPIC} --partitions {PARTITIONS} -a APP\n"
        "  heroku kafka:consumer-groups:create metrics -a APP\n"
        "  heroku kafka:consumer-groups:create replay -a APP"
    )
