"""Figures of any moment against a plain Python reference: what is counted lies where the answer says."""

from __future__ import annotations

import random
from collections import Counter

import pytest
import redis

from app.store import keys, queries
from app.store.keys import digest
from app.store.queries import Span
from app.store.queries.spanned import earlier_plan
from app.store.queries.spans import plan
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


# --- compared with before --------------------------------------------------------------------


@pytest.mark.parametrize(("earlier", "offset_s"), [("hour", 3_600), ("day", 86_400), ("week", 7 * 86_400)])
@pytest.mark.parametrize("span_s", [300, 3_600])
def test_a_table_is_compared_with_the_same_time_before(
    redis_client: redis.Redis, now_s: float, earlier: queries.Earlier, offset_s: int, span_s: int
) -> None:
    rng = random.Random(9)

    def some(age_s: int, failing: float, times_ms: int) -> list[SeenRequest]:
        # Where whole hours alone are kept, all of them must have the same traffic.
        reach_s = 0 if not age_s else 70 if age_s == 3_600 else 4_000
        seconds = span_s + 2 * reach_s
        return [
            SeenRequest(
                now_s - 14 - age_s - span_s + number + 0.5 - reach_s,
                rng.choice(["/", "/cart"]),
                status="500" if rng.random() < failing else "200",
                service_ms=round(rng.lognormvariate(0, 0.4) * times_ms),
            )
            for number in range(seconds)
        ]

    requests = some(0, 0.3, 200) + some(offset_s, 0.01, 100)
    requests = [seen for seen in requests if seen.at_s < now_s]
    requests += [SeenRequest(now_s - 25 * 86_400)]
    fill(redis_client, requests, now_s)
    table = queries.routes_table(redis_client, "", Span(span_s), now_s, earlier)
    before = table.before
    assert before is not None
    assert before.earlier == earlier
    assert table.from_s is not None
    assert before.from_s <= table.from_s - offset_s < table.to_s - offset_s <= before.to_s + 14
    asked = [seen for seen in requests if before.from_s <= seen.at_s < before.to_s]
    for row in table.routes:
        rate, errors = row.changes["rate"], row.changes["error_rate"]
        own = [seen for seen in asked if seen.path == row.route]
        assert rate.before == pytest.approx(len(own) / (before.to_s - before.from_s), rel=0.01)
        assert errors.before == pytest.approx(sum(seen.status == "500" for seen in own) / len(own), rel=0.01)
        assert errors.is_shown
        assert (errors.after, rate.after) == (row.figures.error_rate, row.figures.rate)
        assert row.changes["p50"].is_shown
        assert row.changes["p50"].change == pytest.approx(1.0, abs=0.25)
    assert table.total_changes["error_rate"].is_shown
    detail = queries.route_detail(redis_client, "", digest("/cart"), Span(span_s), now_s, earlier)
    assert detail is not None
    assert detail.before == before
    assert detail.changes == next(row.changes for row in table.routes if row.route == "/cart")


def test_a_route_that_had_requests_and_has_none_now_is_in_the_table(
    redis_client: redis.Redis, now_s: float
) -> None:
    steady = [SeenRequest(now_s - 14 - second, "/") for second in range(8_000)]
    gone = [SeenRequest(now_s - 3_500 - second, "/gone") for second in range(4_000)]
    rare = [SeenRequest(now_s - 3_800, "/rare")]
    fill(redis_client, steady + gone + rare, now_s)
    table = queries.routes_table(redis_client, "", Span(300), now_s, "hour")
    rows = {row.route: row for row in table.routes}
    assert set(rows) == {"/", "/gone"}
    assert rows["/gone"].figures.count == 0
    assert (rows["/gone"].changes["rate"].change, rows["/gone"].changes["rate"].is_shown) == (-1.0, True)
    assert not rows["/"].changes["rate"].is_shown


def test_without_a_time_before_nothing_is_compared(redis_client: redis.Redis, now_s: float) -> None:
    fill(redis_client, [SeenRequest(now_s - 15 - second) for second in range(600)], now_s)
    asked: list[tuple[Span | None, queries.Earlier]] = [
        (Span(300), "hour"),
        (Span(30 * 86_400), "week"),
        (None, "day"),
    ]
    for span, earlier in asked:
        table = queries.routes_table(redis_client, "", span, now_s, earlier)
        assert table.before is None
        assert table.total_changes == {}
        assert [row.changes for row in table.routes] == [{}]


def test_an_hour_before_that_began_with_the_first_request_has_the_rate_since_then(
    redis_client: redis.Redis, now_s: float
) -> None:
    fill(redis_client, [SeenRequest(now_s - 15 - second) for second in range(5_000)], now_s)
    table = queries.routes_table(redis_client, "", Span(3_600), now_s, "hour")
    assert table.before is not None
    assert table.before.from_s == pytest.approx(now_s - 5_015, abs=60)
    assert table.total_changes["rate"].before == pytest.approx(1.0, rel=0.1)


@pytest.mark.parametrize("past_s", [0, 3, 17, 48, 55])
@pytest.mark.parametrize("earlier", ["hour", "day"])
def test_a_day_is_compared_with_the_day_before_however_it_is_rounded(
    past_s: int, earlier: queries.Earlier
) -> None:
    now_s = 1_795_392_000.0 + past_s
    found = earlier_plan(plan(Span(86_400), now_s, 30), earlier, now_s)
    assert found is not None
    assert found[1] == 86_400


@pytest.mark.parametrize(("seconds", "offset_s"), [(300, 3_600), (3_600, 3_600), (7_200, 7_200)])
@pytest.mark.parametrize("age_s", [0, 5_000, 200_000])
def test_an_earlier_span_hardly_overlaps_the_one_it_is_compared_with(
    seconds: int, offset_s: int, age_s: int
) -> None:
    now_s = 1_795_447_804.0
    after = plan(Span(seconds, int(now_s) - age_s), now_s, 30)
    found = earlier_plan(after, "hour", now_s)
    assert found is not None
    # Where whole hours alone are kept, a span of an hour may be widened to two.
    assert found[1] == (offset_s if after.grain_s < 3_600 else after.end_s - after.start_s)
    assert found[0].end_s - after.start_s <= 0.1 * (after.end_s - after.start_s)


def test_a_day_is_compared_with_the_one_before(redis_client: redis.Redis, now_s: float) -> None:
    fill(redis_client, [SeenRequest(now_s - 600 * number) for number in range(1, 1_000)], now_s)
    table = queries.routes_table(redis_client, "", Span(86_400), now_s, "hour")
    assert table.before is not None
    assert table.from_s is not None
    assert table.before.to_s <= table.from_s + 3_660
    assert table.before.from_s == pytest.approx(table.from_s - 86_400, abs=3_610)


@pytest.mark.parametrize("span_s", [300, 3_600, 86_400])
@pytest.mark.parametrize("earlier", ["hour", "day", "week"])
def test_a_comparison_reads_at_most_twice_as_much(
    redis_client: redis.Redis, now_s: float, span_s: int, earlier: queries.Earlier
) -> None:
    requests = [SeenRequest(now_s - 60, f"/{number}") for number in range(200)]
    requests += [SeenRequest(now_s - 20 * 86_400)]
    fill(redis_client, requests, now_s)

    def windows_read(compare: queries.Earlier | None) -> int:
        queries.routes_table(redis_client, "", Span(span_s), now_s, compare)
        redis_client.config_resetstat()
        queries.routes_table(redis_client, "", Span(span_s), now_s, compare)
        stats = redis_client.info("commandstats")
        assert isinstance(stats, dict)
        return sum(stats[f"cmdstat_{name}"]["calls"] for name in ("hmget", "evalsha"))

    assert windows_read(earlier) <= 2.2 * windows_read(None)


def test_a_comparison_is_of_one_app_alone(redis_client: redis.Redis, now_s: float) -> None:
    requests = [SeenRequest(now_s - 20 - second, app="shop") for second in range(5_000)]
    requests += [SeenRequest(now_s - 3_700, app="api", status="500")] * 500
    fill(redis_client, requests, now_s)
    table = queries.routes_table(redis_client, "shop", Span(300), now_s, "hour")
    assert table.total_changes["error_rate"].before == 0
    assert redis_client.hget(keys.APPS, "api") == b"500"
