"""What of the figures a report shows, whatever its format: tables, titles and sentences. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from app.cli.column import Row
from app.cli.columns import By, columns
from app.cli.figures import Report
from app.cli.period import Period
from app.cli.platform_words import how_to_send_metrics
from app.cli.report.platform import addon_table, event_table, process_table, release_table
from app.cli.report.table import Table, cut
from app.cli.rows import Order, name_rows, route_rows, sorted_rows
from app.cli.tables import between, left_out, title
from app.store import queries
from app.store.queries.changes import Earlier

ROUNDED = {60: "minute", 3_600: "hour"}
EARLIER: dict[Earlier, str] = {
    "hour": "the hour before",
    "day": "the same time a day before",
    "week": "the same time a week before",
}


@dataclass(frozen=True, slots=True)
class Selection:
    """How rows are chosen."""

    by: Order = Order("requests")
    most: int = 0
    """Rows of each table; 0: all."""
    pattern: str = ""
    """The routes that are asked for; empty: all."""
    earlier: Earlier | None = None
    """What changes are against."""


def heading(report: Report, asked: Period) -> str:
    """The report's title."""
    table = report.table
    return title(table.app, asked, table.from_s, table.to_s)


def compared(report: Report, shown: Selection) -> str:
    """The sentence about the earlier span; empty where none is asked for."""
    before = report.table.before
    if shown.earlier is None:
        return ""
    if before is None:
        return f"There are no figures of {EARLIER[shown.earlier]} to compare with."
    return (
        f"Compared with {EARLIER[before.earlier]} ({between(before.from_s, before.to_s)}). "
        "A change with ? may be noise."
    )


def rounded(report: Report, asked: Period) -> str:
    """The sentence about a span that is wider than what was asked; empty where it is not."""
    to_s = report.table.rounded_to_s
    from_s = report.table.from_s
    if asked.name or from_s is None or to_s not in ROUNDED or from_s % to_s:
        return ""
    return f"Of that time figures are kept by the {ROUNDED[to_s]}, so the span is of whole {ROUNDED[to_s]}s."


def sorted_routes(report: Report, shown: Selection) -> queries.RoutesTable:
    """The table of routes with the rows that are shown."""
    routes = {(row.app, row.digest): row for row in report.table.routes}
    rows = cut(sorted_rows(route_rows(report.table), shown.by), shown.most)
    return replace(report.table, routes=[routes[row.app, row.digest] for row in rows])


def tables(report: Report, shown: Selection) -> list[Table[Any]]:
    """Releases, routes, dynos, hosts and what else the platform says, as far as there is any. Of one route
    alone there are the releases."""
    releases = release_table(report, shown.most)
    found: list[Table[Any]] = [releases]
    if report.route is None:
        found.append(_routes(report, shown))
        if not shown.pattern:
            found += [
                process_table(report, shown.most),
                _names("dyno", "Dynos", report, report.dynos, shown),
                event_table(report, shown.most),
                _names("host", "Hosts", report, report.hosts, shown),
                addon_table(report, shown.most),
            ]
    return [table for table in found if table.rows]


def _routes(report: Report, shown: Selection) -> Table[Row]:
    all_rows = sorted_rows(route_rows(report.table), shown.by)
    rows = cut(all_rows, shown.most)
    note = left_out(len(rows), len(all_rows), 0 if shown.pattern else report.table.left_out, "route")
    if len(rows) < len(all_rows):
        note += "; --routes 0 shows all"
    return Table("Routes", columns(rows, "route"), rows, note)


def _names(
    by: By, name: str, report: Report, found: queries.DynosTable | queries.NamesTable, shown: Selection
) -> Table[Row]:
    all_rows = sorted_rows(name_rows(found), shown.by)
    rows = cut(all_rows, shown.most)
    notes = [left_out(len(rows), len(all_rows), found.left_out, by)]
    from_s = report.table.from_s
    if from_s is None or found.from_s > from_s + 60:
        notes.append(f"{name} are kept for a day: these are of {between(found.from_s, found.to_s)}")
    if isinstance(found, queries.DynosTable):
        notes.append(how_to_send_metrics(found.without_metrics))
    return Table(name, columns(rows, by), rows, ". ".join(filter(None, notes)))
