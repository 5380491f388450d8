"""What `top` shows of dynos and releases where the platform says something of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.cli.rows import Order, name_rows
from app.cli.top import once
from app.cli.top.board import Board
from app.cli.top.snapshot import Snapshot, Wanted
from app.cli.top.table import BAD, layout, row_line
from app.cli.top.view import View
from tests.app.cli.top.samples import RELEASES, snapshot, told_dynos
from tests.app.cli.top.test_screen import SIZES, WIDE, Session, Size, at_terminal, names


def told(wanted: Wanted) -> Snapshot:
    """Where the platform says something of dynos and releases."""
    found = snapshot(wanted)
    if wanted.by == "dyno":
        found = replace(found, rows=name_rows(told_dynos()))
    return replace(found, release=RELEASES[1], at_s=RELEASES[1].at_ms / 1000 + 420)


@pytest.mark.parametrize(
    ("size", "heads"),
    [
        (
            (80, 24),
            ["DYNO", "STATE", "MEMORY", "LOAD", "REQUESTS▼", "ERRORS", "P95", "RESTARTS", "R14", "R15→"],
        ),
        ((60, 12), ["DYNO", "STATE", "MEMORY", "LOAD", "REQUESTS▼", "ERRORS", "P95→"]),
    ],
)
def test_a_dyno_has_its_memory_beside_its_errors(size: Size, heads: list[str]) -> None:
    async def steps(session: Session) -> None:
        lines = await session.shows("DYNO", "web.3")
        assert max(map(len, lines)) <= size[0]
        head = next(line for line in lines if line.startswith("DYNO"))
        assert head.split() == heads
        cells = {line.split()[0]: line.split() for line in lines if line.startswith(("web.", "worker."))}
        assert cells["web.3"][:7] == ["web.3", "up", "180", "%", "2.46", "997", "9.90"]
        assert cells["worker.1"][:6] == ["worker.1", "crashed", "-", "-", "0", "-"]
        await session.press("s")
        await session.shows("share of its quota", "how often a dyno started")
        await session.press("escape")
        await session.shows("DYNO")
        for _ in range(12):
            await session.press("right")
        await session.shows("MOST LOAD")

    view = View("dyno", "shop")
    at_terminal(size, steps, view=view, read=told, first=told(view.wanted))


def test_dynos_are_sorted_by_what_the_platform_says_and_what_is_bad_is_marked() -> None:
    async def steps(session: Session) -> None:
        assert names(await session.shows("MEMORY▼"))[:3] == ["web.3", "web.1", "web.2"]
        await session.press("less_than_sign")
        assert names(await session.shows("STATE▲"))[0] == "worker.1", "crashed comes first"
        board = session.app.query_one(Board)
        shown = layout(board.snapshot.rows, board.columns, 0, session.view.order, 200)
        marked = {
            row.name: [line.plain[span.start : span.end].strip() for span in line.spans if span.style == BAD]
            for row in board.snapshot.rows
            for line in [row_line(shown, row, 200)]
        }
        assert marked == {
            "web.1": [],
            "web.2": [],
            "web.3": ["180 %", "9.90 %", "57", "2", "182 %"],
            "web.4": [],
            "worker.1": ["crashed", "3"],
        }

    view = View("dyno", "shop", order=Order("memory"))
    at_terminal(WIDE, steps, view=view, read=told, first=told(view.wanted))


@pytest.mark.parametrize(
    ("size", "line"),
    [
        (
            (160, 40),
            "Tailrace: shop, last 5m (2025-11-26 02:00:00 to 02:05:00 UTC), by route; v42 9154a1d2 7 min ago",
        ),
        ((80, 24), "shop, 5m (02:00:00 to 02:05:00 UTC), by route; v42 9154a1d2 7 min ago"),
        ((60, 12), "shop, 5m, by route; v42 9154a1d2 7 min ago"),
        ((30, 12), "shop, 5m, by route"),
    ],
)
def test_the_last_release_is_in_the_first_line_if_it_fits(size: Size, line: str) -> None:
    async def steps(session: Session) -> None:
        assert (await session.shows("by route"))[0] == line

    view = View(app="shop")
    at_terminal(size, steps, view=view, read=told, first=told(view.wanted))


def test_of_all_apps_the_last_release_says_whose_it_is() -> None:
    async def steps(session: Session) -> None:
        assert "; shop v42 9154a1d2 7 min ago" in (await session.shows("all apps"))[0]

    at_terminal(WIDE, steps, read=told, first=told(View().wanted))


@pytest.mark.parametrize("size", SIZES)
def test_a_dyno_by_itself_says_what_is_known_or_how_to_know_more(size: Size) -> None:
    async def of_told(session: Session) -> None:
        await session.shows("web.3")
        await session.press("down", "down", "enter")
        lines = await session.shows("dyno web.3 of shop", "922 MB of 512 MB, 180 %", "R14       57")
        assert max(map(len, lines)) <= size[0]
        assert "labs:enable" not in "".join(lines)

    view = View("dyno", "shop")
    at_terminal(size, of_told, view=view, read=told, first=told(view.wanted))

    def silent(wanted: Wanted) -> Snapshot:
        return replace(snapshot(wanted), without_metrics=["shop"])

    async def of_silent(session: Session) -> None:
        await session.shows("web.3")
        await session.press("enter")
        await session.until(lambda lines: "log-runtime-metrics" in "".join(lines))

    view = View("dyno", "shop")
    at_terminal(size, of_silent, view=view, read=silent, first=silent(view.wanted))


def printed(snapshot: Snapshot, width: int) -> list[str]:
    return list(once.lines(snapshot, View("dyno", "shop"), width))


@pytest.mark.parametrize("width", [80, 100, 120])
def test_without_a_terminal_the_same_is_printed(width: int) -> None:
    wanted = View("dyno", "shop").wanted
    lines = printed(told(wanted), width)
    assert "release   v42 9154a1d2 7 min ago" in lines
    head = next(at for at, line in enumerate(lines) if line.startswith("DYNO"))
    assert lines[head].split()[:8] == [
        "DYNO", "STATE", "MEMORY", "LOAD", "REQUESTS", "ERRORS", "P95", "RESTARTS",
    ]  # fmt: skip
    assert max(map(len, lines[head : lines.index("", head)])) <= width
    assert "log-runtime-metrics" not in "".join(lines)
    silent = printed(replace(snapshot(wanted), without_metrics=["shop"]), width)
    assert "release" not in "".join(silent)
    assert sum("heroku labs:enable log-runtime-metrics -a shop" in line for line in silent) == 1
