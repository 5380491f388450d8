"""Before and after a release, from Redis: which spans are compared, and what is said of them."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest
import redis

from app.comparison.result import Comparison, FigureComparison, RouteComparison
from app.groups import METRICS
from app.platform.release import Release
from app.store import queries
from app.store.queries import Span
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
    per_s: float = 14,
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
    requests = traffic(rng, at_s - 960, at_s)
    requests += traffic(rng, at_s, up_s, slower=dict.fromkeys(ROUTES, 5.0))
    slower, failing, aborted = {"/route-3": 1.35}, {"/route-5": 0.05}, {"/route-7": 0.06}
    requests += traffic(rng, up_s, now_s - 4, slower=slower, failing=failing, aborted=aborted)
    fill(store, requests, now_s)
    found = compare_around(store, "shop", found_release, [found_release], now_s, 900)
    assert found.refused == ""
    assert found.is_complete
    worse = {row.route: [one.figure for one in row.figures if one.word == "worse"] for row in found.routes}
    assert {route for route, figures in worse.items() if figures} == {"/route-3", "/route-5", "/route-7"}
    assert "p50" in worse["/route-3"]
    assert (worse["/route-5"], worse["/route-7"]) == (["errors"], ["aborted"])
    assert {row.route for row in found.routes[:3]} == {"/route-3", "/route-5", "/route-7"}
    assert "better" not in words(found).values()
    slow = figure(next(row for row in found.routes if row.route == "/route-3"), "p50")
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
    assert any("yesterday" in text for text in found.warnings)


def test_neither_span_reaches_into_another_release(around: tuple[redis.Redis, float, Release]) -> None:
    store, now_s, middle = around
    at_s, up_s = middle.at_ms / 1000, (middle.up_ms or 0) / 1000
    fill(store, traffic(random.Random(2), at_s - 960, now_s - 4, per_s=1), now_s)
    kept = [release(43, up_s + 300), middle, release(41, at_s - 420, at_s - 360)]
    found = compare_around(store, "shop", middle, kept, now_s, 900)
    assert found.before is not None
    assert found.after is not None
    assert (found.before.from_s, found.before.to_s) == (int(at_s) - 360, int(at_s))
    assert (found.after.from_s, found.after.to_s) == (int(up_s), int(up_s) + 300)
    assert found.is_complete
    assert any("when v41 was up" in text for text in found.warnings)
    assert any("when v43 came" in text for text in found.warnings)


def test_releases_with_nothing_in_between_are_compared_as_one(
    around: tuple[redis.Redis, float, Release],
) -> None:
    store, now_s, last = around
    at_s = last.at_ms / 1000
    fill(store, traffic(random.Random(2), at_s - 960, now_s - 4, per_s=1), now_s)
    first = release(41, at_s - 60, at_s - 30)
    found = compare_around(store, "shop", last, [last, first], now_s, 300)
    assert found.before is not None
    assert found.before.to_s == int(at_s) - 60
    assert any("v41 came so close to v42" in text for text in found.warnings)


def test_a_span_that_is_not_over_is_compared_so_far_and_says_when_it_will_be(
    redis_client: redis.Redis, now_s: float
) -> None:
    worker_is_up(redis_client, now_s)
    at_s = now_s - 4 - 420
    fill(redis_client, traffic(random.Random(3), at_s - 960, now_s - 4, per_s=1), now_s)
    unknown = release(42, at_s)
    found = compare_around(redis_client, "shop", unknown, [unknown], now_s, 900)
    assert found.after is not None
    assert (found.after.from_s, found.after.to_s) == (int(at_s) + 120, int(now_s) - 4)
    assert not found.is_complete
    assert found.ready_s == int(at_s) + 120 + 900 + 3
    assert any("2 min after the release" in text or "120" in text for text in found.warnings)
    just_now = release(42, now_s - 10)
    early = compare_around(redis_client, "shop", just_now, [just_now], now_s, 900)
    assert (early.total, early.refused, early.is_complete) == (None, "", False)
    assert early.ready_s is not None


def test_workers_that_are_behind_make_it_incomplete(redis_client: redis.Redis, now_s: float) -> None:
    at_s = (now_s - 4) // 60 * 60 - 960
    fill(redis_client, traffic(random.Random(3), at_s - 960, now_s - 600, per_s=1), now_s)
    some = release(42, at_s, at_s + 60)
    worker_is_up(redis_client, now_s, lag_seconds=600)
    behind = compare_around(redis_client, "shop", some, [some], now_s, 900)
    assert not behind.is_complete
    assert any("behind" in text for text in behind.warnings)
    worker_is_up(redis_client, now_s)
    assert compare_around(redis_client, "shop", some, [some], now_s, 900).is_complete


def test_an_older_release_is_compared_by_whole_hours(redis_client: redis.Redis, now_s: float) -> None:
    worker_is_up(redis_client, now_s)
    at_s = now_s // 3_600 * 3_600 - 3 * 86_400 + 1_500
    requests = traffic(random.Random(4), at_s - 6 * 3_600, at_s, per_s=0.1, routes=("/",))
    requests += traffic(random.Random(5), at_s, at_s + 6 * 3_600, per_s=0.1, routes=("/",), slower={"/": 3})
    fill(redis_client, requests, now_s)
    some = release(42, at_s, at_s + 60)
    found = compare_around(redis_client, "shop", some, [some], now_s, 900)
    assert found.before is not None
    assert found.after is not None
    assert found.before.to_s == int(at_s) - 1_500
    assert found.after.from_s == int(at_s) + 2_100
    assert found.before.to_s - found.before.from_s == 4 * 3_600
    assert any("whole hours" in text for text in found.warnings)
    assert words(found) == {"/": "worse"}


def test_the_same_difference_yesterday_is_said(redis_client: redis.Redis, now_s: float) -> None:
    worker_is_up(redis_client, now_s)
    at_s = (now_s - 4) // 60 * 60 - 960
    requests = []
    for day_s in (0, 86_400):
        rng = random.Random(6)
        requests += traffic(rng, at_s - 960 - day_s, at_s - day_s, per_s=3, routes=("/",))
        after_s = at_s + 960 - day_s
        requests += traffic(rng, at_s - day_s, after_s, per_s=6, routes=("/",), slower={"/": 1.5})
    fill(redis_client, requests, now_s - 86_400)
    some = release(42, at_s, at_s + 60)
    found = compare_around(redis_client, "shop", some, [some], now_s, 900)
    assert words(found) == {"/": "worse"}
    assert any("more requests" in text for text in found.warnings)
    assert found.yesterday is not None
    assert found.yesterday.before is not None
    assert found.yesterday.before.to_s == int(at_s) - 86_400
    assert any("yesterday at the same times, the same difference: p50" in text for text in found.warnings)


def test_what_can_not_be_compared_is_refused_with_the_fix(redis_client: redis.Redis, now_s: float) -> None:
    def refused(app: str, version: int = 0) -> str:
        return queries.compare_release(redis_client, app, version, now_s).refused

    fill(redis_client, [SeenRequest(now_s - 30)], now_s)
    assert "DRAIN_TOKENS" in refused("")
    assert "no line had an app's name" in refused("shop")
    fill(redis_client, [SeenRequest(now_s - 30, app=app) for app in ("shop", "billing")], now_s)
    assert "say which, of" in refused("")
    assert "there are" in refused("shopp")
    assert "no release of shop is known" in refused("shop", 42)
    old = release(1, now_s - 40 * 86_400)
    assert "31 days" in compare_around(redis_client, "shop", old, [old], now_s, 900).refused


def test_any_two_spans_are_compared_also_without_names(redis_client: redis.Redis, now_s: float) -> None:
    worker_is_up(redis_client, now_s)
    end_s = int(now_s) - 4
    requests = traffic(random.Random(7), end_s - 1_200, end_s - 600, per_s=3, routes=("/",), app="")
    requests += traffic(random.Random(8), end_s - 600, end_s, per_s=3, routes=("/",), app="", slower={"/": 2})
    fill(redis_client, requests, now_s)
    found = queries.compare_spans(redis_client, "", Span(600, end_s - 600), Span(600, end_s), now_s)
    assert (found.refused, words(found)) == ("", {"/": "worse"})
    overlapping = queries.compare_spans(redis_client, "", Span(600, end_s - 300), Span(600, end_s), now_s)
    assert "overlap" in overlapping.refused
    early = queries.compare_spans(redis_client, "", Span(60, end_s - 40 * 86_400), Span(600, end_s), now_s)
    assert "31 days" in early.refused
