"""Joins the outcomes of two targets, request by request, for `--baseline`.

A request counts once: as compared if both targets answered for it, and otherwise as skipped, with
the reason that was given first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from consumers.replay.request import Outcome, Request
from consumers.replay.sending.senders import Skipped

ANSWERS_MAX_BYTES = 67_108_864
"""Of the answers that wait for those of the other target."""

Compared = Callable[[Request, Outcome, Outcome, float], None]
"""(request, the baseline's outcome, the target's, how late the target's was sent in ms)."""


@dataclass(frozen=True, slots=True)
class _Half:
    """What the first of the two targets reported. It holds the request, whose identity is the key."""

    request: Request
    outcome: Outcome | None
    """None: skipped, and already counted as such."""
    late_ms: float
    is_baseline: bool

    @property
    def answer_bytes(self) -> int:
        return 0 if self.outcome is None or self.outcome.answer is None else self.outcome.answer.size_bytes


class Comparison:
    """Thread-safe. Takes the reports of both targets and calls `compared` or `skipped` once for each
    request."""

    def __init__(self, compared: Compared, skipped: Skipped) -> None:
        self._compared = compared
        self._skipped = skipped
        self._lock = threading.Lock()
        self._first: dict[int, _Half] = {}
        self._answers_bytes = 0

    def done(self, is_baseline: bool, request: Request, outcome: Outcome, late_ms: float) -> None:
        """One of the two targets has an outcome."""
        second = _Half(request, outcome, late_ms, is_baseline)
        first = self._join(second)
        if first is None or first.outcome is None:
            return
        if is_baseline:
            self._compared(request, outcome, first.outcome, first.late_ms)
        else:
            self._compared(request, first.outcome, outcome, late_ms)

    def skipped(self, is_baseline: bool, request: Request, reason: str) -> None:
        """One of the two targets was not sent the request."""
        first = self._join(_Half(request, None, 0.0, is_baseline))
        if first is None or first.outcome is not None:
            self._skipped(request, reason)

    def _join(self, half: _Half) -> _Half | None:
        """The other target's half; None, and this one is kept, while there is none."""
        with self._lock:
            first = self._first.pop(id(half.request), None)
            if first is None:
                self._first[id(half.request)] = self._bounded(half)
            else:
                self._answers_bytes -= first.answer_bytes
        return first

    def _bounded(self, half: _Half) -> _Half:
        """The half; without its answer while too many wait for a slower target."""
        if self._answers_bytes + half.answer_bytes > ANSWERS_MAX_BYTES and half.outcome is not None:
            half = replace(half, outcome=replace(half.outcome, answer=None))
        self._answers_bytes += half.answer_bytes
        return half

    def close(self) -> None:
        """Both targets are finished: what only one of them answered is skipped."""
        alone = [half.request for half in self._first.values() if half.outcome is not None]
        self._first.clear()
        for request in alone:
            self._skipped(request, "stopped")
