"""Appends frames to the topic; the client library is behind `Producer` of clients.py."""

from __future__ import annotations

from collections.abc import Sequence

from app.log.interface import Appended, RecordEvents
from app.log.kafka.clients import Producer


class KafkaWriter:
    """Appends frames; Kafka keeps a retried frame twice, and its readers leave the second out."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer

    def append(
        self,
        frame_id: str,
        values: Sequence[bytes],
        timeout_s: float,
        record_events: RecordEvents | None = None,
        platform: Sequence[bytes] = (),
    ) -> Appended:
        if values:
            self._producer.send_all(frame_id.encode(), values, timeout_s)
        if record_events:
            # REDIS_LOG_REPLICAS and REDIS_LOG_FSYNC concern the log in Redis: there is nothing to wait for.
            record_events()
        return Appended(len(values))

    def check(self, timeout_s: float) -> None:
        self._producer.check(timeout_s)

    def close(self) -> None:
        self._producer.close()
