"""The JSON API: figures as they are, each response kept for a moment. endpoints.py lists every path, and
silences.py those that change something."""

from __future__ import annotations

import time

import redis
from flask import Blueprint, Response, request

from app.log import MessageLog
from app.settings import Settings
from app.store.queries.spans import SPAN_MAX_S
from drain.dashboard.action import Action, read_body
from drain.dashboard.endpoint import Endpoint, Loaded, Source
from drain.dashboard.endpoints import ENDPOINTS
from drain.dashboard.json_answers import json_response
from drain.dashboard.parameters import Parameters, read_parameters
from drain.dashboard.response_cache import CachedResponse, ResponseCache
from drain.dashboard.silences import ACTIONS

FRESH_S = ((300, 2.0), (3_600, 5.0), (86_400, 15.0), (SPAN_MAX_S, 60.0))
"""(Length of a span at most, how long a response for it is kept at least), in seconds."""

ALL_TIME_FRESH_S = 15.0

PAST_S, PAST_FRESH_S = 600, 60.0
"""A span that ended so long ago changes only by lines that come late, so its response is kept longer."""


def add_api(dashboard: Blueprint, settings: Settings, log: MessageLog, store: redis.Redis) -> None:
    """Adds every route below /api. They raise BadParameter, NotFound, Refused and redis.RedisError."""
    cache, source = ResponseCache(), Source(store, settings, log)

    def add(endpoint: Endpoint) -> None:
        def view(**in_path: str) -> Response:
            parameters = read_parameters(endpoint.parameters, request.args, in_path, time.time())
            return _respond(endpoint, parameters, source, cache).response(request)

        rule = endpoint.path.replace("{", "<").replace("}", ">")
        dashboard.add_url_rule(rule, rule.replace(".", "_"), view)

    for endpoint in ENDPOINTS:
        add(endpoint)
    for action in ACTIONS:
        _add_action(dashboard, action, source)


def _add_action(dashboard: Blueprint, action: Action, source: Source) -> None:
    def view() -> Response:
        now_s = time.time()
        read_parameters((), request.args, now_s=now_s)
        return json_response(action.perform(source, read_body(request, action.fields), now_s))

    dashboard.add_url_rule(action.path, action.path, view, methods=["POST"])


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
