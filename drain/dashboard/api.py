"""The JSON API: figures as they are, each response kept for a moment. ENDPOINTS lists every path."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial

import orjson
import redis
from flask import Blueprint, Response, request

from app.comparison.result import Comparison
from app.log import MessageLog
from app.router_line import H_CODES
from app.search.groups import Breakdown
from app.settings import Settings
from app.store import queries
from app.store.queries.names import Kind
from app.store.queries.spans import SPAN_MAX_S
from drain.dashboard import openapi
from drain.dashboard.breakdown import breakdown
from drain.dashboard.endpoint import Endpoint, Loaded, Source
from drain.dashboard.parameters import Parameters, read_parameters
from drain.dashboard.response_cache import CachedResponse, ResponseCache, cached_response
from drain.dashboard.table_csv import series_attachment, table_attachment

FRESH_S = ((300, 2.0), (3_600, 5.0), (86_400, 15.0), (SPAN_MAX_S, 60.0))
"""(Length of a span at most, how long a response for it is kept at least), in seconds."""

ALL_TIME_FRESH_S = 15.0

PAST_S, PAST_FRESH_S = 600, 60.0
"""A span that ended so long ago changes only by lines that come late, so its response is kept longer."""

HEALTH_FRESH_S = 2.0
REPLAY_FRESH_S = 2.0
MEMORY_FRESH_S = 60.0
"""Sizes change slowly, and asking for them costs Redis more than figures do."""
COMPARE_FRESH_S = 10.0
CONSTANT_FRESH_S = 3_600.0


@dataclass(slots=True)
class NotFound(Exception):
    """No such route or run; `what` is `route` or `run`."""

    what: str
    name: str


def json_response(content: object, status: int = 200) -> Response:
    """Content as JSON, not to be cached by anyone."""
    return Response(
        orjson.dumps(content), status, mimetype="application/json", headers={"Cache-Control": "no-store"}
    )


def add_api(dashboard: Blueprint, settings: Settings, log: MessageLog, store: redis.Redis) -> None:
    """Adds every route below /api. They raise BadParameter, NotThere and redis.RedisError."""
    cache, source = ResponseCache(), Source(store, settings, log)

    def add(endpoint: Endpoint) -> None:
        def view(**in_path: str) -> Response:
            parameters = read_parameters(endpoint.parameters, request.args, in_path, time.time())
            return _respond(endpoint, parameters, source, cache).response(request)

        rule = endpoint.path.replace("{", "<").replace("}", ">")
        dashboard.add_url_rule(rule, rule.replace(".", "_"), view)

    for endpoint in ENDPOINTS:
        add(endpoint)


def _respond(
    endpoint: Endpoint, parameters: Parameters, source: Source, cache: ResponseCache
) -> CachedResponse:
    def load() -> Loaded:
        now_s = time.time()
        return Loaded(endpoint.find(source, parameters, now_s), now_s)

    fresh_s = _fresh_s(parameters, time.time()) if endpoint.fresh_s is None else endpoint.fresh_s
    encode = endpoint.encode
    return cache.get(
        (endpoint.path, parameters), fresh_s, load, lambda loaded, kept_s: encode(loaded, parameters, kept_s)
    )


def _fresh_s(parameters: Parameters, now_s: float) -> float:
    span = parameters.span
    if span is None:
        return ALL_TIME_FRESH_S
    if span.until_s is not None and span.until_s < now_s - PAST_S:
        return PAST_FRESH_S
    return next((fresh_s for most_s, fresh_s in FRESH_S if span.seconds <= most_s), FRESH_S[-1][1])


def _stamped(loaded: Loaded, parameters: Parameters, kept_s: float) -> CachedResponse:
    """The JSON of a dataclass, with `at_ms` added, when it was read, and `refresh_s`, after how
    many seconds it is worth asking again."""
    stamp = orjson.dumps({"at_ms": int(loaded.at_s * 1000), "refresh_s": round(kept_s, 1)})
    return cached_response(orjson.dumps(loaded.found)[:-1] + b"," + stamp[1:])


def _plain(loaded: Loaded, parameters: Parameters, kept_s: float) -> CachedResponse:
    return cached_response(orjson.dumps(loaded.found))


def _routes(source: Source, parameters: Parameters, now_s: float) -> queries.RoutesTable:
    find = queries.routes_by_app if parameters.by_app and not parameters.app else queries.routes_table
    return find(source.store, parameters.app, parameters.span, now_s, parameters.compare)


def _route(source: Source, parameters: Parameters, now_s: float) -> queries.RouteDetail:
    found = queries.route_detail(
        source.store, parameters.app, parameters.route, parameters.span, now_s, parameters.compare
    )
    if found is None:
        raise NotFound("route", parameters.route)
    return found


def _series(source: Source, parameters: Parameters, now_s: float) -> queries.Series:
    return queries.series(
        source.store, parameters.app, parameters.route, parameters.span or queries.Span(0), now_s
    )


def _samples(source: Source, parameters: Parameters, now_s: float) -> queries.Samples:
    return queries.samples(source.store, parameters.app, parameters.route, parameters.span, now_s)


def _breakdown(source: Source, parameters: Parameters, now_s: float) -> Breakdown:
    found = breakdown(source, parameters.app, parameters.route, parameters.span, now_s)
    if found is None:
        raise NotFound("route", parameters.route)
    return found


def _compare(source: Source, parameters: Parameters, now_s: float) -> Comparison:
    if parameters.spans:
        return queries.compare_spans(source.store, parameters.app, *parameters.spans, now_s)
    return queries.compare_release(
        source.store, parameters.app, parameters.release, now_s, parameters.window_s
    )


def _names(kind: Kind, source: Source, parameters: Parameters, now_s: float) -> queries.NamesTable:
    return queries.names_table(source.store, parameters.app, kind, parameters.span, now_s)


def _memory(source: Source, parameters: Parameters, now_s: float) -> queries.Memory:
    return queries.memory(source.store, source.log)


def _run(source: Source, parameters: Parameters, now_s: float) -> queries.ReplayRun:
    found = queries.replay_run(source.store, parameters.run)
    if found is None:
        raise NotFound("run", parameters.run)
    return found


def _health(source: Source, now_s: float) -> dict[str, object]:
    found = queries.health(source.store, now_s, source.log, routes_max=source.settings.routes_max)
    return {"alerts": queries.alerts(found, source.log.advice), "health": found}


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "/api/apps",
        "All apps seen so far, busiest first",
        openapi.stamped("Apps"),
        lambda source, parameters, now_s: queries.apps(source.store),
        _stamped,
        fresh_s=HEALTH_FRESH_S,
    ),
    Endpoint(
        "/api/codes",
        "What the router's H-codes mean",
        {"type": "object", "additionalProperties": {"type": "string"}},
        lambda source, parameters, now_s: H_CODES,
        _plain,
        fresh_s=CONSTANT_FRESH_S,
    ),
    Endpoint(
        "/api/routes",
        "The routes of an app in a window, busiest first",
        openapi.stamped("RoutesTable"),
        _routes,
        _stamped,
        ("app", "window", "from", "to", "compare", "by"),
    ),
    Endpoint(
        "/api/routes.csv",
        "The same table as CSV; cells that a spreadsheet might execute begin with a quote",
        {"type": "string"},
        _routes,
        table_attachment,
        ("app", "window", "from", "to", "compare", "by"),
        mimetype="text/csv",
    ),
    Endpoint(
        "/api/routes/{digest}",
        "One route, with histograms of its times",
        openapi.stamped("RouteDetail"),
        _route,
        _stamped,
        ("digest", "app", "window", "from", "to", "compare"),
        can_be_missing=True,
    ),
    Endpoint(
        "/api/series",
        "Time series of an app or route",
        openapi.stamped("Series"),
        _series,
        _stamped,
        ("app", "series_window", "from", "to", "step", "route"),
    ),
    Endpoint(
        "/api/series.csv",
        "The same series as CSV; times are ISO 8601 in UTC",
        {"type": "string"},
        _series,
        series_attachment,
        ("app", "series_window", "from", "to", "step", "route"),
        mimetype="text/csv",
    ),
    Endpoint(
        "/api/samples",
        "Single requests of a route: the slowest, and the latest that failed",
        openapi.stamped("Samples"),
        _samples,
        _stamped,
        ("app", "window", "from", "to", "route"),
    ),
    Endpoint(
        "/api/breakdown",
        "A route by dyno, method, status and code, from as much of the log as can be read in a second",
        openapi.stamped("Breakdown"),
        _breakdown,
        _stamped,
        ("app", "window", "from", "to", "route"),
        can_be_missing=True,
    ),
    Endpoint(
        "/api/dynos",
        "The dynos of an app in a window: requests, state, memory, load, restarts",
        openapi.stamped("DynosTable"),
        lambda source, parameters, now_s: queries.dynos_table(
            source.store, parameters.app, parameters.span, now_s
        ),
        _stamped,
        ("app", "window", "from", "to"),
    ),
    Endpoint(
        "/api/compare",
        "Before and after a release, or two spans side by side: what is better, worse, or not known",
        openapi.stamped("Comparison"),
        _compare,
        _stamped,
        ("app", "release", "length", "from", "to", "with_from", "with_to"),
        fresh_s=COMPARE_FRESH_S,
    ),
    Endpoint(
        "/api/events",
        "Releases, and what else the platform said in a window, newest first",
        openapi.stamped("Events"),
        lambda source, parameters, now_s: queries.events(
            source.store, parameters.app, parameters.span, now_s
        ),
        _stamped,
        ("app", "window", "from", "to"),
    ),
    Endpoint(
        "/api/addons",
        "The add-ons of an app in a window, by what they log of themselves",
        openapi.stamped("Addons"),
        lambda source, parameters, now_s: queries.addons(
            source.store, parameters.app, parameters.span, now_s
        ),
        _stamped,
        ("app", "window", "from", "to"),
    ),
    Endpoint(
        "/api/hosts",
        "The hosts of an app in a window, busiest first",
        openapi.stamped("NamesTable"),
        partial(_names, "hosts"),
        _stamped,
        ("app", "window", "from", "to"),
    ),
    Endpoint(
        "/api/overview",
        "All apps side by side in a window, busiest first",
        openapi.stamped("Overview"),
        lambda source, parameters, now_s: queries.overview(
            source.store, parameters.span, now_s, parameters.compare
        ),
        _stamped,
        ("window", "from", "to", "compare"),
    ),
    Endpoint(
        "/api/health",
        "Losses, workers, the log and dead letters, and the alerts that follow from them",
        openapi.health(),
        lambda source, parameters, now_s: _health(source, now_s),
        _stamped,
        fresh_s=HEALTH_FRESH_S,
    ),
    Endpoint(
        "/api/memory",
        "What uses Redis's memory, largest part first",
        openapi.stamped("Memory"),
        _memory,
        _stamped,
        fresh_s=MEMORY_FRESH_S,
    ),
    Endpoint(
        "/api/replay",
        "The replay runs that are kept, latest first",
        openapi.stamped("Runs"),
        lambda source, parameters, now_s: queries.replay_runs(source.store),
        _stamped,
        fresh_s=REPLAY_FRESH_S,
    ),
    Endpoint(
        "/api/replay/{run}",
        "One replay run: original and replayed side by side, route by route",
        openapi.stamped("ReplayRun"),
        _run,
        _stamped,
        ("run",),
        fresh_s=REPLAY_FRESH_S,
        can_be_missing=True,
    ),
    Endpoint(
        "/api/openapi.json",
        "This document",
        {"type": "object"},
        lambda source, parameters, now_s: openapi.document(ENDPOINTS),
        _plain,
        fresh_s=CONSTANT_FRESH_S,
    ),
)
"""Every path of the API. openapi.py makes the document from it."""
