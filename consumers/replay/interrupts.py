"""Ctrl-C, and SIGTERM from a platform, which is treated alike: once, and never during a write."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import TracebackType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class SignalGuard:
    """Inside `with`, the first signal raises KeyboardInterrupt. Further ones are ignored, even after
    the `with`: what remains to be done takes seconds, and another Ctrl-C would only cost the report."""

    def __init__(self) -> None:
        self._is_deferring = False
        self._was_signalled = False

    def __enter__(self) -> SignalGuard:
        for number in SIGNALS:
            signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ignore()

    @contextlib.contextmanager
    def defer(self) -> Iterator[None]:
        """A signal that arrives in here raises at the end of it."""
        self._is_deferring = True
        try:
            yield
        finally:
            self._is_deferring = False
        if self._was_signalled:
            raise KeyboardInterrupt

    def _on_signal(self, number: int, frame: object) -> None:
        self._ignore()
        self._was_signalled = True
        if not self._is_deferring:
            raise KeyboardInterrupt

    def _ignore(self) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
