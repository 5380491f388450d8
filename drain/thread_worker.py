"""gunicorn's thread worker, with time limits: no client can hold a thread for long.

A connection gets a thread once the whole header of its request is there; until then the poller
waits for it. The body has to come, and the answer has to be taken, in limited time.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

from gunicorn.workers.gthread import _DEFER, TConn, ThreadWorker

from drain.watchdog import Watchdog

READ_S = 5.0
"""For the body of one request: Logplex itself waits no longer for its answer."""

WHOLE_S = 30.0
HEADER_S = 30.0
"""From a connection's first sign of life to the end of a request's header; it costs no thread."""

HEADER_MAX_BYTES = 16_384
"""Logplex's header has about 600 bytes, a browser's a few thousand."""

PATIENCE_S = 1.0
"""For the rest of a request that is answered already, so that the sender gets to the answer."""

PATIENT_AT_ONCE = 4
HASTE_S = 0.01
"""The same where so many threads are patient already: only what is there is taken."""

TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class LimitedThreadWorker(ThreadWorker):  # type: ignore[misc]
    """Shuts a connection down when its request is not read, or not answered, in time."""

    def init_process(self) -> None:
        self.watchdog = Watchdog()
        self.patient = threading.BoundedSemaphore(PATIENT_AT_ONCE)
        super().init_process()

    def handle(self, conn: TConn) -> Any:
        """In a thread: one request, if its header is there. True keeps the connection."""
        try:
            if not _is_ready(conn):
                return _DEFER
            conn.header_due_s = None
            conn.data_ready = True
            with self.watchdog.limit(conn.sock, read_s=READ_S, whole_s=WHOLE_S):
                keeps = super().handle(conn)
        except OSError:
            keeps = False
        if not keeps:
            self._see_off(conn.sock)
        return keeps

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        """In the main thread, after `handle`."""
        super().finish_request(conn, fs)
        due_s = getattr(conn, "header_due_s", None)
        if due_s is not None:
            conn.timeout = due_s

    def murder_pending(self) -> None:
        """Closes connections whose header is overdue, and when stopping all that have not begun."""
        if not self.alive:
            for conn in self.pending_conns:
                conn.timeout = 0.0
        super().murder_pending()

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        """Takes what is left of a body that nobody read: the next request comes after it."""
        if not keepalive:
            return False
        with self._patience() as patience_s:
            return bool(conn.parser.finish_body(deadline=time.monotonic() + patience_s))

    def _see_off(self, sock: socket.socket) -> None:
        """Ends a connection. gunicorn would do it in its main thread, up to 2 s for each.

        A close with unread bytes resets the connection, and the answer may be lost on its way; so
        these are taken for a while.
        """
        with contextlib.suppress(OSError), self._patience() as patience_s:
            sock.shutdown(socket.SHUT_WR)
            deadline_s = time.monotonic() + patience_s
            while (left_s := deadline_s - time.monotonic()) > 0:
                sock.settimeout(left_s)
                if not sock.recv(65_536):
                    break
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def _patience(self) -> Iterator[float]:
        """How long this thread may wait for a client, in seconds."""
        if not self.patient.acquire(blocking=False):
            yield HASTE_S
            return
        try:
            yield PATIENCE_S
        finally:
            self.patient.release()


def _is_ready(conn: TConn) -> bool:
    """True where a thread should take the connection: a whole header is there, or no more can come.

    Else the poller wakes up with the next byte after those that are there already. Raises OSError
    where the connection is broken, or its header too long or too slow.
    """
    sock = conn.sock
    if conn.initialized and conn.parser.unreader.buf.getvalue():
        return True  # Some of it was read ahead.
    now_s = time.monotonic()
    due_s: float | None = getattr(conn, "header_due_s", None)
    sock.setblocking(False)
    try:
        seen = sock.recv(HEADER_MAX_BYTES, socket.MSG_PEEK)
    except BlockingIOError:
        conn.header_due_s = due_s if due_s is not None else now_s + HEADER_S
        return False
    is_ready = not seen or b"\r\n\r\n" in seen
    if not is_ready:
        conn.header_due_s = due_s if due_s is not None else now_s + HEADER_S
        if now_s > conn.header_due_s:
            raise TimeoutError("the header comes too slowly")
        if len(seen) == HEADER_MAX_BYTES:
            sock.send(TOO_LONG)
            raise OSError("the header is too long")
    if due_s is not None or not is_ready:
        # "Readable" means: more than this is there. Only the end of the stream counts in any case.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1 if is_ready else len(seen) + 1)
    return is_ready
