"""Opens the message log that the settings name: Kafka where KAFKA_URL is set, else Redis Streams.

Client libraries are imported where they are chosen: a process without Kafka does not load one.
"""

from __future__ import annotations

from typing import Literal

from app.errors import TailraceError
from app.log.interface import History, Reader, Writer
from app.redis_client import connect
from app.script_connection import ScriptConnection
from app.settings import Settings

WRITE_TIMEOUT_S = 4.0
"""Logplex gives a request 5 s; the answer that it has failed needs time too."""

READ_TIMEOUT_S = 5.0
"""Of one answer to a consumer, which has 10 s to end when it is told to."""

WRITER_CONNECTIONS = 3
"""To Redis, a process: small plans allow 20 in all, docs/scaling.md has the sum. What waits for
replicas or the disk has a further one (redis_hold.py)."""


def open_writer(settings: Settings) -> Writer:
    """The writer for one process; it connects when it is first used."""
    if not settings.kafka_url:
        from app.log.redis.writer import APPEND_LUA, RedisWriter, open_hold

        # Half of the time to wait for a free connection, the rest for the answer.
        wait_s = WRITE_TIMEOUT_S / 2
        client = connect(settings, connections=1, timeout_s=wait_s)
        line = ScriptConnection(client, APPEND_LUA, WRITER_CONNECTIONS, wait_s)
        hold = open_hold(client, settings.redis_log_replicas, fsync=settings.redis_log_fsync)
        return RedisWriter(client, settings.redis_log_max_mb * 1_000_000, line, hold)
    from app.log.kafka.writer import KafkaWriter

    if settings.kafka_client == "confluent":
        _require_confluent()
        from app.log.kafka.confluent import ConfluentProducer

        return KafkaWriter(ConfluentProducer(settings))
    from app.log.kafka.kafka_python import PythonProducer

    return KafkaWriter(PythonProducer(settings))


def open_reader(
    settings: Settings, *, group: str, start: Literal["earliest", "latest"], rewind_to_store: bool
) -> Reader:
    """A member of `group`; `start` counts only for a group that the log does not know yet.

    `rewind_to_store`: where Redis was restored from an older copy, as when a replica takes over, all that
    came since is read again, for it is not in the figures of that copy. Else the group goes on from
    the offset that Kafka keeps, some seconds old at most: what was sent stays sent. Without Kafka the
    log is as old as the rest of Redis.

    Raises LogUnavailable where no broker answers, TopicMissing where the topic cannot be made.
    """
    client = connect(settings, connections=1, timeout_s=READ_TIMEOUT_S)
    if not settings.kafka_url:
        from app.log.redis.reader import RedisReader

        return RedisReader(client, group, start)
    from app.log.kafka.connection import ensure_topic
    from app.log.kafka.reader import KafkaReader

    ensure_topic(settings, READ_TIMEOUT_S)
    if settings.kafka_client == "confluent":
        _require_confluent()
        from app.log.kafka.confluent import ConfluentConsumer

        return KafkaReader(
            ConfluentConsumer(settings, group), client, group, start, rewind_to_store=rewind_to_store
        )
    from app.log.kafka.kafka_python import PythonConsumer

    return KafkaReader(PythonConsumer(settings, group), client, group, start, rewind_to_store=rewind_to_store)


def open_history(settings: Settings) -> History:
    """The kept log, to read a window of the past. Raises LogUnavailable."""
    if not settings.kafka_url:
        from app.log.redis.history import RedisHistory

        return RedisHistory(connect(settings, connections=1, timeout_s=READ_TIMEOUT_S))
    from app.log.kafka.history import KafkaHistory

    if settings.kafka_client == "confluent":
        _require_confluent()
        from app.log.kafka.confluent import ConfluentConsumer

        return KafkaHistory(ConfluentConsumer(settings, ""))
    from app.log.kafka.kafka_python import PythonConsumer

    return KafkaHistory(PythonConsumer(settings, ""))


def _require_confluent() -> None:
    try:
        import confluent_kafka  # noqa: F401
    except ImportError:
        raise TailraceError(
            "KAFKA_CLIENT=confluent needs the optional client: pip install -r requirements-fast.txt"
        ) from None
