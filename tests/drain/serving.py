"""A `web` process to ask over real sockets, and what one asks it."""

from __future__ import annotations

import contextlib
import http.client
import socket
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from servers.ports import free_port
from servers.processes import Process, Processes
from tests.drain.bodies import ROUTER_SENT

USER, PASSWORD = "shop", "correct:horse"
LOGPLEX = {"Content-Type": "application/logplex-1"}


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """Status, headers (names in lower case) and body of one answer."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Web:
    """A running `web`."""

    process: Process
    port: int
    login: dict[str, str] = field(default_factory=dict)
    """Headers that let one in."""

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] = b"",
        headers: dict[str, str] | None = None,
        *,
        chunked: bool = False,
        timeout_s: float = 20,
    ) -> CachedResponse:
        """One request on a connection of its own, with exactly these headers."""
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        ) as connection:
            connection.request(method, path, body, headers or {}, encode_chunked=chunked)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return CachedResponse(response.status, found, response.read())

    def post(
        self, body: bytes = ROUTER_SENT, *, chunked: bool = False, timeout_s: float = 20, **headers: str
    ) -> CachedResponse:
        """POST /logs as Logplex does; a keyword `Logplex_Frame_Id="x"` is one more header, and an
        empty value takes one away."""
        own = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in (self.login | LOGPLEX | own).items() if value}
        if chunked:
            sent["Transfer-Encoding"] = "chunked"
        return self.ask(
            "POST",
            "/logs",
            [body[at : at + 1000] for at in range(0, len(body), 1000)] if chunked else body,
            sent,
            chunked=chunked,
            timeout_s=timeout_s,
        )

    def health_s(self) -> float:
        """How long GET /health takes."""
        started = time.monotonic()
        assert self.ask("GET", "/health").status == 200
        return time.monotonic() - started

    def connect(self) -> socket.socket:
        """A connection to do odd things with."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)


def basic(user: str, password: str) -> str:
    """The value of an Authorization header."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


@contextlib.contextmanager
def serving(**environ: str) -> Iterator[Web]:
    """A `web` with these settings."""
    login = {}
    if "DRAIN_USER" in environ:
        login["Authorization"] = basic(environ["DRAIN_USER"], environ["DRAIN_PASSWORD"])
    with Processes({"WEB_CONCURRENCY": "1", **environ}) as processes:
        port = free_port()
        yield Web(processes.start_web(port), port, login)
