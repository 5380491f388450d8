"""How to reach the brokers: names with their prefix, and the settings as each client library wants them.

It loads neither library.
"""

from __future__ import annotations

import ssl
from typing import Any

from app.log.interface import PLATFORM_TOPIC, TOPIC
from app.settings import Settings, pem

DELIVERY_MS = 4_000
BATCH_BYTES = 262_144
MAX_REQUEST_BYTES = 1_000_000
"""Under the brokers' own default of 1,048,588 bytes (`message.max.bytes`)."""

FETCH_BYTES = 262_144
"""Of one partition at a time: a worker that is behind then gets the same minutes of all partitions,
and what it counts falls into few time windows."""

ANSWER_MS = 3_000
"""How long a consumer waits for one answer; SIGTERM leaves a worker 10 s."""


PARTITIONS = 32
"""Of `router`."""
PLATFORM_PARTITIONS = 8
"""What the platform says is about a hundredth of all lines, so one reader keeps up with it; eight let as many
share it where every line is the platform's."""

PLATFORM_PLACES = 1_000_000
"""Readers know a partition by one number, in Redis too: of `router` it is the partition's own; partition 3 of
`platform` is 1,000,003. Versions that read `router` alone leave those where they are."""


def topic_name(settings: Settings, topic: str = TOPIC) -> str:
    """The topic with the prefix of multi-tenant plans."""
    return settings.kafka_prefix + topic


class Places:
    """Partitions of both topics as numbers, and back."""

    def __init__(self, settings: Settings) -> None:
        self._topics = (topic_name(settings), topic_name(settings, PLATFORM_TOPIC))

    def number(self, topic: str, partition: int) -> int:
        """`topic` with its prefix."""
        return partition + (PLATFORM_PLACES if topic == self._topics[1] else 0)

    def topic_and_partition(self, number: int) -> tuple[str, int]:
        return self._topics[number // PLATFORM_PLACES], number % PLATFORM_PLACES


def is_of_platform(place: int) -> bool:
    """Whether a number is that of a partition of `platform`."""
    return place >= PLATFORM_PLACES


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
