"""When a request is sent: the lines' own spacing, faster or slower, within a rate. Pure but for a clock.

The first request anchors the lines' time to ours, at the moment when it was received: so all workers
of a group keep about the same time. Logs come in bursts, up to seconds after what they tell of, so a
live replay runs `lead_s` behind its anchor: a burst is then spread out again.
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
        max_late_ms: float,
        clock: Callable[[], float] = time.monotonic,
        lead_s: float = 0.0,
    ) -> None:
        """`speed` 1 is the original spacing, infinity none; `rate` 0 is no limit (requests/s);
        `max_late_ms` may be infinite."""
        self._speed = speed
        self._gap_s = 1 / rate if rate else 0.0
        self._max_late_s = max_late_ms / 1000
        self._clock = clock
        self._lead_s = lead_s
        self._anchor: tuple[int, float] | None = None
        self._next_free_s = -math.inf
        self._on_time_s = clock()

    def due_s(self, at_ms: int, waited_s: float = 0.0) -> float | None:
        """The clock's time to send a request logged at `at_ms`; None: too late, leave it out.

        `waited_s`: how long its line has been waiting in the log. That delay is not the lines' own,
        so it never becomes the new normal.
        """
        now = self._clock()
        wanted_s = self._wanted_s(at_ms, now, waited_s)
        # At full speed no request passes one that came before it.
        is_in_turn = bool(self._gap_s) or math.isinf(self._speed)
        due_s = max(wanted_s, self._next_free_s) if is_in_turn else wanted_s
        if max(due_s, now) - wanted_s > self._max_late_s:
            if now - self._on_time_s <= 2 * self._max_late_s:
                return None
            # All was late for a while: the lines come later than they did, or another clock's.
            self._anchor = None
            wanted_s = self._wanted_s(at_ms, now, waited_s)
            due_s = max(wanted_s, now)
            if due_s - wanted_s > self._max_late_s:
                return None
        self._on_time_s = now
        self._next_free_s = due_s + self._gap_s
        return due_s

    def _wanted_s(self, at_ms: int, now: float, waited_s: float) -> float:
        if math.isinf(self._speed):
            return now - waited_s
        if self._anchor is None:
            self._anchor = (at_ms, now - waited_s + self._lead_s)
        anchor_ms, anchor_s = self._anchor
        return anchor_s + (at_ms - anchor_ms) / 1000 / self._speed


def is_chosen(request_id: str, share: float) -> bool:
    """Whether a request is in the sample: the same ones each time, whatever else is sent."""
    if share >= 1:
        return True
    hashed = int.from_bytes(hashlib.blake2b(request_id.encode("utf-8", "replace"), digest_size=8).digest())
    return hashed < share * 2**64
