"""Follows a log in a thread, so that the caller is never kept waiting, whatever the log's server does."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from threading import Event

from app.log.interface import Scanned

SILENT_S = 0.5
"""After so long without a message, an empty part is given."""

PARTS_WAITING = 4
"""Read ahead of whoever is slower."""

END_S = 2.0


def in_background(read: Callable[[Event], Iterator[Scanned]]) -> Iterator[Scanned]:
    """The parts that `read` gives, and an empty one where none comes for a while. `read` runs in a thread of
    its own, and is told to stop by its argument; what it raises is raised here."""
    stop = Event()
    parts: queue.Queue[Scanned | BaseException] = queue.Queue(PARTS_WAITING)

    def put(part: Scanned | BaseException) -> None:
        while not stop.is_set():
            try:
                parts.put(part, timeout=SILENT_S)
                return
            except queue.Full:
                continue

    def work() -> None:
        try:
            for part in read(stop):
                if part.read:
                    put(part)
                if stop.is_set():
                    return
        except BaseException as fault:
            put(fault)

    thread = threading.Thread(target=work, name="follow", daemon=True)
    thread.start()
    try:
        while True:
            try:
                part = parts.get(timeout=SILENT_S)
            except queue.Empty:
                part = Scanned([], 0)
            if isinstance(part, BaseException):
                raise part
            yield part
    finally:
        stop.set()
        thread.join(END_S)
