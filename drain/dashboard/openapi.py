"""The API's OpenAPI 3.1 document. Schemas are made from the dataclasses that are sent, so they fit."""

from __future__ import annotations

from collections.abc import Sequence

from app.alerts.redis.view import AlertsView
from app.comparison.result import Comparison
from app.search.groups import Breakdown
from app.store import queries
from app.store.queries.changes import OFFSETS_S
from drain.dashboard.action import BODY_MAX_BYTES, HEADER, HEADER_VALUE, Action
from drain.dashboard.endpoint import Endpoint, Schema
from drain.dashboard.parameters import (
    APP_PATTERN,
    DEFAULT_WINDOW,
    DIGEST_PATTERN,
    RELEASE_PATTERN,
    RUN_PATTERN,
    SPANS_S,
    WINDOWS,
)
from drain.dashboard.schemas import ref, schemas_of

STAMP: Schema = {
    "at_ms": {"type": "integer", "description": "Unix time in ms at which the figures were read"},
    "refresh_s": {"type": "number", "description": "seconds after which it is worth asking again"},
}

ROOTS = (
    AlertsView,
    Breakdown,
    Comparison,
    queries.Addons,
    queries.Alert,
    queries.Apps,
    queries.DynosTable,
    queries.Events,
    queries.Health,
    queries.Memory,
    queries.NamesTable,
    queries.Overview,
    queries.ReplayRun,
    queries.RouteDetail,
    queries.RoutesTable,
    queries.Runs,
    queries.Samples,
    queries.Series,
)


def stamped(name: str) -> Schema:
    """An answer that is one of ROOTS, and STAMP."""
    return {"allOf": [ref(name), {"type": "object", "required": list(STAMP), "properties": STAMP}]}


def health() -> Schema:
    """The answer of /api/health."""
    return {
        "type": "object",
        "required": ["alerts", "health", *STAMP],
        "properties": {
            "alerts": {"type": "array", "items": ref("Alert")},
            "health": ref("Health"),
            **STAMP,
        },
    }


def document(endpoints: Sequence[Endpoint], actions: Sequence[Action]) -> Schema:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tailrace",
            "version": "1",
            "description": "Figures of the requests that Heroku's router logged. Times are in ms, "
            "moments in Unix seconds, rates in requests a second, shares from 0 to 1. Percentiles are "
            "within 1 %. HTTP Basic authentication applies if DASHBOARD_USER or DRAIN_USER is set.",
        },
        "security": [{}, {"basic": []}],
        "paths": {
            **{endpoint.path: _operation(endpoint) for endpoint in endpoints},
            **{action.path: _action(action) for action in actions},
        },
        "components": {
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}},
            "parameters": _parameters(),
            "responses": _error_responses(),
            "schemas": schemas_of(ROOTS),
        },
    }


def _operation(endpoint: Endpoint) -> Schema:
    responses: Schema = {
        "200": {"description": endpoint.summary, "content": {endpoint.mimetype: {"schema": endpoint.schema}}},
        "304": {"description": "Unchanged since the answer that If-None-Match names"},
        "400": {"$ref": "#/components/responses/BadParameter"},
        "401": {"$ref": "#/components/responses/Unauthorized"},
        "503": {"$ref": "#/components/responses/RedisUnavailable"},
    }
    if endpoint.can_be_missing:
        responses["404"] = {"$ref": "#/components/responses/NotFound"}
    operation: Schema = {"summary": endpoint.summary, "responses": dict(sorted(responses.items()))}
    if endpoint.parameters:
        operation["parameters"] = [_parameter(name) for name in endpoint.parameters]
    return {"get": operation}


def _action(action: Action) -> Schema:
    body = {"type": "object", "required": list(action.fields), "properties": dict(action.fields)}
    answer = {"description": action.summary, "content": {"application/json": {"schema": action.schema}}}
    return {
        "post": {
            "summary": action.summary,
            "parameters": [_parameter("page")],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {**body, "additionalProperties": False}}},
            },
            "responses": {
                "200": answer,
                "400": {"$ref": "#/components/responses/BadParameter"},
                "401": {"$ref": "#/components/responses/Unauthorized"},
                "403": _error(f"The header {HEADER} is missing"),
                "404": _error("There is no such rule in force, or no such silence"),
                "409": _error("There are too many of them"),
                "413": _error(f"The body has more than {BODY_MAX_BYTES:,} bytes"),
                "415": _error("The body is not JSON, by its Content-Type"),
                "503": {"$ref": "#/components/responses/RedisUnavailable"},
            },
        }
    }


def _parameters() -> Schema:
    return {
        "app": {
            "name": "app",
            "in": "query",
            "description": "an app's name; empty: all apps together",
            "schema": {"type": "string", "pattern": f"^(?:{APP_PATTERN})$", "default": ""},
        },
        "window": _window(list(WINDOWS)),
        "series_window": _window([name for name, span_s in SPANS_S.items() if span_s]),
        "from": _time(
            "from",
            "where the span begins, in place of `window`, at most 31 days ago. It is widened to whole "
            "windows: of 10 s for an hour, of a minute for a day, then of an hour. The answer says to which",
        ),
        "to": _time("to", "where the span ends (default: now)"),
        "step": {
            "name": "step",
            "in": "query",
            "description": "the length of a step, such as 10s or 1m; longer where such short windows are not "
            "kept, and where there would be more than 2,000",
            "schema": {"type": "string", "pattern": "^[0-9]{1,7}[smhdw]$"},
        },
        "route": {
            "name": "route",
            "in": "query",
            "description": "the digest of a route; `all`: all routes together",
            "schema": {"type": "string", "pattern": f"^(?:{DIGEST_PATTERN})$", "default": "all"},
        },
        "compare": {
            "name": "compare",
            "in": "query",
            "description": "adds changes against the hour before, or the same time a day or a week ago. A "
            "longer span is compared with one so many hours, days or weeks before that they hardly "
            "overlap; where less than half of that is kept, "
            "`before` is null",
            "schema": {"type": "string", "enum": list(OFFSETS_S)},
        },
        "by": {
            "name": "by",
            "in": "query",
            "description": "`app`: where several apps are asked for, a row for each app and route",
            "schema": {"type": "string", "enum": ["app"]},
        },
        "release": {
            "name": "release",
            "in": "query",
            "description": "a version such as v42; `latest`: the latest release that is known",
            "schema": {"type": "string", "pattern": f"^(?:{RELEASE_PATTERN}|latest)$", "default": "latest"},
        },
        "length": {
            "name": "window",
            "in": "query",
            "description": "how much before and after a release is compared, from 10s to 31d",
            "schema": {"type": "string", "pattern": "^[0-9]{1,7}[smhdw]$", "default": "15m"},
        },
        "with_from": _time(
            "with_from",
            "two spans are compared in place of those around a release: the one from `from` to `to` with "
            "that from `with_from` to `with_to`. All four are needed. Where the second one begins",
        ),
        "with_to": _time("with_to", "where the second one ends"),
        "run": {
            "name": "run",
            "in": "path",
            "required": True,
            "description": "the id of a run, as in /api/replay; `live`: the live worker",
            "schema": {"type": "string", "pattern": f"^{RUN_PATTERN}$"},
        },
        "page": {
            "name": HEADER,
            "in": "header",
            "required": True,
            "description": "browsers let no other site send it, so none can act in a reader's name",
            "schema": {"type": "string", "enum": [HEADER_VALUE]},
        },
        "digest": {
            "name": "digest",
            "in": "path",
            "required": True,
            "description": "the hex SHA-256 of a route, as in /api/routes; `all`: all routes together",
            "schema": {"type": "string", "pattern": f"^(?:{DIGEST_PATTERN})$"},
        },
    }


def _window(names: list[str]) -> Schema:
    return {
        "name": "window",
        "in": "query",
        "description": "the time span that ends now; `all`: all time (`ever` is its old name)",
        "schema": {"type": "string", "enum": names, "default": DEFAULT_WINDOW},
    }


def _time(name: str, description: str) -> Schema:
    return {
        "name": name,
        "in": "query",
        "description": f"{description}; 2026-11-23T10:00Z, 10:00Z (today), 1h (ago), now, or Unix seconds",
        "schema": {"type": "string"},
    }


def _error_responses() -> Schema:
    return {
        "BadParameter": _error(
            "A parameter has an invalid value or an unknown name",
            parameter={"type": "string"},
            allowed={
                "description": "what is allowed",
                "type": ["array", "string"],
                "items": {"type": "string"},
            },
        ),
        "Unauthorized": _error("User or password is wrong or missing"),
        "NotFound": _error("There is no such route or run"),
        "RedisUnavailable": _error(
            "Redis or the log is unreachable or returns an error, or the log is being read for another "
            "request; retry after Retry-After seconds",
            reason={"type": "string"},
        ),
    }


def _error(description: str, **further: Schema) -> Schema:
    properties = {"error": {"type": "string"}, **further}
    schema = {"type": "object", "required": list(properties), "properties": properties}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _parameter(name: str) -> Schema:
    return {"$ref": f"#/components/parameters/{name}"}
