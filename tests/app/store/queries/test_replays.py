"""What a comparison may say of a percentile, given how many samples there are."""

from __future__ import annotations

import math
import random

import pytest
import redis

from app.sketch import bucket
from app.store import queries, replay
from app.store.queries.replays import change, interval


def sketch(median_ms: float, count: int, seed: int) -> dict[int, int]:
    rng = random.Random(seed)
    buckets: dict[int, int] = {}
    for _ in range(count):
        index = bucket(median_ms * rng.lognormvariate(0, 0.5))
        buckets[index] = buckets.get(index, 0) + 1
    return buckets


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_the_interval_holds_the_true_percentile_nearly_always(share: float) -> None:
    normal = {0.5: 0.0, 0.95: 1.6449, 0.99: 2.3263}[share]
    true_ms = 100 * math.exp(0.5 * normal)
    held = 0
    for seed in range(200):
        found = interval(sketch(100, 2_000, seed), share)
        assert found is not None
        held += found[0] * 0.99 <= true_ms <= found[2] * 1.01
    assert held >= 185


def test_a_regression_is_sure_with_many_samples_and_unsure_with_few() -> None:
    many = change(sketch(100, 2_000, 1), sketch(150, 2_000, 2), 0.95)
    few = change(sketch(100, 30, 1), sketch(150, 30, 2), 0.95)
    assert many.share == pytest.approx(0.5, abs=0.15)
    assert many.is_sure
    assert not few.is_sure


def test_chance_is_seldom_taken_for_a_change() -> None:
    found = [change(sketch(100, 500, seed), sketch(100, 500, seed + 1_000), 0.95) for seed in range(100)]
    assert sum(one.is_sure for one in found) <= 3


def test_nothing_compares_with_nothing() -> None:
    assert change({}, sketch(100, 10, 1), 0.95).share is None
    assert change({0: 5}, sketch(100, 10, 1), 0.95).share is None
    assert interval({}, 0.5) is None


def test_the_total_is_the_sum_of_its_routes(redis_client: redis.Redis) -> None:
    figures = replay.RunFigures()
    for number in range(20):
        figures.of("/a").add("answered", 200, 10.0, 200, 9.0)
        figures.of("/b").add("answered" if number else "timeout", 500, 50.0, 200, 20.0)
    replay.record(redis_client, "live", figures, {"target": "https://staging.example.com"})
    run = queries.replay_run(redis_client, "live")
    assert run is not None
    assert (run.total.sent, run.total.answered, run.total.status_changed) == (40, 39, 19)
    assert run.total.original.count == 39
    assert [row.route for row in run.routes] == ["/a", "/b"]
    assert run.total.outcomes == {"timeout": 1}


def test_runs_are_listed_the_latest_first(redis_client: redis.Redis) -> None:
    assert queries.replay_runs(redis_client).runs == []
    assert queries.replay_run(redis_client, "live") is None
    replay.record(redis_client, "live", replay.RunFigures(), {"target": "https://staging.example.com"})
    (run,) = queries.replay_runs(redis_client).runs
    assert (run.id, run.info["target"]) == ("live", "https://staging.example.com")
