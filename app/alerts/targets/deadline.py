"""A total time limit for whatever talks over sockets: also against a server that sends a byte now and then,
and while a name is looked up, which no timeout of a socket covers."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

T = TypeVar("T")


class Deadline:
    """Told of each connection, so that it can end them when the time is over."""

    def __init__(self, seconds: float) -> None:
        self._ends_s = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []
        self._is_over = False

    @property
    def left_s(self) -> float:
        return self._ends_s - time.monotonic()

    def extend(self, seconds: float) -> None:
        """From now on there is so much time, in place of what was left."""
        self._ends_s = time.monotonic() + seconds

    def watch(self, connection: socket.socket) -> socket.socket:
        """The same connection. Raises TimeoutError, with the connection closed, if the time is over already:
        nothing is to be sent any more."""
        with self._lock:
            if self._is_over:
                connection.close()
                raise TimeoutError
            # A copy, because TLS takes the socket over and leaves the object without it.
            self._connections.append(connection.dup())
        return connection

    def require_time(self) -> None:
        """Raises TimeoutError if the time is over: what was read since then may be cut off."""
        with self._lock:
            if self._is_over:
                raise TimeoutError

    def end(self) -> None:
        """Ends the connections; whoever reads from one wakes up."""
        with self._lock:
            self._is_over = True
            for connection in self._connections:
                with contextlib.suppress(OSError):  # The other side may have ended it.
                    connection.shutdown(socket.SHUT_RDWR)
                connection.close()
            self._connections.clear()


def within(seconds: float, work: Callable[[Deadline], T]) -> T:
    """What `work` returns or raises, if it does in time. Raises TimeoutError otherwise; its connections are
    ended then, and its thread ends soon after."""
    deadline = Deadline(seconds)
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(work(deadline))
        except BaseException as fault:
            outcome.set_exception(fault)

    # A daemon: a name server that does not answer must not hold up the end of the process.
    threading.Thread(target=run, name="send an alert", daemon=True).start()
    try:
        while not outcome.done() and (left_s := deadline.left_s) > 0:
            wait([outcome], left_s)
        return outcome.result(0)
    finally:
        deadline.end()
