"""What a person has chosen to look at in `top`; keys change it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.cli.column import Column, Row
from app.cli.columns import VIEWS, By, columns
from app.cli.period import ALL_TIME
from app.cli.rows import Order, sorted_rows
from app.cli.top.snapshot import Snapshot, Wanted
from app.escaping import for_terminal

WINDOWS = ("5m", "1h", "24h", "7d", "30d", ALL_TIME)


@dataclass(slots=True)
class View:
    """Which rows, in which order."""

    by: By = "route"
    app: str = ""
    window: str = "5m"
    order: Order = Order("requests")
    filter: str = ""
    route: Row | None = None
    """The one that is looked at by itself."""

    @property
    def wanted(self) -> Wanted:
        return Wanted(self.by, self.app, self.window, self.route)

    def step_window(self, step: int) -> None:
        """The next longer window (1), or the next shorter one (-1); round and round."""
        at = WINDOWS.index(self.window) if self.window in WINDOWS else -1 if step > 0 else 0
        self.window = WINDOWS[(at + step) % len(WINDOWS)]

    def step_view(self, step: int) -> None:
        """The next view, or the one before."""
        self.by = VIEWS[(VIEWS.index(self.by) + step) % len(VIEWS)]

    def next_order(self, shown: Sequence[Column[Row]], step: int) -> Order:
        """By the next of these columns, or by the one before."""
        names = [column.name for column in shown]
        at = names.index(self.order.column.name) if self.order.column.name in names else 0
        return Order(names[(at + step) % len(names)])

    def reverse(self) -> None:
        """Turns the order round."""
        self.order = Order(self.order.name, not self.order.is_reversed)

    def rows(self, snapshot: Snapshot) -> list[Row]:
        """Those that contain the filter's text, whatever its case, sorted."""
        wanted = self.filter.casefold()
        found = [row for row in snapshot.rows if wanted in for_terminal(f"{row.name} {row.app}").casefold()]
        return sorted_rows(found, self.order)

    def columns(self, snapshot: Snapshot) -> list[Column[Row]]:
        """Those of the snapshot's table, which stay whatever the filter."""
        return columns(snapshot.rows, snapshot.wanted.by)
