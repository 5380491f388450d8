"""A background process's status in Redis: that it runs, whether it waits, its lag."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass, field

import redis

from app.log import Lag
from app.store.workers import WorkerStatus, deregister, report_status

log = logging.getLogger(__name__)

STATUS_EVERY_S = 2.0
NO_LAG = Lag(0)


@dataclass(slots=True)
class StatusReporter:
    """Reports one process's status; health and alerts read it (app/store/workers.py)."""

    group: str
    store: redis.Redis
    started_at_ms: int = field(default_factory=lambda: int(time.time() * 1000))
    _reported_at_s: float = float("-inf")

    @property
    def id(self) -> str:
        return f"{self.group}.{os.uname().nodename}.{os.getpid()}"

    def is_due(self) -> bool:
        """True once every STATUS_EVERY_S: the caller then reports."""
        now_s = time.monotonic()
        if now_s - self._reported_at_s < STATUS_EVERY_S:
            return False
        self._reported_at_s = now_s
        return True

    def report(self, *, waits: bool, lag: Lag = NO_LAG, behind_since_ms: int = 0) -> None:
        """Raises redis.RedisError. `behind_since_ms`: when the newest message that was read arrived."""
        now_ms = int(time.time() * 1000)
        # Until it has read something, it has been behind at least since it started.
        behind_ms = now_ms - (behind_since_ms or self.started_at_ms) if lag.messages else 0
        report_status(
            self.store,
            WorkerStatus(
                id=self.id,
                group=self.group,
                at_ms=now_ms,
                lag_messages=lag.messages,
                lag_seconds=max(0, behind_ms) / 1000,
                whole_group=lag.whole_group,
                started_at_ms=self.started_at_ms,
                waits=waits,
            ),
        )

    def deregister(self) -> None:
        """Call at the end; if Redis does not answer, the status expires by itself."""
        try:
            deregister(self.store, self.id)
        except redis.RedisError as fault:
            log.debug("not deregistered: %s", type(fault).__name__)


def is_redis(fault: Exception) -> bool:
    """Whether Redis is what does not answer: then the status cannot be written either."""
    return isinstance(fault, redis.RedisError) or isinstance(fault.__cause__, redis.RedisError)
