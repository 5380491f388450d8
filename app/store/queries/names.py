"""Dynos and hosts in a span: how many requests each had, how many failed, how long they took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import redis

from app.store.queries.figures import Latency
from app.store.queries.spans import Span, plan

Kind = Literal["dynos", "hosts"]

SPARK_BINS = 30
NAMES_KEPT_S = 86_400
"""How long the windows of a dyno or host are kept."""


@dataclass(frozen=True, slots=True)
class NameFigures:
    """The figures of one dyno or host."""

    count: int
    rate: float | None
    """Requests per second; None if the duration is unknown."""
    errors: int
    error_rate: float
    """errors / count, 0 to 1."""
    aborted: int
    service: Latency


@dataclass(frozen=True, slots=True)
class NameRow:
    """A dyno or host in a span; `spark` is requests per second in each step, oldest first."""

    name: str
    app: str
    figures: NameFigures
    spark: list[float]


@dataclass(frozen=True, slots=True)
class NamesTable:
    """The dynos or hosts of an app with requests in the span, busiest first; times in Unix seconds.
    Of all apps together each app has rows of its own, because `web.1` of two apps are two dynos."""

    app: str
    kind: Kind
    from_s: int
    """Where the span begins: at most NAMES_KEPT_S ago."""
    to_s: int
    step_s: int
    rows: list[NameRow]


def names_table(store: redis.Redis, app: str, kind: Kind, span: Span | None, now_s: float) -> NamesTable:
    """The table of one app ("" for all); `span` None: as far back as windows are kept."""
    span_plan = plan(span or Span(NAMES_KEPT_S), now_s, SPARK_BINS)
    return NamesTable(app, kind, span_plan.start_s, span_plan.end_s, span_plan.step_s, [])
