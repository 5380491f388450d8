"""What is stored stays what it was: the golden run beside the dump that an earlier version wrote."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import redis

from app.store import queries
from app.store.apply import limits
from app.store.journal import Journal
from app.store.keys import ALL_ROUTES, digest
from app.store.queries.all_time import all_time
from app.store.queries.spans import Span, plan
from app.store.queries.windows import route_sums
from tests.support import golden


@pytest.fixture(params=[golden.FIGURES, golden.EARLIER_FIGURES], ids=lambda path: path.name)
def stored(request: pytest.FixtureRequest, redis_client: redis.Redis) -> redis.Redis:
    """A Redis as this version or one before has left it."""
    golden.load(redis_client, golden.read(request.param))
    return redis_client


def test_the_same_input_gives_the_same_keys_and_values(store: redis.Redis) -> None:
    golden.run(store)
    found = golden.readable(store)
    store.flushall()
    golden.load(store, golden.read(golden.FIGURES))
    wanted = golden.readable(store)
    assert sorted(found) == sorted(wanted)
    assert [key for key in wanted if found[key] != wanted[key]] == []


def test_the_golden_run_holds_what_is_worth_comparing(stored: redis.Redis) -> None:
    found = golden.readable(stored)
    assert len(found["routes"]["value"]) == golden.ROUTES_MAX + 1, "routes beyond the bound are in (other)"
    assert dict(found["tailrace:apps"]["value"]).keys() == {"", "(other)", "blog", "shop"}
    assert len(found[f"tailrace:app:shop:{digest('/')}:hosts"]["value"]) == 201
    lengths = {name.rsplit(":", 2)[1] for name, entry in found.items() if isinstance(entry["value"], dict)}
    assert lengths == {"10", "60", "3600"}
    fields = {
        name
        for entry in found.values()
        if isinstance(entry["value"], dict)
        for counts in entry["value"].values()
        for name in counts
    }
    assert fields >= {"n", "b", "s101", "s503", "s(other)", "mGET", "m(other)", "cH12", "cX7"}
    assert any(int(name) >= -443 for name in fields if name.lstrip("-").isdecimal())
    assert any(int(name) < -443 for name in fields if name.lstrip("-").isdecimal())


@pytest.mark.parametrize("app", ["", "shop", "blog"])
def test_windows_that_a_version_before_has_stored_are_read_in_full(stored: redis.Redis, app: str) -> None:
    """Both ways to the same requests: the windows of 31 days, and the totals."""
    span = plan(Span(31 * 86_400), golden.NOW_S, 30)
    windows = route_sums(stored, app, [ALL_ROUTES], span)[ALL_ROUTES].total
    totals, _ = all_time(stored, app, [ALL_ROUTES])[ALL_ROUTES]
    # Of shop, one request is older than every window, and it says a status alone.
    too_old = 1 if app in ("", "shop") else 0
    assert totals.requests == windows.requests + too_old
    assert totals.bytes == windows.bytes > 0
    assert totals.service == windows.service
    assert totals.connect == windows.connect
    assert totals.codes == windows.codes
    assert totals.methods == windows.methods
    assert {name: count for name, count in totals.statuses.items() if name != "200"} == {
        name: count for name, count in windows.statuses.items() if name != "200"
    }
    assert totals.statuses["200"] == windows.statuses["200"] + too_old


def test_the_tables_over_what_a_version_before_has_stored(stored: redis.Redis) -> None:
    table = queries.routes_table(stored, "shop", queries.Span(3_600), golden.NOW_S + 15)
    assert {row.route for row in table.routes} >= {"/", "/users/:id", "/orders/:uuid", "(other)", "/cable"}
    assert sum(row.figures.count for row in table.routes) == table.total.count > 400
    root = queries.route_detail(stored, "shop", digest("/"), None, golden.NOW_S)
    assert root is not None
    assert root.figures.service.max is not None
    assert dataclasses.asdict(root)["figures"]["classes"]["2xx"] > 230


@pytest.mark.parametrize(
    ("figures", "journal_left"),
    [
        (golden.FIGURES, golden.JOURNAL),
        *((golden.EARLIER_FIGURES, path) for path in golden.EARLIER_JOURNALS),
    ],
    ids=lambda path: path.name,
)
def test_a_journal_that_a_version_before_has_left_is_added(
    store: redis.Redis, figures: Path, journal_left: Path
) -> None:
    golden.load(store, golden.read(figures))
    wanted = golden.readable(store)
    store.flushall()
    golden.load(store, golden.read(journal_left))
    assert golden.readable(store) != wanted
    Journal(store, golden.GROUP, limits(golden.ROUTES_MAX)).recover()
    journal = Journal(store, golden.GROUP, limits(golden.ROUTES_MAX))
    journal.recover()
    journal.finish()
    assert golden.readable(store) == wanted
