"""What a report shows of the platform: releases, events, process types, add-ons, as far as there are any.
Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.cli.column import Column, R
from app.cli.figures import Report
from app.cli.platform_tables import (
    EVENT_COLUMNS,
    MEASURE_COLUMNS,
    PROCESS_COLUMNS,
    RELEASE_COLUMNS,
    measures,
)
from app.cli.platform_words import is_notable
from app.cli.report.table import Table, cut
from app.cli.tables import moment
from app.formatting import number, plural


def release_table(report: Report, most: int) -> Table[Any]:
    """The releases of the span, newest first."""
    found = report.events.releases
    rows = cut(found, most)
    notes = [_shown(len(rows), len(found), "release")]
    notes += _kept_from("releases", report.events.releases_kept_from_ms)
    app = report.table.app
    newest = next((row.version for row in found if row.version), 0)
    if app and newest:
        notes.append(f"`python -m app compare --release v{newest} --app {app}` shows what it changed")
    return _table("Releases", RELEASE_COLUMNS, rows, notes, app)


def event_table(report: Report, most: int) -> Table[Any]:
    """What else happened, newest first. Dynos that start and stop as they should are left out, unless all
    rows are asked for."""
    events = report.events
    found = [row for row in events.rows if not most or is_notable(row)]
    rows = cut(found, most)
    notes = [_shown(len(rows), len(found), "event")]
    if usual := len(events.rows) - len(found):
        notes.append(
            f"{plural(usual, 'event')} of dynos that start and stop as usual "
            f"{'is' if usual == 1 else 'are'} not shown; --routes 0 shows all"
        )
    if events.left_out:
        notes.append(f"{plural(events.left_out, 'older event')} left out")
    notes += _kept_from("events", events.kept_from_ms)
    return _table("Events", EVENT_COLUMNS, rows, notes, report.table.app)


def process_table(report: Report, most: int) -> Table[Any]:
    """The dynos of each process type together, where the platform says anything of them."""
    known = [
        row
        for row in report.dynos.processes
        if row.up or row.restarts or row.r14 or row.r15 or row.memory_average_mb or row.load_average
    ]
    rows = cut(known, most)
    return _table(
        "Process types", PROCESS_COLUMNS, rows, [_shown(len(rows), len(known), "type")], report.table.app
    )


def addon_table(report: Report, most: int) -> Table[Any]:
    """What add-ons log of themselves: a row for each measure."""
    found = list(measures(report.addons))
    rows = cut(found, most)
    notes = [_shown(len(rows), len(found), "measure")]
    return _table("Add-ons", MEASURE_COLUMNS, rows, notes, report.table.app)


def _kept_from(what: str, kept_from_ms: int | None) -> list[str]:
    if kept_from_ms is None:
        return []
    return [f"There were too many {what} to keep those before {moment(kept_from_ms / 1000)}"]


def _shown(shown: int, there: int, noun: str) -> str:
    return (
        f"{number(shown)} of {number(there)} {noun}s are shown; --routes 0 shows all" if shown < there else ""
    )


def _table(
    name: str, columns: Sequence[Column[R]], rows: Sequence[R], notes: Sequence[str], app: str
) -> Table[R]:
    shown = [one for one in columns if one.is_shown(rows) and not (app and one.name == "app")]
    return Table(name, shown, rows, ". ".join(filter(None, notes)))
