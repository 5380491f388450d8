"""What the panes of `top` say, on wide and narrow screens."""

from __future__ import annotations

import shlex

import pytest

from app.cli.columns import COLUMNS
from app.cli.rows import Order
from app.cli.top import panes
from app.cli.top.item import Item
from app.cli.top.screen import TopApp
from tests.app.cli.top.samples import ALERTS, EVIL, FAILED, SLOWEST, route_report, row

WIDTHS = (30, 60, 80, 200)


def all_panes(width: int) -> dict[str, list[Item]]:
    return {
        "help": panes.help_items(width),
        "warnings": panes.warning_items(ALERTS, ["unknown app 'x'"], width),
        "columns": panes.order_items(COLUMNS, Order("p95"), width),
        "dyno": panes.row_items(row(EVIL), "dyno", "shop", "", width),
        "route": panes.route_items(route_report(EVIL), "shop", width),
    }


@pytest.mark.parametrize("width", WIDTHS)
def test_lines_fit_and_control_nothing(width: int) -> None:
    for name, items in all_panes(width).items():
        for item in items:
            assert item.text.isprintable(), name
            if not item.value or width >= 60:  # A request's id is never cut.
                assert len(item.text) <= width, (name, item.text)


@pytest.mark.parametrize("width", WIDTHS)
def test_every_request_can_be_copied_whole(width: int) -> None:
    items = all_panes(width)["route"]
    for sample in (*FAILED, *SLOWEST):
        assert any(item.value == sample.request_id and sample.request_id in item.text for item in items)


def test_no_word_of_a_warning_is_lost() -> None:
    for width in WIDTHS:
        said = " ".join(" ".join(item.text for item in all_panes(width)["warnings"]).split())
        for alert in ALERTS:
            for text in (alert.title, alert.text, alert.action):
                assert text in said
        assert "unknown app 'x'" in said
    assert [item.text for item in panes.warning_items([], [], 80)] == ["Warnings", "none"]


def test_a_command_that_is_shown_is_safe_to_paste() -> None:
    shown = panes.row_items(row("web.1; rm -rf ~"), "host", "shop", "", 200)[-1].text
    assert shlex.split(shown.partition(": ")[2])[-4:] == ["--host", "web.1; rm -rf ~", "--app", "shop"]


def test_the_help_names_what_is_bound() -> None:
    said = " ".join(item.text for item in panes.help_items(200))
    for key in ("F1", "F4", "F6", "F10", "Ctrl-C", "Tab", "1 2 3 4", "Home", "End", "Left", "Esc", "w, W"):
        assert key in said
    keys = {key for binding in TopApp.BINDINGS for key in getattr(binding, "key", "").split(",")}
    assert {
        "f1",
        "f4",
        "f6",
        "f10",
        "ctrl+c",
        "tab",
        "1",
        "4",
        "home",
        "end",
        "left",
        "escape",
        "w",
        "W",
    } <= keys
