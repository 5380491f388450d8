"""What the panes of `top` say: help, warnings, columns, one route. Pure; all of it is escaped."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator, Sequence

from app.cli.column import Column, Row
from app.cli.columns import SORTS
from app.cli.dyno_columns import runtime_facts
from app.cli.figures import RouteReport
from app.cli.route_detail import detail_facts, of_all_time, sample_cells, sample_tables
from app.cli.rows import Order
from app.cli.tables import counts, fact_width, times
from app.cli.top.item import Item
from app.escaping import for_terminal
from app.formatting import NONE, number, percent, rate
from app.store import queries

TITLE = "bold underline"
QUIET = "dim"
NARROWEST_INDENTED = 40

LEAVE_KEYS = ("arrows, page keys scroll   Esc back   Ctrl-C quit", "Esc back")
CHOOSE_KEYS = ("arrows choose   Enter sorts by it   Esc back   Ctrl-C quit", "Enter sort  Esc back")
COPY_KEYS = (
    "arrows, page keys scroll   Enter or c copies the request id   Esc back",
    "Enter copies the id   Esc back",
    "Esc back",
)

KEYS = (
    ("arrows, page keys, Home, End", "choose a row, scroll"),
    ("Left, Right", "columns that do not fit"),
    ("/ or F4", "filter by name as you type; Enter keeps it, Esc ends it"),
    ("Enter", "a route by itself, with single requests; an app's routes"),
    ("Tab, Shift-Tab, 1 2 3 4", "apps, routes, dynos, hosts"),
    ("w, W", "the next window, the one before"),
    ("< >", "sort by the column before, by the next one"),
    ("s or F6", "choose the column to sort by"),
    ("r", "turn the order round"),
    ("!", "all warnings, with what to do"),
    ("? h F1", "this help"),
    ("Esc", "end the filter; back to all apps"),
    ("q or F10, Ctrl-C", "quit (exit code 0, 130)"),
)


def help_items(width: int) -> list[Item]:
    """The keys, and what the columns mean."""
    items = [Item("Keys", TITLE)]
    items += _pairs(KEYS, width)
    items += [Item(""), Item("Columns", TITLE)]
    items += _pairs([(column.head, column.meaning) for column in dict.fromkeys(SORTS.values())], width)
    items += [Item("")]
    items += _wrapped(
        "Times are UTC. The figures are those that metrics has counted so far; `python -m app report` "
        "prints them for a span that you name.",
        width,
    )
    return items


def warning_items(alerts: Sequence[queries.Alert], notices: Sequence[str], width: int) -> list[Item]:
    """Every warning in full, and before them what else is to be known."""
    items = [Item("Warnings", TITLE)]
    for notice in notices:
        items += _wrapped(f"! {notice}", width, 2)
    for alert in alerts:
        items += _wrapped(
            f"! {alert.title}. {alert.text}", width, 2, "bold" if alert.severity == "alarm" else ""
        )
        items += _wrapped(f"  {alert.action}", width, 2) if alert.action else []
    return items if len(items) > 1 else [*items, Item("none")]


def order_items(columns: Sequence[Column[Row]], by: Order, width: int) -> list[Item]:
    """The columns that can be sorted by."""
    items = []
    for column in columns:
        mark = "*" if column.name == by.column.name else " "
        items.append(Item(f"{mark} {column.head:<12} {column.meaning}"[:width], value=column.name))
    return items


def row_items(row: Row, by: str, app: str, hint: str, width: int) -> list[Item]:
    """A dyno or a host by itself. `hint`: how its app is made to send more; empty where it does."""
    facts = [
        ("requests", number(row.count) + ("" if row.rate is None else f", {rate(row.rate)}/s")),
        ("errors", f"{number(row.errors)}, {percent(row.error_rate)}"),
        *runtime_facts(row.runtime),
        ("aborted", number(row.aborted)),
        ("service", times(row.service)),
        ("time", NONE if row.time_share is None else f"{percent(row.time_share)} of the service time of all"),
        *([("H-codes", counts(dict(row.codes)))] if row.codes else []),
    ]
    return [
        *_wrapped(_named(by, row.name, app), width, 4, TITLE),
        *_facts(facts, width),
        *(_wrapped(hint, width, style=QUIET) if hint else []),
        Item(""),
        *_requests(by, row.name, app, width),
    ]


def route_items(found: RouteReport, app: str, width: int) -> list[Item]:
    """A route by itself: its figures, and single requests with their ids."""
    detail = found.detail
    items = _wrapped(_named("route", detail.route, app), width, 4, TITLE)
    items += _facts(detail_facts(detail), width)
    items += _wrapped(of_all_time(detail), width, style=QUIET) if of_all_time(detail) else []
    for title, samples in sample_tables(found.samples):
        items += [Item(""), Item(title, TITLE), *_samples(samples, width)]
    if not found.samples.failed and not found.samples.slowest:
        items += [Item(""), *_wrapped("No single requests are kept of this window.", width, style=QUIET)]
    return [*items, Item(""), *_requests("route", detail.route, app, width)]


def _requests(by: str, name: str, app: str, width: int) -> list[Item]:
    """The command that shows its requests. Quoted: it is copied into a shell, and the name is a client's."""
    words = ["python", "-m", "app", "requests", f"--{by}", name, *(["--app", app] if app else [])]
    return _wrapped(f"all its requests: {shlex.join(map(for_terminal, words))}", width, 4)


def _samples(samples: Sequence[queries.Sample], width: int) -> Iterator[Item]:
    """A line for each request, or where the screen is narrow two; each copies its id."""
    shown = []
    for sample in samples:
        at, request_id, dyno, method, status, code, service, connect = map(for_terminal, sample_cells(sample))
        shown.append((request_id, [at[11:19], service, status, code, dyno, method, f"connect {connect}"]))
    widths = [max(len(fields[at]) for _, fields in shown) for at in range(len(shown[0][1]))]
    for request_id, fields in shown:
        cells = [text.ljust(cell_width) for text, cell_width in zip(fields, widths, strict=True)]
        for kept in (7, 6, 5):  # What is least needed goes first.
            line = "  ".join([*cells[:kept], request_id])
            if len(line) <= width:
                yield Item(line, value=request_id)
                break
        else:
            yield Item("  ".join(cells).rstrip(), value=request_id)
            yield Item(f"    {request_id}", value=request_id)


def _named(by: str, name: str, app: str) -> str:
    return for_terminal(f"{by} {name}" + (f" of {app}" if app else ", all apps together"))


def _facts(found: Sequence[tuple[str, str]], width: int) -> Iterator[Item]:
    indent = fact_width(found) + 1
    for name, value in found:
        yield from _wrapped(f"{name:<{indent}}{value}", width, indent)


def _pairs(pairs: Sequence[tuple[str, str]], width: int) -> Iterator[Item]:
    indent = max(len(name) for name, _ in pairs) + 2
    for name, meaning in pairs:
        yield from _wrapped(f"{name:<{indent}}{meaning}", width, indent)


def _wrapped(text: str, width: int, indent: int = 0, style: str = "") -> list[Item]:
    """The text, wrapped, with all lines but the first indented where there is room."""
    text = for_terminal(text)
    if len(text) <= width:
        return [Item(text, style)]
    further = " " * (indent if width >= NARROWEST_INDENTED else 0)
    lines = textwrap.wrap(text, max(1, width), subsequent_indent=further, break_on_hyphens=False)
    return [Item(line, style) for line in lines]
