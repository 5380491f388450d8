"""Limits gunicorn's log of invalid requests to one line a second, because anyone can provoke it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

BEGINNING = "Invalid request from ip="
LOG_EVERY_S = 1.0
LOGGED_MAX_CHARS = 300
"""gunicorn repeats the request line, which may have 8 KB."""


class InvalidRequests(logging.Filter):
    """Thread-safe; the next line says how many were suppressed."""

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
            self._due_s = now_s + LOG_EVERY_S
        record.msg, record.args = "%s suppressed=%d", (text[:LOGGED_MAX_CHARS], suppressed)
        return True
