"""The outcomes of two targets, joined request by request: `--baseline`.

A request counts once: as compared when both targets answered for it, and else as left out, for the
reason that was given first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from consumers.replay.request import Outcome, Request
from consumers.replay.senders import Skipped

Compared = Callable[[Request, Outcome, Outcome, float], None]
"""(request, the baseline's outcome, the target's, how late the target's was sent in ms)."""


@dataclass(frozen=True, slots=True)
class _Half:
    """What the first of the two has said. It holds the request, whose identity is the key."""

    request: Request
    outcome: Outcome | None
    """None: left out, and counted so."""
    late_ms: float
    is_baseline: bool


class Pairs:
    """Told by the threads of both targets; tells `compared` or `skipped`, once for each request."""

    def __init__(self, compared: Compared, skipped: Skipped) -> None:
        self._compared = compared
        self._skipped = skipped
        self._lock = threading.Lock()
        self._first: dict[int, _Half] = {}

    def done(self, is_baseline: bool, request: Request, outcome: Outcome, late_ms: float) -> None:
        """One of the two has an outcome."""
        own = _Half(request, outcome, late_ms, is_baseline)
        first = self._other(own)
        if first is None or first.outcome is None:
            return
        before, after = (own, first) if is_baseline else (first, own)
        assert before.outcome is not None
        assert after.outcome is not None
        self._compared(request, before.outcome, after.outcome, after.late_ms)

    def skipped(self, is_baseline: bool, request: Request, reason: str) -> None:
        """One of the two was not sent."""
        first = self._other(_Half(request, None, 0.0, is_baseline))
        if first is None or first.outcome is not None:
            self._skipped(request, reason)

    def _other(self, own: _Half) -> _Half | None:
        """What the other target has said; None, and this is kept, where it has said nothing yet."""
        with self._lock:
            first = self._first.pop(id(own.request), None)
            if first is None:
                self._first[id(own.request)] = own
        return first

    def close(self) -> None:
        """Both targets are done: what went to one alone is left out."""
        alone = [half.request for half in self._first.values() if half.outcome is not None]
        self._first.clear()
        for request in alone:
            self._skipped(request, "stopped")
