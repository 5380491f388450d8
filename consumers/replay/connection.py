"""One HTTP/1.1 connection to the target, kept alive, on a plain socket.

Clients such as requests rewrite paths (`%2e`, quotes, `//`) and spend most of their time on what a
replay never needs. This one writes the request target as it is and reads the answer within limits
of time and size; whatever the peer does becomes an `Outcome`. Redirects are answers like others.
A body is read as far as a limit: the rest of a long download would tell nothing more.
"""

from __future__ import annotations

import random
import re
import select
import socket
import ssl
import time
from collections.abc import Sequence

from consumers.replay.request import Outcome
from consumers.replay.target import Target

HEAD_MAX_BYTES = 65_536
BODY_MAX_BYTES = 1_048_576
"""Of a longer body no more is read: the answer counts, its time is up to there, the connection ends."""

READ_BYTES = 65_536
RETRY_JITTER_S = 0.1
NO_BODY = frozenset({204, 304})
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
"""May be sent again when a kept connection turns out to be closed (RFC 9110, section 9.2.2)."""

_FRAMING = re.compile(
    rb"\r\n(content-length|transfer-encoding|connection):[ \t]*([^\r\n]*)", re.IGNORECASE
).findall


class BadResponse(Exception):
    """What came is no HTTP/1.x answer."""


class TooLarge(Exception):
    """Headers are over the limit."""


class _LongBody(Exception):
    """The body goes on beyond what is read of one."""


def tls_context(target: Target) -> ssl.SSLContext | None:
    """The system's authorities, names checked; None for plain HTTP. One serves many connections."""
    if target.scheme != "https":
        return None
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class Connection:
    """Belongs to one thread. `exchange` opens and re-opens the socket as needed."""

    def __init__(self, target: Target, timeout_s: float, tls: ssl.SSLContext | None = None) -> None:
        """`tls`: as `tls_context` gives it; made here where it is missing."""
        self._target = target
        self._timeout_s = timeout_s
        self._tls = tls or tls_context(target)
        self._socket: socket.socket | None = None
        self._readable = select.poll()
        self._rest = b""
        self._has_heard = False
        self._deadline_s = 0.0

    def exchange(self, method: str, target: bytes, headers: Sequence[tuple[str, str]]) -> Outcome:
        """Sends one request without a body. Never raises for anything that the peer does, and ends
        within the time limit, all tries together (but for the system's own limit of a DNS query).
        """
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
        length = "" if method in ("GET", "HEAD") else "Content-Length: 0\r\n"
        wire = b"%b %b HTTP/1.1\r\n%b\r\n" % (method.encode(), target, (lines + length).encode("latin-1"))
        self._deadline_s = time.monotonic() + self._timeout_s
        if self._socket is not None and (method not in IDEMPOTENT or self._readable.poll(0)):
            # Readable before we asked: the peer has closed it, or says 408 to nobody.
            self.close()
        outcome, may_retry = self._once(method, wire)
        if may_retry:
            pause_s = random.random() * RETRY_JITTER_S
            if time.monotonic() + pause_s < self._deadline_s:
                time.sleep(pause_s)
                outcome, _ = self._once(method, wire)
        return outcome

    def _once(self, method: str, wire: bytes) -> tuple[Outcome, bool]:
        """The outcome, and whether the request surely had no effect or may be repeated."""
        was_kept = is_open = self._socket is not None
        self._has_heard = False
        started_s = time.monotonic()
        try:
            if self._socket is None:
                self._open()
                is_open = True
                started_s = time.monotonic()
            self._send(wire)
            status = self._read_answer(method)
        except (OSError, BadResponse, TooLarge) as fault:
            self.close()
            kind = kind_of(fault)
            is_early = not is_open or (was_kept and not self._has_heard)
            return Outcome(kind, 0, _since_ms(started_s)), is_early and kind in ("refused", "reset")
        return Outcome("answered", status, _since_ms(started_s)), False

    def _left_s(self) -> float:
        left_s = self._deadline_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        return left_s

    def _open(self) -> None:
        host, port = self._target.host, self._target.port
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for number, (family, kind, protocol, _, address) in enumerate(addresses, 1):
            connection = socket.socket(family, kind, protocol)
            try:
                # A share of the time for each address: the first may be a black hole.
                connection.settimeout(self._left_s() / (len(addresses) - number + 1))
                connection.connect(address)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                break
            except OSError:
                connection.close()
                if number == len(addresses):
                    raise
        if self._tls is not None:
            try:
                connection.settimeout(self._left_s())
                connection = self._tls.wrap_socket(connection, server_hostname=host)
            except BaseException:
                connection.close()
                raise
        self._socket = connection
        self._readable.register(connection, select.POLLIN)
        self._rest = b""

    def _send(self, wire: bytes) -> None:
        assert self._socket is not None
        self._socket.settimeout(self._left_s())
        self._socket.sendall(wire)

    def _receive(self) -> bytes:
        """Some bytes; b"" where the peer has closed. The time limit is the whole exchange's: a
        socket's own would start anew with every byte."""
        assert self._socket is not None
        self._socket.settimeout(self._left_s())
        part = self._socket.recv(READ_BYTES)
        if part:
            self._has_heard = True
        return part

    def _more(self) -> bytes:
        part = self._receive()
        if not part:
            raise BadResponse
        return part

    def _read_answer(self, method: str) -> int:
        """The status, once headers and body were read. Keeps or closes the connection."""
        head = self._read_head()
        status = _status(head)
        while 100 <= status < 200 and status != 101:
            head = self._read_head()
            status = _status(head)
        length, is_chunked, keep = _framing(head)
        try:
            if method == "HEAD" or status in NO_BODY:
                pass
            elif is_chunked:
                self._skip_chunks()
            elif length is not None:
                self._skip(length, length)
            else:
                self._skip_to_end()
                keep = False
        except _LongBody:
            keep = False
        if not keep or status == 101 or self._rest:
            # What came beyond the answer belongs to no request.
            self.close()
        return status

    def _read_head(self) -> bytes:
        data = self._rest
        while (end := data.find(b"\r\n\r\n")) < 0:
            if len(data) > HEAD_MAX_BYTES:
                raise TooLarge
            if data and not b"HTTP/1.".startswith(data[:7]):
                raise BadResponse
            part = self._receive()
            if not part:
                raise BadResponse if self._has_heard else ConnectionResetError
            data += part
        if end > HEAD_MAX_BYTES:
            raise TooLarge
        self._rest = data[end + 4 :]
        return data[: end + 2]

    def _skip(self, length: int, whole: int) -> None:
        """Reads `length` bytes of a body that has `whole` of them up to there."""
        excess = max(0, whole - BODY_MAX_BYTES)
        length -= excess
        while len(self._rest) < length:
            length -= len(self._rest)
            self._rest = self._more()
        self._rest = self._rest[length:]
        if excess:
            raise _LongBody

    def _skip_chunks(self) -> None:
        whole = 0
        while True:
            while (end := self._rest.find(b"\r\n")) < 0:
                if len(self._rest) > 1024:
                    raise BadResponse
                self._rest += self._more()
            size = _chunk_size(self._rest[:end])
            self._rest = self._rest[end + 2 :]
            if size == 0:
                break
            whole += size
            self._skip(size + 2, whole)
        # Trailers end with an empty line, as headers do.
        while not (self._rest.startswith(b"\r\n") or b"\r\n\r\n" in self._rest):
            if len(self._rest) > HEAD_MAX_BYTES:
                raise TooLarge
            self._rest += self._more()
        at = 0 if self._rest.startswith(b"\r\n") else self._rest.find(b"\r\n\r\n") + 2
        self._rest = self._rest[at + 2 :]

    def _skip_to_end(self) -> None:
        whole = len(self._rest)
        while part := self._receive():
            whole += len(part)
            if whole > BODY_MAX_BYTES:
                raise _LongBody

    def close(self) -> None:
        """Ends the socket; the next exchange opens another."""
        if self._socket is not None:
            self._readable.unregister(self._socket)
            self._socket.close()
            self._socket = None
            self._rest = b""


def kind_of(fault: Exception) -> str:
    """What went wrong, as it is counted."""
    for kind, types in _KINDS.items():
        if isinstance(fault, types):
            return kind
    return "reset"


_KINDS: dict[str, type[Exception] | tuple[type[Exception], ...]] = {
    "bad-response": BadResponse,
    "too-large": TooLarge,
    "timeout": TimeoutError,
    "tls": ssl.SSLError,
    "dns": socket.gaierror,
    "refused": ConnectionRefusedError,
}


def _since_ms(started_s: float) -> float:
    return (time.monotonic() - started_s) * 1000


def _status(head: bytes) -> int:
    code = head[9:12]
    if not head.startswith(b"HTTP/1.") or head[8:9] != b" " or not code.isdigit() or code < b"100":
        raise BadResponse
    return int(code)


def _framing(head: bytes) -> tuple[int | None, bool, bool]:
    """(length of the body where it is said, whether it is chunked, whether the connection stays)."""
    length: int | None = None
    is_chunked = False
    keep = not head.startswith(b"HTTP/1.0")
    for name, value in _FRAMING(head):
        first = name[:1].lower()
        if first == b"t":
            is_chunked = b"chunked" in value.lower()
        elif name[:4].lower() == b"conn":
            keep = keep and b"close" not in value.lower()
        else:
            text = value.strip()
            if not text.isdigit() or len(text) > 18 or length not in (None, int(text)):
                raise BadResponse
            length = int(text)
    return length, is_chunked, keep


def _chunk_size(line: bytes) -> int:
    text = line.partition(b";")[0].strip()
    if not _HEX(text):
        raise BadResponse
    return int(text, 16)


_HEX = re.compile(rb"[0-9a-fA-F]{1,16}").fullmatch
