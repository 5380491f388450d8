"""Rows of tables out of what the queries answer, in the order that is asked for. Pure."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from app.cli.column import Column, Row
from app.cli.columns import SORTS
from app.store import queries
from app.store.queries.changes import Changes

NO_APP = "(no name)"
"""The requests without an app's name, where apps are rows."""

STEP_S = 10
"""How long a step is, by whose beginning the last request of an app is known."""


@dataclass(frozen=True, slots=True)
class Order:
    """By which column rows are sorted. Numbers begin with the largest, names with A."""

    name: str
    is_reversed: bool = False

    @property
    def column(self) -> Column[Row]:
        return SORTS[self.name]


def order(text: str) -> Order:
    """`p95`, or `-p95` for the other way round: a type for argparse."""
    name = text.removeprefix("-").lower()
    if name not in SORTS:
        raise argparse.ArgumentTypeError(
            f"must be one of {', '.join(SORTS)}, or one with a `-` before it for the other way round"
        )
    return Order(name, text.startswith("-"))


def sorted_rows(rows: Sequence[Row], by: Order) -> list[Row]:
    """The rows in this order; those without a value are last, and the busiest of equals is first."""
    value = by.column.value
    found = sorted(rows, key=lambda row: (-row.count, row.name, row.app))
    known = [row for row in found if value(row) is not None]
    is_text = any(isinstance(value(row), str) for row in known)
    # Sorting is stable in both directions, so equals stay as they are.
    known.sort(key=lambda row: value(row) or ("" if is_text else 0), reverse=by.is_reversed == is_text)
    return known + [row for row in found if value(row) is None]


def route_rows(found: queries.RoutesTable) -> list[Row]:
    """In the table's own order."""
    total_ms = found.total.service.total_ms
    return [
        _row(row.route, row.figures, total_ms, app=row.app, digest=row.digest, changes=row.changes)
        for row in found.routes
    ]


def app_rows(found: queries.Overview, now_s: float) -> list[Row]:
    """In the overview's own order."""
    total_ms = sum(app.figures.service.total_ms for app in found.apps)
    return [
        _row(
            app.app or "(no name)",
            app.figures,
            total_ms,
            app=app.app,
            changes=app.changes,
            now_rate=app.now_requests_per_s,
            now_error_rate=app.now_error_rate,
            idle_s=None if app.last_s is None else max(0.0, now_s - app.last_s - 10),
        )
        for app in found.apps
    ]


def name_rows(found: queries.DynosTable | queries.NamesTable) -> list[Row]:
    """In the table's own order; those of all apps name theirs."""
    total_ms = sum(row.figures.service.total_ms for row in found.rows)
    return [
        Row(
            name=row.name,
            count=row.figures.count,
            rate=row.figures.rate,
            errors=row.figures.errors,
            error_rate=row.figures.error_rate,
            aborted=row.figures.aborted,
            service=row.figures.service,
            app="" if found.app else row.app,
            time_share=_share(row.figures.service, total_ms),
            runtime=row.runtime if isinstance(row, queries.DynoRow) else None,
        )
        for row in found.rows
    ]


def _row(
    name: str,
    figures: queries.Figures,
    total_ms: float,
    *,
    app: str,
    digest: str = "",
    changes: Changes | None = None,
    now_rate: float | None = None,
    now_error_rate: float | None = None,
    idle_s: float | None = None,
) -> Row:
    return Row(
        name=name,
        count=figures.count,
        rate=figures.rate,
        errors=figures.errors,
        error_rate=figures.error_rate,
        aborted=figures.aborted,
        service=figures.service,
        app=app,
        digest=digest,
        time_share=_share(figures.service, total_ms),
        connections=figures.connections,
        lifetime_ms=figures.lifetime.p50,
        codes=figures.codes,
        changes=changes or {},
        now_rate=now_rate,
        now_error_rate=now_error_rate,
        idle_s=idle_s,
    )


def _share(service: queries.Latency, total_ms: float) -> float | None:
    return min(1.0, service.total_ms / total_ms) if total_ms else None
