"""Dynos and hosts in a span: how many requests each had, how many failed, how long they took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import redis

from app.store import keys, replies
from app.store.bounds import NAMES_KEPT_S, NAMES_MAX
from app.store.name_totals import NameTotals, read_totals
from app.store.queries.all_time import all_time_seen
from app.store.queries.figures import Latency
from app.store.queries.routes import apps, most_rows
from app.store.queries.spanned import Row, Spanned, read_rows
from app.store.queries.spans import FINE_S, MINUTE_S, Span, SpanPlan, plan
from app.store.schema import NAME_TOTALS_HASH

Kind = Literal["dynos", "hosts"]

SPARK_BINS = 30
CANDIDATES_MAX = 10_000
"""Names of all apps that are looked at, those of the busiest apps first, to find the busiest names."""

AppName = tuple[str, str]
"""App, and the name of a dyno or host in it."""


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
    left_out: int = 0
    """Least-used names that were omitted because there are many."""
    rounded_to_s: int = FINE_S
    """As in RoutesTable."""


def names_table(store: redis.Redis, app: str, kind: Kind, span: Span | None, now_s: float) -> NamesTable:
    """The table of one app ("" for all); `span` None: as far back as windows are kept."""
    span_plan = names_plan(span, now_s)
    if span_plan is None:
        assert span is not None
        assert span.until_s is not None
        return NamesTable(app, kind, span.until_s - span.seconds, span.until_s, span.seconds, [])
    known, left_out = _known(store, app, kind, span_plan.start_s)
    shown = _busiest(store, kind, known, most_rows(span_plan))
    names = {(row_app, keys.name_digest(kind, name)): name for row_app, name in shown}
    total: Row = (app, keys.ALL_ROUTES)
    all_time_count = all_time_seen(store, [total])[total].requests
    after = read_rows(store, app, [total, *names], span_plan, now_s, all_time_count)
    rows = [_row(row, names[row], after) for row in after.rows if row in names]
    return NamesTable(
        app=app,
        kind=kind,
        from_s=after.from_s,
        to_s=span_plan.until_s,
        step_s=span_plan.step_s,
        rows=sorted(rows, key=lambda row: (-row.figures.count, row.name, row.app)),
        left_out=left_out + len(known) - len(shown),
        rounded_to_s=span_plan.grain_s,
    )


def names_plan(span: Span | None, now_s: float) -> SpanPlan | None:
    """The windows of a table of this span; None where it ended before all that is kept."""
    span = span or Span(NAMES_KEPT_S)
    oldest_s = int(now_s) - NAMES_KEPT_S
    if span.until_s is not None and span.until_s <= oldest_s:
        return None
    return plan(_kept_part(span, oldest_s), now_s, SPARK_BINS)


def _kept_part(span: Span, oldest_s: int) -> Span:
    """The part of it of which windows are kept; the steps are those of a table."""
    if span.until_s is None:
        return Span(min(span.seconds, NAMES_KEPT_S))
    return Span(span.until_s - max(span.until_s - span.seconds, oldest_s), span.until_s)


def _known(store: redis.Redis, app: str, kind: Kind, since_s: int) -> tuple[list[AppName], int]:
    """The names seen since then, of all apps those of the busiest first, and how many more there are."""
    if app:
        scopes = [app]
    else:
        found = apps(store)
        scopes = [*([""] if found.unnamed else []), *(some.name for some in found.apps)]
    # When a name was seen is the start of a window, and a step behind.
    oldest_s = since_s - 2 * MINUTE_S
    pipeline = store.pipeline(transaction=False)
    for scope in scopes:
        pipeline.zcount(keys.names(scope, kind), oldest_s, "+inf")
    sizes = dict(zip(scopes, map(replies.number, pipeline.execute()), strict=True))
    read: list[str] = []
    for scope, size in sizes.items():
        if size and sum(map(sizes.__getitem__, read)) + size <= CANDIDATES_MAX:
            read.append(scope)
            pipeline.zrangebyscore(keys.names(scope, kind), oldest_s, "+inf", 0, NAMES_MAX + 1)
    answers = map(replies.text_list, pipeline.execute())
    known = [(scope, name) for scope, names in zip(read, answers, strict=True) for name in names]
    return known, sum(sizes.values()) - len(known)


def _busiest(store: redis.Redis, kind: Kind, known: list[AppName], most: int) -> list[AppName]:
    """The names themselves, or if there are too many those with the most requests since they are known."""
    if len(known) <= most:
        return known
    totals = name_totals(store, kind, known)
    return sorted(known, key=lambda row: (-totals[row].requests, row))[:most]


def name_totals(store: redis.Redis, kind: Kind, names: Sequence[AppName]) -> dict[AppName, NameTotals]:
    """The totals of these names since they are known; one round trip."""
    pipeline = store.pipeline(transaction=False)
    for app, name in names:
        pipeline.hgetall(keys.total(app, keys.name_digest(kind, name), NAME_TOTALS_HASH))
    found = map(replies.counts, pipeline.execute())
    return dict(zip(names, map(read_totals, found), strict=True))


def _row(row: Row, name: str, after: Spanned) -> NameRow:
    found = after.figures(row)
    figures = NameFigures(
        found.count, found.rate, found.errors, found.error_rate, found.aborted, found.service
    )
    return NameRow(name, row[0], figures, after.spark(row))
