"""Appends frames to the topics; the client library is behind `Producer` of clients.py.

Both topics are written at the same time, and a frame is acknowledged once both have it. A drain that dies in
between has acknowledged nothing: the frame comes again, and readers leave out what they have.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

from app.errors import NotDurable
from app.log.interface import PLATFORM_TOPIC, Appended, RecordEvents
from app.log.kafka.clients import Producer

log = logging.getLogger(__name__)

ASK_AGAIN_S = 30.0
"""How often a topic `platform` that is missing is asked for."""


class KafkaWriter:
    """Appends frames; Kafka keeps a retried frame twice, and its readers leave the second out."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._lock = threading.Lock()
        self._has_platform = False
        self._ask_at_s = float("-inf")

    def append(
        self,
        frame_id: str,
        values: Sequence[bytes],
        timeout_s: float,
        record_events: RecordEvents | None = None,
        platform: Sequence[bytes] = (),
    ) -> Appended:
        """See `Writer.append`. Without a topic `platform`, as after an upgrade where only the platform makes
        topics, its messages are left out: a frame that is refused again and again would be lost, with its
        router lines."""
        deadline_s = time.monotonic() + timeout_s
        if platform and not self._can_write_platform(timeout_s):
            platform = ()
        if values or platform:
            try:
                left_s = deadline_s - time.monotonic()
                self._producer.send_all(frame_id.encode(), values, left_s, platform)
            except NotDurable:
                if platform:
                    self._has_platform = False  # It may have been removed.
                raise
        if record_events:
            # REDIS_LOG_REPLICAS and REDIS_LOG_FSYNC concern the log in Redis: there is nothing to wait for.
            record_events()
        return Appended(len(values), platform=len(platform))

    def _can_write_platform(self, timeout_s: float) -> bool:
        """Raises NotDurable where no broker says it in time."""
        if self._has_platform:
            return True
        if not self._lock.acquire(timeout=timeout_s):
            raise NotDurable("no Kafka broker answers: another thread waits for one")
        try:
            if not self._has_platform and time.monotonic() >= self._ask_at_s:
                self._has_platform = self._producer.has_topic(PLATFORM_TOPIC, timeout_s)
                if not self._has_platform:
                    self._ask_at_s = time.monotonic() + ASK_AGAIN_S
                    log.error(
                        "the topic %s is missing: releases and dynos are not kept, router lines are. "
                        "Fix: python -m app release",
                        PLATFORM_TOPIC,
                    )
            return self._has_platform
        finally:
            self._lock.release()

    def check(self, timeout_s: float) -> None:
        self._producer.check(timeout_s)

    def close(self) -> None:
        self._producer.close()
