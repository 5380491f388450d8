"""Creates clients of kafka-python, and leaves nothing behind if that fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

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
