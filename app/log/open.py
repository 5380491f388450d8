"""Opens the message log that the settings name: the one place that chooses."""

from __future__ import annotations

from app.log.interface import MessageLog
from app.settings import Settings


def open_log(settings: Settings) -> MessageLog:
    """Apache Kafka where KAFKA_URL is set, else Redis Streams. It connects to nothing yet."""
    if settings.kafka_url:
        from app.log.kafka import KafkaLog

        return KafkaLog(settings)
    from app.log.redis import RedisLog

    return RedisLog(settings)
