"""What an app of 20 dynos takes in Redis, as `python -m bench.dynos` measures it for a day."""

from __future__ import annotations

import random
import time

import redis

from app.platform.facts import Fact
from servers.figures import fill_facts
from tests.support.platform_facts import r14, samples, state

DYNOS = 20
HOURS = 2
DAY_BYTES_MAX = 2_500_000
"""1.1 MB were measured. A route with a request a second takes more than half of it."""


def test_a_day_of_twenty_dynos_takes_little(store: redis.Redis) -> None:
    rng = random.Random(1)
    now_s = int(time.time()) // 3_600 * 3_600
    for start_s in range(now_s - HOURS * 3_600, now_s, 600):
        facts: list[Fact] = []
        for at_s in range(start_s, start_s + 600, 20):
            for number in range(1, DYNOS + 1):
                dyno, mb = f"web.{number}", round(rng.gauss(400, 50), 2)
                facts.append(samples(dyno, at_s, load_avg_1m=round(rng.random() * 3, 2), load_avg_5m=1.5))
                facts.append(samples(dyno, at_s, memory_total=mb, memory_rss=mb - 4, memory_quota=512))
                if mb > 480:
                    facts.append(r14(dyno, at_s))
        facts += [
            state(f"web.{at}", start_s + after_s, name)
            for at in range(1, DYNOS + 1)
            for after_s, name in ((0, "starting"), (5, "up"))
        ]
        fill_facts(store, "shop", facts, now_s)
    gauges = [key for key in store.scan_iter(count=1_000) if b":gauge-" in key or b":type-" in key]
    taken = sum(int(store.memory_usage(key, samples=0) or 0) for key in gauges)
    assert len(gauges) > 3 * DYNOS
    assert taken * 24 / HOURS < DAY_BYTES_MAX
