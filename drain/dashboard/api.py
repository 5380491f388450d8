"""The JSON API: figures as they are, each answer kept for a moment. Described by openapi.py."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import orjson
import redis
from flask import Blueprint, Response, request

from app.log import MessageLog
from app.router_line import H_CODES
from app.settings import Settings
from app.store import queries
from app.store.keys import ALL_ROUTES
from drain.dashboard.answers import Answer, Answers, answer
from drain.dashboard.openapi import document
from drain.dashboard.parameters import ALL_TIME, Parameters, check_names, read, read_digest, read_run
from drain.dashboard.table_csv import file_name, table_csv

FRESH_S = {"5m": 2.0, "1h": 5.0, "24h": 15.0, "7d": 60.0, "30d": 60.0, ALL_TIME: 15.0}
"""An answer over this window stays at least so long."""

HEALTH_FRESH_S = 2.0
REPLAY_FRESH_S = 2.0
MEMORY_FRESH_S = 60.0
"""Sizes change slowly, and asking for them costs Redis more than figures do."""


@dataclass(slots=True)
class NotThere(Exception):
    """What is asked for by its name is not kept: `what` is `route` or `run`."""

    what: str
    name: str


def json_response(content: object, status: int = 200) -> Response:
    """Content as JSON, not to be kept by anyone."""
    return Response(
        orjson.dumps(content), status, mimetype="application/json", headers={"Cache-Control": "no-store"}
    )


def add_api(dashboard: Blueprint, settings: Settings, log: MessageLog, store: redis.Redis) -> None:
    """Adds every route below /api. They raise BadParameter, NotThere and redis.RedisError."""
    answers = Answers()

    def figures(asked: Hashable, fresh_s: float, find: Callable[[float], object]) -> Response:
        """What `find` finds now, as JSON, stamped."""

        def make() -> Callable[[float], Answer]:
            now_s = time.time()
            found = find(now_s)
            return lambda stays_s: answer(_stamped(found, now_s, stays_s))

        return answers.get(asked, fresh_s, make).response(request)

    @dashboard.get("/api/apps")
    def apps() -> Response:
        check_names(request.args)
        return figures("apps", HEALTH_FRESH_S, lambda now_s: queries.apps(store))

    @dashboard.get("/api/routes")
    def routes() -> Response:
        asked = read(request.args)
        return figures(
            ("routes", asked),
            FRESH_S[asked.window],
            lambda now_s: queries.routes_table(store, asked.app, asked.span_s, now_s),
        )

    @dashboard.get("/api/routes.csv")
    def routes_csv() -> Response:
        asked = read(request.args)

        def make() -> Callable[[float], Answer]:
            table = queries.routes_table(store, asked.app, asked.span_s, time.time())
            name = file_name(asked.app, asked.window)
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            return lambda stays_s: answer(table_csv(table), "text/csv", headers)

        return answers.get(("csv", asked), FRESH_S[asked.window], make).response(request)

    @dashboard.get("/api/routes/<digest>")
    def route(digest: str) -> Response:
        asked = read(request.args)
        read_digest(digest, "digest")
        return figures(
            ("route", digest, asked), FRESH_S[asked.window], lambda now_s: _route(store, digest, asked, now_s)
        )

    @dashboard.get("/api/series")
    def series() -> Response:
        asked = read(request.args, without=ALL_TIME, further=("route",))
        digest = read_digest(request.args.get("route", ALL_ROUTES), "route")
        span_s = asked.span_s or 0
        return figures(
            ("series", digest, asked),
            FRESH_S[asked.window],
            lambda now_s: queries.series(store, asked.app, digest, span_s, now_s),
        )

    @dashboard.get("/api/health")
    def health() -> Response:
        check_names(request.args)
        return figures("health", HEALTH_FRESH_S, lambda now_s: _health(store, settings, log, now_s))

    @dashboard.get("/api/memory")
    def memory() -> Response:
        check_names(request.args)
        return figures("memory", MEMORY_FRESH_S, lambda _: queries.memory(store, log))

    @dashboard.get("/api/replay")
    def replay_runs() -> Response:
        check_names(request.args)
        return figures("replay", REPLAY_FRESH_S, lambda now_s: queries.replay_runs(store))

    @dashboard.get("/api/replay/<run>")
    def replay_run(run: str) -> Response:
        check_names(request.args)
        run_id = read_run(run)
        return figures(("replay", run_id), REPLAY_FRESH_S, lambda now_s: _run(store, run_id))

    @dashboard.get("/api/codes")
    def codes() -> Response:
        return answer(orjson.dumps(H_CODES)).response(request)

    @dashboard.get("/api/openapi.json")
    def openapi() -> Response:
        return answer(orjson.dumps(document())).response(request)


def _stamped(found: object, now_s: float, stays_s: float) -> bytes:
    """The JSON of a dataclass, with `at_ms` added, when it was read, and `refresh_s`, after how
    many seconds it is worth asking again."""
    stamp = orjson.dumps({"at_ms": int(now_s * 1000), "refresh_s": round(stays_s, 1)})
    return orjson.dumps(found)[:-1] + b"," + stamp[1:]


def _route(store: redis.Redis, digest: str, asked: Parameters, now_s: float) -> queries.RouteDetail:
    found = queries.route_detail(store, asked.app, digest, asked.span_s, now_s)
    if found is None:
        raise NotThere("route", digest)
    return found


def _run(store: redis.Redis, run_id: str) -> queries.ReplayRun:
    found = queries.replay_run(store, run_id)
    if found is None:
        raise NotThere("run", run_id)
    return found


def _health(store: redis.Redis, settings: Settings, log: MessageLog, now_s: float) -> dict[str, object]:
    found = queries.health(store, now_s, log, routes_max=settings.routes_max)
    return {"alerts": queries.alerts(found, log.advice), "health": found}
