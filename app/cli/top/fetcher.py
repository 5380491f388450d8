"""Reads figures on a thread of its own, so that a slow Redis never keeps a key waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable

from app.cli.top.snapshot import Snapshot, Wanted
from app.errors import LogUnavailable


class Fetcher:
    """Reads what is wanted at once when that changes, and then every `every_s`."""

    def __init__(
        self,
        read: Callable[[Wanted], Snapshot],
        wanted: Wanted,
        every_s: float,
        *,
        on_read: Callable[[Snapshot], object],
        on_fault: Callable[[str], object],
        on_defect: Callable[[BaseException], object],
    ) -> None:
        """`on_read`, `on_fault` (Redis is unreachable: why) and `on_defect` (anything else, after which
        nothing is read any more) are called on the thread."""
        self._read, self._wanted, self._every_s = read, wanted, every_s
        self._on_read, self._on_fault, self._on_defect = on_read, on_fault, on_defect
        self._changed = threading.Condition()
        self._is_changed = self._is_stopped = False
        # A daemon: who quits does not wait for an answer of Redis.
        self._thread = threading.Thread(target=self._run, name="top-fetcher", daemon=True)

    def start(self) -> None:
        """The first read is due after `every_s`: the caller has read once already."""
        self._thread.start()

    def want(self, wanted: Wanted) -> None:
        """Reads this next, at once."""
        with self._changed:
            self._wanted, self._is_changed = wanted, True
            self._changed.notify()

    def stop(self) -> None:
        """Reads no more."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify()

    def _run(self) -> None:
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._is_changed or self._is_stopped, self._every_s)
                    if self._is_stopped:
                        return
                    self._is_changed, wanted = False, self._wanted
                try:
                    snapshot = self._read(wanted)
                except LogUnavailable as fault:
                    self._on_fault(str(fault))
                else:
                    self._on_read(snapshot)
        except BaseException as defect:
            if not self._is_stopped:
                self._on_defect(defect)
