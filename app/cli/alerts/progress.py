"""The progress of a backtest, on a terminal: one line that is written over, and cleared in the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

from app.formatting import duration, number, plural
from app.timespec import iso

BAR_WIDTH = 28
FIRST_S = 1.0
EVERY_S = 0.25


class Progress:
    """`show` may be called after every moment: it writes now and then, and only where a person looks."""

    def __init__(self, out: TextIO, moments: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`moments`: how many there are."""
        self._out = out
        self._is_tty = out.isatty()
        self._moments = moments
        self._clock = clock
        self._started_s = clock()
        self._next_s = self._started_s + FIRST_S
        self._is_shown = False

    def show(self, done: int, at_s: int, incidents: int) -> None:
        """Writes how far it is, if the last time is long enough ago."""
        now_s = self._clock()
        if not self._is_tty or now_s < self._next_s:
            return
        self._next_s = now_s + EVERY_S
        self._is_shown = True
        share = done / max(1, self._moments)
        filled = round(share * BAR_WIDTH)
        left_s = (now_s - self._started_s) * (1 - share) / max(share, 0.001)
        self._out.write(
            f"\r[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {share:4.0%}  at {iso(at_s * 1000)[11:19]}  "
            f"{number(done)} of {plural(self._moments, 'moment')}  {plural(incidents, 'incident')}  "
            f"time left: {duration(left_s)}\033[K"
        )
        self._out.flush()

    def clear(self) -> None:
        """Takes the line away."""
        if self._is_shown:
            self._is_shown = False
            self._out.write("\r\033[K")
            self._out.flush()
