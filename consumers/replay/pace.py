"""When a request is sent: the lines' own spacing, faster or slower, within a rate. Pure but for a clock.

The first request anchors the lines' time to ours. Logs come in bursts, up to seconds after what
they tell of, so a live replay runs `lead_s` behind its anchor: a burst is then spread out again.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable

LIVE_LEAD_S = 2.0
"""Logplex flushes a drain's buffer about once a second."""


class Pacer:
    """Gives each request its time. Not thread-safe: the one who reads the log asks."""

    def __init__(
        self,
        speed: float,
        rate: float,
        max_late_ms: int,
        clock: Callable[[], float] = time.monotonic,
        lead_s: float = 0.0,
    ) -> None:
        """`speed` 1 is the original spacing, infinity none; `rate` 0 is no limit (requests/s)."""
        self._speed = speed
        self._gap_s = 1 / rate if rate else 0.0
        self._max_late_s = max_late_ms / 1000
        self._clock = clock
        self._lead_s = lead_s
        self._anchor: tuple[int, float] | None = None
        self._next_free_s = -math.inf
        self._on_time_s = clock()

    def due_s(self, at_ms: int) -> float | None:
        """The clock's time to send a request logged at `at_ms`; None: too late, leave it out."""
        now = self._clock()
        wanted_s = self._wanted_s(at_ms, now)
        due_s = max(wanted_s, self._next_free_s) if self._gap_s else wanted_s
        if max(due_s, now) - wanted_s > self._max_late_s:
            if now - self._on_time_s <= 2 * self._max_late_s:
                return None
            # All was late for a while: what comes now is the new normal, not a backlog.
            self._anchor = None
            wanted_s = self._wanted_s(at_ms, now)
            due_s = max(wanted_s, now)
        self._on_time_s = now
        self._next_free_s = due_s + self._gap_s
        return due_s

    def _wanted_s(self, at_ms: int, now: float) -> float:
        if math.isinf(self._speed):
            return now
        if self._anchor is None:
            self._anchor = (at_ms, now + self._lead_s)
        anchor_ms, anchor_s = self._anchor
        return anchor_s + (at_ms - anchor_ms) / 1000 / self._speed


def is_chosen(request_id: str, share: float) -> bool:
    """Whether a request is in the sample: the same ones each time, whatever else is sent."""
    if share >= 1:
        return True
    hashed = int.from_bytes(hashlib.blake2b(request_id.encode("utf-8", "replace"), digest_size=8).digest())
    return hashed < share * 2**64
