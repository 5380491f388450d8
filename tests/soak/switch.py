"""One address for whichever Redis is the primary now, as a platform gives it through DNS."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading


class Switch:
    """Forwards connections on a loopback port to `target`; `turn` cuts them all and names another."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def turn(self, target_port: int) -> None:
        """From now on connections go to another port; those that are open end."""
        with self._lock:
            self._target_port = target_port
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()
        self.turn(0)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._forward, args=(client,), daemon=True).start()

    def _forward(self, client: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            client,
            socket.create_connection(("127.0.0.1", self._target_port), 2) as server,
        ):
            both = {client, server}
            with self._lock:
                self._open |= both
            try:
                _pump(client, server)
            finally:
                with self._lock:
                    self._open -= both


def _pump(one: socket.socket, other: socket.socket) -> None:
    for end in (one, other):
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with selectors.DefaultSelector() as waiting:
        waiting.register(one, selectors.EVENT_READ, other)
        waiting.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _ in waiting.select():
                source: socket.socket = key.fileobj  # type: ignore[assignment]
                data = source.recv(65_536)
                if not data:
                    return
                key.data.sendall(data)
