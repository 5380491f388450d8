"""The table of `top` and the lines around it, as they fit the screen: the table comes first."""

from __future__ import annotations

from functools import partial

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.widgets import Input, Static

from app.cli.column import Column, Row
from app.cli.rows import Order
from app.cli.top import words
from app.cli.top.lines import Lines
from app.cli.top.snapshot import Snapshot
from app.cli.top.table import head_line, layout, most_skipped, row_line
from app.cli.top.view import View

# From so many lines on there is room for each of these.
TOTALS_FROM, KEYS_FROM, WARNINGS_FROM, OUTCOMES_FROM = 6, 8, 10, 16


class Board(Vertical):
    """Draws a snapshot in the order and with the filter of the view."""

    DEFAULT_CSS = """
    Board Static, Board Input { height: 1; }
    Board Input, Board Input:focus { border: none; padding: 0; background: ansi_default; }
    #heading { text-style: bold; }
    #warnings, #trouble { color: ansi_red; text-style: bold; }
    #filter { display: none; height: 1; }
    #filter Static { width: 2; }
    """

    def __init__(self, snapshot: Snapshot, view: View, notice: str) -> None:
        """`notice`: what is to be known beside the warnings."""
        super().__init__()
        self.snapshot, self.notice = snapshot, notice
        self._view = view
        self.fault = ""
        """Why the figures are not those of now."""
        self._skipped = 0
        """Columns that are scrolled away to the left."""

    def compose(self) -> ComposeResult:
        for name in ("heading", "totals", "outcomes", "warnings", "trouble"):
            yield Static(id=name, markup=False)
        yield Lines(id="table")
        with Horizontal(id="filter"):
            yield Static("/ ", markup=False)
            yield Input(self._view.filter, placeholder="a part of the name", select_on_focus=False)
        yield Static(id="keys", markup=False)

    def on_mount(self) -> None:
        self.screen.set_focus(self.table)
        self.draw()

    def on_resize(self, event: Resize) -> None:
        self.draw()

    @property
    def is_there(self) -> bool:
        """Whether there is something to draw on: not yet at the start, and no more at the end."""
        return self.is_mounted and bool(self.query("#table"))

    @property
    def table(self) -> Lines:
        return self.query_one("#table", Lines)

    @property
    def columns(self) -> list[Column[Row]]:
        return self._view.columns(self.snapshot)

    @property
    def chosen(self) -> Row | None:
        """The row under the cursor; None where there is none."""
        rows = self._view.rows(self.snapshot)
        return rows[min(self.table.chosen, len(rows) - 1)] if rows else None

    # --- what is shown ---

    def show(self, snapshot: Snapshot) -> None:
        """Other figures. The cursor stays on its row, unless it is at the top."""
        before = self.chosen if self.table.chosen else None
        is_other = (
            snapshot.wanted.by != self.snapshot.wanted.by or snapshot.wanted.app != self.snapshot.wanted.app
        )
        self.snapshot, self.fault = snapshot, ""
        if is_other:
            self._skipped, before = 0, None
            self.table.choose(0)
        self.draw()
        if before is not None:
            rows = [(row.name, row.app) for row in self._view.rows(snapshot)]
            if (before.name, before.app) in rows:
                self.table.choose(rows.index((before.name, before.app)))

    def show_fault(self, fault: str) -> None:
        """The figures stay, with a line that says how old they are and why."""
        self.fault = fault
        self.draw()

    def draw(self) -> None:
        """Everything, as it fits the screen."""
        if not self.is_there:
            return
        width, height = self.app.size
        snapshot, view = self.snapshot, self._view
        rows, columns = view.rows(snapshot), self.columns
        self._say("heading", words.heading(snapshot, view, len(rows), width))
        self._say("totals", words.totals(snapshot.total, width) if height >= TOTALS_FROM else "")
        self._say("outcomes", words.outcomes(snapshot.total, width) if height >= OUTCOMES_FROM else "")
        warnings = words.warnings(snapshot.alerts, self.notice, width)
        self._say("warnings", warnings if height >= WARNINGS_FROM else "")
        self._say("trouble", words.trouble(self.fault, snapshot.at_s, width) if self.fault else "")
        self._say("keys", words.keys(snapshot, view, self.fault, width) if self._has_keys(height) else "")
        self._skipped = min(self._skipped, most_skipped(columns))
        found = layout(snapshot.rows, columns, self._skipped, view.order, width)
        lines = [partial(row_line, found, row) for row in rows]
        self.table.show(
            lines or [lambda width: Text(words.cut(words.nothing(view), width))],
            partial(head_line, found, view.order),
        )

    def _has_keys(self, height: int) -> bool:
        return height >= KEYS_FROM and not self.is_filtering

    def _say(self, name: str, text: str) -> None:
        line = self.query_one(f"#{name}", Static)
        line.display = bool(text)
        line.update(text)

    # --- columns ---

    def scroll_columns(self, step: int) -> None:
        """Other columns, where not all of them fit."""
        self._skipped = max(0, min(self._skipped + step, most_skipped(self.columns)))
        self.draw()

    def sort(self, by: Order) -> None:
        """Another order; scrolls to its column, and to the top."""
        self._view.order = by
        columns = self.columns
        names = [column.name for column in columns]
        at = names.index(by.column.name) if by.column.name in names else 0
        self._skipped = min(self._skipped, max(0, at - 1))
        while self._skipped < at - 1:
            found = layout(self.snapshot.rows, columns, self._skipped, by, self.app.size.width)
            if columns[at] in found.columns:
                break
            self._skipped += 1
        self.table.choose(0)
        self.draw()

    # --- the filter ---

    @property
    def is_filtering(self) -> bool:
        """Whether keys are the filter's text."""
        return bool(self.query_one("#filter").display)

    def open_filter(self) -> None:
        """Shows the line that a filter is typed in."""
        self.query_one("#filter").display = True
        line = self.query_one(Input)
        line.value = self._view.filter
        self.screen.set_focus(line)
        self.draw()

    def close_filter(self, *, clear: bool) -> None:
        """Back to the table, with the filter or without it."""
        if clear:
            self.query_one(Input).value = self._view.filter = ""
        self.query_one("#filter").display = False
        self.screen.set_focus(self.table)
        self.draw()

    def type_filter(self, text: str) -> None:
        """Adds to what is typed."""
        self.query_one(Input).insert_text_at_cursor(text)

    def on_input_changed(self, event: Input.Changed) -> None:
        if self.is_filtering and self._view.filter != event.value:
            self._view.filter = event.value
            self.table.choose(0)
            self.draw()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.close_filter(clear=False)
