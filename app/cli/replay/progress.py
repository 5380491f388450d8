"""The progress of a window replay: a bar on a terminal, an occasional line elsewhere."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TextIO

from consumers.replay.timespec import iso
from consumers.replay.window import Progress

BAR_WIDTH = 28
TTY_EVERY_S = 0.2
LINE_EVERY_S = 10.0


class ProgressBar:
    """`show` may be called for every request: it writes only every TTY_EVERY_S or LINE_EVERY_S."""

    def __init__(
        self,
        out: TextIO,
        until_ms: int,
        estimate: int,
        speed: float,
        rate: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`estimate`: messages in the window, about; `rate`: limit of requests/s, 0 for none."""
        self._out = out
        self._is_tty = out.isatty()
        self._until_ms = until_ms
        self._estimate = max(1, estimate)
        self._speed = speed
        self._rate = rate
        self._clock = clock
        self._started_s = clock()
        self._next_s = self._started_s + (0 if self._is_tty else LINE_EVERY_S)

    def show(self, progress: Progress) -> None:
        """Writes the progress, if the last time is long enough ago."""
        now = self._clock()
        if now < self._next_s:
            return
        self._next_s = now + (TTY_EVERY_S if self._is_tty else LINE_EVERY_S)
        text = self.line(progress, now)
        self._out.write(f"\r{text}\033[K" if self._is_tty else text + "\n")
        self._out.flush()

    def share(self, progress: Progress) -> float:
        """The share of the window that is done, 0 to 1."""
        return min(1.0, progress.done / self._estimate)

    def line(self, progress: Progress, now: float) -> str:
        """Share done, place in the log, messages done, and the time left."""
        share = self.share(progress)
        filled = round(share * BAR_WIDTH)
        bar = "#" * filled + "." * (BAR_WIDTH - filled)
        at = iso(progress.at_ms)[11:19] if progress.at_ms else "--:--:--"
        return f"[{bar}] {share:4.0%}  at {at}  {progress.done:,} done  {self._left(progress, share, now)}"

    def _left(self, progress: Progress, share: float, now: float) -> str:
        if not math.isinf(self._speed) and progress.at_ms:
            seconds = max(0, self._until_ms - progress.at_ms) / 1000 / self._speed
        elif share > 0.01:
            seconds = (now - self._started_s) * (1 - share) / share
        else:
            return "time left: unknown"
        if self._rate:
            seconds = max(seconds, (self._estimate - progress.done) / self._rate)
        minutes, rest = divmod(round(seconds), 60)
        return f"time left: {minutes} min {rest:02d} s" if minutes else f"time left: {rest} s"

    def finish(self) -> None:
        """Ends the bar's line."""
        if self._is_tty:
            self._out.write("\n")
            self._out.flush()
