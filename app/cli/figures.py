"""The figures that `report` shows: all read from Redis before anything is printed."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

import redis

from app.cli.period import Period
from app.errors import TailraceError
from app.escaping import for_terminal
from app.log import open_log
from app.redis_client import unavailable_error
from app.settings import Settings
from app.store import keys, queries
from app.store.queries.changes import Earlier
from app.store.queries.routes import known_routes

APPS_NAMED = 10
"""Known apps that are listed when an unknown one is asked for."""

ALIKE_NAMED = 5
"""Routes that are listed when an unknown one is asked for."""


class UnknownRoute(TailraceError):
    """A --route that neither is a route's name nor occurs in one."""


@dataclass(frozen=True, slots=True)
class RouteReport:
    """One route by itself."""

    detail: queries.RouteDetail
    samples: queries.Samples


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is reported."""

    since: str
    """The name of the span; empty where it has a beginning and an end of its own."""
    table: queries.RoutesTable
    health: queries.Health
    alerts: list[queries.Alert]
    dynos: queries.DynosTable
    hosts: queries.NamesTable
    events: queries.Events
    addons: queries.Addons
    route: RouteReport | None = None
    """Where a single one is asked for."""
    series: queries.Series | None = None
    """Of that route, or of all: only where it is drawn."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a report is about."""

    app: str = ""
    route: str = ""
    """A name, a part of one, or a pattern with `*`; empty: all routes."""
    earlier: Earlier | None = None
    with_series: bool = False


def read_report(
    store: redis.Redis, settings: Settings, period: Period, now_s: float, wanted: Wanted
) -> Report:
    """The figures of a span. Raises LogUnavailable where Redis is unreachable, UnknownRoute."""
    log = open_log(settings)
    app, span = wanted.app, period.span
    try:
        table = queries.routes_by_app(store, app, span, now_s, wanted.earlier)
        digest, route = keys.ALL_ROUTES, None
        if wanted.route:
            digests, _ = known_routes(store, app)
            names = frozenset(matching_routes(list(digests), wanted.route))
            table = replace(table, routes=[row for row in table.routes if row.route in names])
            if len(names) == 1:
                digest = digests[next(iter(names))]
                route = route_report(store, app, digest, span, now_s, wanted.earlier)
        health = queries.health(store, now_s, log, routes_max=settings.routes_max)
        return Report(
            since=period.name,
            table=table,
            health=health,
            alerts=alerts_about(app, queries.alerts(health, log.advice)),
            dynos=queries.dynos_table(store, app, span, now_s),
            hosts=queries.names_table(store, app, "hosts", span, now_s),
            events=queries.events(store, app, span, now_s),
            addons=queries.addons(store, app, span, now_s),
            route=route,
            series=queries.series(store, app, digest, span, now_s) if wanted.with_series and span else None,
        )
    except redis.RedisError as fault:
        raise unavailable_error(settings, fault) from None


def route_report(
    store: redis.Redis,
    app: str,
    digest: str,
    span: queries.Span | None,
    now_s: float,
    earlier: Earlier | None = None,
) -> RouteReport | None:
    """One route by itself; None where there is none of this digest. Raises redis.RedisError."""
    detail = queries.route_detail(store, app, digest, span, now_s, earlier)
    if detail is None:
        return None
    return RouteReport(detail, queries.samples(store, app, digest, span, now_s))


def alerts_about(app: str, alerts: Sequence[queries.Alert]) -> list[queries.Alert]:
    """Those about this app, or about no app in particular; all of them for all apps together."""
    return [alert for alert in alerts if not app or alert.app in ("", app)]


def matching_routes(names: Sequence[str], wanted: str) -> list[str]:
    """The route of this name, or all that fit the pattern (`*` stands for anything), or without one all that
    contain the text. Raises UnknownRoute where there is none."""
    if wanted in names:
        return [wanted]
    if "*" in wanted:
        pattern = re.compile(".*".join(map(re.escape, re.split(r"\*+", wanted))), re.IGNORECASE | re.DOTALL)
        found = [name for name in names if pattern.fullmatch(name)]
    else:
        found = [name for name in names if wanted.lower() in name.lower()]
    if not found:
        alike = difflib.get_close_matches(wanted, names, ALIKE_NAMED, cutoff=0.5)
        hint = f"Similar ones: {', '.join(alike)}" if alike else "`python -m app report` lists them"
        raise UnknownRoute(for_terminal(f"unknown route {wanted!r}. {hint}"))
    return found


def unknown_app(store: redis.Redis, settings: Settings, app: str) -> str:
    """Says that an app is unknown, and lists the known ones: bare zeros would look like silence. Empty where
    it is known. Not escaped. Raises LogUnavailable where Redis is unreachable.
    """
    if not app:
        return ""
    try:
        names = [seen.name for seen in queries.apps(store).apps]
    except redis.RedisError as fault:
        raise unavailable_error(settings, fault) from None
    if app in names:
        return ""
    more = [f"and {len(names) - APPS_NAMED} more"] if len(names) > APPS_NAMED else []
    known = ", ".join([*names[:APPS_NAMED], *more])
    return f"unknown app {app!r}. " + (
        f"Known apps: {known}" if known else "No named apps yet; set DRAIN_TOKENS to name them"
    )


def warn_of_unknown(store: redis.Redis, settings: Settings, app: str) -> None:
    """Says so on stderr. Raises LogUnavailable."""
    if message := unknown_app(store, settings, app):
        print(for_terminal(message), file=sys.stderr)
