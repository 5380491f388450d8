"""Topics as an operator makes and changes them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from servers.kafka_broker import KafkaBroker, KafkaCluster

Brokers = KafkaBroker | KafkaCluster


@contextlib.contextmanager
def administered(brokers: Brokers) -> Iterator[KafkaAdminClient]:
    """A client that may do everything."""
    admin = brokers.admin()
    try:
        yield admin
    finally:
        admin.close()


def make(brokers: Brokers, topic: str, copies: int, **configs: str) -> None:
    """A topic of four partitions; `_` in a setting's name stands for a dot."""
    options = {"num_partitions": 4, "replication_factor": copies, "configs": _dotted(configs)}
    with administered(brokers) as admin:
        admin.create_topics({topic: options}, wait_for_metadata=True)


def configure(brokers: Brokers, topic: str, **configs: str) -> None:
    with administered(brokers) as admin:
        done = admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, _dotted(configs))])
    assert done == {"topic": {topic: "OK"}}


def _dotted(configs: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "."): value for name, value in configs.items()}
