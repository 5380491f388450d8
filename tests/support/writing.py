"""Writes frames to a log in the background as Logplex sends them: each again, until it is acknowledged."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from types import TracebackType

from app.errors import NotDurable
from app.log import Writer

LINES = 3


class Writing:
    """A `with` block; `stop` returns the ids of all acknowledged messages."""

    def __init__(self, writer: Writer, frame: Callable[[str, int], Sequence[bytes]], pause_s: float) -> None:
        """`frame`: the values of a frame of this id and so many lines."""
        self._writer = writer
        self._frame = frame
        self._pause_s = pause_s
        self._acknowledged: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def _write(self) -> None:
        number = 0
        while not self._stop.wait(self._pause_s):
            with contextlib.suppress(NotDurable):
                self._writer.append(f"w{number}", self._frame(f"w{number}", LINES), 2.0)
                self._acknowledged += [f"w{number}.{index}" for index in range(LINES)]
                number += 1

    def stop(self) -> list[str]:
        self._stop.set()
        self._thread.join(30)
        return self._acknowledged

    def __enter__(self) -> Writing:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
