"""Load on a real `web`, as Logplex delivers, and the check that what it acknowledged counts exactly once.

Each frame has a route of its own, so that Redis says how often each frame was counted.
"""

from __future__ import annotations

import hashlib
import threading

import redis

from servers.logplex_client import Delivery, LogplexClient
from servers.messages import router_line, router_syslog
from servers.processes import wait_until
from servers.redis_server import RedisServer
from tests.support.stored import text_hash

LINES = 20
CLIENTS = 3
LINE = router_syslog(router_line("%s"), 1_795_428_000)
"""With the path still to be filled in."""


class Load:
    """Clients that deliver frame after frame of `lines` lines, `pause_s` between, until told to stop."""

    def __init__(self, port: int, lines: int = LINES, pause_s: float = 0.0) -> None:
        self.lines = lines
        self._pause_s = pause_s
        self.deliveries: list[tuple[str, Delivery]] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._deliver, args=(port, name)) for name in range(CLIENTS)]

    def _deliver(self, port: int, name: int) -> None:
        client = LogplexClient(f"http://u:p@127.0.0.1:{port}/logs")
        number = 0
        while not self._stop.is_set():
            path = f"/frame/{name}/{number}"
            number += 1
            self.deliveries.append((path, client.deliver([LINE % path.encode()] * self.lines)))
            self._stop.wait(self._pause_s)
        client.close()

    @property
    def accepted(self) -> int:
        """Frames acknowledged so far."""
        return sum(delivery.accepted for _, delivery in self.deliveries)

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *fault: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)


def settings(server: RedisServer) -> dict[str, str]:
    return {
        "REDIS_URL": server.url,
        "DRAIN_USER": "u",
        "DRAIN_PASSWORD": "p",
        "ROUTE_TEMPLATES": "raw",
        "ROUTES_MAX": "100000",
    }


def counts(server: RedisServer) -> dict[str, int]:
    """Route -> times counted."""
    client = redis.Redis.from_url(server.url)
    routes = list(text_hash(client, "routes"))
    pipeline = client.pipeline(transaction=False)
    for route in routes:
        pipeline.hget(f"{hashlib.sha256(route.encode()).hexdigest()}::statuses", "200")
    found = {route: int(count or 0) for route, count in zip(routes, pipeline.execute(), strict=True)}
    client.close()
    return found


def check(load: Load, server: RedisServer, least_accepted: int) -> None:
    """Accepted frames are counted exactly once; dropped ones at most once."""
    accepted = {path for path, delivery in load.deliveries if delivery.accepted}
    assert len(accepted) >= least_accepted

    def missing() -> set[str]:
        try:
            found = counts(server)
        except redis.RedisError:
            return accepted
        return {path for path in accepted if found.get(path, 0) < load.lines}

    wait_until(lambda: not missing(), "count of every accepted frame", 90)
    found = counts(server)
    assert {path: found[path] for path in accepted if found[path] != load.lines} == {}
    assert {path: count for path, count in found.items() if count > load.lines} == {}
