"""One route as text: its figures, its names, and single requests of it. Pure.

Values are as they came from clients: each format escapes them in its own way (app/escaping.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from app.cli.tables import counts, facts
from app.formatting import milliseconds
from app.store import queries

NAMES_SHOWN = 20
"""Dynos, hosts or paths in one line."""

SAMPLE_HEADS = ("TIME (UTC)", "REQUEST ID", "DYNO", "METHOD", "STATUS", "CODE", "SERVICE", "CONNECT")
SAMPLE_LEFT = tuple(range(6))
"""Columns that start at the left."""


def detail_facts(detail: queries.RouteDetail) -> list[tuple[str, str]]:
    """Its figures, and what its requests had in common."""
    found = facts(detail.figures, detail.changes)
    found += [("statuses", counts(detail.figures.statuses)), ("methods", counts(detail.figures.methods))]
    for name, counted in (("dynos", detail.dynos), ("hosts", detail.hosts), ("paths", detail.paths)):
        if counted:
            found.append((f"{name}*", _most(counted)))
    return found


def of_all_time(detail: queries.RouteDetail) -> str:
    """What the asterisks of the facts mean; empty without any."""
    return "* counted since the start" if detail.dynos or detail.hosts or detail.paths else ""


def _most(counted: dict[str, int]) -> str:
    shown = counts(dict(list(counted.items())[:NAMES_SHOWN]))
    return shown if len(counted) <= NAMES_SHOWN else f"{shown}  and {len(counted) - NAMES_SHOWN} more"


def sample_cells(sample: queries.Sample) -> list[str]:
    """One request, in the columns of SAMPLE_HEADS."""
    at = datetime.fromtimestamp(sample.at_ms / 1000, UTC)
    return [
        f"{at:%Y-%m-%d %H:%M:%S}.{sample.at_ms % 1000:03}",
        sample.request_id,
        sample.dyno,
        sample.method,
        sample.status,
        sample.code,
        milliseconds(sample.service_ms),
        milliseconds(sample.connect_ms),
    ]


def sample_tables(samples: queries.Samples) -> Sequence[tuple[str, list[queries.Sample]]]:
    """Those that there are, with their titles."""
    tables = (("Latest failed requests", samples.failed), ("Slowest requests", samples.slowest))
    return [(title, found) for title, found in tables if found]
