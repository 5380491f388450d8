"""Where an interrupted window replay resumes: no request is left out, and few are sent twice. Pure."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

MARGIN_MS = 1_000
"""The log is only roughly in the order of reception, so a replay resumes a little earlier."""


class ResumePoint:
    """The reception time of the earliest request that is still to be sent. Times are Unix ms."""

    def __init__(self, from_ms: int) -> None:
        """`from_ms`: where this replay begins, the earliest time to resume from."""
        self._from_ms = from_ms
        self._unread_ms: int | None = None
        self._unsent_ms: int | None = None
        self._unsent: Counter[str] = Counter()
        self._lock = threading.Lock()

    def unread(self, received_ms: int) -> None:
        """All requests that were received before this time are submitted. One thread calls this."""
        self._unread_ms = received_ms

    def unsent(self, received_ms: int, reason: str = "stopped") -> None:
        """A request that was submitted is not sent after all. Thread-safe."""
        with self._lock:
            self._unsent[reason] += 1
            if self._unsent_ms is None or received_ms < self._unsent_ms:
                self._unsent_ms = received_ms

    @property
    def time_ms(self) -> int:
        """The `--from` of the replay that sends the rest."""
        times_ms = [time_ms for time_ms in (self._unread_ms, self._unsent_ms) if time_ms is not None]
        return max(self._from_ms, min(times_ms) - MARGIN_MS) if times_ms else self._from_ms

    @property
    def to_send(self) -> Counter[str]:
        """Reason -> requests that were submitted but not sent: the resumed replay sends them."""
        with self._lock:
            return Counter(self._unsent)


def earliest_from_each(times_ms: Sequence[int]) -> list[int]:
    """For each position, the earliest of the times from there to the end."""
    return list(accumulate(reversed(times_ms), min))[::-1]
