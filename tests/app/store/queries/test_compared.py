"""A span compared with an earlier one: which that is, and what is said of it."""

from __future__ import annotations

import random

import pytest
import redis

from app.store import keys, queries
from app.store.keys import digest
from app.store.queries import Span
from app.store.queries.spanned import earlier_plan
from app.store.queries.spans import plan
from servers.figures import SeenRequest, fill


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
