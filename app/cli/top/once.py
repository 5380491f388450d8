"""`top` without a terminal: its figures, printed once. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.cli.column import Column, Row
from app.cli.period import named
from app.cli.platform_words import how_to_send_metrics, last_release
from app.cli.tables import fact_width, facts, left_out, text_table, title
from app.cli.top.snapshot import Snapshot
from app.cli.top.view import View
from app.cli.top.words import nothing
from app.escaping import for_terminal

ROWS_MAX = 40
DROPPED = (
    "load-highest",
    "memory-highest",
    "longest",
    "lifetime",
    "median",
    "rate",
    "p99",
    "aborted",
    "connections",
    "time",
    "crashes",
    "r15",
)
"""Columns that go, in this order, where a table is too wide although its names are short."""


def lines(snapshot: Snapshot, view: View, width: int) -> Iterator[str]:
    """Facts and warnings as they are, and at most ROWS_MAX rows whose names give way to fit `width`."""
    wanted = snapshot.wanted
    app = "" if wanted.by == "app" else wanted.app
    yield for_terminal(title(app, named(wanted.window), snapshot.from_s, snapshot.to_s))
    found = facts(snapshot.total)
    for name, value in found:
        yield for_terminal(f"{name:<{fact_width(found)}} {value}")
    if release := last_release(snapshot.release, snapshot.at_s, of_app=not app):
        yield for_terminal(f"{'release':<{fact_width(found)}} {release}")
    for alert in snapshot.alerts:
        yield for_terminal(f"! {alert.title}. {alert.action}".rstrip())
    yield ""
    rows = view.rows(snapshot)
    if not rows:
        yield nothing(view)
        return
    columns, dropped = _fitting(rows[:ROWS_MAX], view.columns(snapshot), view.order.column.name, width)
    yield from text_table(rows[:ROWS_MAX], columns, width)
    if dropped:
        yield from ("", f"not shown, for lack of width: {', '.join(dropped)}")
    note = left_out(min(len(rows), ROWS_MAX), len(rows), 0 if view.filter else snapshot.left_out, wanted.by)
    if hint := how_to_send_metrics(snapshot.without_metrics):
        yield from ("", for_terminal(hint))
    if note:
        yield ""
        yield note + ("; `python -m app report --routes 0` shows all" if len(rows) > ROWS_MAX else "")


def _fitting(
    rows: Sequence[Row], columns: list[Column[Row]], sorted_by: str, width: int
) -> tuple[list[Column[Row]], list[str]]:
    """The columns that fit `width`, and the heads of the others."""
    dropped: list[str] = []
    for name in DROPPED:
        if max(map(len, text_table(rows, columns, width))) <= width:
            break
        if name != sorted_by:
            dropped += [column.head for column in columns if column.name == name]
            columns = [column for column in columns if column.name != name]
    return columns, dropped
