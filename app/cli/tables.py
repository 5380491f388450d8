"""The figures of `report` and `top` as text: title, facts, a row for each route. Pure.

The values are as they came from clients: each format escapes them in its own way (app/escaping.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from app.cli.figures import Report
from app.formatting import NONE, milliseconds, number, percent, rate
from app.router_line import H_CODES
from app.store import queries
from app.store.queries.figures import FURTHER

COLUMNS: dict[str, Callable[[queries.RouteRow], str]] = {
    "ROUTE": lambda row: row.route,
    "REQUESTS": lambda row: number(row.figures.count),
    "PER S": lambda row: rate(row.figures.rate),
    "ERRORS": lambda row: percent(row.figures.error_rate),
    "ABORTED": lambda row: number(row.figures.aborted),
    "MEDIAN": lambda row: milliseconds(row.figures.service.p50),
    "P95": lambda row: milliseconds(row.figures.service.p95),
    "P99": lambda row: milliseconds(row.figures.service.p99),
    "LONGEST": lambda row: milliseconds(row.figures.service.max),
    "CONNECTIONS": lambda row: number(row.figures.connections),
    "LIFETIME": lambda row: milliseconds(row.figures.lifetime.p50),
    "H-CODES": lambda row: " ".join(f"{code}:{count}" for code, count in row.figures.codes.items()),
}
"""Routes and H-codes are not escaped: each format does that itself. LIFETIME is the median."""

IF_ANY: dict[str, Callable[[queries.Figures], int]] = {
    "ABORTED": lambda figures: figures.aborted,
    "CONNECTIONS": lambda figures: figures.connections,
    "LIFETIME": lambda figures: figures.connections,
}
"""Columns that are shown only where a row has anything to show in them."""

NARROWEST_NAMES = 9


def title(report: Report) -> str:
    """`Tailrace: all apps, last 1h (2026-11-23 14:20:00 to 15:20:00 UTC)`."""
    app = report.table.app or "all apps"
    to_s = datetime.fromtimestamp(report.table.to_s, UTC)
    if report.table.from_s is None:
        return f"Tailrace: {app}, all time (until {to_s:%Y-%m-%d %H:%M:%S} UTC)"
    from_s = datetime.fromtimestamp(report.table.from_s, UTC)
    until = f"{to_s:%H:%M:%S}" if from_s.date() == to_s.date() else f"{to_s:%Y-%m-%d %H:%M:%S}"
    return f"Tailrace: {app}, last {report.since} ({from_s:%Y-%m-%d %H:%M:%S} to {until} UTC)"


def facts(total: queries.Figures) -> list[tuple[str, str]]:
    """The totals of all routes; values are not escaped: each format does that itself."""
    found = [
        ("requests", number(total.count) + ("" if total.rate is None else f", {rate(total.rate)}/s")),
        ("errors", f"{number(total.errors)}, {percent(total.error_rate)}"),
        *([("aborted", number(total.aborted))] if total.aborted else []),
        ("service", _times(total.service)),
        ("connect", _times(total.connect)),
        *([("connections", _connections(total))] if total.connections else []),
        ("status", "  ".join(f"{name} {number(count)}" for name, count in total.classes.items()) or NONE),
    ]
    if total.codes:
        text = (
            f"{code} {number(count)} ({H_CODES.get(code, 'unknown')})" for code, count in total.codes.items()
        )
        found.append(("H-codes", ", ".join(text)))
    return found + [(figure.name, _formatted(getattr(total, figure.name))) for figure in FURTHER]


def fact_width(found: Sequence[tuple[str, str]]) -> int:
    """How wide the column of the facts' names is."""
    return max(NARROWEST_NAMES, *(len(name) for name, _ in found))


def _connections(total: queries.Figures) -> str:
    return f"{number(total.connections)}, open for {_times(total.lifetime)}"


def _formatted(value: queries.Latency | dict[str, int] | int) -> str:
    if isinstance(value, queries.Latency):
        return _times(value)
    if isinstance(value, dict):
        return "  ".join(f"{name} {number(count)}" for name, count in value.items()) or NONE
    return number(value)


def heads(rows: Sequence[queries.RouteRow]) -> list[str]:
    """The columns of a table of these rows, ROUTE first and H-CODES last."""
    return [head for head in COLUMNS if head not in IF_ANY or any(IF_ANY[head](row.figures) for row in rows)]


def cells(row: queries.RouteRow, shown: Sequence[str]) -> list[str]:
    """A row of the table, in these columns."""
    return [COLUMNS[head](row) for head in shown]


def _times(latency: queries.Latency) -> str:
    names = (("median", latency.p50), ("p90", latency.p90), ("p95", latency.p95), ("p99", latency.p99))
    text = "  ".join(f"{name} {milliseconds(value)}" for name, value in names)
    return f"{text}  longest {milliseconds(latency.max)}" if latency.count else NONE


def omitted_routes(found: queries.RoutesTable, routes: int) -> Sequence[str]:
    """The line that says how many routes are not shown."""
    more = max(0, len(found.routes) - routes) + found.left_out
    return ["", f"and {number(more)} more routes"] if more else []
