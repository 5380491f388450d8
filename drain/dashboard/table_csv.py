"""The table of routes as CSV, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io

from app.escaping import csv_text
from app.store.queries import Latency, RouteRow, RoutesTable
from app.store.queries.figures import CLASSES, FURTHER
from app.store.schema import Figure, Sketch

SHARES = ("p50", "p90", "p95", "p99", "max")


def _columns(figure: Figure) -> list[str]:
    if isinstance(figure, Sketch):
        return [f"{figure.name}_{share}_ms" for share in SHARES]
    return [figure.name]


COLUMNS = (
    "route",
    "requests",
    "requests_per_s",
    "errors",
    "error_rate",
    *(f"service_{share}_ms" for share in SHARES),
    *(f"connect_{share}_ms" for share in SHARES),
    "bytes",
    *CLASSES,
    "h_codes",
    "digest",
    # At the end, so that the columns before keep their places.
    "aborted",
    "connections",
    *(f"lifetime_{share}_ms" for share in SHARES),
    *(column for figure in FURTHER for column in _columns(figure)),
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
    return [
        csv_text(row.route),
        figures.count,
        _number(figures.rate),
        figures.errors,
        figures.error_rate,
        *_cell(figures.service),
        *_cell(figures.connect),
        figures.bytes,
        *(figures.classes.get(name, 0) for name in CLASSES),
        *_cell(figures.codes),
        row.digest,
        figures.aborted,
        figures.connections,
        *_cell(figures.lifetime),
        *(cell for figure in FURTHER for cell in _cell(getattr(figures, figure.name))),
    ]


def _cell(value: Latency | dict[str, int] | int) -> list[object]:
    """The cells of one figure, whatever its kind."""
    if isinstance(value, Latency):
        return [_number(getattr(value, share)) for share in SHARES]
    if isinstance(value, dict):
        return [csv_text(" ".join(f"{name}:{count}" for name, count in value.items()))]
    return [value]


def _number(value: float | None) -> object:
    return "" if value is None else value
