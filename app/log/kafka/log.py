"""KafkaLog: the log on Apache Kafka as one object, by the client library that KAFKA_CLIENT names.

A library is imported where it is chosen: a process with KAFKA_CLIENT=confluent loads no kafka-python,
and one that neither reads nor writes loads none.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import redis

from app.errors import TailraceError
from app.log.interface import PLATFORM_TOPIC, READ_TIMEOUT_S, TOPIC, Ensured, Start
from app.log.kafka.clients import Client, TopicMissing
from app.log.kafka.connection import topic_name
from app.log.kafka.history import KafkaHistory
from app.log.kafka.reader import KafkaReader
from app.log.kafka.writer import KafkaWriter
from app.log.redis_share import META, in_redis
from app.log_status import GroupPosition, LogAdvice, LogStatus
from app.redis_client import connect
from app.settings import Settings
from app.store import keys, replies

log = logging.getLogger(__name__)


class KafkaLog:
    """See `MessageLog`."""

    advice = LogAdvice(
        keep_longer="raise the topic's retention",
        take_less="",
        reconnect="Fix Kafka, or its address in `KAFKA_URL`; the worker logs the cause.",
    )

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def _client(self) -> Client:
        if self._settings.kafka_client == "confluent":
            try:
                import confluent_kafka  # noqa: F401
            except ImportError:
                raise TailraceError(
                    "KAFKA_CLIENT=confluent needs the optional client: pip install -r requirements-fast.txt"
                ) from None
            from app.log.kafka import confluent

            return confluent
        from app.log.kafka import kafka_python

        return kafka_python

    def writer(self) -> KafkaWriter:
        return KafkaWriter(self._client().open_producer(self._settings))

    def reader(
        self, group: str, start: Start, *, rewind_to_store: bool, reads_platform: bool = False
    ) -> KafkaReader:
        """Raises LogUnavailable where no broker answers, TopicMissing where the topic cannot be made. A
        missing `platform` is only logged: router lines are read without it, and what the platform says from
        the time it is there."""
        client = self._client()
        client.ensure_topic(self._settings, READ_TIMEOUT_S)
        if reads_platform:
            try:
                client.ensure_topic(self._settings, READ_TIMEOUT_S, topic=PLATFORM_TOPIC)
            except TopicMissing as fault:
                log.warning("releases, dynos and add-ons are not read: %s", fault)
        consumer = client.open_consumer(self._settings, group, reads_platform=reads_platform)
        store = connect(self._settings, connections=1, timeout_s=READ_TIMEOUT_S)
        return KafkaReader(consumer, store, group, start, rewind_to_store=rewind_to_store)

    def history(self, store: redis.Redis | None = None) -> KafkaHistory:
        return KafkaHistory(self._client().open_consumer(self._settings, ""))

    def ensure(self, groups: Sequence[str], timeout_s: float) -> Ensured:
        """Makes the topics that are absent, and looks at their groups and at how many copies the brokers
        keep."""
        from app.log.kafka import copies as kafka_copies
        from app.log.kafka.topic import ensure_topics, find_copies

        topics = (TOPIC, PLATFORM_TOPIC)
        states = ensure_topics(self._settings, timeout_s, topics, groups)
        texts: list[str] = []
        warnings: list[str] = []
        for topic, state in states.items():
            name = topic_name(self._settings, topic)
            text = f"Kafka topic {name} {state}"
            copies = find_copies(self._settings, timeout_s, topic=topic)
            if copies is not None:
                kafka_copies.require_writable(copies, name)
                text += f", {kafka_copies.summary(copies)}"
                # A warning without a fix of its own concerns both topics alike: it is given once.
                known = {text.replace(topic_name(self._settings), name) for text in warnings}
                found = kafka_copies.copy_warnings(copies, name)
                warnings += [text for text in found if text not in known or "\n" in text]
            texts.append(text)
        return Ensured("; ".join(texts), tuple(warnings))

    def status(self, store: redis.Redis, groups: Sequence[str]) -> LogStatus:
        """Losses are in the groups' totals, where the claims count them. Only the members of a group know how
        far it is behind. An earlier log in Redis may still exist and take memory."""
        pipeline = store.pipeline(transaction=False)
        pipeline.hgetall(META)
        for group in groups:
            pipeline.hget(keys.group(group), "lost")
        meta, *lost = pipeline.execute()
        positions = {
            group: GroupPosition(lost=replies.number(count))
            for group, count in zip(groups, lost, strict=True)
        }
        return LogStatus(None, positions, in_redis(replies.counts(meta), limit_bytes=None))
