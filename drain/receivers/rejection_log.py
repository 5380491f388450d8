"""A line in the log for a rejected frame: one a second for each cause, because there are many senders."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable

log = logging.getLogger(__name__)

SAY_EVERY_S = 1.0

CAUSES_MAX = 8
"""Lines a second, however many reasons a sender provokes; only the first of a status comes on top."""


class RejectionLog:
    """Thread-safe; how many of a status were passed over in silence stands in its next line."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._said_until_s = float("-inf")
        self._said: set[tuple[int, str]] = set()
        self._unsaid: Counter[int] = Counter()

    def record(self, status: int, reason: str, frame_id: str, request_id: str) -> None:
        """`reason` must hold no secret. The ids are the sender's words, quoted by the formatter."""
        with self._lock:
            if not self._is_news(status, reason):
                self._unsaid[status] += 1
                return
            suppressed = self._unsaid.pop(status, 0)
        log.warning(
            "frame rejected: status=%d frame=%s request_id=%s suppressed=%d reason=%s",
            status,
            frame_id[:128],
            request_id[:200],
            suppressed,
            reason,
        )

    def _is_news(self, status: int, reason: str) -> bool:
        """Whether this cause was not said yet in this second; notes it."""
        now_s = self._clock()
        if now_s >= self._said_until_s:
            self._said_until_s = now_s + SAY_EVERY_S
            self._said.clear()
        if (status, reason) in self._said:
            return False
        # Many reasons of one status must not hide that there is another.
        if len(self._said) >= CAUSES_MAX and any(said == status for said, _ in self._said):
            return False
        self._said.add((status, reason))
        return True
