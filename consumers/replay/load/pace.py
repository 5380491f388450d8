"""When the live replay sends a request: with the lines' own spacing, within a rate. Pure but for a clock.
(For a window of the past, see schedule.py.)

The first request anchors the lines' time to ours, at the moment when it was received: so all workers
of a group keep about the same time. Log lines arrive in bursts, up to seconds after the requests they
describe, so a live replay runs `lead_s` behind its anchor: that spreads a burst out again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

LIVE_LEAD_S = 2.0
"""Logplex flushes a drain's buffer about once a second."""


class Pacer:
    """Gives each request its time. Not thread-safe: only the thread that reads the log uses it."""

    def __init__(
        self,
        speed: float,
        rate: float,
        max_late_ms: float,
        clock: Callable[[], float] = time.monotonic,
        lead_s: float = 0.0,
    ) -> None:
        """`speed`: 1 keeps the original spacing, infinity ignores it. `rate`: requests/s, 0 for no limit.
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
        """When to send a request logged at `at_ms` (clock time, s); None: it is too late, skip it.

        `waited_s`: how long its line has been waiting in the log. That delay does not come from the
        lines' timestamps, so the schedule never adapts to it.
        """
        now = self._clock()
        wanted_s = self._wanted_s(at_ms, now, waited_s)
        # With a rate, or at full speed, no request overtakes an earlier one.
        keeps_order = bool(self._gap_s) or math.isinf(self._speed)
        due_s = max(wanted_s, self._next_free_s) if keeps_order else wanted_s
        if max(due_s, now) - wanted_s > self._max_late_s:
            if now - self._on_time_s <= 2 * self._max_late_s:
                return None
            # Everything has been late for a while: the lines arrive later than they did, or their clock
            # has changed. So this request becomes the new anchor.
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


class RateLimit:
    """How soon the next request may be sent. Not thread-safe."""

    SLACK_S = 0.1
    """What a thread that wakes late may catch up with; after a stall, a burst can be no longer."""

    def __init__(self, rate: float) -> None:
        """`rate`: requests/s, 0 for no limit."""
        self._gap_s = 1 / rate if rate else 0.0
        self.free_s = -math.inf
        """Monotonic time from which the next request may be sent."""

    def use(self, now_s: float) -> None:
        """A request is sent now."""
        self.free_s = max(self.free_s, now_s - self.SLACK_S) + self._gap_s
