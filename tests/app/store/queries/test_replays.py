"""What a comparison may say of a percentile, given how many samples there are."""

from __future__ import annotations

import math
import random

import pytest
import redis

from app.sketch import bucket, middle_ms
from app.store import queries, replay
from app.store.keys import digest
from app.store.queries.figures import latency
from app.store.queries.replays import Change, change, compared, interval
from app.store.run_figures import RunFigures


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


@pytest.mark.parametrize(
    ("count", "share", "ranks"),
    [
        # n * share -+ 1.96 * sqrt(n * share * (1 - share)), rounded outwards: 40.2 and 59.8.
        (100, 0.5, (40, 49, 60)),
        (1_000, 0.95, (936, 949, 964)),
        (1_000, 0.99, (983, 989, 997)),
        (8, 0.5, (1, 3, 7)),
        (7, 0.5, (0, 3, None)),
        (3, 0.5, (0, 1, None)),
        (1, 0.99, (0, 0, None)),
        (1_000, 0.9, (881, 899, 919)),
        (100, 0.99, (97, 98, None)),
    ],
)
def test_the_interval_is_that_of_the_order_statistics(
    count: int, share: float, ranks: tuple[int, int, int | None]
) -> None:
    found = interval({number + 1: 1 for number in range(count)}, share)
    assert found == tuple(math.inf if rank is None else middle_ms(rank + 1) for rank in ranks)


def test_neighbouring_buckets_are_apart_and_one_bucket_is_not() -> None:
    for before, after, is_sure in ((300, 301, True), (301, 300, True), (300, 300, False)):
        found = change({before: 1_000}, {after: 1_000}, 0.5)
        assert found.is_sure is is_sure
        assert found.share == pytest.approx(1.0202 ** (after - before) - 1, abs=0.0002)


def test_a_share_of_nothing_is_never_sure() -> None:
    for before, after in (({}, {5: 9}), ({5: 9}, {}), ({0: 9}, {5: 9})):
        assert change(before, after, 0.5) == Change(None, is_sure=False)


def test_a_route_shows_what_has_become_of_its_requests() -> None:
    figures = RunFigures()
    for status in range(400, 412):
        for _ in range(status - 399):
            figures.of("/a").add("answered", status, 10.0, 200, 10.0)
    figures.of("/a").add("answered", 200, 10.0, 200, 10.0)
    figures.of("/a").add("timeout", 0, 10.0, 200, 10.0)
    figures.of("/a").add("refused", 0, 10.0, 200, 10.0)
    figures.of("/a").add("refused", 0, 10.0, 200, 10.0)
    figures.skipped.update({"late": 1, "rule": 2})
    found = compared(replay.Run("r", {"target": "t"}, figures))
    assert (found.id, found.info, found.skipped) == ("r", {"target": "t"}, {"rule": 2, "late": 1})
    for row in (found.total, *found.routes):
        assert (row.sent, row.answered, row.status_changed) == (82, 79, 78)
        assert [(one.original, one.replayed, one.count) for one in row.status_changes] == [
            (200, status, status - 399) for status in range(411, 403, -1)
        ]
        assert list(row.outcomes.items()) == [("refused", 2), ("timeout", 1)]
    assert (found.total.route, found.total.digest) == ("", "")
    assert (found.routes[0].route, found.routes[0].digest) == ("/a", digest("/a"))


def test_each_percentile_is_compared_by_itself() -> None:
    figures = RunFigures()
    # 90 % alike, 6 % slower by ten buckets and 4 % by twenty: so p50, p95 and p99 differ.
    figures.of("/a").original.update({300: 900, 400: 60, 500: 40})
    figures.of("/a").replayed.update({300: 900, 410: 60, 520: 40})
    row = compared(replay.Run("r", {}, figures)).routes[0]
    assert [found.share for found in (row.p50_change, row.p95_change, row.p99_change)] == [
        change(row_of.original, row_of.replayed, share).share
        for row_of in [figures.of("/a")]
        for share in (0.5, 0.95, 0.99)
    ]
    assert row.p50_change.share == 0.0
    assert len({row.p50_change.share, row.p95_change.share, row.p99_change.share}) == 3
    assert (row.original, row.replayed) == (
        latency(figures.of("/a").original),
        latency(figures.of("/a").replayed),
    )


def test_the_total_is_the_sum_of_its_routes(redis_client: redis.Redis) -> None:
    figures = RunFigures()
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


def test_what_was_encoded_again_is_summed_from_write_to_write_and_starts_anew_with_a_target(
    redis_client: redis.Redis,
) -> None:
    def reencoded() -> int:
        run = queries.replay_run(redis_client, "live")
        assert run is not None
        return run.reencoded

    one, other = {"target": "https://one.example.com"}, {"target": "https://other.example.com"}
    added = RunFigures(reencoded=3)
    for total in (3, 6):
        replay.record(redis_client, "live", added, one)
        assert reencoded() == total
    whole = RunFigures()
    whole.merge(added)
    whole.merge(added)
    replay.record(redis_client, "live", whole, one, replaces_run=True)
    assert reencoded() == 6
    assert all(redis_client.ttl(key) > 0 for key in redis_client.keys("tailrace:replay:live:*"))
    replay.begin_live(redis_client, other["target"])
    replay.record(redis_client, "live", RunFigures(), other)
    assert reencoded() == 0


def test_runs_are_listed_the_latest_first(redis_client: redis.Redis) -> None:
    assert queries.replay_runs(redis_client).runs == []
    assert queries.replay_run(redis_client, "live") is None
    replay.record(redis_client, "live", RunFigures(), {"target": "https://staging.example.com"})
    (run,) = queries.replay_runs(redis_client).runs
    assert (run.id, run.info["target"]) == ("live", "https://staging.example.com")
