"""Dynos and events as CSV that is safe to open in a spreadsheet."""

from __future__ import annotations

from collections.abc import Sequence

from app.escaping import csv_text
from app.platform.release import Release
from app.store.queries import DynoRow, DynosTable, EventRow, Events
from drain.dashboard.endpoint import Loaded
from drain.dashboard.parameters import Parameters
from drain.dashboard.response_cache import CachedResponse
from drain.dashboard.table_csv import SHARES, attachment, csv_bytes, file_name, number_cell, time_cell

RUNTIME = (
    "memory_mb",
    "rss_mb",
    "swap_mb",
    "quota_mb",
    "memory_share",
    "load_1m",
    "load_5m",
    "load_15m",
    "memory_highest_mb",
    "memory_average_mb",
    "load_highest",
    "load_average",
    "restarts",
    "crashes",
    "r14",
    "r15",
)
"""Fields of DynoRuntime, and their columns."""

DYNO_COLUMNS = (
    "dyno",
    "app",
    "process",
    "state",
    "state_since",
    "requests",
    "requests_per_s",
    "errors",
    "error_rate",
    "aborted",
    *(f"service_{share}_ms" for share in SHARES),
    "sampled",
    *RUNTIME,
    "from",
    "to",
)

EVENT_COLUMNS = (
    "time",
    "app",
    "kind",
    "text",
    "dyno",
    "version",
    "commit",
    "names",
    "state",
    "status",
    "code",
    "count",
    "until",
    "up",
    "user",
)
"""`up`: of a release, when its dynos were up."""


def dynos_attachment(loaded: Loaded, parameters: Parameters, kept_s: float) -> CachedResponse:
    """The response of /api/dynos.csv."""
    return attachment(dynos_csv(loaded.found), file_name("dynos-", parameters, loaded.found))


def events_attachment(loaded: Loaded, parameters: Parameters, kept_s: float) -> CachedResponse:
    """The response of /api/events.csv."""
    return attachment(events_csv(loaded.found), file_name("events-", parameters, loaded.found))


def dynos_csv(table: DynosTable) -> bytes:
    """A header and a line per dyno; every field is quoted. What the platform has not said is empty."""
    return csv_bytes(DYNO_COLUMNS, (_dyno(row, table) for row in table.rows))


def events_csv(events: Events) -> bytes:
    """A header and a line per release or event, newest first; every field is quoted."""
    rows = [(row.at_ms, _event(row)) for row in events.rows]
    rows += [(release.at_ms, _release(release)) for release in events.releases]
    rows.sort(key=lambda row: -row[0])
    return csv_bytes(EVENT_COLUMNS, (cells for _, cells in rows))


def _dyno(row: DynoRow, table: DynosTable) -> list[object]:
    figures, runtime = row.figures, row.runtime
    return [
        csv_text(row.name),
        csv_text(row.app),
        csv_text(row.process),
        csv_text(runtime.state),
        _moment(runtime.state_since_ms),
        figures.count,
        number_cell(figures.rate),
        figures.errors,
        figures.error_rate,
        figures.aborted,
        *(number_cell(getattr(figures.service, share)) for share in SHARES),
        _moment(runtime.sampled_ms),
        *(number_cell(getattr(runtime, name)) for name in RUNTIME),
        time_cell(table.from_s),
        time_cell(table.to_s),
    ]


def _event(row: EventRow) -> list[object]:
    return [
        _moment(row.at_ms),
        csv_text(row.app),
        row.kind,
        csv_text(row.text),
        csv_text(row.dyno),
        row.version or "",
        csv_text(row.commit),
        _names(row.names),
        csv_text(row.state),
        number_cell(row.status),
        csv_text(row.code),
        row.count,
        _moment(row.until_ms),
        "",
        csv_text(row.user),
    ]


def _release(release: Release) -> list[object]:
    return [
        _moment(release.at_ms),
        csv_text(release.app),
        "release",
        csv_text(release.text),
        "",
        release.version or "",
        csv_text(release.commit),
        _names(release.names),
        "",
        "",
        "",
        1,
        _moment(release.at_ms),
        _moment(release.up_ms),
        csv_text(release.user),
    ]


def _names(names: Sequence[str]) -> str:
    return csv_text(" ".join(names))


def _moment(at_ms: int | None) -> str:
    return "" if at_ms is None else time_cell(at_ms / 1000)
