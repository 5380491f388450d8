"""Logs rejected frames: at most one line a second per cause, because there are many senders."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable

log = logging.getLogger(__name__)

LOG_EVERY_S = 1.0

CAUSES_MAX = 8
"""Lines a second, however many reasons a sender provokes, plus the first line of each status."""


class RejectionLog:
    """Thread-safe; the next line of a status says how many of it were suppressed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._logged_until_s = float("-inf")
        self._logged: set[tuple[int, str]] = set()
        self._suppressed: Counter[int] = Counter()

    def record(self, status: int, reason: str, frame_id: str, request_id: str) -> None:
        """`reason` must not contain a secret. The ids come from the sender; the formatter quotes them."""
        with self._lock:
            if not self._is_due(status, reason):
                self._suppressed[status] += 1
                return
            suppressed = self._suppressed.pop(status, 0)
        log.warning(
            "frame rejected: status=%d frame=%s request_id=%s suppressed=%d reason=%s",
            status,
            frame_id[:128],
            request_id[:200],
            suppressed,
            reason,
        )

    def _is_due(self, status: int, reason: str) -> bool:
        """Whether this cause has not been logged yet in this second; notes it."""
        now_s = self._clock()
        if now_s >= self._logged_until_s:
            self._logged_until_s = now_s + LOG_EVERY_S
            self._logged.clear()
        if (status, reason) in self._logged:
            return False
        # Many reasons of one status must not hide that there is another.
        if len(self._logged) >= CAUSES_MAX and any(
            logged_status == status for logged_status, _ in self._logged
        ):
            return False
        self._logged.add((status, reason))
        return True
