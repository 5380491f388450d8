"""Apps side by side against a plain Python reference, from a real Redis."""

from __future__ import annotations

import random

import pytest
import redis

from app.store import queries
from app.store.queries import Span
from servers.figures import SeenRequest, fill


def traffic(now_s: float, apps: dict[str, int], *, since_s: float, until_s: float = 14) -> list[SeenRequest]:
    rng = random.Random(2)
    return [
        SeenRequest(
            now_s - rng.uniform(until_s, since_s),
            rng.choice(["/", "/cart"]),
            status=rng.choice(["200", "200", "503"]),
            code=rng.choice(["", "", "H27"]),
            service_ms=rng.randint(1, 400),
            app=app,
        )
        for app, count in apps.items()
        for _ in range(count)
    ]


def is_error(seen: SeenRequest) -> bool:
    return seen.status == "503" and seen.code != "H27"


@pytest.mark.parametrize(
    "span", [Span(300), Span(86_400), Span(1_200, -1_800), None], ids=["5m", "24h", "past", "all"]
)
def test_every_app_has_its_figures_and_requests_without_a_name_too(
    redis_client: redis.Redis, now_s: float, span: Span | None
) -> None:
    requests = traffic(now_s, {"shop": 1_500, "api": 600, "": 900}, since_s=7_000)
    requests += [SeenRequest(now_s - 40 * 86_400, app="old"), SeenRequest(now_s - 40 * 86_400)]
    fill(redis_client, requests, now_s)
    if span and span.until_s:
        span = Span(span.seconds, int(now_s) + span.until_s)
    found = queries.overview(redis_client, span, now_s)
    inside = [seen for seen in requests if found.from_s <= seen.at_s < found.to_s]
    rows = {row.app: row for row in found.apps}
    assert set(rows) == {"shop", "api", "", "old"}
    assert found.left_out == 0
    counts = [row.figures.count for row in found.apps]
    assert counts == sorted(counts, reverse=True)
    for app, row in rows.items():
        own = [seen for seen in inside if seen.app == app]
        assert row.figures.count == len(own)
        assert row.figures.errors == sum(map(is_error, own))
        assert sum(row.figures.classes.values()) == len(own)
        assert row.figures.service.count == len(own)
        assert len(row.requests_spark) == len(row.errors_spark)
        if own and span and span.until_s:
            assert max(row.requests_spark) > max(row.errors_spark) > 0


def test_errors_of_each_step_add_up(redis_client: redis.Redis, now_s: float) -> None:
    requests = traffic(now_s, {"shop": 400, "": 400}, since_s=290, until_s=20)
    fill(redis_client, requests, now_s)
    found = queries.overview(redis_client, Span(300), now_s)
    assert found.step_s == 10
    for row in found.apps:
        assert 10 * sum(row.errors_spark) == pytest.approx(row.figures.errors, rel=0.01)
        assert 10 * sum(row.requests_spark) == pytest.approx(row.figures.count, rel=0.01)


def test_an_app_that_is_silent_says_since_when(redis_client: redis.Redis, now_s: float) -> None:
    requests = [SeenRequest(now_s - 14 - second, app="shop") for second in range(300)]
    requests += [SeenRequest(now_s - 280 - second, app="api", status="500") for second in range(300)]
    fill(redis_client, requests, now_s)
    shop, api = queries.overview(redis_client, Span(300), now_s).apps
    assert (shop.app, api.app) == ("shop", "api")
    assert shop.now_requests_per_s == pytest.approx(0.85, abs=0.16)
    assert shop.now_error_rate == 0.0
    assert shop.now_p95 == pytest.approx(20, rel=0.011)
    assert (api.now_requests_per_s, api.now_p95) == (0.0, None)
    assert api.last_s == (now_s - 280) // 10 * 10
    assert api.figures.error_rate == 1.0


def test_requests_without_a_name_alone_are_one_app(redis_client: redis.Redis, now_s: float) -> None:
    fill(redis_client, [SeenRequest(now_s - 100)] * 30, now_s)
    (row,) = queries.overview(redis_client, Span(300), now_s).apps
    assert (row.app, row.figures.count, row.last_s) == ("", 30, (now_s - 100) // 10 * 10)


def test_where_all_apps_have_names_there_is_no_row_without_one(
    redis_client: redis.Redis, now_s: float
) -> None:
    fill(redis_client, [SeenRequest(now_s - 100, app="shop")] * 30, now_s)
    assert [row.app for row in queries.overview(redis_client, Span(300), now_s).apps] == ["shop"]


def test_without_any_request_there_is_no_app(redis_client: redis.Redis, now_s: float) -> None:
    found = queries.overview(redis_client, Span(300), now_s, "hour")
    assert (found.apps, found.left_out, found.before) == ([], 0, None)


def test_apps_are_compared_with_before_and_those_without_a_name_too(
    redis_client: redis.Redis, now_s: float
) -> None:
    requests = [
        SeenRequest(now_s - 14 - second, app=app, status="500" if app == "" and second < 400 else "200")
        for second in range(8_000)
        for app in ("shop", "")
    ]
    fill(redis_client, requests, now_s)
    found = queries.overview(redis_client, Span(300), now_s, "hour")
    assert found.before is not None
    changes = {row.app: row.changes["error_rate"] for row in found.apps}
    assert (changes[""].before, changes[""].after, changes[""].is_shown) == (0.0, 1.0, True)
    assert (changes["shop"].after, changes["shop"].is_shown) == (0.0, False)


def test_of_many_apps_the_least_used_are_left_out_of_a_long_span_and_it_takes_few_calls(
    redis_client: redis.Redis, now_s: float
) -> None:
    requests = [SeenRequest(now_s - 60, app=f"app{number}") for number in range(300) for _ in range(2)]
    requests += [SeenRequest(now_s - 60, app="seldom"), SeenRequest(now_s - 60)]
    fill(redis_client, requests, now_s)
    found = queries.overview(redis_client, Span(30 * 86_400), now_s)
    assert found.left_out > 0
    assert len(found.apps) + found.left_out == 301
    assert "seldom" not in [row.app for row in found.apps]
    assert queries.overview(redis_client, Span(300), now_s).left_out == 0
    redis_client.config_resetstat()
    queries.overview(redis_client, Span(300), now_s)
    stats = redis_client.info("commandstats")
    assert isinstance(stats, dict)
    # 302 rows of 33 windows, and of 6: 250 windows in one call.
    assert stats["cmdstat_evalsha"]["calls"] < 60
