"""Figures of apps, routes, dynos, hosts, workers and losses for Prometheus, in a bounded number of series.

Counts are of all time, so that Prometheus computes rates itself. `tailrace_app_*` are complete;
`tailrace_route_*` are the busiest routes of each app. There is no series for "the rest": it would
fall whenever a route enters or leaves the busiest, and rate() takes a fall for a restart. `tailrace_dyno_*`
and `tailrace_host_*` are those of each app that were seen within a day, the busiest of them. What the
platform says is in platform_metrics.py, alerts by rules in alert_metrics.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

import redis
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
from drain.dashboard.alert_metrics import read_alert_families
from drain.dashboard.platform_metrics import (
    ADDON_STALE_S,
    addon_families,
    dyno_families,
    release_families,
)
from drain.monitoring.families import health as families
from drain.monitoring.families import requests
from drain.monitoring.families.requests import NameFamilies, RowFamilies
from drain.monitoring.family import CounterFamily, GaugeFamily

LIFETIME_EDGES_S = (1.0, 10.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0)

NAME_KINDS: dict[Kind, NameFamilies] = {"dynos": requests.DYNO, "hosts": requests.HOST}


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
        up = families.REDIS_UP.metric()
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
        for kind, of in NAME_KINDS.items():
            yield from _names(of, top_names(self._store, scopes, kind, self._limit, now_s))
        yield from dyno_families(queries.running_dynos(self._store, self._limit, now_s), now_s)
        found = queries.addons(self._store, "", queries.Span(ADDON_STALE_S), now_s)
        yield from addon_families(found.rows, now_s)
        yield from release_families(queries.latest_releases(self._store, scopes))
        health = queries.health(self._store, now_s, self._log, routes_max=0)
        yield from _health(health)
        yield from read_alert_families(self._store)


class _Rows:
    """The families that apps and routes have alike."""

    def __init__(self, of: RowFamilies) -> None:
        self.requests = of.named.requests.metric()
        self.failed = of.named.failed.metric()
        self.aborted = of.named.aborted.metric()
        self.connections = of.connections.metric()
        self.responses = of.responses.metric()
        self.codes = of.codes.metric()
        self.bytes = of.bytes.metric()
        self.service = of.named.service.metric()

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
    rows = _Rows(requests.APP)
    connect, lifetime = requests.APP_CONNECT.metric(), requests.APP_LIFETIME.metric()
    for top in tops:
        rows.add([label(top.app)], top.total)
        connect.add_metric([label(top.app)], *_histogram(top.total.connect))
        lifetime.add_metric([label(top.app)], *_histogram(top.total.lifetime, LIFETIME_EDGES_S))
    if unnamed:
        rows.requests.add_metric([""], unnamed)
    yield from rows.families()
    yield from (connect, lifetime)


def _routes(tops: list[TopRoutes]) -> Iterator[Metric]:
    rows = _Rows(requests.ROUTE)
    for top in tops:
        for route, sums in top.routes.items():
            rows.add([label(top.app), label(route)], sums)
    yield from rows.families()


def _names(of: NameFamilies, found: Mapping[AppName, NameTotals]) -> Iterator[Metric]:
    counted, failed, aborted = of.requests.metric(), of.failed.metric(), of.aborted.metric()
    service = of.service.metric()
    for (app, name), totals in found.items():
        values = [label(app), label(name)]
        counted.add_metric(values, totals.requests)
        failed.add_metric(values, totals.failed)
        aborted.add_metric(values, totals.aborted)
        service.add_metric(values, _cumulated(totals.per_edge, EDGES_S), totals.service_s)
    yield from (counted, failed, aborted, service)


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
    lag, behind = families.GROUP_LAG_MESSAGES.metric(), families.GROUP_LAG_S.metric()
    waiting, workers = families.GROUP_WAITING.metric(), families.GROUP_WORKERS.metric()
    totals = families.GROUP_MESSAGES.metric()
    log_lost, full = families.LOG_LOST.metric(), families.LOG_FULL.metric()
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
    losses = families.LOSSES.metric()
    for app, count in sorted(health.losses_ever.items()):
        losses.add_metric([label(app)], count)
    yield losses
    yield from _senders(health)
    yield _single(families.DEAD_LETTERS, health.dead_letters)
    yield _single(families.DEAD_LETTERS_BYTES, health.dead_letters_bytes)
    yield _single(families.DEAD_LETTERS_DROPPED, health.dead_letters_dropped)
    if health.log is not None and health.log.messages_added:
        yield _single(families.LOG_BYTES, health.log.bytes)
        yield _single(families.LOG_MESSAGES, health.log.messages_kept)
        yield _single(families.LOG_TRIMMED, health.log.messages_trimmed)
        yield _single(families.LOG_LIMIT, health.log.limit_bytes)
    yield _single(families.REDIS_MEMORY, health.memory.used_bytes)
    if health.memory.limit_bytes:
        yield _single(families.REDIS_LIMIT, health.memory.limit_bytes)


def _single(family: CounterFamily | GaugeFamily, value: float) -> Metric:
    """A family with one series, which has no labels."""
    metric = family.metric()
    metric.add_metric([], value)
    return metric


def _senders(health: queries.Health) -> Iterator[Metric]:
    others = families.OTHER_DRAINS_LOSSES.metric()
    for app, count in sorted(health.other_drains_losses_ever.items()):
        others.add_metric([label(app)], count)
    reports = families.SENDER_REPORTS.metric()
    for report in health.sender_reports:
        reports.add_metric([label(report.app), label(report.code)], report.count_ever)
    faults = families.SENDER_FAULTS.metric()
    for fault in health.sender_faults:
        faults.add_metric([fault.kind, fault.sender], fault.count_ever)
    yield from (others, reports, faults)
