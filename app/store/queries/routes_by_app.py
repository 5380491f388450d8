"""The routes of several apps side by side: equal ones are told apart."""

from __future__ import annotations

import redis

from app.store import keys, replies
from app.store.queries.all_time import all_time_seen
from app.store.queries.changes import Earlier
from app.store.queries.routes import (
    SPARK_BINS,
    RoutesTable,
    apps,
    known_routes,
    most_rows,
    routes_table,
    span_table,
)
from app.store.queries.spanned import Row, compare_rows, read_rows
from app.store.queries.spans import Span, plan
from app.store.queries.unnamed import without_named

CANDIDATES_MAX = 10_000
"""Routes of all apps that are looked at, those of the busiest apps first, to find the busiest routes."""


def routes_by_app(
    store: redis.Redis, app: str, span: Span | None, now_s: float, compare: Earlier | None = None
) -> RoutesTable:
    """The table of all apps with a row for each app and route, busiest first; as `routes_table` for one app,
    for all time, and where fewer than two apps are known.

    Requests without an app's name have no rows of their own in Redis: they are what all apps together have
    beyond the named ones. So they have rows only if none of a named app is left out.
    """
    known = apps(store)
    if app or span is None or len(known.apps) + bool(known.unnamed) < 2:
        return routes_table(store, app, span, now_s, compare)
    digests, all_time_count = known_routes(store, "")
    span_plan = plan(span, now_s, SPARK_BINS)
    named, left_out = _named(store, [found.name for found in known.apps])
    unnamed = {("", digest): route for route, digest in digests.items()} if known.unnamed else {}
    seen = all_time_seen(store, [*named, *unnamed])
    active = [row for row in named if compare or seen[row].is_since(span_plan.start_s)]
    most = most_rows(span_plan)
    shown = sorted(active, key=lambda row: (-seen[row].requests, row))[:most]
    left_out += len(active) - len(shown)
    names = {row: named[row] for row in shown}
    if left_out or len(shown) + len(unnamed) > 2 * most:
        unnamed = {}
    total: Row = ("", keys.ALL_ROUTES)
    # All apps together are read first: what comes in between is missing there, and no request without a name.
    rows = [total, *unnamed, *shown]
    after = read_rows(store, "", rows, span_plan, now_s, all_time_count)
    comparison = compare_rows(store, "", rows, after, compare, now_s)
    without_named(after, unnamed)
    if comparison:
        without_named(comparison.spanned, unnamed)
    return span_table("", {**unnamed, **names}, after, comparison, left_out, by_app=True)


def _named(store: redis.Redis, names: list[str]) -> tuple[dict[Row, str], int]:
    """The rows of apps in this order, as far as CANDIDATES_MAX goes, and how many more there are."""
    pipeline = store.pipeline(transaction=False)
    for app in names:
        pipeline.hlen(keys.routes(app))
    sizes = list(map(replies.number, pipeline.execute()))
    read: list[str] = []
    room, left_out = CANDIDATES_MAX, 0
    for app, size in zip(names, sizes, strict=True):
        if left_out or size > room:
            left_out += size
            continue
        room -= size
        read.append(app)
        pipeline.hgetall(keys.routes(app))
    found = {
        (app, digest): route
        for app, digests in zip(read, map(replies.texts, pipeline.execute()), strict=True)
        for route, digest in digests.items()
    }
    return found, left_out
