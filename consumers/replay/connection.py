"""One HTTP/1.1 connection to the target, kept alive, on a plain socket.

Clients such as requests rewrite paths (`%2e`, quotes, `//`) and spend most of their time on features
that a replay never needs. This one writes the request target as it is and reads the answer (http1.py)
within limits of time and size; whatever the peer does becomes an `Outcome`. A redirect is an answer
like any other.
"""

from __future__ import annotations

import random
import select
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import replace

from consumers.replay.http1 import BadResponse, Response, ResponseParser, TooLarge
from consumers.replay.request import Answer, Outcome
from consumers.replay.target import Target

READ_BYTES = 65_536
RETRY_JITTER_S = 0.1
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
        if may_retry:
            pause_s = random.random() * RETRY_JITTER_S
            if time.monotonic() + pause_s < self._deadline_s:
                time.sleep(pause_s)
                outcome, _ = self._try(method, wire)
        return replace(outcome, elapsed_ms=_since_ms(begun_s))

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
            return Outcome(kind, 0, _since_ms(started_s)), is_early and kind in ("refused", "reset")
        return Outcome("answered", response.status, _since_ms(started_s), answer=answer), False

    def _time_left_s(self) -> float:
        """Raises TimeoutError when there is none."""
        left_s = self._deadline_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        return left_s

    def _open(self) -> socket.socket:
        connection = self._connect()
        if self._tls is not None:
            try:
                connection.settimeout(self._time_left_s())
                connection = self._tls.wrap_socket(connection, server_hostname=self._target.host)
            except BaseException:
                connection.close()
                raise
        self._socket = connection
        self._readable.register(connection, select.POLLIN)
        return connection

    def _connect(self) -> socket.socket:
        """To the first address that accepts. Raises OSError with the last one's fault."""
        addresses = socket.getaddrinfo(self._target.host, self._target.port, type=socket.SOCK_STREAM)
        for number, (family, kind, protocol, _, address) in enumerate(addresses, 1):
            connection = socket.socket(family, kind, protocol)
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
        while (response := parser.feed(self._receive(connection))) is None:
            pass
        if not response.keep:
            self.close()
        return response, parser.answer

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


def kind_of(fault: Exception) -> str:
    """What went wrong, by the name under which it is counted."""
    for kind, types in _KINDS.items():
        if isinstance(fault, types):
            return kind
    return "reset"


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
