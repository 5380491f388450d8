"""Time limits for blocking socket calls: one thread that shuts sockets down when their time is up.

A socket's own timeout starts anew with every byte, so a peer that sends one byte now and then
could hold a thread for ever. A shutdown ends the blocked call at once, whatever was received.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import socket
import threading
import time
from collections.abc import Iterator

SPARE_ENTRIES = 1024


class Watchdog:
    """Shuts sockets down at their deadlines; starts its thread with the first one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._heap: list[tuple[float, int, socket.socket, int]] = []
        self._numbers = itertools.count()
        self._live: set[int] = set()
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def limit(self, sock: socket.socket, *, read_s: float, total_s: float) -> Iterator[None]:
        """Within the block, nothing is received after `read_s`, and nothing sent after `total_s`."""
        now = time.monotonic()
        numbers = (
            self._add(now + read_s, sock, socket.SHUT_RD),
            self._add(now + total_s, sock, socket.SHUT_RDWR),
        )
        try:
            yield
        finally:
            with self._changed:
                self._live.difference_update(numbers)

    def _add(self, deadline_s: float, sock: socket.socket, how: int) -> int:
        number = next(self._numbers)
        with self._changed:
            self._live.add(number)
            is_first = not self._heap or deadline_s < self._heap[0][0]
            heapq.heappush(self._heap, (deadline_s, number, sock, how))
            if len(self._heap) > 2 * len(self._live) + SPARE_ENTRIES:
                # Most limits end long before their time; the sockets are not to stay until then.
                self._heap = [entry for entry in self._heap if entry[1] in self._live]
                heapq.heapify(self._heap)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
                self._thread.start()
            elif is_first:
                self._changed.notify()
        return number

    def _watch(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                while self._heap and (self._heap[0][0] <= now or self._heap[0][1] not in self._live):
                    _, number, sock, how = heapq.heappop(self._heap)
                    if number in self._live:
                        with contextlib.suppress(OSError):
                            sock.shutdown(how)
                self._changed.wait(self._heap[0][0] - now if self._heap else None)
