"""One HTTP/1.1 connection to the target, kept alive, on a plain socket.

Clients such as requests rewrite paths (`%2e`, quotes, `//`) and spend most of their time on features
that a replay never needs. This one writes the request target as it is and reads the answer (http1.py)
within limits of time and size; whatever the peer does becomes an `Outcome`. A redirect is an answer
like any other.
"""

from __future__ import annotations

import contextlib
import errno
import math
import random
import select
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import replace

from consumers.replay.choice.target import Target
from consumers.replay.request import Answer, Outcome
from consumers.replay.sending.http1 import BadResponse, Response, ResponseParser, TooLarge

READ_BYTES = 65_536
RETRY_JITTER_S = 0.1
FLOWING_FROM, FLOWING_UNTIL = 0.5, 0.75
"""A body without an end: its headers arrived within the first of these shares of the time limit, and more
of it after the second. One that came later is slow, one that stopped earlier has stalled: timeouts."""

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
"""May be sent again when a kept connection turns out to be closed (RFC 9110, section 9.2.2)."""


def tls_context(target: Target) -> ssl.SSLContext | None:
    """Trusts the system's authorities and checks names; None for plain HTTP. One context serves many
    connections."""
    if target.scheme != "https":
        return None
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def request_bytes(method: str, target: bytes, headers: Sequence[tuple[str, str]]) -> bytes:
    """A request without a body, as it is written to the wire."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
    length = "" if method in ("GET", "HEAD") else "Content-Length: 0\r\n"
    return b"%b %b HTTP/1.1\r\n%b\r\n" % (method.encode(), target, (lines + length).encode("latin-1"))


class Connection:
    """Belongs to one thread. `exchange` opens and reopens the socket as needed."""

    def __init__(
        self,
        target: Target,
        timeout_s: float,
        tls: ssl.SSLContext | None = None,
        *,
        keeps_answers: bool = False,
    ) -> None:
        """`tls`: from `tls_context`; created here if it is missing. `keeps_answers`: outcomes have their
        `answer`."""
        self._keeps_answers = keeps_answers
        self._target = target
        self._timeout_s = timeout_s
        self._tls = tls or tls_context(target)
        self._socket: socket.socket | None = None
        self._opening: socket.socket | None = None
        """Not connected yet."""
        self._is_aborted = False
        self._readable = select.poll()
        self._has_received = False
        """Something of the current answer."""
        self._deadline_s = 0.0

    def exchange(self, method: str, target: bytes, headers: Sequence[tuple[str, str]]) -> Outcome:
        """Sends one request without a body. Never raises because of the peer, and ends within the time
        limit, all tries together (but for the system's own limit of a DNS query).
        """
        wire = request_bytes(method, target, headers)
        begun_s = time.monotonic()
        self._deadline_s = begun_s + self._timeout_s
        if self._socket is not None and (method not in IDEMPOTENT or self._readable.poll(0)):
            # Readable before a request: the peer has closed it, or sends an unasked 408.
            self.close()
        outcome, may_retry = self._try(method, wire)
        if may_retry and not self._is_aborted:
            pause_s = random.random() * RETRY_JITTER_S
            if time.monotonic() + pause_s < self._deadline_s:
                time.sleep(pause_s)
                outcome, _ = self._try(method, wire)
        elapsed_ms = _since_ms(begun_s)
        if outcome.kind == "timeout":
            # An answer would have taken at least so long, wherever the time went: connecting, a first try, or
            # waiting. The system may have given up earlier.
            elapsed_ms = max(elapsed_ms, self._timeout_s * 1000)
            return replace(outcome, latency_ms=elapsed_ms, elapsed_ms=elapsed_ms)
        return replace(outcome, elapsed_ms=elapsed_ms)

    def _try(self, method: str, wire: bytes) -> tuple[Outcome, bool]:
        """The outcome, and whether the request may be sent again: it had no effect for certain, or may
        be repeated."""
        was_kept = is_open = self._socket is not None
        self._has_received = False
        started_s = time.monotonic()
        try:
            connection = self._socket
            if connection is None:
                connection = self._open()
                is_open = True
                started_s = time.monotonic()
            connection.settimeout(self._time_left_s())
            connection.sendall(wire)
            response, answer = self._read_response(connection, method)
        except (OSError, BadResponse, TooLarge) as fault:
            self.close()
            kind = kind_of(fault)
            is_early = not is_open or (was_kept and not self._has_received)
            return Outcome(kind, 0, _since_ms(started_s)), is_early and kind in _MAY_PASS
        if response.is_stream:
            return Outcome("stream", response.status, _since_ms(started_s)), False
        return Outcome("answered", response.status, _since_ms(started_s), answer=answer), False

    def _time_left_s(self) -> float:
        """Raises TimeoutError when there is none, and after `abort`."""
        left_s = self._deadline_s - time.monotonic()
        if left_s <= 0 or self._is_aborted:
            raise TimeoutError
        return left_s

    def _open(self) -> socket.socket:
        try:
            connection = self._connect()
            if self._tls is not None:
                connection = self._secure(connection, self._tls)
        finally:
            self._opening = None
        self._socket = connection
        self._readable.register(connection, select.POLLIN)
        return connection

    def _secure(self, connection: socket.socket, tls: ssl.SSLContext) -> socket.socket:
        try:
            connection.settimeout(self._time_left_s())
            name = self._target.host
            connection = tls.wrap_socket(connection, server_hostname=name, do_handshake_on_connect=False)
            self._opening = connection
            connection.do_handshake()
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect(self) -> socket.socket:
        """To the first address that accepts. Raises OSError with the last one's fault."""
        addresses = socket.getaddrinfo(self._target.host, self._target.port, type=socket.SOCK_STREAM)
        for number, (family, kind, protocol, _, address) in enumerate(addresses, 1):
            connection = self._opening = socket.socket(family, kind, protocol)
            try:
                # Each address gets a share of the time, because the first may never answer.
                connection.settimeout(self._time_left_s() / (len(addresses) - number + 1))
                connection.connect(address)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return connection
            except OSError:
                connection.close()
                if number == len(addresses):
                    raise
        raise socket.gaierror("the name has no addresses")

    def _read_response(self, connection: socket.socket, method: str) -> tuple[Response, Answer | None]:
        """Keeps the connection where the response allows it."""
        parser = ResponseParser(method, keeps_answer=self._keeps_answers)
        body_s = more_s = math.inf  # When the body began, and when the last of it arrived.
        try:
            while (response := parser.feed(self._receive(connection))) is None:
                if parser.open_status:
                    more_s = time.monotonic()
                    body_s = min(body_s, more_s)
        except TimeoutError:
            if not self._is_flowing(body_s, more_s):
                raise
            response = Response(parser.open_status, keep=False, is_stream=True)
        if not response.keep:
            self.close()
        return response, parser.answer

    def _is_flowing(self, body_s: float, more_s: float) -> bool:
        """The time is up: whether a body that began at `body_s`, and of which more arrived at `more_s`, has
        no end. See FLOWING_FROM."""
        begun_s = self._deadline_s - self._timeout_s
        return (
            body_s <= begun_s + FLOWING_FROM * self._timeout_s
            and begun_s + FLOWING_UNTIL * self._timeout_s <= more_s < math.inf
        )

    def _receive(self, connection: socket.socket) -> bytes:
        """Some bytes; b"" where the peer has closed the connection within its answer.

        The time limit is the whole exchange's: a socket's own would restart with every byte. Raises
        ConnectionResetError where the peer has closed before it answered.
        """
        connection.settimeout(self._time_left_s())
        part = connection.recv(READ_BYTES)
        if part:
            self._has_received = True
        elif not self._has_received:
            raise ConnectionResetError
        return part

    def close(self) -> None:
        """Closes the socket; the next exchange opens another."""
        if self._socket is not None:
            self._readable.unregister(self._socket)
            self._socket.close()
            self._socket = None

    def abort(self) -> None:
        """Ends the exchange that another thread has under way, and those to come. Its socket stays that
        thread's to close."""
        self._is_aborted = True
        for connection in (self._socket, self._opening):
            if connection is not None:
                with contextlib.suppress(OSError):  # Closed meanwhile, or not connected yet.
                    # Not the one of SSLSocket, which another thread's read would stumble over.
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)


def kind_of(fault: Exception) -> str:
    """What went wrong, by the name under which it is counted."""
    if isinstance(fault, OSError) and fault.errno in _NO_SOCKET:
        return "no-socket"
    for kind, types in _KINDS.items():
        if isinstance(fault, types):
            return kind
    return "reset"


_MAY_PASS = frozenset({"refused", "reset", "no-socket"})
"""Kinds that may be gone a moment later."""

_NO_SOCKET = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})
"""This machine had no file or port left: no fault of the target's."""

_KINDS: dict[str, type[Exception]] = {
    "bad-response": BadResponse,
    "too-large": TooLarge,
    "timeout": TimeoutError,
    "tls": ssl.SSLError,
    "dns": socket.gaierror,
    "refused": ConnectionRefusedError,
}


def _since_ms(started_s: float) -> float:
    return (time.monotonic() - started_s) * 1000
