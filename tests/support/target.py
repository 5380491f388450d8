"""A recording target: an HTTP/1.1 server on raw sockets that keeps each request target byte for byte."""

from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """One request as it came; `at_s` is monotonic."""

    method: str
    target: bytes
    headers: dict[str, str]
    body: bytes
    at_s: float


Behaviour = Callable[[socket.socket, SeenRequest], bool]
"""Answers one request; True keeps the connection."""


def answer(status: int = 200, body: bytes = b"ok", delay_s: float = 0.0, head: bytes = b"") -> Behaviour:
    """A plain answer; `head` is more header lines, each with its CRLF."""

    def behave(connection: socket.socket, seen: SeenRequest) -> bool:
        if delay_s:
            time.sleep(delay_s)
        content = b"" if seen.method == "HEAD" else body
        connection.sendall(
            b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n%s\r\n%s" % (status, len(body), head, content)
        )
        return True

    return behave


_ORIGIN_FORM = re.compile(rb"/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*(?:\?[!-\"$-~]*)?")


def answer_strictly() -> Behaviour:
    """400 to a request target that is not of origin form (RFC 9112, section 3.2.1). A query may hold visible
    ASCII but `#`, as browsers send it."""

    def behave(connection: socket.socket, seen: SeenRequest) -> bool:
        return answer(200 if _ORIGIN_FORM.fullmatch(seen.target) else 400)(connection, seen)

    return behave


def refuse_by_reset() -> Behaviour:
    """A TCP reset in place of an answer."""

    def behave(connection: socket.socket, seen: SeenRequest) -> bool:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    return behave


def raw(data: bytes, pause_s: float = 0.0, repeat: int = 1) -> Behaviour:
    """Writes bytes as they are, `repeat` times with pauses between; then closes."""

    def behave(connection: socket.socket, seen: SeenRequest) -> bool:
        for _ in range(repeat):
            connection.sendall(data)
            if pause_s:
                time.sleep(pause_s)
        return False

    return behave


class RecordingTarget:
    """Serves on a port of loopback, by default a free one; `behaviour` may be changed while it runs."""

    def __init__(
        self, behaviour: Behaviour | None = None, tls: ssl.SSLContext | None = None, port: int = 0
    ) -> None:
        self.behaviour = behaviour or answer()
        self.seen: list[SeenRequest] = []
        self.connections = 0
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", port), backlog=256)
        self.port = int(self._listener.getsockname()[1])
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def targets(self) -> list[bytes]:
        """The request targets seen, in order of arrival."""
        return [seen.target for seen in self.seen]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            self._open.add(connection)
            stream = connection.makefile("rb")
            while (seen := _read_request(stream)) is not None:
                self.seen.append(seen)
                if not self.behaviour(connection, seen):
                    break
        except (OSError, ValueError):
            pass  # The client went away, or sent something that is no HTTP: nothing to record.
        finally:
            self._open.discard(connection)
            connection.close()

    def __enter__(self) -> RecordingTarget:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A shutdown wakes accept(); a close alone would not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


def _read_request(stream: BinaryIO) -> SeenRequest | None:
    line = stream.readline()
    if not line:
        return None
    at_s = time.monotonic()
    method, _, rest = line.rstrip(b"\r\n").partition(b" ")
    target = rest.rpartition(b" ")[0]
    headers: dict[str, str] = {}
    while (header := stream.readline()) not in (b"\r\n", b"\n", b""):
        name, _, value = header.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    length = int(headers.get("content-length", "0"))
    body = stream.read(length) if length else b""
    return SeenRequest(method.decode("latin-1"), target, headers, body, at_s)
