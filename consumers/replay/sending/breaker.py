"""The circuit breaker: a target that fails many times in a row gets no requests for a while."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

FAILURES_IN_A_ROW = 20
FIRST_PAUSE_S = 1.0
PAUSE_MAX_S = 60.0


class Permit:
    """Permission to send one request."""

    __slots__ = ()


class Breaker:
    """Thread-safe. While it is open, no request is sent; after a pause it permits a single one, the
    probe, whose outcome decides whether it closes."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, jitter: Callable[[], float] = random.random
    ) -> None:
        """`clock` gives seconds, `jitter` 0 to 1: the pause is between half of its length and all of it."""
        self._clock = clock
        self._jitter = jitter
        self._lock = threading.Lock()
        self._failures = 0
        self._pause_s = FIRST_PAUSE_S
        self._open_until_s: float | None = None
        self._probe: Permit | None = None
        self.has_opened = False
        """It has opened at least once, even if it is closed again."""

    @property
    def is_open(self) -> bool:
        return self._open_until_s is not None

    def acquire(self) -> Permit | None:
        """A permit to send one request now, which goes to `record` afterwards; None: do not send."""
        with self._lock:
            if self._open_until_s is None:
                return Permit()
            if self._probe is not None or self._clock() < self._open_until_s:
                return None
            self._probe = Permit()
            return self._probe

    def record(self, permit: Permit, succeeded: bool) -> None:
        """Records the outcome of the request that was sent with this permit."""
        with self._lock:
            is_probe = permit is self._probe
            if is_probe:
                self._probe = None
            if succeeded:
                self._failures = 0
                self._open_until_s = None
                self._pause_s = FIRST_PAUSE_S
                return
            self._failures += 1
            if is_probe:
                self._pause_s = min(PAUSE_MAX_S, self._pause_s * 2)
            elif self.is_open or self._failures < FAILURES_IN_A_ROW:
                # Open: this request was under way when it opened, so its failure is nothing new.
                return
            self._open_until_s = self._clock() + self._pause_s * (0.5 + self._jitter() / 2)
            self.has_opened = True
