"""The circuit breaker: a target that fails in a row is left alone for a while."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

FAILURES_IN_A_ROW = 20
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0


class Permit:
    """A request's leave to go."""

    __slots__ = ()


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
        self._probe: Permit | None = None
        self.has_opened = False
        """Once or more, up to now."""

    @property
    def is_open(self) -> bool:
        return self._open_until_s is not None

    def allows(self) -> Permit | None:
        """A pass for a request that may go now, to be given back with `record`; None: it may not."""
        with self._lock:
            if self._open_until_s is None:
                return Permit()
            if self._probe is not None or self._clock() < self._open_until_s:
                return None
            self._probe = Permit()
            return self._probe

    def record(self, given: Permit, succeeded: bool) -> None:
        """Notes how the request with this pass went."""
        with self._lock:
            is_probe = given is self._probe
            if is_probe:
                self._probe = None
            if succeeded:
                self._failures = 0
                self._open_until_s = None
                self._pause_s = FIRST_PAUSE_S
                return
            self._failures += 1
            if is_probe:
                self._pause_s = min(LONGEST_PAUSE_S, self._pause_s * 2)
            elif self.is_open or self._failures < FAILURES_IN_A_ROW:
                return  # Those that were under way when it opened say nothing new.
            self._open_until_s = self._clock() + self._pause_s * (0.5 + self._jitter() / 2)
            self.has_opened = True
