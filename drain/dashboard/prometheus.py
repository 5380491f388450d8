"""Figures of apps, routes, dynos, hosts, workers and losses for Prometheus, in a bounded number of series.

Counts are of all time, so that Prometheus computes rates itself. `tailrace_app_*` are complete;
`tailrace_route_*` are the busiest routes of each app. There is no series for "the rest": it would
fall whenever a route enters or leaves the busiest, and rate() takes a fall for a restart. `tailrace_dyno_*`
and `tailrace_host_*` are those of each app that were seen within a day, the busiest of them. What the
platform says is in platform_metrics.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

import redis
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from app.escaping import prometheus_label as label
from app.log import MessageLog
from app.sketch import middle_ms, up_to
from app.store import queries
from app.store.bounds import most_counted
from app.store.name_totals import EDGES_S, NameTotals
from app.store.queries.figures import by_class
from app.store.queries.names import AppName, Kind
from app.store.queries.top import TopRoutes, top_names, top_routes
from app.store.sums import Sums
from drain.dashboard.platform_metrics import (
    ADDON_STALE_S,
    addon_families,
    dyno_families,
    release_families,
)

REQUESTS = "Requests counted"
FAILED = "Requests answered with 5xx, or with at=error from the router"
ABORTED = "Requests whose client went away: status 499, or code H27 or H28"
SERVICE = "Time in the dyno, without connections"

LIFETIME_EDGES_S = (1.0, 10.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0)

NAME_KINDS: dict[Kind, str] = {"dynos": "dyno", "hosts": "host"}
"""Kind of names -> what one is called in the names of its series."""


class RouteCollector(Collector):
    """Reads Redis at each scrape. Where that is unreachable it gives `tailrace_redis_up 0` alone.

    `limit`: routes, dynos and hosts per app; a route has about 28 series, a dyno 31, a host 18. The app ""
    stands for requests without an app's name; beside apps with one, only their number and their dynos and
    hosts are known.
    """

    def __init__(
        self, store: redis.Redis, limit: int, log: MessageLog, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._limit = limit
        self._log = log
        self._clock = clock

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not ask Redis."""
        return []

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("tailrace_redis_up", "1 if Redis answers")
        try:
            found = list(self._collect())
            up.add_metric([], 1)
        except redis.RedisError:
            found = []
            up.add_metric([], 0)
        yield up
        yield from found

    def _collect(self) -> Iterator[Metric]:
        apps = queries.apps(self._store)
        names = [app.name for app in apps.apps] or [""]
        tops = [top_routes(self._store, name, self._limit) for name in names]
        yield from _apps(tops, apps.unnamed if apps.apps else 0)
        yield from _routes(tops)
        scopes = [*names, *([""] if apps.apps and apps.unnamed else [])]
        now_s = self._clock()
        for kind, what in NAME_KINDS.items():
            yield from _names(what, top_names(self._store, scopes, kind, self._limit, now_s))
        yield from dyno_families(queries.running_dynos(self._store, self._limit, now_s), now_s)
        found = queries.addons(self._store, "", queries.Span(ADDON_STALE_S), now_s)
        yield from addon_families(found.rows, now_s)
        yield from release_families(queries.latest_releases(self._store, scopes))
        health = queries.health(self._store, now_s, self._log, routes_max=0)
        yield from _health(health)


class _Requests:
    """The families that apps and routes have alike."""

    def __init__(self, what: str, labels: list[str]) -> None:
        name = f"tailrace_{what}"
        self.requests = CounterMetricFamily(f"{name}_requests", REQUESTS, labels=labels)
        self.failed = CounterMetricFamily(f"{name}_failed_requests", FAILED, labels=labels)
        self.aborted = CounterMetricFamily(f"{name}_aborted_requests", ABORTED, labels=labels)
        self.connections = CounterMetricFamily(
            f"{name}_connections", "Requests that became connections, such as websockets", labels=labels
        )
        self.responses = CounterMetricFamily(
            f"{name}_responses", "Requests by status class", labels=[*labels, "class"]
        )
        self.codes = CounterMetricFamily(
            f"{name}_router_errors", "Requests by H-code of the router", labels=[*labels, "code"]
        )
        self.bytes = CounterMetricFamily(f"{name}_bytes", "Bytes of responses", labels=labels)
        self.service = HistogramMetricFamily(f"{name}_service_seconds", SERVICE, labels=labels)

    def add(self, labels: list[str], sums: Sums) -> None:
        self.requests.add_metric(labels, sums.requests)
        self.failed.add_metric(labels, sums.errors)
        self.aborted.add_metric(labels, sums.aborted)
        self.connections.add_metric(labels, sums.connections)
        self.bytes.add_metric(labels, sums.bytes)
        for name, count in by_class(sums.statuses).items():
            self.responses.add_metric([*labels, label(name)], count)
        for code, count in most_counted(sums.codes).items():
            self.codes.add_metric([*labels, label(code)], count)
        self.service.add_metric(labels, *_histogram(sums.service))

    def families(self) -> list[Metric]:
        counters = [self.requests, self.failed, self.aborted, self.connections]
        return [*counters, self.responses, self.codes, self.bytes, self.service]


def _apps(tops: list[TopRoutes], unnamed: int) -> Iterator[Metric]:
    families = _Requests("app", ["app"])
    connect = HistogramMetricFamily(
        "tailrace_app_connect_seconds", "Time to connect to the dyno, without connections", labels=["app"]
    )
    lifetime = HistogramMetricFamily(
        "tailrace_app_connection_seconds", "How long connections were open", labels=["app"]
    )
    for top in tops:
        families.add([label(top.app)], top.total)
        connect.add_metric([label(top.app)], *_histogram(top.total.connect))
        lifetime.add_metric([label(top.app)], *_histogram(top.total.lifetime, LIFETIME_EDGES_S))
    if unnamed:
        families.requests.add_metric([""], unnamed)
    yield from families.families()
    yield from (connect, lifetime)


def _routes(tops: list[TopRoutes]) -> Iterator[Metric]:
    families = _Requests("route", ["app", "route"])
    for top in tops:
        for route, sums in top.routes.items():
            families.add([label(top.app), label(route)], sums)
    yield from families.families()


def _names(what: str, found: Mapping[AppName, NameTotals]) -> Iterator[Metric]:
    labels = ["app", what]
    requests = CounterMetricFamily(f"tailrace_{what}_requests", REQUESTS, labels=labels)
    failed = CounterMetricFamily(f"tailrace_{what}_failed_requests", FAILED, labels=labels)
    aborted = CounterMetricFamily(f"tailrace_{what}_aborted_requests", ABORTED, labels=labels)
    service = HistogramMetricFamily(f"tailrace_{what}_service_seconds", SERVICE, labels=labels)
    for (app, name), totals in found.items():
        values = [label(app), label(name)]
        requests.add_metric(values, totals.requests)
        failed.add_metric(values, totals.failed)
        aborted.add_metric(values, totals.aborted)
        service.add_metric(values, _cumulated(totals.per_edge, EDGES_S), totals.service_s)
    yield from (requests, failed, aborted, service)


def _histogram(
    buckets: Mapping[int, int], edges_s: Sequence[float] = EDGES_S
) -> tuple[list[tuple[str, float]], float]:
    """Cumulative counts by upper edge, and the sum in seconds; both as exact as the sketch (1 %)."""
    counts = up_to(buckets, [edge_s * 1000 for edge_s in edges_s])
    total_s = sum(middle_ms(index) * count for index, count in buckets.items()) / 1000
    return _cumulated(counts, edges_s), total_s


def _cumulated(counts: Sequence[int], edges_s: Sequence[float]) -> list[tuple[str, float]]:
    edges = [*(f"{edge}" for edge in edges_s), "+Inf"]
    return list(zip(edges, map(float, accumulate(counts)), strict=True))


def _health(health: queries.Health) -> Iterator[Metric]:
    lag = GaugeMetricFamily("tailrace_group_lag_messages", "Messages not yet read", labels=["group"])
    behind = GaugeMetricFamily(
        "tailrace_group_lag_seconds", "Age of the newest message read", labels=["group"]
    )
    waiting = GaugeMetricFamily(
        "tailrace_group_waiting", "Workers that wait because the log is unreachable", labels=["group"]
    )
    workers = GaugeMetricFamily(
        "tailrace_group_workers", "Workers that reported within 30 s", labels=["group"]
    )
    totals = CounterMetricFamily(
        "tailrace_group_messages", "What a group did with messages", labels=["group", "what"]
    )
    log_lost = CounterMetricFamily(
        "tailrace_log_lost_messages",
        "Messages dropped from the log before the group had read them",
        labels=["group"],
    )
    full = CounterMetricFamily(
        "tailrace_log_full_refusals",
        "Frames rejected because the log was full of what the group had not read",
        labels=["group"],
    )
    for group in health.groups:
        lag.add_metric([group.group], group.lag_messages)
        behind.add_metric([group.group], group.lag_seconds)
        workers.add_metric([group.group], group.workers)
        waiting.add_metric([group.group], group.waiting)
        log_lost.add_metric([group.group], group.log_lost)
        full.add_metric([group.group], group.refused_full)
        for what, count in sorted(group.totals.items()):
            totals.add_metric([group.group, label(what)], count)
    yield from (lag, behind, workers, waiting, totals, log_lost, full)
    losses = CounterMetricFamily("tailrace_losses", "Messages that senders reported as lost", labels=["app"])
    for app, count in sorted(health.losses_ever.items()):
        losses.add_metric([label(app)], count)
    yield losses
    yield from _senders(health)
    letters = GaugeMetricFamily("tailrace_dead_letters", "Dead letters kept now", value=health.dead_letters)
    yield letters
    yield GaugeMetricFamily(
        "tailrace_dead_letters_bytes", "Memory used by dead letters", value=health.dead_letters_bytes
    )
    yield CounterMetricFamily(
        "tailrace_dead_letters_dropped",
        "Dead letters dropped because there were too many",
        value=health.dead_letters_dropped,
    )
    if health.log is not None and health.log.messages_added:
        yield GaugeMetricFamily("tailrace_log_bytes", "Size of the log", value=health.log.bytes)
        yield GaugeMetricFamily(
            "tailrace_log_messages", "Messages in the log in Redis", value=health.log.messages_kept
        )
        yield CounterMetricFamily(
            "tailrace_log_trimmed_messages",
            "Messages dropped because the log was at its limit",
            value=health.log.messages_trimmed,
        )


def _senders(health: queries.Health) -> Iterator[Metric]:
    others = CounterMetricFamily(
        "tailrace_other_drains_losses", "Messages that other drains of an app lost", labels=["app"]
    )
    for app, count in sorted(health.other_drains_losses_ever.items()):
        others.add_metric([label(app)], count)
    reports = CounterMetricFamily(
        "tailrace_sender_reports", "Errors that senders reported, other than losses", labels=["app", "code"]
    )
    for report in health.sender_reports:
        reports.add_metric([label(report.app), label(report.code)], report.count_ever)
    faults = CounterMetricFamily(
        "tailrace_sender_faults",
        "What was wrong with requests: frames refused for good, by reason, and flaws of accepted ones",
        labels=["kind", "sender"],
    )
    for fault in health.sender_faults:
        faults.add_metric([fault.kind, fault.sender], fault.count_ever)
    yield from (others, reports, faults)
