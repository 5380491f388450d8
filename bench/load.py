"""Load for the drain's benchmark: one set of bodies, posted over kept-alive connections.

Raw sockets on purpose: an HTTP client in Python costs more than the drain and would measure itself.
"""

from __future__ import annotations

import socket
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from servers.logplex_client import octets
from servers.messages import router_line, router_syslog

LINES = 300
BEGIN_S = 1_795_428_000
OTHER = (
    b"<190>1 2026-11-23T10:00:%02d.%06d+00:00 host app web.%d - [8601b555] Completed 200 OK in %dms "
    b"(Views: 12.1ms | ActiveRecord: 4.5ms | Allocations: 18231) controller=posts action=index "
    b"user=%d params={page: %d, per: 50, sort: newest, filter: none, locale: en} cache=hit region=eu"
    b" fill=xxxxxxxxxxx\n"
)


PLATFORM = (
    b"<45>1 2026-11-23T10:00:%02d.%06d+00:00 host heroku web.%d - source=web.%d "
    b"dyno=heroku.261104379.cd817c77-0000 sample#memory_total=%d.47MB sample#memory_rss=217.77MB "
    b"sample#memory_cache=3.70MB sample#memory_swap=0.00MB "
    b"sample#memory_pgpgin=149293pages sample#memory_pgpgout=123257pages sample#memory_quota=512.00MB\n"
)


def body(router_share: float, seed: int, platform_share: float = 0.0) -> bytes:
    """300 lines in octet-counted frames, about 85 KB; router lines, and what the platform says, are spread
    evenly."""

    def is_one_of(share: float, number: int) -> bool:
        return share > 0 and number % round(1 / share) == 0

    return octets(
        _line(seed * LINES + number, is_one_of(router_share, number), is_one_of(platform_share, number + 1))
        for number in range(LINES)
    )


def _line(n: int, is_router: bool, is_platform: bool) -> bytes:
    if is_platform and not is_router:
        return PLATFORM % (n % 60, n % 1_000_000, n % 4 + 1, n % 4 + 1, n % 400)
    if not is_router:
        return OTHER % (n % 60, n % 1_000_000, n % 4 + 1, n % 400, n % 977, n % 7)
    line = router_line(
        f"/users/{n % 977}/posts?page={n % 7}",
        service_ms=5 + n % 400,
        connect_ms=n % 5,
        bytes=n % 9_000,
        request_id=f"8601b555-6a83-4c12-8269-{n:012d}",
        dyno=f"web.{n % 4 + 1}",
    )
    return router_syslog(line, BEGIN_S + n % 60 + n % 1_000_000 / 1e6)


@dataclass(slots=True)
class Result:
    """What one run saw; latencies in ms, sorted."""

    bodies: int
    failed: int
    seconds: float
    bytes: int
    latencies_ms: list[float]

    @property
    def bodies_s(self) -> float:
        return self.bodies / self.seconds

    def latency_ms(self, share: float) -> float:
        return self.latencies_ms[min(len(self.latencies_ms) - 1, int(share * len(self.latencies_ms)))]


def post_for(url: str, bodies: Sequence[bytes], connections: int, seconds: float) -> Result:
    """Posts the bodies round and round over `connections` sockets until the time is up."""
    target = urlsplit(url)
    stop_at = time.monotonic() + seconds
    results: list[tuple[int, int, int, list[float]]] = []
    threads = [
        threading.Thread(
            target=lambda first: results.append(
                _post(target.hostname or "", target.port or 80, target.path, bodies, first, stop_at)
            ),
            args=(number,),
        )
        for number in range(connections)
    ]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - started
    return Result(
        bodies=sum(result[0] for result in results),
        failed=sum(result[1] for result in results),
        seconds=took,
        bytes=sum(result[2] for result in results),
        latencies_ms=sorted(latency for result in results for latency in result[3]),
    )


def _post(
    host: str, port: int, path: str, bodies: Sequence[bytes], first: int, stop_at: float
) -> tuple[int, int, int, list[float]]:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/logplex-1\r\n"
        f"Logplex-Msg-Count: {LINES}\r\nLogplex-Drain-Token: d.1\r\nLogplex-Frame-Id: "
    )
    done = failed = size = 0
    latencies: list[float] = []
    number = first
    with socket.create_connection((host, port), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while time.monotonic() < stop_at:
            content = bodies[number % len(bodies)]
            number += 1
            request = f"{head}{uuid.uuid4()}\r\nContent-Length: {len(content)}\r\n\r\n".encode()
            started = time.monotonic()
            connection.sendall(request)
            connection.sendall(content)
            answer = b""
            while b"\r\n\r\n" not in answer:
                part = connection.recv(4096)
                if not part:
                    return done, failed + 1, size, latencies
                answer += part
            latencies.append((time.monotonic() - started) * 1000)
            if b" 202 " in answer[:20]:
                done += 1
                size += len(content)
            else:
                failed += 1
    return done, failed, size, latencies
