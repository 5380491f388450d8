"""SIGTERM and SIGINT as an event: a normal end, within seconds even where Redis or a broker hangs."""

from __future__ import annotations

import logging
import os
import signal
from threading import Event, Timer

log = logging.getLogger(__name__)

END_S = 8.5
"""Less than the guard's (guard.py), which ends a process without a line in the log."""


def stop_on_signals() -> Event:
    """An event that SIGTERM or SIGINT sets; the process ends within END_S of it in any case."""
    stop = Event()

    def told(number: int, frame: object) -> None:
        if not stop.is_set():
            stop.set()
            limit = Timer(END_S, _end_now)
            limit.daemon = True
            limit.start()

    signal.signal(signal.SIGTERM, told)
    signal.signal(signal.SIGINT, told)
    return stop


def _end_now() -> None:
    # No count suffers: what is not settled is read again, as after kill -9.
    log.warning("forced exit: Redis or the broker does not answer")
    os._exit(0)
