"""Where an interrupted window replay resumes: no request is left out, and none is sent twice. Pure.

The log is read in order of reception and sent in order of the requests' own time. So some requests that were
received after the point where the replay goes on are dealt with already: their ids are remembered.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Sequence
from itertools import accumulate

MARGIN_MS = 1_000
"""The log is only roughly in the order of reception, so a replay resumes a little earlier."""

TAKEN_MAX = 20_000
"""Ids that are remembered: those of the margin, the senders' queue and a chunk of the log. If that is not
enough, a few are sent twice."""


class ResumePoint:
    """The reception time of the earliest request that is still to be sent. Times are Unix ms."""

    def __init__(self, from_ms: int) -> None:
        """`from_ms`: where this replay begins, the earliest time to resume from."""
        self._from_ms = from_ms
        self._unread_ms: int | None = None
        self._unsent_ms: int | None = None
        self._unsent: Counter[tuple[str, str]] = Counter()
        self._unsent_ids: set[str] = set()
        self._taken: deque[tuple[int, str]] = deque(maxlen=TAKEN_MAX)
        self._lock = threading.Lock()

    def unread(self, received_ms: int) -> None:
        """All requests that were received before this time are submitted. One thread calls this."""
        self._unread_ms = received_ms

    def taken(self, received_ms: int, message_id: str) -> None:
        """A request is submitted, or counts as skipped. One thread calls this."""
        self._taken.append((received_ms, message_id))

    def unsent(self, received_ms: int, message_id: str, reason: str, route: str) -> None:
        """A request that was submitted is not sent after all. Thread-safe."""
        with self._lock:
            self._unsent[reason, route] += 1
            self._unsent_ids.add(message_id)
            if self._unsent_ms is None or received_ms < self._unsent_ms:
                self._unsent_ms = received_ms

    @property
    def time_ms(self) -> int:
        """The `--from` of the replay that sends the rest."""
        times_ms = [time_ms for time_ms in (self._unread_ms, self._unsent_ms) if time_ms is not None]
        return max(self._from_ms, min(times_ms) - MARGIN_MS) if times_ms else self._from_ms

    @property
    def to_send(self) -> Counter[tuple[str, str]]:
        """(reason, route) -> requests that were submitted but not sent: the resumed replay sends them."""
        with self._lock:
            return Counter(self._unsent)

    @property
    def done_ids(self) -> list[str]:
        """The ids of requests that are dealt with, although they were received after `time_ms`."""
        from_ms = self.time_ms
        with self._lock:
            return [
                message_id
                for received_ms, message_id in self._taken
                if received_ms >= from_ms and message_id not in self._unsent_ids
            ]


def earliest_from_each(times_ms: Sequence[int]) -> list[int]:
    """For each position, the earliest of the times from there to the end."""
    return list(accumulate(reversed(times_ms), min))[::-1]
