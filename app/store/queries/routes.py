"""The table of routes, the list of apps, and one route by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import redis

from app.hosts import comparable
from app.store import keys, replies
from app.store.queries.all_time import all_time, all_time_seen
from app.store.queries.changes import Before, Changes, Earlier
from app.store.queries.figures import Bar, Figures, figures, histogram, largest_first
from app.store.queries.spanned import Comparison, Row, Spanned, compare_rows, read_rows
from app.store.queries.spans import Span, SpanPlan, plan
from app.store.route_table import PATHS_SHOWN, frequent_paths
from app.store.schema import REQUESTS, TOTAL_NAMES, TOTALS_HASH, Counts

SPARK_BINS = 30
ROUTES_SHOWN = 1_000
WINDOWS_READ = 80_000
"""Most windows that one table reads: about a second of Redis, in small steps. For a day, all routes of
ROUTES_MAX's default fit. A comparison reads as much once more."""

FEWEST_ROUTES = 50


@dataclass(frozen=True, slots=True)
class RouteRow:
    """A route in a span; `spark` is requests per second in each step, oldest first."""

    route: str
    digest: str
    figures: Figures
    spark: list[float]
    app: str = ""
    """Whose route it is, where those of all apps stand side by side; empty: of all apps together."""
    changes: Changes = field(default_factory=dict)
    """Against the earlier span, where one is asked for."""
    errors_spark: list[float] = field(default_factory=list)
    """Errors per second in each step; empty for all time."""


@dataclass(frozen=True, slots=True)
class RoutesTable:
    """All routes of an app with requests in the span, busiest first; times in Unix seconds."""

    app: str
    from_s: int | None
    """Where the span begins, or the app's first request in it; None: all time."""
    to_s: int
    """Where what is counted ends: now, if the span runs on. Rates are of its whole 10 s alone, because
    requests may still be on their way to the last."""
    step_s: int | None
    total: Figures
    routes: list[RouteRow]
    left_out: int
    """Least-used routes that were omitted because the span is long."""
    before: Before | None = None
    """What it is compared with."""
    total_changes: Changes = field(default_factory=dict)
    by_app: bool = False
    """Whether routes of several apps stand side by side: then a row without an app is of requests without
    an app's name."""
    rounded_to_s: int | None = None
    """The span begins and ends at multiples of so many seconds, outwards from what was asked: shorter
    windows are not kept of that time. None: all time."""


@dataclass(frozen=True, slots=True)
class AppCount:
    """An app and its requests of all time."""

    name: str
    requests: int


@dataclass(frozen=True, slots=True)
class Apps:
    """Apps by name, busiest first, and the requests without an app's name."""

    apps: list[AppCount]
    unnamed: int


@dataclass(frozen=True, slots=True)
class RouteDetail:
    """One route in a span; dynos and hosts are counted for all time only."""

    app: str
    route: str
    digest: str
    from_s: int | None
    to_s: int
    figures: Figures
    service_histogram: list[Bar]
    connect_histogram: list[Bar]
    dynos: Counts
    hosts: Counts
    paths: Counts
    """Of a row that stands for many paths, such as `(not found)`: the most frequent ones of all time, each
    count a lower bound."""
    before: Before | None = None
    """What it is compared with."""
    changes: Changes = field(default_factory=dict)
    rounded_to_s: int | None = None
    """As in RoutesTable."""


def apps(store: redis.Redis) -> Apps:
    """The apps that have been seen."""
    counts = replies.counts(store.hgetall(keys.APPS))
    unnamed = counts.pop("", 0)
    return Apps([AppCount(name, count) for name, count in largest_first(counts).items()], unnamed)


def routes_table(
    store: redis.Redis, app: str, span: Span | None, now_s: float, compare: Earlier | None = None
) -> RoutesTable:
    """The table of one app ("" for all together); `span` None: all time, which is compared with nothing."""
    digests, all_time_count = known_routes(store, app)
    if span is None:
        return _all_time_table(store, app, digests, int(now_s))
    span_plan = plan(span, now_s, SPARK_BINS)
    names, left_out = busiest(store, app, digests, most_rows(span_plan), 0 if compare else span_plan.start_s)
    row_names = {(app, digests[name]): name for name in names}
    rows = [(app, keys.ALL_ROUTES), *row_names]
    after = read_rows(store, app, rows, span_plan, now_s, all_time_count, with_errors=True)
    comparison = compare_rows(store, app, rows, after, compare, now_s)
    return span_table(app, row_names, after, comparison, left_out)


def most_rows(span_plan: SpanPlan) -> int:
    """How many rows a table of this span may read."""
    return max(FEWEST_ROUTES, min(ROUTES_SHOWN, WINDOWS_READ // span_plan.windows))


def span_table(
    app: str,
    names: Mapping[Row, str],
    after: Spanned,
    comparison: Comparison | None,
    left_out: int,
    *,
    by_app: bool = False,
) -> RoutesTable:
    """The table of rows with these names."""
    ceased = comparison.ceased(after) if comparison else []
    rows = [
        RouteRow(
            names[row],
            row[1],
            after.figures(row),
            after.spark(row),
            row[0] if by_app else "",
            comparison.changes(after, row) if comparison else {},
            after.errors_spark(row),
        )
        for row in (*after.rows, *ceased)
        if row in names
    ]
    total = (app, keys.ALL_ROUTES)
    return RoutesTable(
        app=app,
        from_s=after.from_s,
        to_s=after.plan.until_s,
        step_s=after.plan.step_s,
        total=after.figures(total),
        routes=sorted(rows, key=lambda row: (-row.figures.count, row.route, row.app)),
        left_out=left_out,
        before=comparison.before if comparison else None,
        total_changes=comparison.changes(after, total) if comparison else {},
        rounded_to_s=after.plan.grain_s,
        by_app=by_app,
    )


def route_detail(
    store: redis.Redis,
    app: str,
    digest: str,
    span: Span | None,
    now_s: float,
    compare: Earlier | None = None,
) -> RouteDetail | None:
    """One route, or all of an app's together for the digest `all`; None where there is no such route."""
    digests, all_time_count = known_routes(store, app)
    route = next((name for name, known in digests.items() if known == digest), "")
    if not route and digest != keys.ALL_ROUTES:
        return None
    after = comparison = None
    row = (app, digest)
    if span is None:
        sums, maxima_ms = all_time(store, app, [digest])[digest]
        shown = figures(sums, None, maxima_ms)
    else:
        rows = [(app, keys.ALL_ROUTES), row]
        after = read_rows(store, app, rows, plan(span, now_s, SPARK_BINS), now_s, all_time_count)
        comparison = compare_rows(store, app, rows, after, compare, now_s)
        sums, shown = after.sums(row).total, after.figures(row)
    pipeline = store.pipeline(transaction=False)
    for names in TOTAL_NAMES:
        pipeline.hgetall(keys.total(app, digest, names.hash))
    answers = map(replies.counts, pipeline.execute())
    named = dict(zip((names.name for names in TOTAL_NAMES), answers, strict=True))
    return RouteDetail(
        app=app,
        route=route,
        digest=digest,
        from_s=after.from_s if after else None,
        to_s=after.plan.until_s if after else int(now_s),
        figures=shown,
        service_histogram=histogram(sums.service),
        connect_histogram=histogram(sums.connect),
        dynos=largest_first(named["dynos"]),
        hosts=largest_first(_by_host(named["hosts"])),
        paths=frequent_paths(store, app, digest, PATHS_SHOWN),
        before=comparison.before if comparison else None,
        changes=comparison.changes(after, row) if comparison and after else {},
        rounded_to_s=after.plan.grain_s if after else None,
    )


def _by_host(counts: Counts) -> Counts:
    """Each host once: earlier versions counted every spelling of a name by itself."""
    hosts: Counts = {}
    for spelling, count in counts.items():
        host = comparable(spelling)
        hosts[host] = hosts.get(host, 0) + count
    return hosts


def known_routes(store: redis.Redis, app: str) -> tuple[dict[str, str], int]:
    """All routes of an app with their digests, and its requests of all time."""
    pipeline = store.pipeline(transaction=False)
    pipeline.hgetall(keys.routes(app))
    pipeline.hget(keys.total(app, keys.ALL_ROUTES, TOTALS_HASH), REQUESTS.total)
    digests, count = pipeline.execute()
    return replies.texts(digests), replies.number(count)


def busiest(
    store: redis.Redis, app: str, digests: dict[str, str], most: int, since_s: int = 0
) -> tuple[list[str], int]:
    """The routes themselves, or where there are too many the busiest of all time among those that had a
    request since then (Unix s); and how many of these were left out."""
    if len(digests) <= most:
        return list(digests), 0
    seen = all_time_seen(store, [(app, digest) for digest in digests.values()])
    active = [name for name in digests if seen[app, digests[name]].is_since(since_s)]
    names = sorted(active, key=lambda name: (-seen[app, digests[name]].requests, name))[:most]
    return names, len(active) - len(names)


def _all_time_table(store: redis.Redis, app: str, digests: dict[str, str], now_s: int) -> RoutesTable:
    names, left_out = busiest(store, app, digests, ROUTES_SHOWN)
    read = all_time(store, app, [keys.ALL_ROUTES, *(digests[name] for name in names)])
    total, maxima_ms = read[keys.ALL_ROUTES]
    rows = [
        RouteRow(name, digests[name], figures(read[digests[name]][0], None, read[digests[name]][1]), [])
        for name in names
    ]
    return RoutesTable(
        app=app,
        from_s=None,
        to_s=now_s,
        step_s=None,
        total=figures(total, None, maxima_ms),
        routes=sorted(
            (row for row in rows if row.figures.count), key=lambda row: (-row.figures.count, row.route)
        ),
        left_out=left_out,
    )
