"""The message log on Apache Kafka."""

from app.log.kafka.log import KafkaLog

__all__ = ["KafkaLog"]
