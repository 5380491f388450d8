"""Dynos in a span: their requests beside state, memory, load and restarts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import redis

from app.platform.dynos import by_number, process_type
from app.store import gauge_rows
from app.store.queries.dyno_runtime import (
    UNKNOWN,
    DynoRuntime,
    Found,
    nothing,
    read_dynos,
    scaled,
    scaled_spark,
)
from app.store.queries.figures import latency
from app.store.queries.gauges import AppName, Merged, known_names, merged_windows, scopes
from app.store.queries.names import SPARK_BINS, NameFigures, NameRow, names_plan, names_table
from app.store.queries.routes import most_rows
from app.store.queries.spans import FINE_S, Span, SpanPlan, plan

NO_REQUESTS = NameFigures(0, 0.0, 0, 0.0, 0, latency({}))


@dataclass(frozen=True, slots=True)
class DynoRow:
    """A dyno in a span: the figures of its requests as in NameRow, and what the platform says."""

    name: str
    app: str
    process: str
    """Its process type, `web`."""
    figures: NameFigures
    spark: list[float]
    runtime: DynoRuntime


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """The dynos of one process type together, one-off dynos too, and those that are gone."""

    process: str
    app: str
    dynos: int
    """In the table, as `up`."""
    up: int
    memory_average_mb: float | None
    """Of a dyno, in the span."""
    memory_highest_mb: float | None
    quota_mb: float | None
    load_average: float | None
    load_highest: float | None
    restarts: int
    r14: int
    r15: int
    crashes: int = 0
    memory_spark: list[float | None] = field(default_factory=list)
    """MB, the average of a dyno in each step."""
    load_spark: list[float | None] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DynosTable:
    """The dynos of an app in a span; times in Unix seconds. Those with most requests first, then by name. A
    dyno without requests is there if the platform says that it runs or ran in the span."""

    app: str
    from_s: int
    """Where the span and the first step begin: at most a day ago, unless it ended before."""
    to_s: int
    step_s: int
    rows: list[DynoRow]
    processes: list[ProcessRow]
    without_metrics: list[str] = field(default_factory=list)
    """Apps that had requests in the span but send no memory and load: log-runtime-metrics is off."""
    left_out: int = 0
    rounded_to_s: int = FINE_S


def dynos_table(store: redis.Redis, app: str, span: Span | None, now_s: float) -> DynosTable:
    """The table of one app ("" for all); `span` None: as far back as windows are kept. Of a span that ended
    before, only process types are known."""
    found = names_table(store, app, "dynos", span, now_s)
    span_plan = names_plan(span, now_s)
    if span_plan is None:
        assert span is not None
        processes = _processes(store, app, plan(span, now_s, SPARK_BINS), now_s, [])
        return DynosTable(app, found.from_s, found.to_s, found.step_s, [], processes)
    with_requests = {(row.app, row.name) for row in found.rows}
    dynos, further = read_dynos(store, app, span_plan, now_s, with_requests)
    rows = [_row(row, dynos.get((row.app, row.name), UNKNOWN), span_plan) for row in found.rows]
    quiet = [
        _row(NameRow(name, row_app, NO_REQUESTS, [0.0] * len(span_plan.bins)), dyno, span_plan)
        for (row_app, name), dyno in dynos.items()
        if (row_app, name) not in with_requests and dyno.is_in(span_plan)
    ]
    with_metrics = {row_app for (row_app, _), dyno in dynos.items() if dyno.has_metrics(span_plan)}
    rows += quiet
    return DynosTable(
        app=app,
        from_s=span_plan.start_s,
        to_s=found.to_s,
        step_s=found.step_s,
        rows=sorted(rows, key=lambda row: (-row.figures.count, row.app, by_number(row.name))),
        processes=_processes(store, app, span_plan, now_s, rows),
        without_metrics=sorted({row.app for row in found.rows} - with_metrics),
        left_out=found.left_out + further,
        rounded_to_s=found.rounded_to_s,
    )


def _row(row: NameRow, dyno: Found, span_plan: SpanPlan) -> DynoRow:
    runtime = dyno.runtime(span_plan, has_requests=row.figures.count > 0)
    return DynoRow(row.name, row.app, process_type(row.name) or row.name, row.figures, row.spark, runtime)


def _processes(
    store: redis.Redis, app: str, span_plan: SpanPlan, now_s: float, rows: Sequence[DynoRow]
) -> list[ProcessRow]:
    """Those with a dyno in the table, or of which anything was measured in the span; most dynos first."""
    known, _ = known_names(store, "processes", scopes(store, app), span_plan.start_s)
    measured = merged_windows(store, "processes", list(known)[: most_rows(span_plan)], span_plan, now_s)
    dynos: dict[AppName, list[DynoRow]] = {row: [] for row in measured}
    for row in rows:
        dynos.setdefault((row.app, row.process), []).append(row)
    found = [_process(row, some, measured.get(row) or nothing(span_plan)) for row, some in dynos.items()]
    return sorted(found, key=lambda row: (-row.dynos, row.process, row.app))


def _process(row: AppName, dynos: Sequence[DynoRow], measured: Merged) -> ProcessRow:
    app, process = row
    quotas = [dyno.runtime.quota_mb for dyno in dynos if dyno.runtime.quota_mb is not None]
    return ProcessRow(
        process=process,
        app=app,
        dynos=len(dynos),
        up=sum(dyno.runtime.state == "up" for dyno in dynos),
        memory_average_mb=scaled(measured.average(gauge_rows.MEMORY)),
        memory_highest_mb=scaled(measured.highest(gauge_rows.MEMORY)),
        quota_mb=max(quotas, default=None),
        load_average=scaled(measured.average(gauge_rows.LOAD)),
        load_highest=scaled(measured.highest(gauge_rows.LOAD)),
        restarts=measured.counters.get(gauge_rows.STARTS, 0),
        r14=measured.counters.get(gauge_rows.R14, 0),
        r15=measured.counters.get(gauge_rows.R15, 0),
        crashes=measured.counters.get(gauge_rows.CRASHES, 0),
        memory_spark=scaled_spark(measured, gauge_rows.MEMORY),
        load_spark=scaled_spark(measured, gauge_rows.LOAD),
    )
