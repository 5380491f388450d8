"""What dynos and add-ons take in Redis: `python -m bench.dynos`.

A day of an app whose dynos log memory and load every 20 s (two of them over their quota, all of them
restarted every few hours) and whose add-ons log every minute. Then an app that has as many dynos, add-ons and
measures as are kept. What is kept for longer than a day is extrapolated from that day. Last, what a fact
costs Redis where a batch has what came in 20 s, as it does when nothing is behind.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator

import redis

from app.platform.facts import Event, Fact, Sample, Samples
from app.store.bounds import ADDONS_MAX, MEASURES_MAX, NAMES_MAX
from servers.figures import fill_facts
from servers.redis_server import RedisServer

DAY_S = 86_400
DAYS_KEPT = 31
SAMPLED_S = 20
KINDS = {"gauge": "dynos", "type": "process types", "addon": "add-ons"}
RESTART_S = 4 * 3_600


def main() -> int:
    """Prints two tables; exit code 0."""
    print(f"{'':>36}" + "".join(f"{kind:>16}" for kind in KINDS.values()) + f"{'all':>12}")
    for dynos, addons, measures, days in ((20, 2, 25, 1.0), (NAMES_MAX, ADDONS_MAX, MEASURES_MAX, 0.125)):
        sizes = _sizes(dynos, addons, measures, days)
        label = f"{dynos} dynos, {addons} add-ons of {measures}"
        total = sum(sizes.values())
        cells = "".join(f"{size / 1e3:>13,.0f} kB" for size in sizes.values())
        print(f"{label:>36}{cells}{total / 1e6:>9,.1f} MB", flush=True)
    print(f"\nRedis, for each fact as it comes: {_us_per_fact(20):.0f} us with 20 dynos")
    return 0


def _sizes(dynos: int, addons: int, measures: int, days: float) -> dict[str, float]:
    """Bytes by kind, once all is kept that ever is; `days`: what is measured, the rest is extrapolated."""
    with RedisServer() as server, redis.Redis.from_url(server.url) as client:
        now_s = int(time.time()) // 3_600 * 3_600
        batch_s = 3_600
        for start_s in range(now_s - int(days * DAY_S), now_s, batch_s):
            rng = random.Random(start_s)
            facts = [*_of_dynos(rng, dynos, start_s, batch_s), *_of_addons(rng, addons, measures, start_s)]
            fill_facts(client, "shop", facts, now_s)
        sizes = dict.fromkeys(KINDS, 0.0)
        for key in client.scan_iter(count=1_000):
            parts = key.decode().split(":")
            kind = next((part.partition("-")[0] for part in parts if part.partition("-")[0] in KINDS), "")
            if kind:
                is_hours = parts[-2] == "3600"
                kept = (DAYS_KEPT if is_hours and kind != "gauge" else 1) / days
                sizes[kind] += int(client.memory_usage(key, samples=0) or 0) * kept
        return sizes


def _us_per_fact(dynos: int) -> float:
    """Microseconds of Redis's time in the atomic steps."""
    with RedisServer() as server, redis.Redis.from_url(server.url) as client:
        now_s = int(time.time())
        count = 0
        for start_s in range(now_s - 3_600, now_s, SAMPLED_S):
            facts = list(_of_dynos(random.Random(start_s), dynos, start_s, SAMPLED_S))
            fill_facts(client, "shop", facts, now_s)
            count += len(facts)
        return float(client.info("commandstats")["cmdstat_evalsha"]["usec"]) / count


def _of_dynos(rng: random.Random, dynos: int, start_s: int, seconds: int) -> Iterator[Fact]:
    for at_s in range(start_s, start_s + seconds, SAMPLED_S):
        for number in range(1, dynos + 1):
            name, at_ms = f"web.{number}", at_s * 1_000 + number
            loads = (Sample(f"load_avg_{minutes}m", round(rng.random() * 3, 2), "") for minutes in (1, 5, 15))
            yield Samples(at_ms, "dyno", name, "", tuple(loads))
            total_mb = round(rng.gauss(300, 30), 2)
            values = {"total": total_mb, "rss": total_mb - 4, "swap": 0.0, "quota": 512.0}
            memory = (Sample(f"memory_{what}", mb, "MB") for what, mb in values.items())
            yield Samples(at_ms, "dyno", name, "", tuple(memory))
            if number <= 2:
                yield Event("error", at_ms, "", dyno=name, code="R14")
            if at_s % RESTART_S < SAMPLED_S:
                yield Event("state", at_ms, "", dyno=name, state="starting")
                yield Event("state", at_ms + 5_000, "", dyno=name, state="up")


def _of_addons(rng: random.Random, addons: int, measures: int, start_s: int) -> Iterator[Fact]:
    for at_s in range(start_s, start_s + 3_600, 60):
        for number in range(addons):
            values = (Sample(f"measure-number-{at}", rng.random() * 10**at, "") for at in range(measures))
            some = tuple(value for value in values if value.value < 1e15)
            more = tuple(Sample(f"further-{at}", rng.random(), "") for at in range(measures - len(some)))
            yield Samples(
                at_s * 1_000, "heroku-postgres", "DATABASE", f"postgresql-curly-{number}", some + more
            )


if __name__ == "__main__":
    sys.exit(main())
