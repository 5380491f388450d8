"""Finders: what each endpoint of the API reads. They raise NotFound and redis.RedisError."""

from __future__ import annotations

from app.alerts.redis.view import AlertsView, alerts_view
from app.comparison.result import Comparison
from app.search.groups import Breakdown
from app.store import queries
from app.store.queries.names import Kind
from drain.dashboard.breakdown import breakdown as read_breakdown
from drain.dashboard.endpoint import NotFound, Source
from drain.dashboard.parameters import Parameters


def routes(source: Source, parameters: Parameters, now_s: float) -> queries.RoutesTable:
    find = queries.routes_by_app if parameters.by_app and not parameters.app else queries.routes_table
    return find(source.store, parameters.app, parameters.span, now_s, parameters.compare)


def route(source: Source, parameters: Parameters, now_s: float) -> queries.RouteDetail:
    found = queries.route_detail(
        source.store, parameters.app, parameters.route, parameters.span, now_s, parameters.compare
    )
    if found is None:
        raise NotFound("route", parameters.route)
    return found


def series(source: Source, parameters: Parameters, now_s: float) -> queries.Series:
    return queries.series(
        source.store, parameters.app, parameters.route, parameters.span or queries.Span(0), now_s
    )


def samples(source: Source, parameters: Parameters, now_s: float) -> queries.Samples:
    return queries.samples(source.store, parameters.app, parameters.route, parameters.span, now_s)


def breakdown(source: Source, parameters: Parameters, now_s: float) -> Breakdown:
    found = read_breakdown(source, parameters.app, parameters.route, parameters.span, now_s)
    if found is None:
        raise NotFound("route", parameters.route)
    return found


def compare(source: Source, parameters: Parameters, now_s: float) -> Comparison:
    if parameters.spans:
        return queries.compare_spans(source.store, parameters.app, *parameters.spans, now_s)
    return queries.compare_release(
        source.store, parameters.app, parameters.release, now_s, parameters.window_s
    )


def names(kind: Kind, source: Source, parameters: Parameters, now_s: float) -> queries.NamesTable:
    return queries.names_table(source.store, parameters.app, kind, parameters.span, now_s)


def memory(source: Source, parameters: Parameters, now_s: float) -> queries.Memory:
    return queries.memory(source.store, source.log)


def run(source: Source, parameters: Parameters, now_s: float) -> queries.ReplayRun:
    found = queries.replay_run(source.store, parameters.run)
    if found is None:
        raise NotFound("run", parameters.run)
    return found


def health(source: Source, parameters: Parameters, now_s: float) -> dict[str, object]:
    found = queries.health(source.store, now_s, source.log, routes_max=source.settings.routes_max)
    return {"alerts": queries.alerts(found, source.log.advice), "health": found}


def alerts(source: Source, parameters: Parameters, now_s: float) -> AlertsView:
    return alerts_view(source.store, source.settings, parameters.app, parameters.span, now_s, source.budgets)


def dynos(source: Source, parameters: Parameters, now_s: float) -> queries.DynosTable:
    return queries.dynos_table(source.store, parameters.app, parameters.span, now_s)


def events(source: Source, parameters: Parameters, now_s: float) -> queries.Events:
    return queries.events(source.store, parameters.app, parameters.span, now_s)


def addons(source: Source, parameters: Parameters, now_s: float) -> queries.Addons:
    return queries.addons(source.store, parameters.app, parameters.span, now_s)


def overview(source: Source, parameters: Parameters, now_s: float) -> queries.Overview:
    return queries.overview(source.store, parameters.span, now_s, parameters.compare)
