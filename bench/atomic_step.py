"""What the atomic step costs Redis, the first limit of all: `python -m bench.atomic_step`.

Batches through the worker's own steps, by what is in them. A batch writes each field that it touches
once, so a message is dear in a small batch and cheap in a large one: a worker that is behind takes
20,000 at a time. Redis answers nobody else during a script, so the slowest one is a column of its own,
as Redis's own slow log has it.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import redis

from app.message import RouterMessage
from app.store.apply import apply, limits
from app.store.claims import offsets_claim
from app.store.journal import Journal
from bench.memory import route_message
from consumers.metrics.admission import Admission
from consumers.metrics.aggregate import Aggregator
from servers.redis_server import RedisServer

ROUTES_MAX = 500
STEPS = 10

Path = Callable[[random.Random, int], str]
"""(random numbers, number of the message) -> its path."""


@dataclass(frozen=True, slots=True)
class Case:
    """Batches of one kind."""

    name: str
    path: Path
    rate: int
    """Requests a second, by which the messages' times are spaced."""
    size: int
    """Messages in a batch."""
    apps: int = 1


def _routes(count: int) -> Path:
    shares = [1 / (number + 1) for number in range(count)]
    return lambda rng, number: f"/{rng.choices(range(count), shares)[0]}/:id"


def _crawler(rng: random.Random, number: int) -> str:
    return f"/{rng.choice('abcdefgh')}{number}/{rng.choice('abcdefgh')}{number}"


CASES = (
    *(
        Case(f"{count} routes", _routes(count), rate, size)
        for count in (16, 200)
        for rate, size in ((100, 100), (1_000, 1_000), (1_000, 20_000), (20_000, 20_000))
    ),
    Case("500 routes, an hour behind", _routes(500), 6, 20_000),
    Case("500 apps of 20 routes", _routes(20), 1_000, 20_000, apps=500),
    Case("1,000 apps of 500 routes", _routes(500), 1_000, 20_000, apps=1_000),
    Case("crawler, distinct paths", _crawler, 1_000, 20_000),
)


def main() -> int:
    """Prints a table; exit code 0."""
    heads = ("requests/s", "batch", "CPU us a message", "a batch, ms", "slowest script, ms", "aggregate us")
    print(f"{'':28}" + "".join(f"{head:>20}" for head in heads))
    for case in CASES:
        cpu_us, slowest_ms, aggregate_us = _measured(case)
        print(
            f"{case.name:28}{case.rate:20,}{case.size:20,}{cpu_us:20.1f}{cpu_us * case.size / 1e3:20.1f}"
            f"{slowest_ms:20.1f}{aggregate_us:20.1f}",
            flush=True,
        )
    return 0


def _measured(case: Case) -> tuple[float, float, float]:
    """(CPU microseconds of Redis a message, its slowest script in ms, microseconds of the worker to
    aggregate a message), without the first batch, which makes the keys."""
    rng = random.Random(1)
    now_s = int(time.time())
    first_s = now_s - STEPS * case.size / case.rate
    aggregate_s = before = 0.0
    with RedisServer() as server, redis.Redis.from_url(server.url) as client:
        client.config_set("slowlog-log-slower-than", 1_000)
        client.config_set("slowlog-max-len", 100_000)
        aggregator = Aggregator(lambda line: line.path, Admission(client, ROUTES_MAX))
        journal = Journal(client, "metrics", limits(ROUTES_MAX))
        for step in range(STEPS):
            batch = [
                _message(rng, case, number, first_s + number / case.rate)
                for number in range(step * case.size, (step + 1) * case.size)
            ]
            claim = offsets_claim("positions", [(0, step, step + 1, step > 0)])
            started = time.perf_counter()
            changes = aggregator.changes(batch, now_s)
            aggregate_s += (time.perf_counter() - started) * (step > 0)
            apply(client, "metrics", claim, changes, ROUTES_MAX, journal)
            journal.finish()
            before = before or _cpu_s(client)
        messages = (STEPS - 1) * case.size
        return (_cpu_s(client) - before) / messages * 1e6, _slowest_ms(client), aggregate_s / messages * 1e6


def _message(rng: random.Random, case: Case, number: int, at_s: float) -> RouterMessage:
    message = route_message(rng, number, at_s, case.path(rng, number))
    if case.apps > 1:
        message["app"] = f"app-{rng.randrange(case.apps)}"
    return message


def _cpu_s(client: redis.Redis) -> float:
    info: Any = client.info("cpu")
    return float(info["used_cpu_user"]) + float(info["used_cpu_sys"])


def _slowest_ms(client: redis.Redis) -> float:
    slow: list[dict[str, Any]] = client.slowlog_get(100_000)
    return max((entry["duration"] / 1e3 for entry in slow if b"EVAL" in entry["command"][:8]), default=0.0)


if __name__ == "__main__":
    sys.exit(main())
