"""How much of Redis one route takes: `python -m bench.memory`.

One route of one app, a day of requests with log-normal times, through the worker's own steps. Its
figures are there twice, for the app and for all apps. What is kept for longer than a day (hours, for
31 days) is extrapolated from that day. The last column is what a dyno or host with so many requests takes:
it has no second copy, and nothing of it is kept for longer than a day. Then the samples of many routes, all
of whose chunks are full.
"""

from __future__ import annotations

import random
import re
import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any

import redis

from app.message import RouterMessage
from app.store import keys
from app.store.apply import apply
from app.store.claims import offsets_claim
from app.store.keys import SAMPLES, SAMPLES_PATTERN, WINDOWS
from app.store.samples import SLOWEST_MAX
from consumers.metrics.admission import Admission
from consumers.metrics.aggregate import Aggregator
from servers.messages import router_line, router_message
from servers.redis_server import RedisServer

DAY_S = 86_400
BATCH = 20_000
HOST = "shop.example.com"
OF_NO_ROUTE = re.compile(":(all|names|(dyno|host)-[0-9a-f]+):")
"""Keys that belong to no single route: all routes together, dynos and hosts. (For those of the platform, see
dynos.py.)"""

RATES = (0.01, 0.1, 1.0, 10.0)
SAMPLED_ROUTES = (20, 100, 500)


def main() -> int:
    """Prints a table; exit code 0."""
    heads = ("totals", "10 s, 1 h", "1 min, 1 d", "1 h, 31 d", "all", "as a host")
    print(f"{'requests/s of the route':>24}" + "".join(f"{head:>12}" for head in heads))
    for rate in RATES:
        (totals, ten_s, minutes, hours), host = _measured(rate)
        hours *= 31
        sizes = (totals, ten_s, minutes, hours, totals + ten_s + minutes + hours, host)
        print(f"{rate:>24g}" + "".join(f"{size / 1e3:>9,.0f} kB" for size in sizes))
    print(f"\n{'routes full of failures':>24}{'samples':>12}{'a route':>12}")
    for routes in SAMPLED_ROUTES:
        size = _sampled(routes)
        print(f"{routes:>24}{size / 1e6:>9,.1f} MB{size / 1e3 / routes:>9,.0f} kB", flush=True)
    return 0


def _measured(rate: float) -> tuple[list[float], float]:
    """Bytes of the route's totals and of each kind of its windows; and of the host that all requests have."""
    with RedisServer() as server:
        client = redis.Redis.from_url(server.url)
        aggregator = Aggregator(lambda line: line.path, Admission(client, 500))
        now_s = int(time.time())
        for at, batch in enumerate(_batches(rate, now_s)):
            claim = offsets_claim("positions", [(0, at, at + 1, at > 0)])
            apply(client, "metrics", claim, aggregator.changes(batch, now_s), 500)
        sizes = dict.fromkeys([0, *(length_s for length_s, _ in WINDOWS)], 0.0)
        host = keys.name_digest("hosts", HOST)
        host_bytes = 0.0
        for key in client.scan_iter(count=1_000):
            parts = key.decode().split(":")
            # `...:<seconds>:<start>` is a window.
            is_window = len(parts) > 2 and parts[-2].isdigit() and parts[-1].isdigit()
            size = int(client.memory_usage(key, samples=0) or 0)
            if host in parts:
                host_bytes += size
            elif not OF_NO_ROUTE.search(key.decode()) and not SAMPLES_PATTERN.match(key):
                sizes[int(parts[-2]) if is_window else 0] += size
        client.close()
        return list(sizes.values()), host_bytes


def _sampled(routes: int) -> int:
    """Bytes of all samples of an app, where each of its routes fails all day, and is slow beside it."""
    with RedisServer() as server, redis.Redis.from_url(server.url) as client:
        aggregator = Aggregator(lambda line: line.path, Admission(client, routes))
        now_s = int(time.time())
        fine_s, fine_kept_s = SAMPLES[0]
        ages = [*range(0, fine_kept_s + fine_s, fine_s), *range(0, DAY_S + 3_600, 3_600)]
        for at, age_s in enumerate(ages):
            batch = [
                _sampled_message(f"/route{route}", number, now_s - age_s - number / 10)
                for route in range(routes)
                for number in range(2 * SLOWEST_MAX)
            ]
            claim = offsets_claim("positions", [(0, at, at + 1, at > 0)])
            apply(client, "metrics", claim, aggregator.changes(batch, now_s), routes)
        found = [key for key in client.scan_iter(count=1_000) if SAMPLES_PATTERN.match(key)]
        return sum(int(client.memory_usage(key, samples=0) or 0) for key in found)


def _sampled_message(path: str, number: int, at_s: float) -> RouterMessage:
    failed: dict[str, Any] = {"status": 503, "code": "H12", "service_ms": 300 + number}
    request = {"status": 200, "service_ms": 30_000 + number} if number % 2 else failed
    line = router_line(
        path, **request, request_id=uuid.uuid4(), dyno=f"web.{number}", method="POST", connect_ms=1
    )
    return router_message(line, at_s, id=f"f.{number}", app="shop")


def _batches(rate: float, now_s: int) -> Iterator[list[RouterMessage]]:
    rng = random.Random(1)
    count = int(rate * DAY_S)
    batch: list[RouterMessage] = []
    for number in range(count):
        at_s = now_s - DAY_S + number / rate
        batch.append(route_message(rng, number, at_s, "/products/:id"))
        if len(batch) == BATCH or number == count - 1:
            yield batch
            batch = []


def route_message(rng: random.Random, number: int, at_s: float, path: str) -> RouterMessage:
    """One request of the route, with log-normal times."""
    status = rng.choices((200, 304, 404, 500), (95, 3, 1.5, 0.5))[0]
    line = router_line(
        path,
        status=status,
        service_ms=round(rng.lognormvariate(0, 0.7) * 50),
        connect_ms=rng.choices((0, 1, 2, 5), (50, 40, 8, 2))[0],
        bytes=rng.randint(200, 9000),
        request_id=f"r-{number}",
        host=HOST,
        dyno=f"web.{rng.randint(1, 8)}",
    )
    return router_message(line, at_s, id=f"f.{number}", app="shop")


if __name__ == "__main__":
    sys.exit(main())
