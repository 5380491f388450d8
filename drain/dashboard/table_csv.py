"""The table of routes, and time series, as CSV that is safe to open in a spreadsheet. Those of the platform
are in platform_csv.py."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from app.escaping import csv_text
from app.store.queries import Latency, RouteRow, RoutesTable, Series
from app.store.queries.changes import CHANGED, FigureChange
from app.store.queries.figures import CLASSES, FURTHER
from app.store.schema import Figure, Sketch
from drain.dashboard.endpoint import Loaded
from drain.dashboard.parameters import Parameters
from drain.dashboard.response_cache import CachedResponse, cached_response

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
    "app",
    "from",
    "to",
    *(column for figure in FURTHER for column in _columns(figure)),
)

COMPARED_COLUMNS = (
    "before_from",
    "before_to",
    *(f"{name}_{what}" for name in CHANGED for what in ("before", "change", "is_shown")),
)
"""Behind COLUMNS, where a comparison is asked for and there is anything to compare with."""

SERIES_COLUMNS = {
    "requests_per_s": "requests_per_s",
    "errors_per_s": "errors_per_s",
    "error_rate": "error_rate",
    "service_p50": "service_p50_ms",
    "service_p95": "service_p95_ms",
    "service_p99": "service_p99_ms",
    "connect_p95": "connect_p95_ms",
}
"""Column of Series -> its name in the file, behind `time` and `seconds`."""


class Spanned(Protocol):
    """What has figures of a span, in Unix s; `from_s` None: of all time."""

    @property
    def from_s(self) -> int | None: ...

    @property
    def to_s(self) -> int: ...


def file_name(what: str, parameters: Parameters, found: Spanned) -> str:
    """`tailrace-shop-1h.csv`, or `tailrace-shop-20261123T100000Z-20261123T110000Z.csv` where the span has
    times of its own; app and window are checked names."""
    span = parameters.window
    if not span:
        span = "-".join(
            time_cell(at_s).replace("-", "").replace(":", "") for at_s in (found.from_s, found.to_s)
        )
    return f"tailrace-{what}{parameters.app or 'all'}-{span}.csv"


def table_attachment(loaded: Loaded, parameters: Parameters, kept_s: float) -> CachedResponse:
    """The response of /api/routes.csv."""
    return attachment(table_csv(loaded.found), file_name("", parameters, loaded.found))


def series_attachment(loaded: Loaded, parameters: Parameters, kept_s: float) -> CachedResponse:
    """The response of /api/series.csv."""
    return attachment(series_csv(loaded.found), file_name("series-", parameters, loaded.found))


def attachment(body: bytes, name: str) -> CachedResponse:
    """A response that a browser saves as a file of this name."""
    return cached_response(body, "text/csv", {"Content-Disposition": f'attachment; filename="{name}"'})


def table_csv(table: RoutesTable) -> bytes:
    """A header and a line per route, UTF-8, as RFC 4180 has it. Every field is quoted, numbers too, which
    stay numbers to a spreadsheet: what it takes for the separator cannot split one then."""
    before = table.before
    compared = [time_cell(before.from_s), time_cell(before.to_s)] if before else []
    return csv_bytes(
        (*COLUMNS, *COMPARED_COLUMNS) if before else COLUMNS,
        (
            [
                *_cells(row, table),
                *compared,
                *(cell for name in CHANGED if before for cell in _change(row.changes[name])),
            ]
            for row in table.routes
        ),
    )


def series_csv(series: Series) -> bytes:
    """A header and a line per step; `seconds` is how long it lasts."""
    ends_s = [*series.times[1:], series.to_s]
    columns = [getattr(series, name) for name in SERIES_COLUMNS]
    return csv_bytes(
        ("time", "seconds", *SERIES_COLUMNS.values()),
        (
            [time_cell(at_s), end_s - at_s, *map(number_cell, values)]
            for at_s, end_s, *values in zip(series.times, ends_s, *columns, strict=True)
        ),
    )


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A header and a line per row. Text is not made harmless here: csv_text does that."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()


def time_cell(at_s: float | None) -> str:
    """ISO 8601 in UTC; empty for None."""
    return "" if at_s is None else f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _change(change: FigureChange) -> list[object]:
    return [number_cell(change.before), number_cell(change.change), str(change.is_shown).lower()]


def _cells(row: RouteRow, table: RoutesTable) -> list[object]:
    figures = row.figures
    return [
        csv_text(row.route),
        figures.count,
        number_cell(figures.rate),
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
        row.app or table.app,
        time_cell(table.from_s),
        time_cell(table.to_s),
        *(cell for figure in FURTHER for cell in _cell(getattr(figures, figure.name))),
    ]


def _cell(value: Latency | dict[str, int] | int) -> list[object]:
    """The cells of one figure, whatever its kind."""
    if isinstance(value, Latency):
        return [number_cell(getattr(value, share)) for share in SHARES]
    if isinstance(value, dict):
        return [csv_text(" ".join(f"{name}:{count}" for name, count in value.items()))]
    return [value]


def number_cell(value: float | None) -> object:
    """Empty for None."""
    return "" if value is None else value
