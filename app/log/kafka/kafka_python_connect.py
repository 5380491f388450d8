"""Creates clients of kafka-python, and leaves nothing behind if that fails; which of its faults pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from kafka.errors import KafkaError, UnknownBrokerIdError
from kafka.net.compat import KafkaNetClient

Client = TypeVar("Client")


def connected(kind: Callable[..., Client], config: Mapping[str, Any]) -> Client:
    """`kind(**config)`. Raises what that raises.

    If no broker answers, kafka-python 3.0 leaves the client's network thread running, so each retry would
    add one.
    """
    networks: list[Any] = []

    def network(**options: Any) -> Any:
        networks.append(KafkaNetClient(**options))
        return networks[-1]

    try:
        return kind(**config, kafka_client=network)
    except BaseException:
        for made in networks:
            made.close()
        raise


def is_passing(fault: KafkaError) -> bool:
    """Whether the same question may be answered a moment later, on a fresh connection.

    For some seconds the other brokers still name one that has died, and kafka-python may choose it; or they
    name as their controller one that has just started, and not yet where it is.
    """
    return bool(fault.retriable) or isinstance(fault, UnknownBrokerIdError)
