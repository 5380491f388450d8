"""What is left of the budgets of objectives, on a real Redis."""

from __future__ import annotations

import time

import pytest
import redis

from app.alerts.conditions.burn import BurnRate
from app.alerts.redis import budgets
from app.alerts.redis.budgets import FRESH_S, Budget, BudgetReader
from app.alerts.redis.view import alerts_view
from app.alerts.rule import EACH, Rule
from app.alerts.slo import Objective
from app.settings import Settings
from app.store.queries.routes import known_routes
from servers.figures import SeenRequest, fill

DAY_S = 86_400
NOW_S = time.time()
NINES = Objective(0.99, 7 * DAY_S)


def fill_days(store: redis.Redis) -> None:
    """Two days of two routes of an app, of which one fails at times, and a request of another app."""
    requests = []
    for age in range(60, 2 * DAY_S, 600):
        is_bad = age < 3_000
        requests.append(SeenRequest(NOW_S - age, "/checkout", app="shop", status="503" if is_bad else "200"))
        requests.append(SeenRequest(NOW_S - age, "/cart", app="shop", service_ms=900 if is_bad else 20))
    requests.append(SeenRequest(NOW_S - 60, "/", app="api"))
    fill(store, requests, NOW_S)


def read(store: redis.Redis, *rules: Rule) -> list[Budget]:
    return BudgetReader().read(store, Settings(alert_rules=rules), NOW_S)


def objective(name: str = "o", of: Objective = NINES, app: str = "", route: str = "") -> Rule:
    return Rule(name, (BurnRate(of),), app=app, route=route)


def test_without_objectives_nothing_is_read() -> None:
    nowhere = redis.Redis(port=1)
    assert read(nowhere, Rule("plain", ())) == []


def test_what_is_left_is_what_failed_of_what_may_fail(redis_client: redis.Redis) -> None:
    fill_days(redis_client)
    (budget,) = read(redis_client, objective(app="shop", route="/checkout"))
    assert (budget.requests, budget.bad) == (288, 5)
    assert budget.left == pytest.approx(1 - 5 / 2.88)
    assert (budget.app, budget.route, budget.objective, budget.over_s) == (
        *("shop", "/checkout", 0.99),
        7 * DAY_S,
    )
    # The week is not over since the first request.
    assert NOW_S - 2 * DAY_S - 3_600 <= budget.from_s <= NOW_S - 2 * DAY_S + 3_600


def test_slow_requests_use_the_budget_up_where_it_says_so(redis_client: redis.Redis) -> None:
    fill_days(redis_client)
    fast = Objective(0.99, 7 * DAY_S, faster_ms=500)
    (budget,) = read(redis_client, objective(of=fast, app="shop", route="/cart"))
    assert budget.bad == 5


def test_each_app_and_each_route_has_its_own_the_worst_first(redis_client: redis.Redis) -> None:
    fill_days(redis_client)
    found = read(redis_client, objective())
    assert [(one.app, one.requests) for one in found] == [("shop", 576), ("api", 1)]
    found = read(redis_client, objective(app="shop", route=EACH))
    assert [one.route for one in found] == ["/checkout", "/cart"]
    found = read(redis_client, objective(app="shop", route="/:page"))
    assert {one.route for one in found} == {"/checkout", "/cart"}
    (one,) = read(redis_client, objective(app="shop", route="/cart"))
    assert one.route == "/cart"


def test_an_app_without_requests_has_no_budget_left_to_speak_of(redis_client: redis.Redis) -> None:
    fill_days(redis_client)
    (budget,) = read(redis_client, objective(app="other"))
    assert (budget.left, budget.requests, budget.bad) == (None, 0, 0)


def test_there_are_not_more_than_a_page_can_show(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_days(redis_client)
    monkeypatch.setattr(budgets, "BUDGETS_MAX", 3)
    assert len(read(redis_client, *(objective(f"o{number}") for number in range(5)))) == 3


def test_a_hundred_rules_read_each_table_of_routes_once(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_days(redis_client)
    tables: list[str] = []

    def counted(store: redis.Redis, app: str) -> tuple[dict[str, str], int]:
        tables.append(app)
        return known_routes(store, app)

    monkeypatch.setattr(budgets, "known_routes", counted)
    assert read(redis_client, *(objective(f"o{at}", route="/nowhere") for at in range(100))) == []
    assert sorted(tables) == ["api", "shop"]


def test_they_are_read_once_a_minute(redis_client: redis.Redis) -> None:
    fill_days(redis_client)
    reader, settings = BudgetReader(), Settings(alert_rules=(objective(app="shop"),))
    first = reader.read(redis_client, settings, NOW_S)
    redis_client.flushall()
    assert reader.read(redis_client, settings, NOW_S + FRESH_S - 1) == first
    assert reader.read(redis_client, settings, NOW_S + FRESH_S)[0].requests == 0


def test_the_view_of_an_app_has_its_own(redis_client: redis.Redis) -> None:
    fill_days(redis_client)
    settings = Settings(alert_rules=(objective(),))
    assert [one.app for one in alerts_view(redis_client, settings, "", None, NOW_S).budgets] == [
        "shop",
        "api",
    ]
    assert [one.app for one in alerts_view(redis_client, settings, "api", None, NOW_S).budgets] == ["api"]
