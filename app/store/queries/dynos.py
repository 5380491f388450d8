"""Dynos in a span: their requests beside state, memory, load and restarts."""

from __future__ import annotations

from dataclasses import dataclass, field

import redis

from app.store.queries.names import NameFigures, names_table
from app.store.queries.spans import FINE_S, Span


@dataclass(frozen=True, slots=True)
class DynoRuntime:
    """What the platform says of a dyno. None: it has not said it. MB are as Heroku counts."""

    state: str = ""
    """up, starting, crashed, down, ...; empty: not known."""
    state_since_ms: int | None = None
    sampled_ms: int | None = None
    """When memory or load was last said."""
    memory_mb: float | None = None
    """The latest, as rss_mb, swap_mb, quota_mb, load_1m, load_5m and load_15m are."""
    rss_mb: float | None = None
    swap_mb: float | None = None
    quota_mb: float | None = None
    memory_share: float | None = None
    """memory_mb / quota_mb."""
    load_1m: float | None = None
    load_5m: float | None = None
    load_15m: float | None = None
    memory_highest_mb: float | None = None
    """In the span, as all that follows."""
    memory_average_mb: float | None = None
    load_highest: float | None = None
    load_average: float | None = None
    restarts: int = 0
    """How often it started."""
    crashes: int = 0
    r14: int = 0
    r15: int = 0
    memory_spark: list[float | None] = field(default_factory=list)
    """MB, the average of each step."""
    load_spark: list[float | None] = field(default_factory=list)


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
    """The dynos of one process type together."""

    process: str
    app: str
    dynos: int
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


@dataclass(frozen=True, slots=True)
class DynosTable:
    """The dynos of an app in a span; times in Unix seconds. Those with most requests first, then by name. A
    dyno without requests is there if the platform says that it runs or ran in the span."""

    app: str
    from_s: int
    to_s: int
    step_s: int
    rows: list[DynoRow]
    processes: list[ProcessRow]
    without_metrics: list[str] = field(default_factory=list)
    """Apps that had requests in the span but send no memory and load: log-runtime-metrics is off."""
    left_out: int = 0
    rounded_to_s: int = FINE_S


def dynos_table(store: redis.Redis, app: str, span: Span | None, now_s: float) -> DynosTable:
    """The table of one app ("" for all); `span` None: as far back as windows are kept."""
    found = names_table(store, app, "dynos", span, now_s)
    rows = [
        DynoRow(row.name, row.app, row.name.partition(".")[0], row.figures, row.spark, DynoRuntime())
        for row in found.rows
    ]
    return DynosTable(
        app, found.from_s, found.to_s, found.step_s, rows, [], [], found.left_out, found.rounded_to_s
    )
