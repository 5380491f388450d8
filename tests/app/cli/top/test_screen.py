"""What `top` shows on a screen, and what its keys do: Textual's own pilot, with figures that are made up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from app.cli.top.screen import TopApp
from app.cli.top.snapshot import Snapshot, Wanted
from app.cli.top.view import View
from app.errors import LogUnavailable
from tests.app.cli.top.samples import FAILED, row, rows, snapshot

Size = tuple[int, int]
SIZES: tuple[Size, ...] = ((80, 24), (60, 12))
WIDE: Size = (160, 40)
HIDDEN = ("\x1b", "\x07", "\u202e")


def screen_of(app: TopApp) -> list[str]:
    """The lines as they are on the terminal."""
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


class Session:
    """A running `top`, and the person before it."""

    def __init__(self, app: TopApp, press: Callable[..., Awaitable[None]], view: View) -> None:
        self.app, self.press, self.view = app, press, view

    async def until(self, is_there: Callable[[list[str]], bool]) -> list[str]:
        """The lines of the screen, once they are like this."""
        for _ in range(200):
            if is_there(lines := screen_of(self.app)):
                return lines
            await asyncio.sleep(0.05)
        raise AssertionError("never came:\n" + "\n".join(lines))

    async def shows(self, *texts: str) -> list[str]:
        return await self.until(lambda lines: all(text in "\n".join(lines) for text in texts))


def at_terminal(
    size: Size,
    steps: Callable[[Session], Awaitable[None]],
    *,
    view: View | None = None,
    read: Callable[[Wanted], Snapshot] = snapshot,
    first: Snapshot | None = None,
    every_s: float = 30.0,
) -> TopApp:
    """Runs `top` on a screen of so many columns and lines, and does the steps."""
    view = view or View()
    app = TopApp(first or snapshot(view.wanted), view, read, every_s)

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await steps(Session(app, pilot.press, view))

    asyncio.run(run())
    return app


def names(lines: list[str]) -> list[str]:
    """The rows' names, in order."""
    head = next(at for at, line in enumerate(lines) if line.startswith(("ROUTE", "APP", "DYNO", "HOST")))
    return [
        line.split()[0]
        for line in lines[head + 1 :]
        if "  " in line and not line.startswith(("F1", "?", "/ "))
    ]


@pytest.mark.parametrize("size", [*SIZES, (40, 8), (200, 60)])
def test_it_fits_the_screen_and_the_table_is_always_there(size: Size) -> None:
    async def steps(session: Session) -> None:
        lines = await session.shows("ROUTE", "/route/0")
        assert len(lines) == size[1]
        assert max(map(len, lines)) <= size[0]
        assert len(names(lines)) >= size[1] - 6, "the table has most of the screen"
        for line in lines:
            assert not line.endswith("H-CO")

    at_terminal(size, steps)


@pytest.mark.parametrize("size", SIZES)
def test_warnings_take_one_line_and_an_exclamation_mark_opens_them_all(size: Size) -> None:
    async def steps(session: Session) -> None:
        lines = await session.shows("! 2 warnings (! opens them): No metrics worker")
        assert sum("warning" in line for line in lines) == 1
        await session.press("exclamation_mark")
        lines = await session.shows("so the figures", "`heroku ps:scale metrics=1`", "12 messages from shop")
        assert max(map(len, lines)) <= size[0]
        await session.press("escape")
        await session.shows("ROUTE")

    at_terminal(size, steps)


@pytest.mark.parametrize("size", SIZES)
def test_arrows_pages_home_and_end_scroll(size: Size) -> None:
    async def steps(session: Session) -> None:
        first = names(await session.shows("/route/0"))
        await session.press("end")
        assert "/slow" in names(await session.shows("/slow"))
        await session.press("pageup")
        await session.until(lambda lines: "/slow" not in "\n".join(lines))
        await session.press("home")
        assert names(await session.shows("/route/0")) == first
        await session.press("pagedown")
        second = await session.shows(f"/route/{len(first)} ")
        assert first[0] not in names(second)
        await session.press("up", "up", "down")

    at_terminal(size, steps)


def test_a_filter_is_applied_as_one_types() -> None:
    async def steps(session: Session) -> None:
        await session.press("slash", "c", "h")
        lines = await session.shows("1 of 500 with 'ch'")
        assert names(lines) == ["/checkout"]
        await session.press("x")
        await session.shows("0 of 500", "no route with 'chx'")
        await session.press("backspace", "enter")
        lines = await session.shows("1 of 500 with 'ch'", "F1 help")
        await session.press("escape")
        await session.until(lambda lines: "with 'ch'" not in lines[0])
        assert session.view.filter == ""

    at_terminal((80, 24), steps)


def test_keys_that_are_typed_at_once_are_the_filters_text() -> None:
    async def steps(session: Session) -> None:
        await session.press("slash", "s", "l", "o", "w")
        assert names(await session.shows("1 of 500 with 'slow'")) == ["/slow"]
        await session.press("f1")
        await session.shows("turn the order round")
        await session.press("q")
        await session.shows("1 of 500 with 'slow'")

    at_terminal((80, 24), steps)


def test_rows_are_sorted_by_any_column_and_reversed() -> None:
    async def steps(session: Session) -> None:
        assert names(await session.shows("REQUESTS▼"))[0] == "/route/0"
        await session.press("r")
        assert names(await session.shows("REQUESTS▲"))[0].startswith("/[red]x[/red]")
        await session.press("r")
        await session.press("greater_than_sign", "greater_than_sign")
        assert names(await session.shows("ERRORS▼"))[0] == "/checkout"
        await session.press("less_than_sign", "less_than_sign", "less_than_sign")
        assert names(await session.shows("ROUTE▲"))[0].startswith("/[red]")
        await session.press("s")
        await session.shows("* ROUTE", "95 % are faster")
        await session.press("down", "down", "down", "down", "down", "down", "enter")
        assert names(await session.shows("P99▼"))[0] == "/slow"

    at_terminal((80, 24), steps)


def test_columns_that_do_not_fit_are_whole_and_a_key_away() -> None:
    async def steps(session: Session) -> None:
        lines = await session.shows("ROUTE", "→")
        head = next(line for line in lines if line.startswith("ROUTE"))
        assert "H-CODES" not in head
        await session.press(*["right"] * 6)
        lines = await session.shows("H-CODES", "←")
        assert max(map(len, lines)) <= 60
        assert names(lines)[0] == "/route/0"
        await session.press("s", "end", "enter")
        await session.shows("H-CODES▼", "H12:4")

    at_terminal((60, 12), steps)


def test_enter_opens_a_route_with_single_requests_and_copies_their_ids() -> None:
    async def steps(session: Session) -> None:
        await session.press("slash", "c", "h", "e", "c", "k", "enter", "enter")
        lines = await session.shows(
            "route /checkout", "Latest failed requests", FAILED[0].request_id, "web.3 400"
        )
        assert max(map(len, lines)) <= 80
        at = next(at for at, line in enumerate(lines) if FAILED[1].request_id in line)
        await session.press(*["down"] * at, "c")
        await session.shows(f"copied {FAILED[1].request_id}")
        assert session.app.clipboard == FAILED[1].request_id
        await session.press("escape")
        await session.shows("1 of 500")
        assert session.view.route is None

    at_terminal((80, 24), steps)


def test_a_request_id_is_whole_on_a_narrow_screen() -> None:
    async def steps(session: Session) -> None:
        await session.press("enter", "end")
        await session.shows("9" * 8 + "-1111-4222-8333-444444444444", "30.0 s")

    at_terminal((60, 12), steps)


def test_views_by_app_dyno_and_host() -> None:
    async def steps(session: Session) -> None:
        await session.press("tab")
        lines = await session.shows("DYNO", "web.3", "by dyno")
        assert "9.90 %" in next(line for line in lines if line.startswith("web.3"))
        await session.press("4")
        await session.shows("HOST", "by host")
        await session.press("1")
        lines = await session.shows("NOW ERR", "by app", "25.0 %", "(no name)")
        assert names(lines)[0] == "(no"
        await session.press("shift+tab", "3", "enter")
        await session.shows("dyno web.1", "python -m app requests --dyno web.1")
        await session.press("q", "1")
        await session.shows("by app")
        await session.press("down", "down", "enter")
        await session.shows("shop, ")
        assert (session.view.by, session.view.app) == ("route", "shop")
        await session.press("escape")
        await session.shows("by app")

    at_terminal((120, 24), steps)


def test_the_next_window_and_the_one_before() -> None:
    async def steps(session: Session) -> None:
        await session.shows("last 5m (2025-11-26 02:00:00 to 02:05:00 UTC)")
        await session.press("w")
        await session.shows("last 1h")
        await session.press("W", "W")
        await session.shows("all apps, 2025")
        assert session.view.window == "all"

    at_terminal((80, 24), steps)


@pytest.mark.parametrize("key", ["question_mark", "h", "f1"])
def test_help_names_every_key(key: str) -> None:
    async def steps(session: Session) -> None:
        await session.press(key)
        await session.shows("filter by name as you type", "turn the order round", "exit code 0, 130", "P95")

    at_terminal(WIDE, steps)


@pytest.mark.parametrize(("key", "code"), [("q", 0), ("Q", 0), ("f10", 0), ("ctrl+q", 0), ("ctrl+c", 130)])
def test_it_quits_with_an_exit_code(key: str, code: int) -> None:
    async def steps(session: Session) -> None:
        await session.press(key)

    assert at_terminal((80, 24), steps).return_value == code


def test_ctrl_c_quits_from_everywhere() -> None:
    async def steps(session: Session) -> None:
        await session.press("slash", "a", "f1", "ctrl+c")

    assert at_terminal((80, 24), steps).return_value == 130


@pytest.mark.parametrize("size", SIZES)
def test_nothing_that_a_client_wrote_is_markup_or_control(size: Size) -> None:
    async def steps(session: Session) -> None:
        await session.press("slash", "x", "[", "enter")
        lines = await session.shows("/[red]x[/red]")
        assert not [line for line in lines if any(sign in line for sign in HIDDEN)]
        await session.press("enter")
        lines = await session.shows("route /[red]x[/red]")
        assert not [line for line in lines if any(sign in line for sign in HIDDEN)]

    at_terminal(size, steps)


def test_the_cursor_stays_on_its_row_when_the_figures_change() -> None:
    found = rows(10)

    def later(wanted: Wanted) -> Snapshot:
        return snapshot(wanted, [row("/new", 5000), *found])

    async def steps(session: Session) -> None:
        await session.press("down", "down", "w")
        await session.shows("/new")
        await session.press("enter")
        await session.shows("route /route/2")

    at_terminal((80, 24), steps, read=later, first=snapshot(View().wanted, found))


def test_a_redis_that_hangs_keeps_no_key_waiting() -> None:
    is_over = threading.Event()

    def hang(wanted: Wanted) -> Snapshot:
        is_over.wait(20)
        return snapshot(wanted)

    async def steps(session: Session) -> None:
        await session.press("w")
        await session.shows("reading: 1h by route")
        await session.press("end")
        await session.shows("/slow")
        is_over.set()
        await session.shows("last 1h")

    at_terminal((80, 24), steps, read=hang)


def test_redis_unreachable_keeps_the_figures_and_it_recovers() -> None:
    is_away = threading.Event()
    is_away.set()

    def read(wanted: Wanted) -> Snapshot:
        if is_away.is_set():
            raise LogUnavailable("Redis at redis://127.0.0.1:1/0: it does not answer in time (see REDIS_URL)")
        return snapshot(wanted)

    async def steps(session: Session) -> None:
        lines = await session.shows("Showing figures from 02:05:00 UTC. Redis at")
        assert names(lines)[0] == "/route/0"
        await session.press("exclamation_mark")
        await session.shows("! Redis at redis://127.0.0.1:1/0: it does not answer in time (see REDIS_URL)")
        await session.press("q")
        is_away.clear()
        await session.until(lambda lines: "Showing figures" not in "\n".join(lines))

    at_terminal((80, 24), steps, read=read, every_s=0.1)


def test_a_defect_in_what_it_reads_ends_it() -> None:
    def read(wanted: Wanted) -> Snapshot:
        raise ZeroDivisionError

    async def steps(session: Session) -> None:
        for _ in range(100):
            if session.app.defect is not None:
                return
            await asyncio.sleep(0.05)

    app = at_terminal((80, 24), steps, read=read, every_s=0.1)
    assert isinstance(app.defect, ZeroDivisionError)


def test_another_size_is_another_layout() -> None:
    async def run() -> None:
        view = View()
        app = TopApp(snapshot(view.wanted), view, snapshot, 30)
        async with app.run_test(size=(80, 24)) as pilot:
            session = Session(app, pilot.press, view)
            await session.shows("F1 help")
            await pilot.resize_terminal(50, 9)
            lines = await session.until(lambda lines: len(lines) == 9)
            assert max(map(len, lines)) <= 50
            assert len(names(lines)) >= 4
            await pilot.resize_terminal(160, 50)
            await session.shows("H-CODES")

    asyncio.run(run())
