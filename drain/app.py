"""create_app(): puts together the WSGI application that `web` serves."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import redis
from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from app.errors import NotDurable
from app.log import Writer, open_log
from app.redis_client import connect
from app.settings import Settings
from drain import dashboard
from drain.auth import CHALLENGE, BasicAuth
from drain.instruments import Instruments
from drain.receivers import endpoint, registry
from drain.receivers.fault_counter import FaultCounter

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)

READY_TIMEOUT_S = 2.0
STORE_CONNECTIONS = 3
STORE_TIMEOUT_S = 2.0
"""Limit for a free connection, and again for its answer: together less than Logplex waits."""
ROUTES_IN_METRICS = 50
"""Routes per app in /metrics; the page has all of them."""


def create_app(
    settings: Settings,
    writer: Writer | None = None,
    store: redis.Redis | None = None,
    counts: Path | None = None,
) -> Flask:
    """The application. `counts`: the folder for the counts of all processes (instruments.py).

    It connects to nothing before the first request.
    """
    message_log = open_log(settings)
    writer = writer or message_log.writer()
    store = store or connect(settings, connections=STORE_CONNECTIONS, timeout_s=STORE_TIMEOUT_S)
    instruments = Instruments(counts)
    faults = FaultCounter(store)
    app = Flask("drain", static_folder=None)
    app.register_blueprint(
        endpoint.blueprint(registry.RECEIVERS, settings, writer, store, instruments, faults)
    )
    app.register_blueprint(dashboard.blueprint(settings, message_log, store))
    _require_login(app, BasicAuth(settings.dashboard_credential_pairs), faults)
    _add_health(app, writer)
    routes = dashboard.RouteCollector(store, ROUTES_IN_METRICS, message_log)
    _add_metrics(app, instruments, routes)
    _add_error_pages(app, faults)
    _add_headers(app)
    # No rule ends in a slash. What Werkzeug makes of `//` is a redirect to whatever `Host` says.
    app.url_map.merge_slashes = False
    return app


def _require_login(app: Flask, auth: BasicAuth, faults: FaultCounter) -> None:
    """For everything but receivers, which have their own credentials, and /health, which needs none."""

    @app.before_request
    def check_login() -> Response | None:
        is_open = request.blueprint == endpoint.BLUEPRINT or request.endpoint == "health"
        if is_open or auth.authenticates(request):
            return None
        endpoint.count_misdirected(registry.RECEIVERS, request, faults)
        response = jsonify({"error": "user or password is wrong or missing"})
        response.status_code = 401
        response.headers.update(CHALLENGE)
        return response


def _add_health(app: Flask, writer: Writer) -> None:
    @app.get("/health")
    def health() -> Response:
        return jsonify({"status": "ok"})

    @app.get("/ready")
    def ready() -> Response:
        try:
            writer.check(READY_TIMEOUT_S)
        except NotDurable as fault:
            response = jsonify({"status": "not ready", "reason": str(fault)})
            response.status_code = 503
            return response
        return jsonify({"status": "ready"})


def _add_metrics(app: Flask, instruments: Instruments, routes: dashboard.RouteCollector) -> None:
    @app.get("/metrics")
    def metrics() -> Response:
        return Response(instruments.text([routes]), content_type="text/plain; version=0.0.4; charset=utf-8")


def _add_error_pages(app: Flask, faults: FaultCounter) -> None:
    @app.errorhandler(Exception)
    def error_as_json(fault: Exception) -> Response:
        """A sentence in JSON; the stack trace goes to the log, never to a client."""
        if isinstance(fault, HTTPException):
            endpoint.count_misdirected(registry.RECEIVERS, request, faults)
            response = jsonify({"error": fault.name})
            response.status_code = fault.code or 500
            if isinstance(fault, MethodNotAllowed) and fault.valid_methods:
                response.headers["Allow"] = ", ".join(sorted(fault.valid_methods))
            return response
        log.error("a request failed: path=%s", request.path, exc_info=fault)
        response = jsonify({"error": "internal error, see the log"})
        response.status_code = 500
        return response


SECURITY_HEADERS = (
    # Everything on the page is its own: no script, style, font or picture from elsewhere, and
    # none within the markup.
    (
        "Content-Security-Policy",
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)


def _add_headers(app: Flask) -> None:
    """Adds headers to every answer, except those that gunicorn gives to invalid HTTP.

    This bypasses Flask, which copies and checks each header twice: 5 % of the drain's time.
    """
    answer = app.wsgi_app

    def secured(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], fault: Any = None) -> Any:
            if not any(name == "Cache-Control" for name, _ in headers):
                headers.append(("Cache-Control", "no-store"))
            headers.extend(SECURITY_HEADERS)
            return start_response(status, headers, fault)

        return answer(environ, start)

    app.wsgi_app = secured  # type: ignore[method-assign]
