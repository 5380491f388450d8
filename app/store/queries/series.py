"""The time series of an app or route."""

from __future__ import annotations

from dataclasses import dataclass, field

import redis

from app.store.queries.figures import latency, rounded
from app.store.queries.spans import FINE_S, Span, last_minute, plan
from app.store.queries.windows import bin_sums, row_sums
from app.store.sums import Sums

MOST_POINTS = 170

Column = list[float | None]


@dataclass(frozen=True, slots=True)
class Series:
    """Columns of equal length, one entry per step; None if there were no requests.

    A step is named by its start (Unix seconds), and lasts until the next, or until `to_s`. The first and the
    last may be shorter than `step_s`, and those of a time of which such short windows are not kept any more
    are longer: all rates are per second elapsed.
    """

    app: str
    digest: str
    step_s: int
    from_s: int
    to_s: int
    """Where the last step ends: lines of what came after it may still be on their way."""
    now_requests_per_s: float
    """Over the last whole minute, whatever the step."""
    times: list[int] = field(default_factory=list)
    requests_per_s: Column = field(default_factory=list)
    errors_per_s: Column = field(default_factory=list)
    error_rate: Column = field(default_factory=list)
    service_p50: Column = field(default_factory=list)
    service_p95: Column = field(default_factory=list)
    service_p99: Column = field(default_factory=list)
    connect_p95: Column = field(default_factory=list)
    now_error_rate: float | None = None
    """This and those below: over the last whole minute too; None if there were no requests."""
    now_service_p50: float | None = None
    now_service_p95: float | None = None
    now_service_p99: float | None = None
    rounded_to_s: int = FINE_S
    """As in RoutesTable."""


def series(store: redis.Redis, app: str, digest: str, span: Span, now_s: float) -> Series:
    """The columns of one route, or of all together for the digest `all`; two round trips."""
    span_plan = plan(span, now_s, MOST_POINTS)
    sums = bin_sums(store, app, digest, span_plan)
    minute = last_minute(now_s)
    found = row_sums(store, [(app, digest)], minute).get((app, digest))
    lately = found.total if found else Sums()
    service = latency(lately.service)
    result = Series(
        app,
        digest,
        span_plan.step_s,
        span_plan.start_s,
        span_plan.end_s,
        rounded(lately.requests / (minute.end_s - minute.start_s)),
        now_error_rate=rounded(lately.errors / lately.requests) if lately.requests else None,
        now_service_p50=service.p50,
        now_service_p95=service.p95,
        now_service_p99=service.p99,
        rounded_to_s=span_plan.grain_s,
    )
    for part, counted in zip(span_plan.bins, sums, strict=False):  # The last sums are still running.
        _add(result, part.start_s, part.seconds, counted)
    return result


def _add(result: Series, start_s: int, seconds: int, sums: Sums) -> None:
    errors = sums.errors
    service, connect = latency(sums.service), latency(sums.connect)
    result.times.append(start_s)
    result.requests_per_s.append(rounded(sums.requests / seconds))
    result.errors_per_s.append(rounded(errors / seconds))
    result.error_rate.append(rounded(errors / sums.requests) if sums.requests else None)
    result.service_p50.append(service.p50)
    result.service_p95.append(service.p95)
    result.service_p99.append(service.p99)
    result.connect_p95.append(connect.p95)
