"""A line in the log for a frame that was not accepted: at most one a second, for senders are many."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

SAY_EVERY_S = 1.0


class Refusals:
    """Thread-safe; how many were passed over in silence stands in the next line."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._silent_until_s = float("-inf")
        self._unsaid = 0

    def say(self, status: int, reason: str, frame_id: str, request_id: str) -> None:
        """`reason` must hold no secret. The ids are the sender's words, quoted by the formatter."""
        with self._lock:
            now_s = self._clock()
            if now_s < self._silent_until_s:
                self._unsaid += 1
                return
            self._silent_until_s = now_s + SAY_EVERY_S
            unsaid, self._unsaid = self._unsaid, 0
        log.warning(
            "a frame was not accepted: status=%d frame=%s request_id=%s unsaid=%d reason=%s",
            status,
            frame_id[:128],
            request_id[:200],
            unsaid,
            reason,
        )
