"""All apps side by side: rate, errors, times, and which of them are silent."""

from __future__ import annotations

from dataclasses import dataclass, field

import redis

from app.store.queries.changes import Before, Changes
from app.store.queries.figures import Figures
from app.store.queries.spans import FINE_S, Span, plan

SPARK_BINS = 30


@dataclass(frozen=True, slots=True)
class AppRow:
    """An app in a span; the sparks have a value for each step, oldest first."""

    app: str
    """Empty: requests without an app's name."""
    figures: Figures
    now_requests_per_s: float
    now_error_rate: float
    """Over the last whole minute."""
    last_s: int | None
    """When the newest 10 seconds with a request began, Unix s; None: never."""
    requests_spark: list[float]
    """Requests per second."""
    errors_spark: list[float]
    """Errors per second."""
    now_p95: float | None = None
    """Service time over the last whole minute, ms; None if there were no requests."""
    changes: Changes = field(default_factory=dict)
    """Against the earlier span, where one is asked for."""


@dataclass(frozen=True, slots=True)
class Overview:
    """Every app that was ever seen, busiest in the span first; times in Unix seconds."""

    from_s: int
    to_s: int
    step_s: int
    apps: list[AppRow]
    left_out: int
    """Least-used apps that were omitted because there are many."""
    before: Before | None = None
    """What it is compared with."""
    rounded_to_s: int = FINE_S
    """As in RoutesTable."""


def overview(store: redis.Redis, span: Span | None, now_s: float) -> Overview:
    """The apps in a span; None: the last 31 days."""
    span_plan = plan(span or Span(31 * 86_400), now_s, SPARK_BINS)
    return Overview(span_plan.start_s, span_plan.end_s, span_plan.step_s, [], 0)
