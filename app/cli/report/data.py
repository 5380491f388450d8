"""The report for programs: JSON, and the table of routes as CSV. Pure."""

from __future__ import annotations

from dataclasses import replace

from app.cli.figures import Report
from app.cli.report.selection import Selection, sorted_routes
from app.escaping import json_text
from drain.dashboard.table_csv import table_csv


def as_json(report: Report, shown: Selection) -> str:
    """The report's own fields."""
    return json_text(replace(report, table=sorted_routes(report, shown)), indent=2) + "\n"


def as_csv(report: Report, shown: Selection) -> str:
    """The same columns as the page's CSV: a header and a line for each route."""
    return table_csv(sorted_routes(report, shown)).decode()
