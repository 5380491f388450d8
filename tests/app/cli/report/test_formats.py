"""The formats of a report, made of figures that are made up."""

from __future__ import annotations

import pytest

from app.cli.figures import Report, alerts_about
from app.cli.period import named
from app.cli.report.command import written
from app.cli.report.selection import Selection
from app.cli.rows import Order
from app.store import queries
from app.store.queries.changes import CHANGED, Before, FigureChange
from tests.app.cli.top.samples import (
    ALERTS,
    EVIL,
    FAILED,
    FROM_S,
    NO_ADDONS,
    NO_EVENTS,
    SLOWEST,
    TO_S,
    TOTAL,
    dynos_table,
    names_table,
    route_report,
)

HEALTH = queries.Health.__new__(queries.Health)  # Only the JSON has it, and that is tested on a real Redis.
CHANGES = {name: FigureChange(1, 2, 1.0, False) for name in CHANGED}
SELECTION = Selection(most=20, earlier="day")


def report(route: str = "", left_out: int = 0) -> Report:
    routes = [
        queries.RouteRow(f"/{number}", f"digest{number}", TOTAL, [], "", CHANGES) for number in range(25)
    ]
    routes.append(queries.RouteRow(EVIL, "evil", TOTAL, [], "", CHANGES))
    table = queries.RoutesTable(
        "shop", FROM_S, TO_S, 10, TOTAL, routes, left_out, Before("day", FROM_S, TO_S)
    )
    return Report(
        since="5m",
        table=table,
        health=HEALTH,
        alerts=ALERTS,
        dynos=dynos_table(),
        hosts=names_table(),
        events=NO_EVENTS,
        addons=NO_ADDONS,
        route=route_report(route) if route else None,
    )


def text(form: str, of: Report, selection: Selection = SELECTION) -> str:
    return written(form, of, named("5m"), selection)


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_a_route_has_its_single_requests_with_their_ids(form: str) -> None:
    found = text(form, report("/checkout"))
    for sample in (*FAILED, *SLOWEST):
        assert sample.request_id in found
    assert "Latest failed requests" in found
    assert "2025-11-26 02:04:59.750" in found
    assert "web.3 400" in found.replace("\\", "")


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_all_that_is_shown_is_named(form: str) -> None:
    found = text(form, report(left_out=1)).replace("\\", "")
    assert "last 5m (2025-11-26 02:00:00 to 02:05:00 UTC)" in found
    assert "20 of 27 routes are shown; --routes 0 shows all" in found
    assert "the same time a day before (2025-11-26 02:00:00 to 02:05:00 UTC)" in found
    assert "+100 % ?" in found
    assert "web.3" in found
    assert "12 messages from shop were lost" in found
    whole = text(form, report(left_out=1), Selection()).replace("\\", "")
    assert "26 of 27 routes; the least used is left out" in whole


@pytest.mark.parametrize("form", ["text", "markdown", "csv", "html"])
def test_what_a_client_wrote_controls_nothing(form: str) -> None:
    found = text(form, report(), Selection())
    assert all(line.isprintable() for line in found.splitlines())
    assert "red" in found
    page = text("html", report(EVIL))
    assert all(line.isprintable() for line in page.splitlines())


def test_rows_are_in_the_order_that_is_asked_for_in_every_format() -> None:
    by = Selection(Order("name", is_reversed=True), most=3)
    rows = [line.split()[0] for line in text("text", report(), by).splitlines() if line.startswith("/")]
    assert rows[1:] == ["/9", "/8"]
    lines = text("csv", report(), by).splitlines()
    assert len(lines) == 4
    assert lines[2].startswith('"/9"')


def test_alerts_of_other_apps_are_left_out() -> None:
    assert alerts_about("", ALERTS) == ALERTS
    assert alerts_about("shop", ALERTS) == ALERTS
    assert [alert.code for alert in alerts_about("api", ALERTS)] == ["no_worker:metrics"]


def test_markdown_tables_are_whole() -> None:
    for route in ("", "/checkout"):
        tables: list[list[str]] = [[]]
        for line in text("markdown", report(route)).replace("\\|", "").splitlines():
            if line.startswith("|"):
                tables[-1].append(line)
            elif tables[-1]:
                tables.append([])
        for table in filter(None, tables):
            assert len({line.count("|") for line in table}) == 1
            assert len(table) > 2
