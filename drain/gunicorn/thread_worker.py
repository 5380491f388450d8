"""gunicorn's thread worker, with limits: no client can hold a thread, or the door, for long.

A connection gets a thread once the whole header of its request is there; until then the poller
waits for it. The body has to come, and the answer has to be taken, in limited time. Where there
are as many connections as may be, the longest idle one is closed for a new one.

It overrides and reads names of gunicorn that are not documented: drain/gunicorn/config.py checks the version.
"""

from __future__ import annotations

import contextlib
import errno
import heapq
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from itertools import islice
from operator import attrgetter
from typing import Any

from gunicorn.http.body import ChunkedReader
from gunicorn.workers.gthread import _DEFER, TConn, ThreadWorker

from drain.gunicorn.chunks import Chunks
from drain.gunicorn.invalid_requests import InvalidRequests
from drain.gunicorn.watchdog import Watchdog
from drain.receivers.body import BodyError

READ_S = 5.0
"""For the body of one request: Logplex itself waits no longer for its answer."""

WHOLE_S = 30.0
HEADER_S = 30.0
"""From a connection's first sign of life to the end of a request's header; it costs no thread."""

HEADER_MAX_BYTES = 16_384
"""Logplex's header has about 600 bytes, a browser's a few thousand."""

OTHERS_KEEPALIVE_S = 100.0
"""For an idle connection on which no frame was accepted yet; a sender's has the server's `keepalive`.
Heroku's router keeps its connections to a dyno for 90 s, so 100 s never closes one under its hands."""

PATIENCE_S = 1.0
"""For the rest of a request that is answered already, so that the sender gets to the answer."""

PATIENT_AT_ONCE = 4
HASTE_S = 0.01
"""The same where so many threads are patient already: only what is there is taken."""

ACCEPT_PAUSE_S = 0.1
SAY_EVERY_S = 60.0
CLOSED_AT_ONCE = 8
"""Idle connections closed when the system has no more room for a new one."""

NO_ROOM = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))
"""accept(2): out of file descriptors or memory. Both come back, so the worker waits."""

HEADER_END = b"\r\n\r\n"
_REFUSED = b"HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
TOO_LONG = _REFUSED % b"431 Request Header Fields Too Large"
BARE_LINE_FEED = _REFUSED % b"400 Bad Request"


class LimitedThreadWorker(ThreadWorker):  # type: ignore[misc]
    """Shuts a connection down when its request is not read, or not answered, in time."""

    pending_conns: deque[TConn]
    keepalived_conns: deque[TConn]

    def init_process(self) -> None:
        self.watchdog = Watchdog()
        self.patient = threading.BoundedSemaphore(PATIENT_AT_ONCE)
        # gunicorn would answer the surplus with "Connection: close", senders too.
        self.max_keepalived = self.worker_connections
        self.sort_due_s = self.accept_due_s = self.say_due_s = 0.0
        self.to_close = 0
        self.log.error_log.addFilter(InvalidRequests())
        super().init_process()

    def accept(self, listener: socket.socket) -> None:
        """In the main thread. Pauses where the system has no room for one more connection."""
        try:
            super().accept(listener)
        except OSError as fault:
            if fault.errno not in NO_ROOM:
                raise
            now_s = time.monotonic()
            self.accept_due_s = now_s + ACCEPT_PAUSE_S
            self.set_accept_enabled(False)
            self.to_close = CLOSED_AT_ONCE
            if now_s >= self.say_due_s:
                self.say_due_s = now_s + SAY_EVERY_S
                self.log.warning(
                    "no room for a new connection: %s; %d are open. Idle ones are closed, new ones wait. "
                    "Raise the limit of open files (ulimit -n, LimitNOFILE=)",
                    fault.strerror,
                    self.nr_conns,
                )

    def set_accept_enabled(self, enabled: bool) -> None:
        """In the main thread, before each wait for events."""
        super().set_accept_enabled(enabled and time.monotonic() >= self.accept_due_s)

    def handle(self, conn: TConn) -> Any:
        """In a thread: one request, if its header is there. True keeps the connection."""
        try:
            if not _is_ready(conn):
                return _DEFER if self.alive else False
            conn.header_due_s = None
            conn.data_ready = True
            with self.watchdog.limit(conn.sock, read_s=READ_S, whole_s=WHOLE_S):
                keeps = super().handle(conn)
        except OSError:
            keeps = False
        if not keeps:
            self._see_off(conn.sock)
            return False
        conn.idle_since_s = time.monotonic()
        conn.is_sender = getattr(conn, "is_sender", False) or getattr(conn.parser.mesg, "was_accepted", False)
        return keeps

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """In a thread, once the header is parsed."""
        if isinstance(req.body.reader, ChunkedReader):
            req.body.reader = Chunks(req, conn.parser.unreader)
        return super().handle_request(req, conn)

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        """In the main thread, after `handle`."""
        super().finish_request(conn, fs)
        due_s = getattr(conn, "header_due_s", None)
        if due_s is not None:
            conn.timeout = due_s
        elif conn.timeout is not None and not getattr(conn, "is_sender", False):
            conn.timeout = min(conn.timeout, time.monotonic() + OTHERS_KEEPALIVE_S)

    def murder_keepalived(self, force: bool = False) -> None:
        """Closes connections that were idle too long; in the main thread, after each wait for events."""
        now_s = time.monotonic()
        if now_s >= self.sort_due_s:
            # gunicorn looks at the first ones alone, because all have the same time in its own worker.
            self.sort_due_s = now_s + 1
            self.keepalived_conns = deque(sorted(self.keepalived_conns, key=attrgetter("timeout")))
            self.pending_conns = deque(sorted(self.pending_conns, key=attrgetter("timeout")))
        super().murder_keepalived(force)

    def murder_pending(self) -> None:
        """Closes connections whose header is overdue, and when stopping all that have not begun."""
        if not self.alive:
            for conn in self.pending_conns:
                conn.timeout = 0.0
        super().murder_pending()
        if self.alive:
            self._make_room()

    def _make_room(self) -> None:
        """Closes the longest idle connections, so that one more can come.

        Here and not in `accept`: between two waits, nobody holds an event of a closed connection.
        """
        count = max(self.nr_conns + 1 - self.worker_connections, self.to_close)
        self.to_close = 0
        if count <= 0:
            return
        idle = (conn for conn in self._longest_idle_first() if not _has_whole_header(conn))
        for conn in list(islice(idle, count)):
            self.accept_due_s = 0.0
            (self.pending_conns if conn in self.pending_conns else self.keepalived_conns).remove(conn)
            self.poller.unregister(conn.sock)
            self.nr_conns -= 1
            conn.close()

    def _longest_idle_first(self) -> Iterator[TConn]:
        """The connections that no thread has: a sender's after all others.

        A header that is not whole is no request: it counts as idle since the last answer. Where some
        wait for a thread, senders stay: a new connection would only wait with them.
        """
        others = (conn for conn in self.keepalived_conns if not conn.is_sender)
        yield from heapq.merge(self.pending_conns, others, key=attrgetter("idle_since_s"))
        if self.nr_conns - len(self.pending_conns) - len(self.keepalived_conns) <= self.cfg.threads:
            yield from (conn for conn in self.keepalived_conns if conn.is_sender)

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        """Takes what is left of a body that nobody read: the next request comes after it."""
        if not keepalive:
            return False
        with self._patience() as patience_s:
            try:
                return bool(conn.parser.finish_body(deadline=time.monotonic() + patience_s))
            except BodyError:
                return False  # It is answered already: gunicorn would answer a second time.

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


def _read_ahead(conn: TConn) -> bytes:
    """What came with the request before, taken from the socket already."""
    return bytes(conn.parser.unreader.buf.getvalue()) if conn.initialized else b""


def _has_whole_header(conn: TConn) -> bool:
    """True where a request waits for a thread. Blocks never."""
    try:
        seen = conn.sock.recv(HEADER_MAX_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except OSError:
        return False
    return HEADER_END in _read_ahead(conn) + seen


def _is_ready(conn: TConn) -> bool:
    """True where a thread should take the connection: a whole header is there, or no more can come.

    Else the poller wakes up with the next byte after those that are there already. Raises OSError
    where the connection is broken, or its header too long, too slow or not a header.
    """
    sock = conn.sock
    ahead = _read_ahead(conn)
    if HEADER_END in ahead:
        return True
    now_s = time.monotonic()
    due_s: float | None = getattr(conn, "header_due_s", None)
    sock.setblocking(False)
    try:
        seen = sock.recv(HEADER_MAX_BYTES, socket.MSG_PEEK)
        is_ready = not seen or HEADER_END in ahead + seen
    except BlockingIOError:
        seen = b""
        is_ready = False
    if not is_ready:
        conn.header_due_s = due_s if due_s is not None else now_s + HEADER_S
        if not hasattr(conn, "idle_since_s"):
            conn.idle_since_s, conn.is_sender = now_s, False
        if now_s > conn.header_due_s:
            raise TimeoutError("the header arrived too slowly")
        _refuse_bad_header(sock, ahead + seen)
    if due_s is not None or not is_ready:
        # "Readable" means: more than this is there. Only the end of the stream counts in any case.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1 if is_ready else len(seen) + 1)
    return is_ready


def _refuse_bad_header(sock: socket.socket, begun: bytes) -> None:
    """Answers a header that cannot become a good one, and raises OSError."""
    if len(begun) >= HEADER_MAX_BYTES:
        sock.send(TOO_LONG)
        raise OSError("the header is too long")
    if begun.count(b"\n") != begun.count(b"\r\n"):
        sock.send(BARE_LINE_FEED)  # RFC 9112, 2.2; gunicorn refuses it too, once it has a thread.
        raise OSError("a line of the header does not end in CRLF")
