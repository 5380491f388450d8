"""The progress of a scan, on a terminal: one line that is written over, and cleared for what was found."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

from app.formatting import number

FIRST_S = 1.0
EVERY_S = 0.25


class ScanProgress:
    """`show` may be called after every part: it writes only now and then, and never where no person looks."""

    def __init__(
        self, out: TextIO, expected: int | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`expected`: about how many lines there are; None: not known."""
        self._out = out
        self._is_tty = out.isatty()
        self._expected = expected
        self._clock = clock
        self._next_s = clock() + FIRST_S
        self._is_shown = False

    def show(self, lines: int, found: int) -> None:
        """Writes how far it is, if the last time is long enough ago."""
        now_s = self._clock()
        if not self._is_tty or now_s < self._next_s:
            return
        self._next_s = now_s + EVERY_S
        self._is_shown = True
        self._out.write(f"\r{self._text(lines, found)}\033[K")
        self._out.flush()

    def _text(self, lines: int, found: int) -> str:
        if not self._expected:
            return f"{number(lines)} lines read, {number(found)} found"
        share = min(0.99, lines / self._expected)
        return (
            f"{share:4.0%}  {number(lines)} of about {number(max(lines, self._expected))} lines read, "
            f"{number(found)} found"
        )

    def clear(self) -> None:
        """Takes the line away."""
        if self._is_shown:
            self._is_shown = False
            self._out.write("\r\033[K")
            self._out.flush()
