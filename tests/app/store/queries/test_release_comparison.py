"""Before and after a release, from Redis: which spans are compared, and what is said of them."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest
import redis

from app.comparison.result import Comparison, FigureComparison, RouteComparison
from app.groups import METRICS
from app.platform.release import Release
from app.store.queries.release_comparison import compare_around
from app.store.workers import WorkerStatus, report_status
from servers.figures import SeenRequest, fill

ROUTES = tuple(f"/route-{number}" for number in range(10))


def release(version: int, at_s: float, up_s: float | None = None) -> Release:
    up_ms = None if up_s is None else int(up_s * 1000)
    return Release("shop", version, int(at_s * 1000), "deploy", f"v{version}: deploy 9154a1d2", up_ms=up_ms)


def traffic(
    rng: random.Random,
    from_s: float,
    to_s: float,
    *,
    per_s: float = 20,
    slower: Mapping[str, float] | None = None,
    failing: Mapping[str, float] | None = None,
    aborted: Mapping[str, float] | None = None,
    routes: Sequence[str] = ROUTES,
    app: str = "shop",
) -> list[SeenRequest]:
    """Independent requests of all routes alike, log-normal around 100 ms."""
    found = []
    at_s = from_s + rng.expovariate(per_s)
    while at_s < to_s:
        path = rng.choice(routes)
        took_ms = round(100 * (slower or {}).get(path, 1.0) * rng.lognormvariate(0, 0.5))
        status, code = "200", ""
        if rng.random() < (failing or {}).get(path, 0.0):
            status = "500"
        elif rng.random() < (aborted or {}).get(path, 0.0):
            status, code = "499", "H27"
        found.append(SeenRequest(at_s, path, took_ms, status=status, code=code, app=app))
        at_s += rng.expovariate(per_s)
    return found


def worker_is_up(store: redis.Redis, now_s: float, lag_seconds: float = 0.0) -> None:
    now_ms = int(now_s * 1000)
    status = WorkerStatus("w1", METRICS.name, now_ms, int(lag_seconds), lag_seconds, True, now_ms)
    report_status(store, status)


def figure(row: RouteComparison | None, name: str) -> FigureComparison:
    assert row is not None
    return next(one for one in row.figures if one.figure == name)


def words(found: Comparison) -> dict[str, str]:
    return {row.route: row.word for row in found.routes}


@pytest.fixture
def around(redis_client: redis.Redis, now_s: float) -> tuple[redis.Redis, float, Release]:
    """A worker that keeps up, and a release that was up 15 minutes ago."""
    worker_is_up(redis_client, now_s)
    up_s = (now_s - 4) // 60 * 60 - 900
    return redis_client, now_s, release(42, up_s - 60, up_s)


def test_of_ten_routes_exactly_the_one_that_became_slower_is_worse(
    around: tuple[redis.Redis, float, Release],
) -> None:
    store, now_s, found_release = around
    at_s, up_s = found_release.at_ms / 1000, (found_release.up_ms or 0) / 1000
    rng = random.Random(1)
    requests = traffic(rng, at_s - 1_000, at_s)
    requests += traffic(rng, at_s, up_s, slower=dict.fromkeys(ROUTES, 5.0))
    requests += traffic(rng, up_s, now_s - 4, slower={"/route-3": 1.35})
    fill(store, requests, now_s)
    found = compare_around(store, "shop", found_release, [found_release], now_s, 900)
    assert found.refused == ""
    assert found.is_complete
    assert [route for route, word in words(found).items() if word == "worse"] == ["/route-3"]
    assert found.routes[0].route == "/route-3"
    assert "better" not in words(found).values()
    slow = figure(found.routes[0], "p50")
    assert slow.word == "worse"
    assert slow.change == pytest.approx(0.35, abs=0.1)
    assert slow.low is not None
    assert slow.high is not None
    assert 0 < slow.low < 0.35 < slow.high < 0.8
    assert found.before is not None
    assert found.after is not None
    assert (found.before.to_s, found.after.from_s) == (int(at_s), int(up_s))
    assert found.before.to_s - found.before.from_s == found.after.to_s - found.after.from_s == 900
    asked = [seen for seen in requests if at_s - 900 <= seen.at_s < at_s]
    assert found.total is not None
    assert found.before.requests == found.total.requests_before == len(asked)
    assert found.routes[0].requests_before == sum(seen.path == "/route-3" for seen in asked)
