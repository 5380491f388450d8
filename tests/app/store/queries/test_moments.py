"""Figures of any moment against a plain Python reference: what is counted lies where the answer says."""

from __future__ import annotations

import random
from collections import Counter

import pytest
import redis

from app.store import queries
from app.store.keys import digest
from app.store.queries import Span
from servers.figures import SeenRequest, fill


def traffic(now_s: float, count: int, *, since_s: float, until_s: float = 0) -> list[SeenRequest]:
    """Requests between two ages, in seconds."""
    rng = random.Random(3)
    return [
        SeenRequest(
            now_s - rng.uniform(until_s, since_s),
            rng.choice(["/", "/cart"]),
            service_ms=rng.randint(1, 300),
            status=rng.choice(["200", "200", "500"]),
        )
        for _ in range(count)
    ]


def inside(requests: list[SeenRequest], found: queries.RoutesTable | queries.Series) -> list[SeenRequest]:
    assert found.from_s is not None
    return [seen for seen in requests if found.from_s <= seen.at_s < found.to_s]


@pytest.mark.parametrize(
    ("age_s", "seconds", "grain_s"),
    [
        (40, 7, 10),
        (60, 300, 10),
        (1_800, 1_700, 10),
        (3_000, 1_200, 60),
        (20_000, 90, 60),
        (86_000, 3_600, 3_600),
        (5 * 86_400, 600, 3_600),
        (20 * 86_400, 7 * 86_400, 3_600),
    ],
)
def test_a_span_of_the_past_counts_what_happened_in_it(
    redis_client: redis.Redis, now_s: float, age_s: int, seconds: int, grain_s: int
) -> None:
    requests = traffic(now_s, 3_000, since_s=age_s + 2 * seconds + 7_200, until_s=max(14, age_s - 7_200))
    requests += [SeenRequest(now_s - 30 * 86_400)]
    fill(redis_client, requests, now_s)
    until_s = int(now_s) - age_s
    table = queries.routes_table(redis_client, "", Span(seconds, until_s), now_s)
    assert table.from_s is not None
    assert until_s - seconds - grain_s < table.from_s <= until_s - seconds
    assert until_s <= table.to_s < until_s + grain_s
    assert table.rounded_to_s == grain_s
    wanted = inside(requests, table)
    assert {row.route: row.figures.count for row in table.routes} == Counter(seen.path for seen in wanted)
    assert table.total.errors == sum(seen.status == "500" for seen in wanted)
    assert table.total.rate == pytest.approx(len(wanted) / (table.to_s - table.from_s), rel=0.001)
    detail = queries.route_detail(redis_client, "", digest("/cart"), Span(seconds, until_s), now_s)
    assert detail is not None
    assert (detail.from_s, detail.to_s) == (table.from_s, table.to_s)
    assert detail.figures.count == sum(seen.path == "/cart" for seen in wanted)


@pytest.mark.parametrize("step_s", [10, 60])
def test_a_series_of_the_past_has_the_steps_that_are_asked_for(
    redis_client: redis.Redis, now_s: float, step_s: int
) -> None:
    requests = traffic(now_s, 3_000, since_s=3_000, until_s=600)
    fill(redis_client, requests, now_s)
    series = queries.series(redis_client, "", "all", Span(1_200, int(now_s) - 1_200, step_s), now_s)
    assert series.step_s == step_s
    ends_s = [*series.times[1:], series.to_s]
    for start_s, end_s, per_s in zip(series.times, ends_s, series.requests_per_s, strict=True):
        assert 0 < end_s - start_s <= step_s
        count = sum(start_s <= seen.at_s < end_s for seen in requests)
        assert per_s == pytest.approx(count / (end_s - start_s), rel=0.001)


def test_where_ten_seconds_are_kept_no_more_the_series_has_minutes_and_still_counts_all(
    redis_client: redis.Redis, now_s: float
) -> None:
    requests = traffic(now_s, 3_000, since_s=5_000, until_s=2_000)
    fill(redis_client, requests, now_s)
    series = queries.series(redis_client, "", "all", Span(1_800, int(now_s) - 2_900, 10), now_s)
    ends_s = [*series.times[1:], series.to_s]
    lengths_s = [end_s - start_s for start_s, end_s in zip(series.times, ends_s, strict=True)]
    assert set(lengths_s) == {60, 10}
    counted = sum(
        length_s * (per_s or 0) for length_s, per_s in zip(lengths_s, series.requests_per_s, strict=True)
    )
    assert counted == pytest.approx(len(inside(requests, series)), rel=0.01)


def test_the_last_minute_counts_what_came_between_the_times_that_it_names(
    redis_client: redis.Redis, now_s: float
) -> None:
    """Ten requests a second: 60 s have 600, and 72 s are not called a minute."""
    requests = [SeenRequest(now_s - 1 - number / 10) for number in range(2_000)]
    fill(redis_client, requests, now_s)
    table = queries.routes_table(redis_client, "", Span(60), now_s)
    assert table.from_s is not None
    assert table.to_s == int(now_s)
    assert 60 <= table.to_s - table.from_s < 70
    assert table.total.count == len(inside(requests, table))
    assert table.total.rate == pytest.approx(10, rel=0.02)


def test_now_is_the_last_whole_minute_with_its_errors_and_times(
    redis_client: redis.Redis, now_s: float
) -> None:
    requests = [
        SeenRequest(now_s - 5 - second, status="500" if second % 4 == 0 else "200", service_ms=200)
        for second in range(60)
    ]
    # What is older, and what is still on its way, is not now.
    requests += [SeenRequest(now_s - 200, status="500", service_ms=9_000)] * 50
    requests += [SeenRequest(now_s - 1, status="500", service_ms=9_000)] * 50
    fill(redis_client, requests, now_s)
    for span in (Span(300), Span(30 * 86_400), Span(600, int(now_s) - 7_200)):
        series = queries.series(redis_client, "", "all", span, now_s)
        assert series.now_requests_per_s == 1.0
        assert series.now_error_rate == 0.25
        for share in (series.now_service_p50, series.now_service_p95, series.now_service_p99):
            assert share == pytest.approx(200, rel=0.011)


def test_an_hour_that_began_before_the_first_request_has_no_rate_of_the_time_before(
    redis_client: redis.Redis, now_s: float
) -> None:
    """Looked at later, when there were other requests meanwhile."""
    first_s = now_s - 9_000
    requests = [SeenRequest(first_s + second) for second in range(600)]
    requests += [SeenRequest(now_s - 60)] * 100
    fill(redis_client, requests, now_s)
    table = queries.routes_table(redis_client, "", Span(3_600, int(first_s) + 600), now_s)
    assert table.from_s == pytest.approx(first_s, abs=60)
    assert table.total.rate == pytest.approx(1.0, rel=0.1)


def test_no_route_is_left_out_of_a_span_that_is_short_enough_to_read_them_all(
    redis_client: redis.Redis, now_s: float
) -> None:
    paths = [f"/{number}" for number in range(501)]
    fill(redis_client, [SeenRequest(now_s - 60, path) for path in paths], now_s, routes_max=600)
    for span in (Span(300), Span(3_600), Span(86_400), None):
        table = queries.routes_table(redis_client, "", span, now_s)
        assert (len(table.routes), table.left_out) == (501, 0)


def test_routes_without_a_request_in_the_span_are_not_left_out_of_it(
    redis_client: redis.Redis, now_s: float
) -> None:
    """Of many routes, the busiest of all time are no longer used: those that are come first."""
    old = [SeenRequest(now_s - 20 * 86_400, f"/old{number}") for number in range(150)] * 3
    new = [SeenRequest(now_s - 86_400, f"/new{number}") for number in range(30)]
    fill(redis_client, old + new, now_s)
    table = queries.routes_table(redis_client, "", Span(15 * 86_400), now_s)
    assert len(table.routes) == 30
    assert table.left_out == 0
