"""Waits for something that is unreachable: longer each time, with jitter, and one log line a minute."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from threading import Event

FIRST_DELAY_S = 0.1
MAX_DELAY_S = 5.0
LOG_EVERY_S = 60.0


class Outage:
    """The outages of one thing: call `wait` while one lasts, `resolved` when it ends."""

    def __init__(self, log: logging.Logger, stop: Event, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._stop = stop
        self._clock = clock
        self._since_s: float | None = None
        self._delay_s = FIRST_DELAY_S
        self._logged_at_s = float("-inf")
        self._is_logged = False

    def wait(self, reason: object) -> None:
        """Sleeps for the next delay, or until the process is told to stop."""
        now = self._clock()
        if self._since_s is None:
            self._since_s = now
        if now - self._logged_at_s >= LOG_EVERY_S:
            self._logged_at_s = now
            self._is_logged = True
            self._log.warning("waiting: %s", reason)
        self._stop.wait(self._delay_s * random.uniform(0.5, 1.0))
        self._delay_s = min(MAX_DELAY_S, self._delay_s * 2)

    def resolved(self) -> None:
        """Logs the end of an outage whose start was logged."""
        if self._since_s is None:
            return
        if self._is_logged:
            self._log.info("back after %.1f s", self._clock() - self._since_s)
        self._since_s = None
        self._delay_s = FIRST_DELAY_S
        self._is_logged = False
