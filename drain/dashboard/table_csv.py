"""The table of routes as CSV, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io

from app.escaping import csv_text
from app.store.queries import RouteRow, RoutesTable
from app.store.queries.figures import CLASSES

COLUMNS = (
    "route",
    "requests",
    "requests_per_s",
    "errors",
    "error_rate",
    *(f"service_{share}_ms" for share in ("p50", "p90", "p95", "p99", "max")),
    *(f"connect_{share}_ms" for share in ("p50", "p90", "p95", "p99", "max")),
    "bytes",
    *CLASSES,
    "h_codes",
    "digest",
)


def file_name(app: str, window: str) -> str:
    """`tailrace-shop-1h.csv`; app and window are checked names."""
    return f"tailrace-{app or 'all'}-{window}.csv"


def table_csv(table: RoutesTable) -> bytes:
    """A header and a line per route, UTF-8, as RFC 4180 has it. Every field is quoted, numbers too, which
    stay numbers to a spreadsheet: what it takes for the separator cannot split one then."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for row in table.routes:
        writer.writerow(_cells(row))
    return text.getvalue().encode()


def _cells(row: RouteRow) -> list[object]:
    figures = row.figures
    latencies = [
        _number(value)
        for latency in (figures.service, figures.connect)
        for value in (latency.p50, latency.p90, latency.p95, latency.p99, latency.max)
    ]
    return [
        csv_text(row.route),
        figures.count,
        _number(figures.rate),
        figures.errors,
        figures.error_rate,
        *latencies,
        figures.bytes,
        *(figures.classes.get(name, 0) for name in CLASSES),
        csv_text(" ".join(f"{code}:{count}" for code, count in figures.codes.items())),
        row.digest,
    ]


def _number(value: float | None) -> object:
    return "" if value is None else value
