"""The report for a ticket or a wiki. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from app.cli.figures import Report, RouteReport
from app.cli.period import Period
from app.cli.report.selection import Selection, compared, heading, rounded, tables
from app.cli.report.table import Table
from app.cli.route_detail import (
    SAMPLE_HEADS,
    SAMPLE_LEFT,
    detail_facts,
    of_all_time,
    sample_cells,
    sample_tables,
)
from app.cli.tables import facts
from app.escaping import for_terminal, markdown_code, markdown_text
from app.formatting import plural

CODE_COLUMNS = ("name", "app", "codes", "release", "event", "dyno", "addon", "source", "measure")


def as_markdown(report: Report, asked: Period, shown: Selection) -> str:
    """Facts, warnings and tables."""
    lines = [f"# {markdown_text(heading(report, asked))}", ""]
    for note in filter(None, [rounded(report, asked), compared(report, shown)]):
        lines += [markdown_text(note), ""]
    if report.route is not None:
        lines += [
            f"Route {markdown_code(report.route.detail.route)}",
            "",
            *_facts(detail_facts(report.route.detail)),
        ]
    elif shown.pattern:
        lines.append(f"{plural(len(report.table.routes), 'route')} with {markdown_code(shown.pattern)}")
    else:
        lines += _facts(facts(report.table.total, report.table.total_changes))
    lines += [
        "",
        *(
            # An action is ours, with its commands as code.
            f"> **{markdown_text(alert.title)}.** {markdown_text(alert.text)} {for_terminal(alert.action)}\n"
            for alert in report.alerts
        ),
    ]
    for one in tables(report, shown):
        lines += [*_table(one), ""]
        lines += [markdown_text(one.note), ""] if one.note else []
    lines += _samples(report.route) if report.route else []
    return "\n".join(lines).rstrip("\n") + "\n"


def _facts(found: list[tuple[str, str]]) -> list[str]:
    return [f"- **{markdown_text(name)}**: {markdown_text(value)}" for name, value in found]


def _table(one: Table[Any]) -> Iterator[str]:
    yield _line([column.head.capitalize() for column in one.columns])
    yield _line(["---" if column.is_left else "---:" for column in one.columns])
    for row in one.rows:
        yield _line([_cell(column.text(row), is_code=column.name in CODE_COLUMNS) for column in one.columns])


def _samples(found: RouteReport) -> Iterator[str]:
    yield from filter(None, [markdown_text(of_all_time(found.detail))])
    for title, samples in sample_tables(found.samples):
        yield from ("", f"## {title}", "")
        yield _line([head.capitalize() for head in SAMPLE_HEADS])
        yield _line(["---" if at in SAMPLE_LEFT else "---:" for at in range(len(SAMPLE_HEADS))])
        for sample in samples:
            yield _line(
                [_cell(cell, is_code=at in SAMPLE_LEFT) for at, cell in enumerate(sample_cells(sample))]
            )


def _cell(text: str, *, is_code: bool) -> str:
    if is_code:
        return markdown_code(text) if text else ""
    return markdown_text(text)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
