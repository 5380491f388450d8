"""Queries: figures read from Redis, in a handful of round trips each.

Each takes a client and, if the time matters, a time in Unix seconds; what does not exist
gives empty results. Raises redis.RedisError if Redis is unreachable.
"""

from app.store.queries.addons import AddonRow, Addons, AddonValue, addons
from app.store.queries.alert import Alert
from app.store.queries.alerts import alerts
from app.store.queries.changes import Before, Changes, Earlier, FigureChange
from app.store.queries.dyno_runtime import DynoRuntime
from app.store.queries.dynos import DynoRow, DynosTable, ProcessRow, dynos_table
from app.store.queries.events import EventRow, Events, events, find_release
from app.store.queries.figures import Bar, Figures, Latency
from app.store.queries.health import GroupHealth, Health, LogHealth, MemoryHealth, SenderReport, health
from app.store.queries.latest_releases import latest_release, latest_releases
from app.store.queries.memory import Memory, MemoryPart, memory
from app.store.queries.names import NameFigures, NameRow, NamesTable, names_table
from app.store.queries.overview import AppRow, Overview, overview
from app.store.queries.release_comparison import compare_release, compare_spans
from app.store.queries.replays import ReplayRun, Runs, replay_run, replay_runs
from app.store.queries.routes import (
    AppCount,
    Apps,
    RouteDetail,
    RouteRow,
    RoutesTable,
    apps,
    route_detail,
    routes_table,
)
from app.store.queries.routes_by_app import routes_by_app
from app.store.queries.running_dynos import running_dynos
from app.store.queries.samples import Sample, Samples, samples
from app.store.queries.series import Series, series
from app.store.queries.spans import Span, read_span

__all__ = [
    "AddonRow",
    "AddonValue",
    "Addons",
    "Alert",
    "AppCount",
    "AppRow",
    "Apps",
    "Bar",
    "Before",
    "Changes",
    "DynoRow",
    "DynoRuntime",
    "DynosTable",
    "Earlier",
    "EventRow",
    "Events",
    "FigureChange",
    "Figures",
    "GroupHealth",
    "Health",
    "Latency",
    "LogHealth",
    "Memory",
    "MemoryHealth",
    "MemoryPart",
    "NameFigures",
    "NameRow",
    "NamesTable",
    "Overview",
    "ProcessRow",
    "ReplayRun",
    "RouteDetail",
    "RouteRow",
    "RoutesTable",
    "Runs",
    "Sample",
    "Samples",
    "SenderReport",
    "Series",
    "Span",
    "addons",
    "alerts",
    "apps",
    "compare_release",
    "compare_spans",
    "dynos_table",
    "events",
    "find_release",
    "health",
    "latest_release",
    "latest_releases",
    "memory",
    "names_table",
    "overview",
    "read_span",
    "replay_run",
    "replay_runs",
    "route_detail",
    "routes_by_app",
    "routes_table",
    "running_dynos",
    "samples",
    "series",
]
