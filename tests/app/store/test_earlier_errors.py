"""Figures that an earlier version has stored keep its meaning of an error, alone and beside new ones.

The dumps are its own, written by its code: see tests/support/golden.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from prometheus_client import CollectorRegistry

from app.log import open_log
from app.message import RouterMessage
from app.router_line import parse
from app.settings import Settings
from app.store import keys, queries
from app.store.apply import limits
from app.store.journal import Journal
from app.store.keys import ALL_ROUTES
from app.store.queries.all_time import all_time
from app.store.queries.spans import Span, plan
from app.store.queries.windows import bin_sums
from app.store.sums import Sums
from drain.dashboard import RouteCollector
from tests.support import golden
from tests.support.reference import pairs_of

APPS = ("", "shop", "blog")
SPANS_S = (3_600, 86_400, 31 * 86_400)


def old_errors(message: RouterMessage) -> int:
    """What the earlier version counts for a line: its status, and a few codes, each by itself."""
    pairs = pairs_of(message["msg"])
    return pairs.get("status", "").startswith("50") + (pairs.get("code") in ("H26", "H27", "H28", "H31"))


def new_errors(message: RouterMessage) -> int:
    pairs = pairs_of(message["msg"])
    is_aborted = pairs.get("status") == "499" or pairs.get("code") in ("H27", "H28")
    return int(not is_aborted and (pairs.get("status", "")[:2] == "50" or pairs.get("at") == "error"))


def aborts(message: RouterMessage) -> int:
    pairs = pairs_of(message["msg"])
    return int(pairs.get("status") == "499" or pairs.get("code") in ("H27", "H28"))


def connections(message: RouterMessage) -> int:
    return int(pairs_of(message["msg"]).get("status") == "101")


def wanted(count: Callable[[RouterMessage], int]) -> Counter[str]:
    """By app, "" for all together."""
    found: Counter[str] = Counter()
    for batch in golden.batches():
        for message in batch:
            line = parse(message["msg"])
            if line and line.path and not line.request_id.startswith("replay-"):
                for app in dict.fromkeys(("", message["app"])):
                    found[app] += count(message)
    return found


def totals(store: redis.Redis, app: str) -> Sums:
    return all_time(store, app, [ALL_ROUTES])[ALL_ROUTES][0]


def windows(store: redis.Redis, app: str, span_s: int) -> list[Sums]:
    return bin_sums(store, app, ALL_ROUTES, plan(Span(span_s, step_s=60), golden.NOW_S + 15, 1_000))


def by_route(store: redis.Redis, app: str) -> dict[str, int]:
    table = queries.routes_table(store, app, None, golden.NOW_S)
    return {row.route: row.figures.errors for row in table.routes}


def errors(sums: list[Sums]) -> list[int]:
    return [part.errors for part in sums]


@pytest.fixture
def earlier(store: redis.Redis) -> redis.Redis:
    golden.load(store, golden.read(golden.EARLIER_FIGURES))
    return store


def test_the_input_tells_the_two_meanings_apart() -> None:
    for app in APPS:
        old, new = wanted(old_errors)[app], wanted(new_errors)[app]
        assert 0 < new != old > 0
        assert wanted(aborts)[app] > 0 < wanted(connections)[app]


def test_what_an_earlier_version_stored_has_its_own_meaning(earlier: redis.Redis) -> None:
    for app in APPS:
        assert totals(earlier, app).errors == wanted(old_errors)[app]
        assert sum(errors(windows(earlier, app, SPANS_S[-1]))) == wanted(old_errors)[app]
        assert (totals(earlier, app).aborted, totals(earlier, app).connections) == (0, 0)
        assert totals(earlier, app).service == windows_sum(earlier, app), "its websockets stay where they are"


def windows_sum(store: redis.Redis, app: str) -> dict[int, int]:
    found: Counter[int] = Counter()
    for part in windows(store, app, SPANS_S[-1]):
        found.update(part.service)
    return dict(found)


def test_what_is_counted_now_has_the_new_meaning(store: redis.Redis) -> None:
    golden.run(store)
    for app in APPS:
        for parts in ([totals(store, app)], windows(store, app, SPANS_S[-1])):
            assert sum(part.errors for part in parts) == wanted(new_errors)[app]
            assert sum(part.aborted for part in parts) == wanted(aborts)[app]
            assert sum(part.connections for part in parts) == wanted(connections)[app]
            assert sum(sum(part.lifetime.values()) for part in parts) == wanted(connections)[app]


def test_both_in_the_same_windows_and_totals_are_the_sum_of_their_own_meanings(store: redis.Redis) -> None:
    golden.run(store)
    new = {(app, span_s): errors(windows(store, app, span_s)) for app in APPS for span_s in SPANS_S}
    new_routes = {app: by_route(store, app) for app in APPS}
    store.flushall()
    golden.load(store, golden.read(golden.EARLIER_FIGURES))
    old = {(app, span_s): errors(windows(store, app, span_s)) for app in APPS for span_s in SPANS_S}
    old_routes = {app: by_route(store, app) for app in APPS}
    golden.run(store)
    for app in APPS:
        assert totals(store, app).errors == wanted(old_errors)[app] + wanted(new_errors)[app]
        assert totals(store, app).aborted == wanted(aborts)[app]
        for span_s in SPANS_S:
            both = [one + other for one, other in zip(old[app, span_s], new[app, span_s], strict=True)]
            assert errors(windows(store, app, span_s)) == both
            assert sum(both) > 0
        found = by_route(store, app)
        for route in old_routes[app].keys() & new_routes[app].keys():
            assert found[route] == old_routes[app][route] + new_routes[app][route]


@pytest.mark.parametrize("path", golden.EARLIER_JOURNALS, ids=lambda path: path.name)
def test_a_journal_of_an_earlier_version_comes_late_and_keeps_its_meaning(
    store: redis.Redis, path: Path
) -> None:
    """Its last batch is added after new ones, as while both versions are running."""
    dump = golden.read(path)
    (key,) = {keys.journal(golden.GROUP), keys.earlier_journal(golden.GROUP)} & dump.keys()
    golden.load(store, {name: entry for name, entry in dump.items() if name != key})
    golden.run(store)
    before = {app: totals(store, app).errors for app in APPS}
    golden.load(store, {key: dump[key]})
    late = Journal(store, golden.GROUP, limits(golden.ROUTES_MAX))
    late.recover()
    late.finish()
    for app in APPS:
        both = wanted(old_errors)[app] + wanted(new_errors)[app]
        assert before[app] < totals(store, app).errors == both
        assert sum(errors(windows(store, app, SPANS_S[-1]))) == both


def test_no_counter_of_prometheus_falls_over_the_upgrade(earlier: redis.Redis) -> None:
    before = scrape(earlier)
    golden.run(earlier)
    after = scrape(earlier)
    failed = {key for key in before if key[0].endswith("_failed_requests_total")}
    assert {name for name, _ in failed} == {
        "tailrace_app_failed_requests_total",
        "tailrace_route_failed_requests_total",
    }
    assert sum(before[key] for key in failed) > 0
    for key in failed:
        assert after[key] >= before[key]
    assert before["tailrace_app_failed_requests_total", (("app", "shop"),)] == wanted(old_errors)["shop"]
    assert after["tailrace_app_aborted_requests_total", (("app", "shop"),)] == wanted(aborts)["shop"]


def scrape(store: redis.Redis) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    registry = CollectorRegistry()
    registry.register(RouteCollector(store, 50, open_log(Settings())))
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in registry.collect()
        for sample in family.samples
    }
