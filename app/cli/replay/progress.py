"""The progress of a window replay: a first line, then a bar on a terminal or an occasional line elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

from app.timespec import iso
from consumers.replay.load.forecast import Outlook
from consumers.replay.plan import Progress

BAR_WIDTH = 28
TTY_EVERY_S = 0.2
LINE_EVERY_S = 10.0
KNOWN_SHARE = 0.01
"""From here on, what was done tells how long the rest takes."""


class ProgressBar:
    """`show` may be called for every request: it writes only every TTY_EVERY_S or LINE_EVERY_S."""

    def __init__(
        self,
        out: TextIO,
        outlook: Outlook,
        noun: str = "requests",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`outlook`: what is to come; `noun`: of what it counts."""
        self._out = out
        self._is_tty = out.isatty()
        self._outlook = outlook
        self._noun = noun
        self._clock = clock
        self._started_s = clock()
        self._next_s = self._started_s + (0 if self._is_tty else LINE_EVERY_S)

    def begin(self) -> None:
        """Writes what is to come."""
        self._out.write(f"{self._outlook.text}\n")
        self._out.flush()
        self._started_s = self._clock()

    def show(self, progress: Progress) -> None:
        """Writes the progress, if the last time is long enough ago."""
        now = self._clock()
        if now < self._next_s:
            return
        self._next_s = now + (TTY_EVERY_S if self._is_tty else LINE_EVERY_S)
        text = self.line(progress, now)
        self._out.write(f"\r{text}\033[K" if self._is_tty else text + "\n")
        self._out.flush()

    def share(self, progress: Progress, now: float | None = None) -> float:
        """The share of the run that is done, 0 to 1: of its time where that is limited, else of its
        requests."""
        outlook = self._outlook
        if outlook.duration_s and (outlook.is_timed or outlook.requests is None):
            elapsed_s = (self._clock() if now is None else now) - self._started_s
            return min(1.0, max(0.0, elapsed_s / outlook.duration_s))
        return min(1.0, progress.done / max(1, outlook.requests or 0))

    def line(self, progress: Progress, now: float) -> str:
        """Share done, place in the log, requests done of how many, and the time left."""
        share = self.share(progress, now)
        filled = round(share * BAR_WIDTH)
        bar = "#" * filled + "." * (BAR_WIDTH - filled)
        at = iso(progress.at_ms)[11:19] if progress.at_ms else "--:--:--"
        return f"[{bar}] {share:4.0%}  at {at}  {self._count(progress)}  {self._left(share, now)}"

    def _count(self, progress: Progress) -> str:
        expected = self._outlook.requests
        if expected is None:
            return f"{progress.done:,} {self._noun}"
        about = "" if self._outlook.is_exact else "about "
        return f"{progress.done:,} of {about}{max(expected, progress.done):,} {self._noun}"

    def _left(self, share: float, now: float) -> str:
        elapsed_s = now - self._started_s
        planned_s = self._outlook.duration_s
        # A target that cannot keep up takes longer than planned.
        by_share_s = elapsed_s * (1 - share) / share if share > KNOWN_SHARE else None
        if planned_s is None:
            seconds = by_share_s
        else:
            seconds = planned_s - elapsed_s
            is_behind = elapsed_s * 0.9 > share * planned_s or seconds < planned_s / 10
            if is_behind and by_share_s is not None and not self._outlook.is_timed:
                seconds = max(by_share_s, seconds)
        if seconds is None:
            return "time left: unknown"
        minutes, rest = divmod(max(0, round(seconds)), 60)
        return f"time left: {minutes} min {rest:02d} s" if minutes else f"time left: {rest} s"

    def finish(self) -> None:
        """Ends the bar's line."""
        if self._is_tty:
            self._out.write("\n")
            self._out.flush()
