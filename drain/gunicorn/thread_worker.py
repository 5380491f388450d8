"""gunicorn's thread worker, with limits: no client can hold a thread, or keep others out, for long.

A connection gets a thread once the whole header of its request is there; until then the poller
waits for it. The body has to come, and the answer has to be taken, in limited time. Where there
are as many connections as may be, the longest idle one is closed for a new one.

It overrides and reads names of gunicorn that are not documented: internals.py checks that they are there.
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
from typing import Any, NamedTuple

from gunicorn.http.body import ChunkedReader
from gunicorn.workers.gthread import _DEFER, TConn, ThreadWorker

from drain.gunicorn.chunks import Chunks
from drain.gunicorn.invalid_requests import InvalidRequests
from drain.gunicorn.watchdog import Watchdog
from drain.receivers.body import BodyError

READ_S = 5.0
"""For the body of one request: Logplex itself waits no longer for its answer."""

REQUEST_S = 30.0
HEADER_S = 30.0
"""From a connection's first sign of life to the end of a request's header; it costs no thread."""

HEADER_MAX_BYTES = 16_384
"""Logplex's header has about 600 bytes, a browser's a few thousand."""

OTHERS_KEEPALIVE_S = 100.0
"""For an idle connection on which no frame was accepted yet; a sender's has the server's `keepalive`.
Heroku's router keeps its connections to a dyno for 90 s, so it always closes them first."""

LINGER_S = 1.0
"""How long the rest of an answered request is read, so that its sender gets the answer."""

LINGERING_MAX = 4
LINGER_MIN_S = 0.01
"""The same if that many threads are lingering already: only what has arrived is read."""

ACCEPT_PAUSE_S = 0.1
LOG_EVERY_S = 60.0
CLOSED_AT_ONCE = 8
"""Idle connections that are closed when the system has no room for a new one."""

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
        self.lingering = threading.BoundedSemaphore(LINGERING_MAX)
        # gunicorn would answer the surplus with "Connection: close", senders too.
        self.max_keepalived = self.worker_connections
        self.sort_due_s = self.accept_due_s = self.log_due_s = 0.0
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
            if now_s >= self.log_due_s:
                self.log_due_s = now_s + LOG_EVERY_S
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
            peeked = _peek(conn)
            result = self._serve(conn) if peeked.is_ready else self._wait_for_header(conn, peeked)
        except OSError:  # The client is gone.
            result = False
        if not result:
            self._lingering_close(conn.sock)
        return result

    def _serve(self, conn: TConn) -> Any:
        if getattr(conn, "header_due_s", None) is not None:
            _wake_at(conn.sock, 1)
        conn.header_due_s = None
        conn.data_ready = True
        with self.watchdog.limit(conn.sock, read_s=READ_S, total_s=REQUEST_S):
            keeps = super().handle(conn)
        if keeps:
            was_accepted = getattr(conn.parser.mesg, "was_accepted", False)
            conn.idle_since_s = time.monotonic()
            conn.is_sender = getattr(conn, "is_sender", False) or was_accepted
        return keeps

    def _wait_for_header(self, conn: TConn, peeked: _Peeked) -> Any:
        """Gives the connection back to the poller until more of its header comes; False where that
        cannot become a good one in time. Such a header is answered."""
        now_s = time.monotonic()
        if getattr(conn, "header_due_s", None) is None:
            conn.header_due_s = now_s + HEADER_S
        if not hasattr(conn, "idle_since_s"):
            conn.idle_since_s, conn.is_sender = now_s, False
        if refusal := _refusal(peeked.header):
            conn.sock.send(refusal)
        if refusal or now_s > conn.header_due_s or not self.alive:
            return False
        _wake_at(conn.sock, peeked.unread_bytes + 1)
        return _DEFER

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
        """Reads the rest of an unread body, because the next request comes after it."""
        if not keepalive:
            return False
        with self._linger_time() as linger_s:
            try:
                return bool(conn.parser.finish_body(deadline=time.monotonic() + linger_s))
            except BodyError:
                return False  # It is answered already: gunicorn would answer a second time.

    def _lingering_close(self, sock: socket.socket) -> None:
        """Closes a connection. gunicorn would do this in its main thread, up to 2 s for each.

        Closing with unread bytes resets the connection, and the answer may be lost on its way, so these are
        read for a while.
        """
        with contextlib.suppress(OSError), self._linger_time() as linger_s:
            sock.shutdown(socket.SHUT_WR)
            deadline_s = time.monotonic() + linger_s
            while (left_s := deadline_s - time.monotonic()) > 0:
                sock.settimeout(left_s)
                if not sock.recv(65_536):
                    break
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def _linger_time(self) -> Iterator[float]:
        """How long this thread may wait for a client, in seconds."""
        if not self.lingering.acquire(blocking=False):
            yield LINGER_MIN_S
            return
        try:
            yield LINGER_S
        finally:
            self.lingering.release()


class _Peeked(NamedTuple):
    """What has arrived of a connection's next request."""

    header: bytes
    """Of it, at most HEADER_MAX_BYTES more than what came with the request before."""
    unread_bytes: int
    """How much of that is still in the socket."""
    has_ended: bool
    """No more can come."""

    @property
    def is_ready(self) -> bool:
        """Whether a thread should take the connection: gunicorn also sees to one that has ended."""
        return self.has_ended or HEADER_END in self.header


def _peek(conn: TConn) -> _Peeked:
    """Looks at the next request without waiting or taking it. Raises OSError for a broken connection."""
    ahead = bytes(conn.parser.unreader.buf.getvalue()) if conn.initialized else b""
    if HEADER_END in ahead:
        return _Peeked(ahead, 0, has_ended=False)
    conn.sock.setblocking(False)
    try:
        unread = conn.sock.recv(HEADER_MAX_BYTES, socket.MSG_PEEK)
    except BlockingIOError:
        return _Peeked(ahead, 0, has_ended=False)
    return _Peeked(ahead + unread, len(unread), has_ended=not unread)


def _has_whole_header(conn: TConn) -> bool:
    """True where a request waits for a thread."""
    try:
        return HEADER_END in _peek(conn).header
    except OSError:
        return False


def _wake_at(sock: socket.socket, bytes_there: int) -> None:
    """Has the poller, and a read, wait until so many bytes are there, or the stream has ended."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, bytes_there)


def _refusal(header: bytes) -> bytes:
    """The answer to the beginning of a header that cannot become a good one; else nothing."""
    if len(header) >= HEADER_MAX_BYTES:
        return TOO_LONG
    if header.count(b"\n") != header.count(b"\r\n"):
        return BARE_LINE_FEED  # RFC 9112, 2.2; gunicorn refuses it too, once it has a thread.
    return b""
