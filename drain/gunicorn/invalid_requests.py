"""gunicorn's line for each request that is not HTTP: one a second, because anyone can provoke it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

BEGINNING = "Invalid request from ip="
SAY_EVERY_S = 1.0
SAID_MAX = 300
"""Characters: a request line of 8 KB is in it as it came."""


class InvalidRequests(logging.Filter):
    """Thread-safe; how many were passed over in silence stands in the next line."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._due_s = float("-inf")
        self._suppressed = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """True for a line to write."""
        text = record.getMessage()
        if not text.startswith(BEGINNING):
            return True
        now_s = self._clock()
        with self._lock:
            if now_s < self._due_s:
                self._suppressed += 1
                return False
            suppressed, self._suppressed = self._suppressed, 0
            self._due_s = now_s + SAY_EVERY_S
        record.msg, record.args = "%s suppressed=%d", (text[:SAID_MAX], suppressed)
        return True
