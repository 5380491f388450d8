"""SIGTERM and SIGINT as an event: a normal end, within seconds even where Redis or a broker hangs."""

from __future__ import annotations

import logging
import os
import signal
from threading import Event, Timer

log = logging.getLogger(__name__)

EXIT_AFTER_S = 8.5
"""Less than the guard's limit (guard.py), which kills a process without a line in its log."""


def stop_on_signals() -> Event:
    """An event that SIGTERM or SIGINT sets; the process ends within END_S of it in any case."""
    stop = Event()

    def on_signal(number: int, frame: object) -> None:
        if not stop.is_set():
            stop.set()
            timer = Timer(EXIT_AFTER_S, _exit_now)
            timer.daemon = True
            timer.start()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    return stop


def _exit_now() -> None:
    # No count suffers: what is not settled is read again, as after kill -9.
    log.warning("forced exit: Redis or the broker does not answer")
    os._exit(0)
