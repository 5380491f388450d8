"""Ctrl-C, and a platform's stop, which is taken like it: once, and not in the middle of a write."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import TracebackType

STOPS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Within it the first signal raises KeyboardInterrupt. Later ones are ignored, then and
    afterwards: what is left to do takes seconds, and another Ctrl-C would only cost the report."""

    def __init__(self) -> None:
        self._is_put_off = False
        self._is_told = False

    def __enter__(self) -> Stop:
        for number in STOPS:
            signal.signal(number, self._told)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ignore()

    @contextlib.contextmanager
    def defer(self) -> Iterator[None]:
        """A signal that comes in here raises at the end of it."""
        self._is_put_off = True
        try:
            yield
        finally:
            self._is_put_off = False
        if self._is_told:
            raise KeyboardInterrupt

    def _told(self, number: int, frame: object) -> None:
        self._ignore()
        self._is_told = True
        if not self._is_put_off:
            raise KeyboardInterrupt

    def _ignore(self) -> None:
        for number in STOPS:
            signal.signal(number, signal.SIG_IGN)
