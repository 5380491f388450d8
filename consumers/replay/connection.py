"""One HTTP/1.1 connection to the target, kept alive, on a plain socket.

Clients such as requests rewrite paths (`%2e`, quotes, `//`) and spend most of their time on what a
replay never needs. This one writes the request target as it is, reads status and headers within
limits, and the body as far as the limit; whatever the peer does becomes an `Outcome`.
"""

from __future__ import annotations

import random
import socket
import ssl
import time
from collections.abc import Sequence

from app.watchdog import Watchdog
from consumers.replay.request import Outcome
from consumers.replay.target import Target

HEAD_MAX_BYTES = 65_536
BODY_MAX_BYTES = 1_048_576
"""What is read of a body; the connection is closed after more, and the answer counts."""

READ_BYTES = 65_536
RETRY_JITTER_S = 0.05
NO_BODY = frozenset({204, 304})


class _BadResponse(Exception):
    """What came is no HTTP/1.x answer."""


class _TooLarge(Exception):
    """Status line and headers are over the limit."""


class _ClosedEarly(Exception):
    """The peer closed before the first byte of the answer."""


class Connection:
    """Belongs to one thread. `exchange` opens and re-opens the socket as needed."""

    def __init__(self, target: Target, watchdog: Watchdog, timeout_s: float) -> None:
        self._target = target
        self._watchdog = watchdog
        self._timeout_s = timeout_s
        self._context = ssl.create_default_context() if target.scheme == "https" else None
        self._socket: socket.socket | None = None
        self._rest = b""

    def exchange(self, method: str, target: bytes, headers: Sequence[tuple[str, str]]) -> Outcome:
        """Sends one request without a body. Never raises for anything that the peer does."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        length = "" if method in ("GET", "HEAD") else "Content-Length: 0\r\n"
        wire = b"%b %b HTTP/1.1\r\n%b\r\n" % (method.encode(), target, (lines + length).encode("latin-1"))
        started = time.monotonic()
        was_kept = self._socket is not None
        kind, status = self._try(method, wire, started)
        if was_kept and kind == "closed-early":
            # The peer had closed a connection that was kept: no answer was begun, so once more.
            time.sleep(random.random() * RETRY_JITTER_S)
            started = time.monotonic()
            kind, status = self._try(method, wire, started)
        kind = "reset" if kind == "closed-early" else kind
        return Outcome(kind, status, (time.monotonic() - started) * 1000)

    def _try(self, method: str, wire: bytes, started: float) -> tuple[str, int]:
        try:
            connection = self._socket or self._open()
            left_s = self._timeout_s - (time.monotonic() - started)
            connection.settimeout(self._timeout_s)
            with self._watchdog.limit(connection, read_s=left_s, whole_s=left_s):
                connection.sendall(wire)
                return "answered", self._read_answer(connection, method)
        except _ClosedEarly:
            kind = "closed-early"
        except _BadResponse:
            kind = "bad-response"
        except _TooLarge:
            kind = "too-large"
        except TimeoutError:
            kind = "timeout"
        except ssl.SSLError:
            kind = "tls"
        except socket.gaierror:
            kind = "dns"
        except ConnectionRefusedError:
            kind = "refused"
        except OSError:
            kind = "reset"
        self.close()
        if kind != "timeout" and time.monotonic() - started >= self._timeout_s:
            kind = "timeout"  # The watchdog's shutdown looks like the peer's.
        return kind, 0

    def _open(self) -> socket.socket:
        address = (self._target.host, self._target.port)
        connection = socket.create_connection(address, timeout=self._timeout_s)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_hostname=self._target.host)
        except BaseException:
            connection.close()
            raise
        self._socket = connection
        self._rest = b""
        return connection

    def _read_answer(self, connection: socket.socket, method: str) -> int:
        """The status, once headers and body were read. Keeps or closes the connection."""
        head = self._read_head(connection, is_first=True)
        status = _status(head)
        while 100 <= status < 200 and status != 101:
            head = self._read_head(connection, is_first=False)
            status = _status(head)
        fields = _fields(head)
        keep = not head.startswith(b"HTTP/1.0") and b"close" not in fields.get(b"connection", b"").lower()
        if method == "HEAD" or status in NO_BODY:
            is_whole = True
        elif b"chunked" in fields.get(b"transfer-encoding", b"").lower():
            is_whole = self._skip_chunks(connection)
        elif b"content-length" in fields:
            length = fields[b"content-length"]
            if not length.isdigit() or len(length) > 18:
                raise _BadResponse
            is_whole = self._skip(connection, int(length))
        else:
            self._skip_to_end(connection)
            is_whole = False
        if not (keep and is_whole) or status == 101:
            self.close()
        return status

    def _read_head(self, connection: socket.socket, *, is_first: bool) -> bytes:
        data = self._rest
        while (end := data.find(b"\r\n\r\n")) < 0:
            if len(data) > HEAD_MAX_BYTES:
                raise _TooLarge
            if data and not b"HTTP/1.".startswith(data[:7]):
                raise _BadResponse
            part = connection.recv(READ_BYTES)
            if not part:
                raise _ClosedEarly if is_first and not data else _BadResponse
            data += part
        if end > HEAD_MAX_BYTES:
            raise _TooLarge
        self._rest = data[end + 4 :]
        return data[: end + 2]

    def _more(self, connection: socket.socket) -> bytes:
        part = connection.recv(READ_BYTES)
        if not part:
            raise _BadResponse
        return part

    def _skip(self, connection: socket.socket, length: int) -> bool:
        """Reads `length` bytes; False when that is over the limit, and was not done."""
        if length > BODY_MAX_BYTES:
            return False
        while len(self._rest) < length:
            length -= len(self._rest)
            self._rest = self._more(connection)
        self._rest = self._rest[length:]
        return True

    def _skip_chunks(self, connection: socket.socket) -> bool:
        read = 0
        while True:
            while (end := self._rest.find(b"\r\n")) < 0:
                if len(self._rest) > 1024:
                    raise _BadResponse
                self._rest += self._more(connection)
            size_text = self._rest[:end].partition(b";")[0].strip()
            try:
                size = int(size_text, 16)
            except ValueError:
                raise _BadResponse from None
            self._rest = self._rest[end + 2 :]
            read += size
            if size < 0 or read > BODY_MAX_BYTES:
                return False
            if size == 0:
                break
            self._skip(connection, size + 2)
        # Trailers end with an empty line, as headers do.
        while not (self._rest.startswith(b"\r\n") or b"\r\n\r\n" in self._rest):
            if len(self._rest) > HEAD_MAX_BYTES:
                raise _TooLarge
            self._rest += self._more(connection)
        at = 0 if self._rest.startswith(b"\r\n") else self._rest.find(b"\r\n\r\n") + 2
        self._rest = self._rest[at + 2 :]
        return True

    def _skip_to_end(self, connection: socket.socket) -> None:
        read = len(self._rest)
        while read <= BODY_MAX_BYTES and (part := connection.recv(READ_BYTES)):
            read += len(part)

    def close(self) -> None:
        """Ends the socket; the next exchange opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            self._rest = b""


def _status(head: bytes) -> int:
    code = head[9:12]
    if not head.startswith(b"HTTP/1.") or head[8:9] != b" " or not code.isdigit() or code < b"100":
        raise _BadResponse
    return int(code)


def _fields(head: bytes) -> dict[bytes, bytes]:
    fields: dict[bytes, bytes] = {}
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        fields[name.lower()] = value.strip()
    return fields
