"""The rows of a table: what they show and in which order they stand."""

from __future__ import annotations

import argparse
from dataclasses import replace

import pytest

from app.cli.columns import COLUMNS, SORTS, change_text, columns
from app.cli.rows import Order, app_rows, name_rows, order, sorted_rows
from app.cli.tables import left_out, text_table
from app.store.queries.changes import FigureChange
from tests.app.cli.top.samples import EVIL, TO_S, dynos_table, names_table, overview, row

ROWS = [row("/b", 20, errors=1), row("/a", 20), row("/slow", 5, median_ms=900), row("/c", 30, errors=3)]


def names(by: Order) -> list[str]:
    return [found.name for found in sorted_rows(ROWS, by)]


def test_numbers_begin_with_the_largest_names_with_a_and_equals_with_the_busiest() -> None:
    assert names(Order("requests")) == ["/c", "/a", "/b", "/slow"]
    assert names(Order("requests", is_reversed=True)) == ["/slow", "/a", "/b", "/c"]
    assert names(Order("name")) == ["/a", "/b", "/c", "/slow"]
    assert names(Order("route", is_reversed=True)) == ["/slow", "/c", "/b", "/a"]
    assert names(Order("errors")) == ["/c", "/b", "/a", "/slow"]
    assert names(Order("p99"))[0] == "/slow"


@pytest.mark.parametrize("name", sorted(SORTS))
def test_every_column_sorts_both_ways_and_keeps_all_rows(name: str) -> None:
    for is_reversed in (False, True):
        assert sorted(names(Order(name, is_reversed))) == ["/a", "/b", "/c", "/slow"]


def test_rows_without_a_value_are_last_both_ways() -> None:
    rows = [replace(row("/none", 99), rate=None), row("/one", 1)]
    for is_reversed in (False, True):
        assert [found.name for found in sorted_rows(rows, Order("rate", is_reversed))] == ["/one", "/none"]


def test_an_order_is_a_columns_name_with_a_minus_for_the_other_way() -> None:
    assert order("P95") == Order("p95")
    assert order("-p95") == Order("p95", is_reversed=True)
    with pytest.raises(argparse.ArgumentTypeError, match="must be one of name, app, requests"):
        order("speed")


def test_columns_with_nothing_in_them_are_not_shown() -> None:
    shown = [column.head for column in columns(ROWS, "route")]
    assert shown == [
        "ROUTE", "REQUESTS", "PER S", "ERRORS", "MEDIAN", "P95", "P99", "LONGEST", "TIME", "H-CODES",
    ]  # fmt: skip
    assert "APP" in [column.head for column in columns([replace(ROWS[0], app="shop")], "route")]
    assert [column.head for column in columns(app_rows(overview(), TO_S), "app")][:6] == [
        "APP", "REQUESTS", "PER S", "NOW", "ERRORS", "NOW ERR",
    ]  # fmt: skip
    assert len({column.name for column in COLUMNS}) == len(COLUMNS)


def test_apps_dynos_and_hosts_are_rows_too() -> None:
    apps = {found.name: found for found in app_rows(overview(), TO_S)}
    assert (apps["shop"].now_error_rate, apps["shop"].idle_s) == (0.25, 0)
    assert (apps["api"].idle_s, apps["(no name)"].idle_s) == (3_590, None)
    dynos = {found.name: found for found in name_rows(dynos_table())}
    assert dynos["web.3"].error_rate == 0.099
    assert dynos["web.3"].time_share == 0.25
    assert dynos["web.3"].app == "", "one app's need not say so"
    assert name_rows(names_table(app=""))[0].app == "shop"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (None, "-"),
        (FigureChange(1.0, 1.43, 0.43, True), "+43 %"),
        (FigureChange(1.0, 0.91, -0.09, False), "-9 % ?"),
        (FigureChange(0.0, 0.02, None, True), "new"),
        (FigureChange(None, 12.0, None, False), "new ?"),
        (FigureChange(0.0, 0.0, None, False), "0 %"),
        (FigureChange(12.0, None, None, False), "-"),
    ],
)
def test_a_change_says_whether_it_may_be_noise(change: FigureChange | None, text: str) -> None:
    assert change_text(change) == text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_long_name_gives_way_in_the_middle(width: int) -> None:
    rows = [*ROWS, row("/assets/" + "x" * 300 + "/end.js"), row(EVIL)]
    lines = text_table(rows, columns(rows, "route"), width)
    assert any("…" in line and "/assets/" in line for line in lines)
    assert max(map(len, lines)) <= max(width, 100)
    assert "".join(lines).isprintable()


@pytest.mark.parametrize(
    ("shown", "there", "not_read", "text"),
    [
        (20, 20, 0, ""),
        (20, 500, 0, "20 of 500 routes are shown"),
        (500, 500, 1, "500 of 501 routes; the least used is left out"),
        (500, 500, 1_200, "500 of 1,700 routes; the 1,200 least used are left out"),
        (20, 500, 1, "20 of 501 routes are shown"),
    ],
)
def test_what_is_left_out_is_said(shown: int, there: int, not_read: int, text: str) -> None:
    assert left_out(shown, there, not_read, "route") == text
