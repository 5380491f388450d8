"""Recording rules: what alerts and panels ask of apps, calculated once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from drain.monitoring.exports.promql import lower_bound, mean, rate
from drain.monitoring.families import health, requests

INCOMPLETE_LAG_S = 30
"""As for Tailrace's own alerts: with a larger lag the figures are not those of now."""

MINUTES_5, MINUTES_30, HOUR, HOURS_6 = "5m", "30m", "1h", "6h"
LONGER = (MINUTES_30, HOUR, HOURS_6)
"""Spans that budgets are judged by, besides that of everything else."""

PERCENTILES = (50, 95, 99)

INCOMPLETE = "job:tailrace_figures_incomplete:bool"
REQUESTS = "app:tailrace_requests:rate5m"
ROUTE_REQUESTS = "route:tailrace_requests:rate5m"
ROUTE_CERTAIN = "route:tailrace_failed:certain_ratio_rate5m"
CODES = "app:tailrace_router_errors:rate5m"


@dataclass(frozen=True, slots=True)
class Recording:
    """One rule; its name is `level:what:how`, as is usual with Prometheus."""

    name: str
    expr: str


def ratio(what: str, span: str = MINUTES_5) -> str:
    """The name of a share of requests: `what` is `failed` or `aborted`."""
    return f"app:tailrace_{what}:ratio_rate{span}"


def certain(what: str) -> str:
    """The name of the part of a share that is certain."""
    return f"app:tailrace_{what}:certain_ratio_rate5m"


def percentile(percent: int) -> str:
    """The name of a percentile of times in the dyno, in seconds."""
    return f"app:tailrace_service_seconds:p{percent}_rate5m"


def recordings() -> Iterator[Recording]:
    """In the order in which they need each other."""
    yield Recording(INCOMPLETE, _incomplete())
    named = requests.APP.named
    yield Recording(REQUESTS, mean(rate(named.requests.total, MINUTES_5)))
    yield Recording(CODES, mean(rate(requests.APP.codes.total, MINUTES_5)))
    for what, family in (("failed", named.failed), ("aborted", named.aborted)):
        counted = f"app:tailrace_{what}:rate5m"
        yield Recording(counted, mean(rate(family.total, MINUTES_5)))
        yield Recording(ratio(what), f"{counted} / {REQUESTS}")
        yield Recording(certain(what), lower_bound(f"300 * {counted}", f"300 * {REQUESTS}"))
    for span in LONGER:
        part, whole = (mean(rate(of.total, span)) for of in (named.failed, named.requests))
        yield Recording(ratio("failed", span), f"{part}\n/\n{whole}")
    yield from _routes()
    for percent in PERCENTILES:
        buckets = mean(rate(named.service.bucket, MINUTES_5))
        # Without a request it is NaN, which a median over a day takes for the smallest of all: it is dropped.
        yield Recording(percentile(percent), f"histogram_quantile({percent / 100:g}, {buckets}) >= 0")


def _routes() -> Iterator[Recording]:
    """Of the busiest routes, only what their alert needs: there are many."""
    named, failed = requests.ROUTE.named, "route:tailrace_failed:rate5m"
    yield Recording(ROUTE_REQUESTS, mean(rate(named.requests.total, MINUTES_5)))
    yield Recording(failed, mean(rate(named.failed.total, MINUTES_5)))
    yield Recording(ROUTE_CERTAIN, lower_bound(f"300 * {failed}", f"300 * {ROUTE_REQUESTS}"))


def _incomplete() -> str:
    """1 where the figures are not those of now: no worker, all of them wait, or the lag is large."""
    metrics = '{group="metrics"}'
    waiting, workers = health.GROUP_WAITING.name + metrics, health.GROUP_WORKERS.name + metrics
    lag = health.GROUP_LAG_S.name + metrics
    return (
        "max without (instance, pod, group) (\n"
        f"  ({waiting} >= bool {workers}) + ({lag} > bool {INCOMPLETE_LAG_S}) > bool 0\n)"
    )
