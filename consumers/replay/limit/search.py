"""Which speed `--find-limit` tries next: twice the last one until one does not hold, then between the two.
Pure.
"""

from __future__ import annotations

import math

DOUBLINGS_MAX = 8
"""From the first speed on: 256 times as fast is the most that is tried."""

CLOSE_ENOUGH = 1.1
"""The limit is known when the slowest speed that broke is at most this much above the fastest that held."""

BISECTIONS_MAX = math.ceil(math.log2(math.log(2) / math.log(CLOSE_ENOUGH)))
STEPS_MAX = 1 + DOUBLINGS_MAX + BISECTIONS_MAX
BROKEN_MAX = 1 + BISECTIONS_MAX


class LimitSearch:
    """Call `next_speed`, try it, and call `tried`, until there is none."""

    def __init__(self, first: float, speed_max: float = math.inf) -> None:
        """`first`: the speed to begin with; `speed_max`: the most that may be tried."""
        self._first = first
        self.speed_max = max(first, min(speed_max, first * 2**DOUBLINGS_MAX))
        self.held: float | None = None
        """The highest speed that held."""
        self.broke: float | None = None
        """The lowest that did not."""

    def next_speed(self) -> float | None:
        """The speed to try; None where the search is over."""
        if self.held is None:
            return self._first if self.broke is None else None
        if self.broke is None:
            return None if self.held >= self.speed_max else min(self.speed_max, 2 * self.held)
        if self.broke <= self.held * CLOSE_ENOUGH:
            return None
        return float(f"{math.sqrt(self.held * self.broke):.3g}")

    def tried(self, speed: float, *, held: bool) -> None:
        """What came of it."""
        if held:
            self.held = speed
        else:
            self.broke = speed
