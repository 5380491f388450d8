"""Waits until a comparison is complete, with a line that says for what."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

from app.comparison.result import Comparison
from app.escaping import for_terminal
from app.formatting import duration

ASK_EVERY_S = 15.0
"""So often Redis is asked again: another release may come, or the workers may have caught up."""
LINE_EVERY_S = 60.0
TTY_EVERY_S = 1.0


def wait_until_complete(
    find: Callable[[float], Comparison],
    wait_s: float,
    out: TextIO,
    *,
    may_come: bool,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Comparison:
    """The comparison once it is complete, or after `wait_s` seconds as it is then. `may_come`: a release is
    asked for, so one that is not known may still come. Raises redis.RedisError."""
    started_s = clock()
    progress = _Progress(out, clock)
    try:
        while True:
            found = find(clock())
            left_s = started_s + wait_s - clock()
            is_missing = may_come and bool(found.app) and found.release is None
            is_over = not is_missing if found.refused else found.is_complete
            if is_over or left_s <= 0:
                return found
            until_s = clock() + min(ASK_EVERY_S, left_s)
            while (now_s := clock()) < until_s and not _is_due(found, now_s):
                progress.show(_text(found, now_s, started_s + wait_s - now_s))
                sleep(max(0.01, min(TTY_EVERY_S, until_s - now_s)))
    finally:
        progress.clear()


def _is_due(found: Comparison, now_s: float) -> bool:
    return found.ready_s is not None and now_s >= found.ready_s


def _text(found: Comparison, now_s: float, left_s: float) -> str:
    most = f"at most {duration(left_s)} more"
    if found.refused:
        return f"waiting, {most}: {found.refused}"
    name = found.release.text if found.release else "two spans"
    if found.ready_s is None:
        return f"{name}: waiting for the workers of `metrics` to catch up, {most}"
    return f"{name}: the span after is complete in {duration(max(0.0, found.ready_s - now_s))} ({most})"


class _Progress:
    """On a terminal a line that is written over, elsewhere one now and then."""

    def __init__(self, out: TextIO, clock: Callable[[], float]) -> None:
        self._out = out
        self._is_tty = out.isatty()
        self._clock = clock
        self._next_s = 0.0
        self._is_shown = False

    def show(self, text: str) -> None:
        now_s = self._clock()
        if now_s < self._next_s:
            return
        self._next_s = now_s + (TTY_EVERY_S if self._is_tty else LINE_EVERY_S)
        self._out.write(f"\r{for_terminal(text)}\033[K" if self._is_tty else f"{for_terminal(text)}\n")
        self._out.flush()
        self._is_shown = self._is_tty

    def clear(self) -> None:
        if self._is_shown:
            self._out.write("\r\033[K")
            self._out.flush()
