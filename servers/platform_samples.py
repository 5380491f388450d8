"""What invented dynos and add-ons measure, as lines of log-runtime-metrics and of Heroku's add-ons."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Mapping


def runtime_lines(dyno: str, memory_mb: float, quota_mb: float, rng: random.Random) -> Iterator[str]:
    """The two lines of a dyno: its load, its memory."""
    head = f"source={dyno} dyno=heroku.261104379.{uuid.uuid5(uuid.NAMESPACE_DNS, dyno)}"
    load = rng.uniform(0.1, 0.9)
    loads = {"load_avg_1m": load, "load_avg_5m": load * 0.9, "load_avg_15m": load * 0.8}
    yield _line(head, {name: f"{value:.2f}" for name, value in loads.items()})
    swap_mb = max(0.0, memory_mb - quota_mb)
    yield _line(
        head,
        {
            "memory_total": f"{memory_mb:.2f}MB",
            "memory_rss": f"{memory_mb - swap_mb - 3.7:.2f}MB",
            "memory_cache": "3.70MB",
            "memory_swap": f"{swap_mb:.2f}MB",
            "memory_pgpgin": f"{rng.randint(10_000, 99_999)}pages",
            "memory_pgpgout": f"{rng.randint(10_000, 99_999)}pages",
            "memory_quota": f"{quota_mb:.2f}MB",
        },
    )


def addon_lines(now_s: float, rng: random.Random) -> Iterator[tuple[str, str]]:
    """(procid, line) of a Postgres and a Redis."""
    postgres = {
        "current_transaction": f"{int(now_s)}",
        "db_size": f"{90_000_000 + int(now_s) % 10_000_000}bytes",
        "tables": "29",
        "active-connections": f"{rng.randint(10, 30)}",
        "waiting-connections": "0",
        "index-cache-hit-rate": f"{rng.uniform(0.99, 1):.5f}",
        "table-cache-hit-rate": f"{rng.uniform(0.98, 1):.5f}",
        "load-avg-1m": f"{rng.uniform(0.1, 0.6):.3f}",
        "read-iops": f"{rng.uniform(0, 30):.4g}",
        "write-iops": f"{rng.uniform(0, 30):.4g}",
        "memory-total": "3944484kB",
        "memory-free": f"{rng.randint(70_000, 99_999)}kB",
        "memory-postgres": f"{rng.randint(30_000, 40_000)}kB",
        "wal-percentage-used": f"{rng.uniform(0.05, 0.08):.5f}",
    }
    yield "heroku-postgres", _line("source=DATABASE addon=postgresql-curly-12345", postgres)
    cache = {
        "active-connections": f"{rng.randint(3, 9)}",
        "load-avg-1m": f"{rng.uniform(0.1, 0.6):.3f}",
        "memory-total": "16085852kB",
        "memory-redis": f"{rng.randint(4_000_000, 6_000_000)}bytes",
        "hit-rate": f"{rng.uniform(0.7, 0.9):.5f}",
        "evicted-keys": "0",
    }
    yield "heroku-redis", _line("source=REDIS addon=redis-rugged-24473", cache)


def _line(head: str, values: Mapping[str, str]) -> str:
    return " ".join([head, *(f"sample#{name}={value}" for name, value in values.items())])
