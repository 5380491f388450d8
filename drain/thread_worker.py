"""gunicorn's thread worker, with time limits: no client can hold a thread for ever."""

from __future__ import annotations

from typing import Any

from gunicorn.workers.gthread import _DEFER, TConn, ThreadWorker

from app.watchdog import Watchdog

READ_S = 5.0
"""For headers and body of one request: Logplex itself waits no longer for its answer."""

WHOLE_S = 30.0
FIRST_BYTE_S = 0.01
"""How long a thread looks at a new connection that says nothing; the poller then waits for it."""


class LimitedThreadWorker(ThreadWorker):  # type: ignore[misc]
    """Shuts a connection down when its request is not read, or not answered, in time."""

    def init_process(self) -> None:
        self.watchdog = Watchdog()
        super().init_process()

    def handle(self, conn: TConn) -> Any:
        if not conn.initialized and not conn.data_ready and not conn.wait_for_data(FIRST_BYTE_S):
            return _DEFER
        with self.watchdog.limit(conn.sock, read_s=READ_S, whole_s=WHOLE_S):
            return super().handle(conn)
