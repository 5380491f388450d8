"""The report for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from app.cli.figures import Report, RouteReport
from app.cli.period import Period
from app.cli.report.selection import Selection, compared, heading, rounded, tables
from app.cli.route_detail import (
    SAMPLE_HEADS,
    SAMPLE_LEFT,
    detail_facts,
    of_all_time,
    sample_cells,
    sample_tables,
)
from app.cli.tables import fact_width, facts, text_table
from app.escaping import for_terminal
from app.formatting import plural, table


def as_text(report: Report, asked: Period, shown: Selection) -> str:
    """Facts, warnings and tables."""
    lines = [heading(report, asked), *filter(None, [rounded(report, asked), compared(report, shown)]), ""]
    if report.route is not None:
        lines += _route(report.route)
    elif shown.pattern:
        lines.append(f"{plural(len(report.table.routes), 'route')} with {shown.pattern!r}")
    else:
        lines += _facts(facts(report.table.total, report.table.total_changes))
    for alert in report.alerts:
        lines += ["", f"! {alert.title}. {alert.text}", f"  {alert.action}"]
    for one in tables(report, shown):
        lines += ["", *text_table(one.rows, one.columns)]
        lines += ["", one.note] if one.note else []
    return "\n".join(map(for_terminal, lines)) + "\n"


def _facts(found: list[tuple[str, str]]) -> Iterator[str]:
    return (f"  {name:<{fact_width(found)}} {value}" for name, value in found)


def _route(found: RouteReport) -> Iterator[str]:
    yield f"Route {found.detail.route}"
    yield ""
    yield from _facts(detail_facts(found.detail))
    yield from filter(None, [of_all_time(found.detail)])
    for title, samples in sample_tables(found.samples):
        yield from ("", title)
        yield from table(
            SAMPLE_HEADS, [list(map(for_terminal, sample_cells(one))) for one in samples], SAMPLE_LEFT
        )
