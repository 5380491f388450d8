"""Series over time against a plain Python reference."""

from __future__ import annotations

import random

import pytest
import redis

from app.store import queries
from app.store.keys import digest
from servers.figures import SeenRequest, fill


@pytest.mark.parametrize(("span_s", "points"), [(300, 30), (3_600, 121), (86_400, 145), (7 * 86_400, 169)])
def test_points_add_up_to_what_happened(
    redis_client: redis.Redis, span_s: int, points: int, now_s: float
) -> None:
    rng = random.Random(2)
    requests = [
        SeenRequest(
            now_s - 15 - rng.random() * span_s,
            service_ms=rng.randint(1, 400),
            status=rng.choice(["200", "500"]),
        )
        for _ in range(2_000)
    ]
    fill(redis_client, requests, now_s)
    series = queries.series(redis_client, "", "all", queries.Span(span_s), now_s)
    assert points - 2 <= len(series.times) <= points
    ends = [*series.times[1:], series.to_s]
    for at, (start_s, end_s) in enumerate(zip(series.times, ends, strict=True)):
        inside = [seen for seen in requests if start_s <= seen.at_s < end_s]
        failed = sum(seen.status == "500" for seen in inside)
        assert series.requests_per_s[at] == pytest.approx(len(inside) / (end_s - start_s), rel=0.001)
        assert series.errors_per_s[at] == pytest.approx(failed / (end_s - start_s), rel=0.001)
        if inside:
            times = sorted(seen.service_ms or 0 for seen in inside)
            assert series.service_p50[at] == pytest.approx(times[(len(times) - 1) // 2], rel=0.011)
            assert series.error_rate[at] == pytest.approx(failed / len(inside), rel=0.001)
        else:
            assert series.service_p99[at] is None
            assert series.error_rate[at] is None


def test_one_route_has_its_own_series(redis_client: redis.Redis, now_s: float) -> None:
    fill(redis_client, [SeenRequest(now_s - 100, "/a")] * 10 + [SeenRequest(now_s - 100, "/b")] * 30, now_s)
    series = queries.series(redis_client, "", digest("/a"), queries.Span(300), now_s)
    assert sum(value or 0 for value in series.requests_per_s) == 1.0


def test_now_is_the_last_whole_minute_whatever_the_span(redis_client: redis.Redis, now_s: float) -> None:
    fill(redis_client, [SeenRequest(now_s - 10 - second) for second in range(60)] * 2, now_s)
    for span_s in (300, 30 * 86_400):
        series = queries.series(redis_client, "", "all", queries.Span(span_s), now_s)
        assert series.now_requests_per_s == pytest.approx(2.0, rel=0.2)


def test_an_empty_redis_gives_a_series_of_nothing(redis_client: redis.Redis, now_s: float) -> None:
    series = queries.series(redis_client, "shop", "all", queries.Span(300), now_s)
    assert set(series.requests_per_s) == {0.0}
    assert set(series.service_p50) == {None}
