"""What `top` reads, on a real Redis, and its screen with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
import redis

from app.cli.columns import VIEWS, By
from app.cli.top.screen import TopApp
from app.cli.top.snapshot import Snapshot, Wanted, read_snapshot
from app.cli.top.view import View
from app.errors import LogUnavailable
from app.settings import Settings
from servers.figures import SeenRequest, fill
from tests.app.cli.top.test_screen import Session

Read = Callable[[Wanted], Snapshot]


@pytest.fixture
def read(redis_url: str, redis_client: redis.Redis) -> Read:
    """Reads figures of a shop with one bad dyno, and of an api."""
    now_s = time.time()
    seen = [SeenRequest(now_s - 30, f"/{at % 5}", app="shop", dyno=f"web.{1 + at % 4}") for at in range(100)]
    seen += [SeenRequest(now_s - 30, "/4", app="shop", dyno="web.3", status="500")] * 10
    seen += [SeenRequest(now_s - 30, "/4", app="api", host="api.example.com")] * 20
    fill(redis_client, seen, now_s)
    settings = Settings(redis_url=redis_url)
    return lambda wanted: read_snapshot(redis_client, settings, wanted, time.time())


@pytest.mark.parametrize(
    ("by", "app", "rows"),
    [
        ("route", "shop", {("/0", ""): 20, ("/1", ""): 20, ("/2", ""): 20, ("/3", ""): 20, ("/4", ""): 30}),
        ("app", "", {("shop", "shop"): 110, ("api", "api"): 20}),
        ("dyno", "shop", {("web.1", ""): 25, ("web.2", ""): 25, ("web.3", ""): 35, ("web.4", ""): 25}),
        ("host", "", {("shop.example.com", "shop"): 110, ("api.example.com", "api"): 20}),
    ],
)
def test_each_view_has_its_rows_and_their_total(
    read: Read, by: By, app: str, rows: dict[tuple[str, str], int]
) -> None:
    found = read(Wanted(by, app, "5m"))
    assert {(row.name, row.app): row.count for row in found.rows} == rows
    assert found.total.count == sum(rows.values())
    assert sum(row.time_share or 0 for row in found.rows) == pytest.approx(1, abs=0.02)


def test_equal_routes_of_several_apps_are_told_apart(read: Read) -> None:
    rows = {(row.app, row.name): row.count for row in read(Wanted("route", "", "5m")).rows}
    assert (rows["shop", "/4"], rows["api", "/4"]) == (30, 20)


@pytest.mark.parametrize("by", VIEWS)
def test_every_window_has_figures(read: Read, by: By) -> None:
    for window in ("5m", "1h", "7d", "all"):
        assert read(Wanted(by, "", window)).total.count == 130


def test_a_route_by_itself_is_read_beside_the_table(read: Read) -> None:
    row = next(row for row in read(Wanted("route", "", "5m")).rows if (row.app, row.name) == ("shop", "/4"))
    found = read(Wanted("route", "", "5m", row))
    assert found.route is not None
    assert (found.route.detail.app, found.route.detail.route) == ("shop", "/4")
    assert found.route.detail.figures.errors == 10
    assert len(found.rows) == 6


def test_redis_unreachable_is_one_error(read: Read) -> None:
    settings = Settings(redis_url="redis://:SECRET@127.0.0.1:1/0")
    with pytest.raises(LogUnavailable, match="Connection refused") as found:
        read_snapshot(redis.Redis(port=1), settings, Wanted("route", "", "5m"), time.time())
    assert "SECRET" not in str(found.value)


def test_the_bad_dyno_and_a_route_are_a_few_keys_away(read: Read) -> None:
    view = View(app="shop")
    app = TopApp(read(view.wanted), view, read, 30)

    async def run() -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            session = Session(app, pilot.press, view)
            await session.press("3", "greater_than_sign", "greater_than_sign")
            lines = await session.shows("by dyno", "ERRORS▼")
            head = next(at for at, line in enumerate(lines) if line.startswith("DYNO"))
            assert lines[head + 1].split()[0] == "web.3"
            await session.press("2")
            await session.shows("by route", "/4")
            await session.press("enter")
            await session.shows("route /4 of shop", "500 10")
            await session.press("w")
            await session.shows("route /4 of shop")
            assert view.window == "1h"

    asyncio.run(run())
