"""`top` in a terminal: its keys, and where its figures come from."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Key
from textual.message import Message

from app.cli.columns import VIEWS, By
from app.cli.platform_words import how_to_send_metrics
from app.cli.rows import Order
from app.cli.top import panes
from app.cli.top.board import Board
from app.cli.top.fetcher import Fetcher
from app.cli.top.item import Item
from app.cli.top.lines import Lines
from app.cli.top.pane import Pane
from app.cli.top.snapshot import Snapshot, Wanted
from app.cli.top.view import View

EXIT_INTERRUPTED = 130


class Read(Message):
    """New figures."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot


class Unreachable(Message):
    """Redis did not answer."""

    def __init__(self, fault: str) -> None:
        super().__init__()
        self.fault = fault


class TopApp(App[int]):
    """The screen of `top`. Its result is the exit code. It knows no settings: what Textual shows of a defect
    has nothing secret in it."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "interrupt", "Quit", priority=True),
        Binding("ctrl+z", "suspend_process", "Suspend", priority=True),
        Binding("q,Q,f10", "leave", "Quit"),
        Binding("question_mark,h,f1", "help", "Help"),
        Binding("exclamation_mark", "warnings", "Warnings"),
        Binding("slash,f3,f4", "filter", "Filter"),
        Binding("enter", "open", "Detail"),
        Binding("escape", "return", "Back"),
        Binding("w", "window(1)", "Window"),
        Binding("W", "window(-1)", "Window before"),
        Binding("tab", "view(1)", "View", priority=True),
        Binding("shift+tab", "view(-1)", "View before", priority=True),
        *(Binding(str(at), f"show('{by}')", by) for at, by in enumerate(VIEWS, 1)),
        Binding("greater_than_sign,full_stop", "sort(1)", "Sort by the next column"),
        Binding("less_than_sign,comma", "sort(-1)", "Sort by the column before"),
        Binding("s,f6", "choose_order", "Sort"),
        Binding("r,I", "reverse", "Reverse"),
        Binding("right", "columns(1)", "Columns to the right"),
        Binding("left", "columns(-1)", "Columns to the left"),
        Binding("down,j", "move(1)", "Down"),
        Binding("up,k", "move(-1)", "Up"),
        Binding("pagedown,space", "page(1)", "Page down"),
        Binding("pageup", "page(-1)", "Page up"),
        Binding("home,g", "end(-1)", "Top"),
        Binding("end,G", "end(1)", "End"),
    ]
    ANYWHERE = frozenset(("interrupt", "quit", "suspend_process", "move", "page", "end", "window"))
    """Actions that panes have too."""

    def __init__(
        self,
        first: Snapshot,
        view: View,
        read: Callable[[Wanted], Snapshot],
        every_s: float,
        notice: str = "",
    ) -> None:
        """`first`: the figures to begin with. `read`: the next ones; it raises LogUnavailable."""
        # The terminal's own colours and background, dark or light. From the start: NO_COLOR is applied there.
        super().__init__(ansi_color=True)
        self.theme = "ansi-dark"
        self.animation_level = "none"
        self._view = view
        self._board = Board(first, view, notice)
        self._pane: Pane | None = None
        self._comes_from_apps = False
        self.defect: BaseException | None = None
        """What went wrong where figures are read."""
        self.signal: signal.Signals | None = None
        """The one that ended it."""
        self._fetcher = Fetcher(
            read,
            view.wanted,
            every_s,
            on_read=lambda snapshot: self.post_message(Read(snapshot)),
            on_fault=lambda fault: self.post_message(Unreachable(fault)),
            on_defect=lambda defect: self.call_from_thread(self._break_off, defect),
        )

    def compose(self) -> ComposeResult:
        yield self._board

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with contextlib.suppress(ValueError, RuntimeError):  # Not on the main thread: in a test.
                loop.add_signal_handler(number, self._end_by, number)

    def on_ready(self) -> None:
        self._fetcher.start()

    def on_unmount(self) -> None:
        self._fetcher.stop()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return len(self.screen_stack) == 1 or action in self.ANYWHERE

    # --- what comes in ---

    def on_read(self, message: Read) -> None:
        # Else it is of before the last key.
        if message.snapshot.wanted == self._view.wanted and self._board.is_there:
            self._board.show(message.snapshot)
            if self._pane is not None:
                self._pane.rebuild()

    def on_unreachable(self, message: Unreachable) -> None:
        if self._board.is_there:
            self._board.show_fault(message.fault)
            if self._pane is not None:
                self._pane.rebuild()

    def _break_off(self, defect: BaseException) -> None:
        self.defect = defect
        self.exit(1)

    def _end_by(self, number: signal.Signals) -> None:
        self.signal = number
        self.exit(EXIT_INTERRUPTED)

    # --- keys ---

    def on_key(self, event: Key) -> None:
        """What is typed so soon after the filter's key that it still went to the table is text, too."""
        is_text = event.is_printable and event.character is not None
        if is_text and len(self.screen_stack) == 1 and self._board.is_filtering:
            event.stop()
            event.prevent_default()  # No key of the table.
            self._board.type_filter(event.character or "")

    def action_interrupt(self) -> None:
        self.exit(EXIT_INTERRUPTED)

    def action_leave(self) -> None:
        self.exit(0)

    async def action_quit(self) -> None:
        """Ctrl-Q, which Textual binds to it."""
        self.exit(0)

    def action_move(self, step: int) -> None:
        self.screen.query_one(Lines).move(step)

    def action_page(self, step: int) -> None:
        self.screen.query_one(Lines).turn(step)

    def action_end(self, end: int) -> None:
        lines = self.screen.query_one(Lines)
        lines.choose(0 if end < 0 else len(lines.lines))

    def action_window(self, step: int) -> None:
        self._view.step_window(step)
        self._look()

    def action_view(self, step: int) -> None:
        self._view.step_view(step)
        self._look()

    def action_show(self, by: By) -> None:
        self._view.by = by
        self._look()

    def action_sort(self, step: int) -> None:
        self._board.sort(self._view.next_order(self._board.columns, step))

    def action_reverse(self) -> None:
        self._view.reverse()
        self._board.draw()

    def action_columns(self, step: int) -> None:
        self._board.scroll_columns(step)

    def action_filter(self) -> None:
        self._board.open_filter()

    def action_return(self) -> None:
        if self._view.filter or self._board.is_filtering:
            self._board.close_filter(clear=True)
        elif self._comes_from_apps:
            self._comes_from_apps = False
            self._view.by, self._view.app = "app", ""
            self._look()

    def action_open(self) -> None:
        row, by = self._board.chosen, self._board.snapshot.wanted.by
        if row is None:
            return
        if by == "app":
            self._comes_from_apps = True
            self._view.by, self._view.app = "route", row.app
            self._board.close_filter(clear=True)
            self._look()
        elif by == "route":
            self._view.route = row
            self._look()
            self._open(Pane(self._route_items, panes.COPY_KEYS, copies=True))
        else:
            app = row.app or self._view.app
            without = [name for name in self._board.snapshot.without_metrics if name == app]
            hint = how_to_send_metrics(without)
            self._open(Pane(partial(panes.row_items, row, by, app, hint), panes.LEAVE_KEYS))

    def action_help(self) -> None:
        self._open(Pane(panes.help_items, panes.LEAVE_KEYS))

    def action_warnings(self) -> None:
        self._open(Pane(self._warning_items, panes.LEAVE_KEYS))

    def action_choose_order(self) -> None:
        columns, by = self._board.columns, self._view.order
        pane = Pane(partial(panes.order_items, columns, by), panes.CHOOSE_KEYS, chosen=by.column.name)
        self._open(pane, lambda name: self._board.sort(Order(name)))

    # --- what keys lead to ---

    def _look(self) -> None:
        """Reads what is wanted now, and says so meanwhile."""
        self._fetcher.want(self._view.wanted)
        self._board.draw()

    def _open(self, pane: Pane, then: Callable[[str], None] | None = None) -> None:
        def closed(value: str | None) -> None:
            self._pane = None
            if self._view.route is not None:
                self._view.route = None
                self._look()
            if then is not None and value:
                then(value)

        self._pane = pane
        self.push_screen(pane, closed)

    def _warning_items(self, width: int) -> Sequence[Item]:
        board = self._board
        return panes.warning_items(board.snapshot.alerts, [*filter(None, [board.fault, board.notice])], width)

    def _route_items(self, width: int) -> Sequence[Item]:
        snapshot, row = self._board.snapshot, self._view.route
        if row is None or snapshot.route is None or snapshot.wanted.route != row:
            return [Item("reading ...")]
        return panes.route_items(snapshot.route, row.app or self._view.app, width)
