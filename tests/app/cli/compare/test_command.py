"""`python -m app compare` as a pipeline runs it: output and exit codes."""

from __future__ import annotations

import json
import random
import time

import pytest
import redis

from app.timespec import iso
from servers.figures import SeenRequest, fill
from tests.app.cli.commands import run_command
from tests.app.store.queries.test_release_comparison import traffic, worker_is_up
from tests.support.platform_events import add, released, up


@pytest.fixture
def at_s(redis_client: redis.Redis) -> float:
    """When v42 of shop came, which made / twice as slow; v43 came later, and changed nothing."""
    now_s = time.time()
    at_s = now_s // 10 * 10 - 780
    rng = random.Random(1)
    requests = traffic(rng, at_s - 320, at_s, per_s=6, routes=("/", "/cart"))
    requests += traffic(rng, at_s, now_s - 1, per_s=6, routes=("/", "/cart"), slower={"/": 2})
    fill(redis_client, requests, now_s)
    worker_is_up(redis_client, now_s)
    events = [released(int(at_s * 1000), 42), up(int(at_s * 1000) + 8_000)]
    events += [released(int(at_s * 1000) + 400_000, 43), up(int(at_s * 1000) + 409_000)]
    add(redis_client, {"shop": events}, now_s)
    return at_s


def test_a_release_that_made_a_route_slower_fails(redis_url: str, at_s: float) -> None:
    code, out, err = run_command(redis_url, "compare", "--release", "v42", "--window", "5m")
    assert (code, err) == (1, "")
    assert out.startswith("shop: v42")
    assert out.index("worse\n") < out.index("✗ /  ")
    assert "/ is worse: p50" in out
    assert "/cart is worse" not in out
    assert out.endswith("exit code 1: failed\n")


def test_the_same_as_json(redis_url: str, at_s: float) -> None:
    words = (
        "compare",
        "--app",
        "shop",
        "--release",
        "42",
        "--window",
        "5m",
        "--json",
        "--fail-if",
        "p50>+20%",
    )
    code, out, _ = run_command(redis_url, *words)
    found = json.loads(out)
    assert (code, found["exit_code"], found["verdict"]) == (1, 1, "failed")
    assert found["comparison"]["release"]["version"] == 42
    assert found["findings"][0]["state"] == "crossed"
    rows = {row["route"]: row["word"] for row in found["comparison"]["routes"]}
    assert rows == {"/": "worse", "/cart": "no difference shown"}


def test_a_release_that_changed_nothing_passes(redis_url: str, at_s: float) -> None:
    code, out, err = run_command(redis_url, "compare", "--app", "shop", "--window", "5m")
    assert (code, err) == (0, ""), out
    assert "verdict: passed" in out


def test_two_spans(redis_url: str, at_s: float) -> None:
    start, end = int(at_s) - 300, int(at_s)
    spans = [
        f"--from={_at(start)}",
        f"--until={_at(end)}",
        f"--with={_at(end + 60)}",
        f"--until={_at(end + 360)}",
    ]
    code, out, _ = run_command(redis_url, "compare", *spans)
    assert code == 1
    assert "all apps together: two spans" in out
    code, _, err = run_command(redis_url, "compare", *spans, "--release", "v42")
    assert (code, "not together" in err) == (2, True)
    code, _, err = run_command(redis_url, "compare", *spans[:2])
    assert (code, "--with is missing" in err) == (2, True)


def _at(at_s: int) -> str:
    return iso(at_s * 1000)


def test_what_can_not_be_compared_says_why(redis_url: str, redis_client: redis.Redis, at_s: float) -> None:
    code, out, err = run_command(redis_url, "compare", "--release", "v7")
    assert (code, out) == (2, "")
    assert "no release v7 of shop is known: there are v43, v42" in err
    code, _, err = run_command(redis_url, "compare", "--fail-if", "p90>+20%")
    assert (code, "p90 is not compared here" in err) == (2, True)
    fill(redis_client, [SeenRequest(at_s)], at_s)
    code, out, err = run_command(redis_url, "compare", "--json")
    assert code == 2
    assert json.loads(out)["comparison"]["refused"] in err


def test_without_redis_there_is_no_verdict() -> None:
    code, out, err = run_command("redis://127.0.0.1:1/0", "compare", "--app", "shop")
    assert (code, out) == (3, "")
    assert "REDIS_URL" in err
