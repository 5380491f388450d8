"""The table of routes, the list of apps, and one route by itself."""

from __future__ import annotations

from dataclasses import dataclass, field

import redis

from app.hosts import comparable
from app.store import keys, replies
from app.store.queries.all_time import all_time, all_time_requests
from app.store.queries.changes import Before, Changes
from app.store.queries.figures import Bar, Figures, figures, histogram, largest_first
from app.store.queries.spans import FINE_S, Span, SpanPlan, plan
from app.store.queries.windows import RouteSums, first_request_s, route_sums
from app.store.route_table import PATHS_SHOWN, frequent_paths
from app.store.schema import REQUESTS, TOTAL_NAMES, TOTALS_HASH, Counts
from app.store.sums import Sums

SPARK_BINS = 30
ROUTES_SHOWN = 500
WINDOWS_READ = 60_000
"""Most windows that one table reads: about a second of Redis, in small steps."""

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


@dataclass(frozen=True, slots=True)
class RoutesTable:
    """All routes of an app with requests in the span, busiest first; times in Unix seconds."""

    app: str
    from_s: int | None
    """Where the span begins, or the app's first request in it; None: all time."""
    to_s: int
    step_s: int | None
    total: Figures
    routes: list[RouteRow]
    left_out: int
    """Least-used routes that were omitted because the span is long."""
    before: Before | None = None
    """What it is compared with."""
    total_changes: Changes = field(default_factory=dict)
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


def routes_table(store: redis.Redis, app: str, span: Span | None, now_s: float) -> RoutesTable:
    """The table of one app ("" for all together); `span` None: all time."""
    digests, all_time_count = known_routes(store, app)
    if span is None:
        return _all_time_table(store, app, digests, int(now_s))
    span_plan = plan(span, now_s, SPARK_BINS)
    names = _busiest(store, app, digests, min(ROUTES_SHOWN, WINDOWS_READ // span_plan.windows))
    read = route_sums(store, app, [keys.ALL_ROUTES, *(digests[name] for name in names)], span_plan)
    total = read.get(keys.ALL_ROUTES) or _no_requests(span_plan)
    from_s = _counted_from(store, app, total, span_plan, all_time_count)
    rows = [
        _row(name, digests[name], read[digests[name]], span_plan, from_s)
        for name in names
        if digests[name] in read
    ]
    return RoutesTable(
        app=app,
        from_s=from_s,
        to_s=span_plan.end_s,
        step_s=span_plan.step_s,
        total=figures(total.total, _rate(total, span_plan, from_s)),
        routes=sorted(rows, key=lambda row: (-row.figures.count, row.route)),
        left_out=len(digests) - len(names),
    )


def route_detail(
    store: redis.Redis, app: str, digest: str, span: Span | None, now_s: float
) -> RouteDetail | None:
    """One route, or all of an app's together for the digest `all`; None where there is no such route."""
    digests, all_time_count = known_routes(store, app)
    route = next((name for name, known in digests.items() if known == digest), "")
    if not route and digest != keys.ALL_ROUTES:
        return None
    from_s: int | None
    if span is None:
        sums, maxima_ms = all_time(store, app, [digest])[digest]
        from_s, to_s, rate = None, int(now_s), None
    else:
        span_plan = plan(span, now_s, SPARK_BINS)
        read = route_sums(store, app, [keys.ALL_ROUTES, digest], span_plan)
        total = read.get(keys.ALL_ROUTES) or _no_requests(span_plan)
        from_s = _counted_from(store, app, total, span_plan, all_time_count)
        own = read.get(digest) or _no_requests(span_plan)
        sums, maxima_ms = own.total, {}
        to_s, rate = span_plan.end_s, _rate(own, span_plan, from_s)
    pipeline = store.pipeline(transaction=False)
    for names in TOTAL_NAMES:
        pipeline.hgetall(keys.total(app, digest, names.hash))
    answers = map(replies.counts, pipeline.execute())
    named = dict(zip((names.name for names in TOTAL_NAMES), answers, strict=True))
    return RouteDetail(
        app=app,
        route=route,
        digest=digest,
        from_s=from_s,
        to_s=to_s,
        figures=figures(sums, rate, maxima_ms),
        service_histogram=histogram(sums.service),
        connect_histogram=histogram(sums.connect),
        dynos=largest_first(named["dynos"]),
        hosts=largest_first(_by_host(named["hosts"])),
        paths=frequent_paths(store, app, digest, PATHS_SHOWN),
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


def _no_requests(span_plan: SpanPlan) -> RouteSums:
    return RouteSums(Sums(), [0] * len(span_plan.bins), 0, (FINE_S, span_plan.start_s))


def _busiest(store: redis.Redis, app: str, digests: dict[str, str], most: int) -> list[str]:
    """The routes themselves, or where there are too many the busiest of all time."""
    most = max(most, FEWEST_ROUTES)
    if len(digests) <= most:
        return list(digests)
    counts = all_time_requests(store, app, list(digests.values()))
    return sorted(digests, key=lambda name: -counts[digests[name]])[:most]


def _all_time_table(store: redis.Redis, app: str, digests: dict[str, str], now_s: int) -> RoutesTable:
    names = _busiest(store, app, digests, ROUTES_SHOWN)
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
        left_out=len(digests) - len(names),
    )


def _row(name: str, digest: str, sums: RouteSums, span_plan: SpanPlan, from_s: int) -> RouteRow:
    return RouteRow(
        name, digest, figures(sums.total, _rate(sums, span_plan, from_s)), _spark(sums, span_plan)
    )


def _spark(sums: RouteSums, span_plan: SpanPlan) -> list[float]:
    pairs = zip(sums.requests_per_bin, span_plan.bins, strict=True)
    return [float(f"{count / part.seconds:.3g}") for count, part in pairs]


def _rate(sums: RouteSums, span_plan: SpanPlan, from_s: int) -> float:
    return (sums.total.requests - sums.running_requests) / max(1, span_plan.end_s - from_s)


def _counted_from(
    store: redis.Redis, app: str, total: RouteSums, span_plan: SpanPlan, all_time_count: int
) -> int:
    """From when on requests were counted: the start of the span, unless the very first request of
    all lies within it. A drain that is two minutes old has no rate over an hour.

    `all_time_count` was read before the windows, so that requests in between prove nothing.
    """
    if not total.total.requests or total.total.requests < all_time_count:
        return span_plan.start_s
    return min(first_request_s(store, app, total.first), span_plan.end_s - FINE_S)
