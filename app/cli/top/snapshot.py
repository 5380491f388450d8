"""What `top` shows at one moment, read from Redis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import redis

from app.cli.column import Row
from app.cli.columns import By
from app.cli.figures import RouteReport, alerts_about, route_report
from app.cli.period import named
from app.cli.rows import app_rows, name_rows, route_rows
from app.log import open_log
from app.platform.release import Release
from app.redis_client import unavailable_error
from app.settings import Settings
from app.store import keys, queries


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked at."""

    by: By
    app: str
    """Empty: all together."""
    window: str
    """A length, or `all`."""
    route: Row | None = None
    """One that is looked at by itself."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The figures of `wanted`; times in Unix seconds."""

    wanted: Wanted
    at_s: float
    from_s: int | None
    """None: all time."""
    to_s: int
    total: queries.Figures
    """Of all rows, also of those that are not shown."""
    rows: list[Row]
    left_out: int
    """Least-used rows that were not read."""
    alerts: list[queries.Alert]
    route: RouteReport | None = None
    release: Release | None = None
    """The latest of the app, or of all."""
    without_metrics: Sequence[str] = ()
    """Apps whose dynos are among the rows, and that send no memory and load of them."""


def read_snapshot(store: redis.Redis, settings: Settings, wanted: Wanted, now_s: float) -> Snapshot:
    """The figures of now. Raises LogUnavailable where Redis is unreachable."""
    log = open_log(settings)
    try:
        found = _figures(store, wanted, named(wanted.window).span, now_s)
        about = "" if wanted.by == "app" else wanted.app
        release = queries.latest_release(store, about)
        health = queries.health(store, now_s, log, routes_max=settings.routes_max)
    except redis.RedisError as fault:
        raise unavailable_error(settings, fault) from None
    return replace(found, alerts=alerts_about(about, queries.alerts(health, log.advice)), release=release)


def _figures(store: redis.Redis, wanted: Wanted, span: queries.Span | None, now_s: float) -> Snapshot:
    app, route = wanted.app, None
    without_metrics: Sequence[str] = ()
    if wanted.route is not None:
        route = route_report(store, wanted.route.app or app, wanted.route.digest, span, now_s)
    if wanted.by == "route":
        table = queries.routes_by_app(store, app, span, now_s)
        return Snapshot(
            wanted=wanted,
            at_s=now_s,
            from_s=table.from_s,
            to_s=table.to_s,
            total=table.total,
            rows=route_rows(table),
            left_out=table.left_out,
            alerts=[],
            route=route,
        )
    if wanted.by == "app":
        apps = queries.overview(store, span, now_s)
        app, from_s, to_s, rows, left_out = "", apps.from_s, apps.to_s, app_rows(apps, now_s), apps.left_out
    else:
        names: queries.DynosTable | queries.NamesTable
        if wanted.by == "dyno":
            names = dynos = queries.dynos_table(store, app, span, now_s)
            without_metrics = dynos.without_metrics
        else:
            names = queries.names_table(store, app, "hosts", span, now_s)
        from_s, to_s, rows, left_out = names.from_s, names.to_s, name_rows(names), names.left_out
    # The digest `all` is always there.
    all_routes = queries.route_detail(store, app, keys.ALL_ROUTES, queries.Span(to_s - from_s), now_s)
    assert all_routes is not None
    return Snapshot(
        wanted,
        now_s,
        from_s,
        to_s,
        all_routes.figures,
        rows,
        left_out,
        alerts=[],
        route=route,
        without_metrics=without_metrics,
    )
