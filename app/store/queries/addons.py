"""Add-ons in a span: the samples that heroku-postgres, heroku-redis and others like them log."""

from __future__ import annotations

from dataclasses import dataclass, field

import redis

from app.store.bounds import OTHER
from app.store.gauge_rows import AddonName, measure_code
from app.store.keys import ADDON_WINDOWS
from app.store.queries.gauges import (
    AppName,
    LatestValues,
    Merged,
    known_names,
    latest_values,
    merged_windows,
    scopes,
)
from app.store.queries.names import SPARK_BINS
from app.store.queries.routes import most_rows
from app.store.queries.spans import SPAN_MAX_S, Span, plan

WINDOW_S = ADDON_WINDOWS[0][0]


@dataclass(frozen=True, slots=True)
class AddonValue:
    """One measure of an add-on, in its own unit."""

    name: str
    unit: str
    """`MB`, `kB`, `bytes`, or empty."""
    latest: float
    latest_ms: int
    average: float | None
    """In the span, as all that follows; None: no sample came in it."""
    lowest: float | None
    highest: float | None
    spark: list[float | None] = field(default_factory=list)
    """The average of each step."""


@dataclass(frozen=True, slots=True)
class AddonRow:
    """One add-on of an app."""

    app: str
    kind: str
    """`heroku-postgres`."""
    source: str
    """`DATABASE`."""
    addon: str
    """`postgresql-curly-12345`."""
    values: list[AddonValue]
    values_left_out: int = 0
    """Measures that are not kept because there were many names: the most that came together."""


@dataclass(frozen=True, slots=True)
class Addons:
    """The add-ons of an app in a span; times in Unix seconds."""

    app: str
    from_s: int
    to_s: int
    step_s: int
    rows: list[AddonRow]
    left_out: int = 0
    """Add-ons that are not shown because there are many; one stands for those of an app that are not kept."""


def addons(store: redis.Redis, app: str, span: Span | None, now_s: float) -> Addons:
    """Those of one app ("" for all) that logged in the span, by app and name; `span` None: as far back as
    windows are kept. Their windows are of 5 minutes for a day and then of an hour, so a span is widened to
    these."""
    span_plan = plan(span or Span(SPAN_MAX_S), now_s, SPARK_BINS)
    known, further = known_names(store, "addons", scopes(store, app), span_plan.start_s - WINDOW_S)
    has_others = any(name == OTHER for _, name in known)
    most = most_rows(span_plan)
    names = [row for row in known if row[1] != OTHER]
    latest = latest_values(store, "addons", names[:most])
    merged = merged_windows(store, "addons", list(latest), span_plan, now_s)
    rows = [_row(row, latest[row], measured) for row, measured in merged.items()]
    return Addons(
        app=app,
        from_s=span_plan.start_s,
        to_s=span_plan.until_s,
        step_s=span_plan.step_s,
        rows=sorted(rows, key=lambda row: (row.app, row.kind, row.source, row.addon)),
        left_out=further + len(names[most:]) + has_others,
    )


def _row(row: AppName, latest: LatestValues, measured: Merged) -> AddonRow:
    app, name = row
    kind, source, addon = AddonName.read(name)
    values = [
        AddonValue(
            name=measure,
            unit=value.text,
            latest=value.value,
            latest_ms=value.at_ms,
            average=_rounded(measured.average(measure_code(measure))),
            lowest=measured.lowest(measure_code(measure)),
            highest=measured.highest(measure_code(measure)),
            spark=[_rounded(step) for step in measured.spark(measure_code(measure))],
        )
        for measure, value in sorted(latest.values.items())
    ]
    return AddonRow(app, kind, source, addon, values, latest.left_out)


def _rounded(value: float | None) -> float | None:
    """To six digits: a sum of measured values is no more exact."""
    return None if value is None else float(f"{value:.6g}")
