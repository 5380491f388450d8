"""The circuit breaker: a target that fails in a row is left alone for a while."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

FAILURES_IN_A_ROW = 20
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0


class Breaker:
    """Thread-safe. Open: nothing goes; then one request is let through, and decides."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, jitter: Callable[[], float] = random.random
    ) -> None:
        self._clock = clock
        self._jitter = jitter
        self._lock = threading.Lock()
        self._failures = 0
        self._pause_s = FIRST_PAUSE_S
        self._open_until_s: float | None = None
        self._probing = False
        self.has_opened = False
        """Once or more, up to now."""

    @property
    def is_open(self) -> bool:
        return self._open_until_s is not None

    def allows(self) -> bool:
        """Whether a request may go now. One that may must be followed by `record`."""
        with self._lock:
            if self._open_until_s is None:
                return True
            if self._probing or self._clock() < self._open_until_s:
                return False
            self._probing = True
            return True

    def record(self, succeeded: bool) -> bool:
        """Notes how a request went; True when this opened the breaker."""
        with self._lock:
            was_probe, self._probing = self._probing and self.is_open, False
            if succeeded:
                self._failures = 0
                self._open_until_s = None
                self._pause_s = FIRST_PAUSE_S
                return False
            self._failures += 1
            if was_probe:
                self._pause_s = min(LONGEST_PAUSE_S, self._pause_s * 2)
            elif self.is_open or self._failures < FAILURES_IN_A_ROW:
                return False
            self._open_until_s = self._clock() + self._pause_s * (0.5 + self._jitter() / 2)
            self.has_opened = True
            return not was_probe
