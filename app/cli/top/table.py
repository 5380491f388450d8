"""Rows of figures as the lines of a screen: the columns that fit, in colours that any terminal can show.
Pure; all text is escaped, and none of it is markup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from app.cli.column import Column, Row
from app.cli.rows import Order
from app.escaping import for_terminal
from app.formatting import shortened

NARROWEST_NAME = 20
GAP = "  "
HEAD = "bold"
SORTED = "bold underline"
BAD = "bold red"
MORE_LEFT, MORE_RIGHT = "\N{LEFTWARDS ARROW}", "\N{RIGHTWARDS ARROW}"
DOWN, UP = "\N{BLACK DOWN-POINTING TRIANGLE}", "\N{BLACK UP-POINTING TRIANGLE}"


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns fit, and how wide each is."""

    columns: list[Column[Row]]
    heads: list[str]
    widths: list[int]


def layout(
    rows: Sequence[Row], columns: Sequence[Column[Row]], skipped: int, by: Order, width: int
) -> Layout:
    """The name, and of the other columns those that fit whole, without the first `skipped`; the head of the
    last says whether more are to the right. The name takes what is left."""
    heads = [_head(column, by) for column in columns]
    widths = [
        max(cell_len(head), max((cell_len(for_terminal(column.text(row))) for row in rows), default=0))
        for head, column in zip(heads, columns, strict=True)
    ]
    name_width = min(max(widths[0], len(heads[0])), max(NARROWEST_NAME, width // 4))
    room = width - name_width
    shown = [0]
    for at in range(1 + skipped, len(columns)):
        # One more cell, for the arrow that says that there are more.
        if widths[at] + len(GAP) + 1 > room:
            break
        room -= widths[at] + len(GAP)
        shown.append(at)
    if skipped and len(shown) > 1:
        heads[shown[1]] = MORE_LEFT + heads[shown[1]]
        widths[shown[1]] = max(widths[shown[1]], cell_len(heads[shown[1]]))
    if shown[-1] < len(columns) - 1:
        heads[shown[-1]] += MORE_RIGHT
        widths[shown[-1]] = max(widths[shown[-1]], cell_len(heads[shown[-1]]))
    taken = sum(widths[at] + len(GAP) for at in shown[1:])
    widths[0] = max(1, min(widths[0], width - taken))
    return Layout([columns[at] for at in shown], [heads[at] for at in shown], [widths[at] for at in shown])


def most_skipped(columns: Sequence[Column[Row]]) -> int:
    """How many columns can be scrolled away to the left."""
    return max(0, len(columns) - 2)


def head_line(found: Layout, by: Order, width: int) -> Text:
    """The heads; the one that rows are sorted by is underlined."""
    text = Text(no_wrap=True)
    for column, head, cell_width in zip(found.columns, found.heads, found.widths, strict=True):
        if text:
            text.append(GAP)
        style = SORTED if column.name == by.column.name else HEAD
        text.append(_placed(head, cell_width, is_left=column.is_left), style)
    return _cropped(text, width)


def row_line(found: Layout, row: Row, width: int) -> Text:
    """One row; what is bad is marked."""
    text = Text(no_wrap=True)
    for column, cell_width in zip(found.columns, found.widths, strict=True):
        if text:
            text.append(GAP)
        cell = for_terminal(column.text(row))
        text.append(_placed(cell, cell_width, is_left=column.is_left), BAD if column.is_bad(row) else "")
    return _cropped(text, width)


def _head(column: Column[Row], by: Order) -> str:
    if column.name != by.column.name:
        return column.head
    # Numbers begin with the largest, names with A.
    return column.head + (UP if by.is_reversed != (column.name in ("name", "app", "state")) else DOWN)


def _placed(text: str, width: int, *, is_left: bool) -> str:
    kept = width
    while cell_len(text) > width and kept > 1:  # A wide character takes two cells.
        text, kept = shortened(text, kept), kept - 1
    missing = width - cell_len(text)
    if missing < 0:
        return set_cell_size(text, width)
    return text + " " * missing if is_left else " " * missing + text


def _cropped(text: Text, width: int) -> Text:
    text.truncate(width)
    return text
