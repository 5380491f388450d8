"""Equal routes of several apps are told apart."""

from __future__ import annotations

from collections import Counter

import pytest
import redis

from app.store import queries
from app.store.keys import digest
from app.store.queries import Span
from app.store.queries.routes_by_app import CANDIDATES_MAX
from servers.figures import SeenRequest, fill

SPANS = (Span(300), Span(3_600))


def rows_of(table: queries.RoutesTable) -> dict[tuple[str, str], int]:
    return {(row.app, row.route): row.figures.count for row in table.routes}


@pytest.mark.parametrize("span", SPANS)
def test_each_app_has_a_row_for_each_of_its_routes(
    redis_client: redis.Redis, now_s: float, span: Span
) -> None:
    counts = {("shop", "/"): 50, ("api", "/"): 30, ("api", "/v1"): 20, ("", "/"): 10, ("", "/own"): 5}
    requests = [
        SeenRequest(now_s - 30 - number, path, app=app, status="500" if app == "api" else "200")
        for (app, path), count in counts.items()
        for number in range(count)
    ]
    # None of the apps is new.
    requests += [SeenRequest(now_s - 9_000, app=app) for app in ("shop", "api", "")]
    fill(redis_client, requests, now_s)
    table = queries.routes_by_app(redis_client, "", span, now_s)
    assert table.by_app
    assert rows_of(table) == counts
    assert [row.figures.count for row in table.routes] == [50, 30, 20, 10, 5]
    assert table.total.count == 115
    for row in table.routes:
        assert row.digest == digest(row.route)
        assert row.figures.error_rate == (1.0 if row.app == "api" else 0.0)
        assert row.figures.service.count == row.figures.count
        one = queries.route_detail(redis_client, row.app, row.digest, span, now_s)
        if row.app:
            assert one is not None
            assert one.figures == row.figures


def test_without_it_all_apps_are_one_as_before(redis_client: redis.Redis, now_s: float) -> None:
    fill(redis_client, [SeenRequest(now_s - 60, app=app) for app in ("shop", "api")], now_s)
    table = queries.routes_table(redis_client, "", Span(300), now_s)
    assert rows_of(table) == {("", "/"): 2}
    assert not table.by_app


@pytest.mark.parametrize("app", ["shop", ""])
def test_with_one_app_there_is_nothing_to_tell_apart(
    redis_client: redis.Redis, now_s: float, app: str
) -> None:
    fill(redis_client, [SeenRequest(now_s - 60, app=app)] * 3, now_s)
    for span in (*SPANS, None):
        table = queries.routes_by_app(redis_client, "", span, now_s)
        assert table == queries.routes_table(redis_client, "", span, now_s)


def test_of_more_routes_than_a_table_shows_the_busiest_are_shown(
    redis_client: redis.Redis, now_s: float
) -> None:
    requests = [
        SeenRequest(now_s - 60, f"/{number}", app=app)
        for app in ("shop", "api", "web")
        for number in range(400)
        for _ in range(2 if app == "web" else 1)
    ]
    requests += [SeenRequest(now_s - 60, "/unnamed")]
    fill(redis_client, requests, now_s)
    table = queries.routes_by_app(redis_client, "", Span(300), now_s)
    found = Counter(row.app for row in table.routes)
    assert found["web"] == 400
    assert found.total() == 1_000
    assert table.left_out == 200
    assert "" not in found, "what is left out cannot be told from what has no name"
    assert table.total.count == len(requests)


def test_apps_with_more_routes_than_are_looked_at_are_left_out_and_counted(
    redis_client: redis.Redis, now_s: float
) -> None:
    fill(redis_client, [SeenRequest(now_s - 60, app=app) for app in ("shop", "shop", "api")], now_s)
    redis_client.hset(
        "app:api:routes", mapping={f"/{number}": digest(f"/{number}") for number in range(CANDIDATES_MAX)}
    )
    table = queries.routes_by_app(redis_client, "", Span(300), now_s)
    assert rows_of(table) == {("shop", "/"): 2}
    assert table.left_out == CANDIDATES_MAX + 1


def test_each_row_is_compared_with_its_own_past(redis_client: redis.Redis, now_s: float) -> None:
    requests = [
        SeenRequest(now_s - 14 - second, app=app, status="500" if app == "shop" and second < 1_000 else "200")
        for second in range(8_000)
        for app in ("shop", "api", "")
    ]
    fill(redis_client, requests, now_s)
    table = queries.routes_by_app(redis_client, "", Span(300), now_s, "hour")
    shown = {row.app: row.changes["error_rate"].is_shown for row in table.routes}
    assert shown == {"shop": True, "api": False, "": False}
    assert not any(row.changes["rate"].is_shown for row in table.routes)
    assert table.before is not None
