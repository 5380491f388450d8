"""What one atomic step costs Redis, the first limit of all: `python -m bench.atomic_step`.

Batches through the worker's own steps, by number of routes and size of batch. A batch writes each
field that it touches once, so a message is dear in a small batch and cheap in a large one: a worker
that is behind takes 20,000 at a time.
"""

from __future__ import annotations

import random
import sys
import time
from typing import Any

import redis

from app.store.apply import apply
from bench.memory import route_message
from consumers.metrics.aggregate import Aggregator
from demo.redis_server import RedisServer

ROUTES = (16, 200)
BATCHES = ((100, 100), (1_000, 1_000), (1_000, 20_000), (20_000, 20_000))
"""(requests/s of the traffic, messages in a batch)."""

STEPS = 10


def main() -> int:
    """Prints a table; exit code 0."""
    print(f"{'routes':>8}{'requests/s':>12}{'batch':>8}{'Redis CPU us a message':>24}{'a batch, ms':>13}")
    for routes in ROUTES:
        for rate, size in BATCHES:
            cpu_us = _measured(routes, rate, size)
            print(f"{routes:8}{rate:12,}{size:8,}{cpu_us:24.1f}{cpu_us * size / 1e3:13.1f}", flush=True)
    return 0


def _measured(routes: int, rate: int, size: int) -> float:
    """CPU microseconds of Redis a message, without the first batch, which makes the keys."""
    rng = random.Random(1)
    shares = [1 / (number + 1) for number in range(routes)]
    aggregator = Aggregator(lambda path: path)
    now_s = int(time.time())
    first_s = now_s - STEPS * size / rate
    with RedisServer() as server, redis.Redis.from_url(server.url) as client:
        before = 0.0
        for step in range(STEPS):
            batch = [
                route_message(rng, number, first_s + number / rate, f"/{route}/:id")
                for number, route in enumerate(rng.choices(range(routes), shares, k=size), step * size)
            ]
            spans = [[0, step, step + 1, step > 0]]
            claim = {"kind": "offsets", "positions": "positions", "spans": spans, "seen": []}
            apply(client, "metrics", claim, aggregator.changes(batch, now_s), 500)
            before = before or _cpu_s(client)
        return (_cpu_s(client) - before) / ((STEPS - 1) * size) * 1e6


def _cpu_s(client: redis.Redis) -> float:
    info: Any = client.info("cpu")
    return float(info["used_cpu_user"]) + float(info["used_cpu_sys"])


if __name__ == "__main__":
    sys.exit(main())
