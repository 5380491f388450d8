"""`python -m app memory`: a table of what takes Redis's memory."""

from __future__ import annotations

import time
from dataclasses import replace

import orjson
import redis

from app.cli.memory import lines
from app.log.memory import MemoryLog
from app.store import queries
from servers.figures import SeenRequest, fill
from tests.app.cli.commands import run_command


def command(redis_url: str, *words: str) -> tuple[int, str, str]:
    return run_command(redis_url, "memory", *words)


def test_the_table_names_each_part(redis_url: str, redis_client: redis.Redis) -> None:
    fill(redis_client, [SeenRequest(time.time(), app="shop")], time.time())
    code, out, err = command(redis_url)
    assert (code, err) == (0, "")
    assert "no limit" in out.splitlines()[0]
    for name in ("Figures of shop", "Figures of all apps together", "Dead letters", "Message log"):
        assert name in out
    code, out, _ = command(redis_url, "--json")
    assert code == 0
    assert orjson.loads(out)["parts"][-1]["kind"] == "other"


def test_a_limit_an_estimate_and_a_refusal_are_said(redis_client: redis.Redis) -> None:
    found = queries.memory(redis_client, MemoryLog(redis_client))
    limits = queries.MemoryHealth(used_bytes=20_000_000, limit_bytes=50_000_000, policy="noeviction")
    found = replace(found, redis=limits, keys=90_000, keys_looked_at=10_000, is_estimate=True)
    said = lines(replace(found, further_apps=3, further_apps_bytes=1_500))
    assert said[0] == "20.0 MB of 50.0 MB (40.0 %), noeviction"
    assert "3 other apps: 1.50 kB" in said
    assert said[-1] == "Estimate: 10,000 of 90,000 keys were sampled."
    assert lines(replace(found, refused="It does not say."))[-1] == "It does not say."


def test_a_redis_that_is_unreachable_is_one_line() -> None:
    code, _, err = command("redis://:SECRET@127.0.0.1:1/0")
    assert code == 2
    assert err.startswith("Redis at redis://********@127.0.0.1:1/0: ")
    assert err.count("\n") == 1
