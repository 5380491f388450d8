"""The page and the API as one Flask blueprint, with its errors."""

from __future__ import annotations

import logging
from pathlib import Path

import redis
from flask import Blueprint, Response

from app.errors import LogUnavailable
from app.log import MessageLog
from app.settings import Settings
from drain.dashboard.action import Refused
from drain.dashboard.api import add_api
from drain.dashboard.endpoint import NotFound, ScanBusy
from drain.dashboard.json_answers import json_response
from drain.dashboard.parameters import BadParameter

log = logging.getLogger(__name__)


def blueprint(settings: Settings, message_log: MessageLog, store: redis.Redis) -> Blueprint:
    """`GET /`, `/static/...` and `/api/...`. The application decides who may read them."""
    dashboard = Blueprint(
        "dashboard", __name__, static_folder=str(Path(__file__).parent / "static"), static_url_path="/static"
    )

    @dashboard.get("/")
    def page() -> Response:
        return dashboard.send_static_file("index.html")

    add_api(dashboard, settings, message_log, store)
    _add_errors(dashboard)
    return dashboard


def _add_errors(dashboard: Blueprint) -> None:
    @dashboard.errorhandler(BadParameter)
    def bad_parameter(fault: BadParameter) -> Response:
        wrong = f"invalid value for `{fault.parameter}`: {fault.value[:80]!r}"
        content = {
            "error": wrong if fault.is_known else f"unknown parameter `{fault.parameter}`",
            "parameter": fault.parameter,
            "allowed": fault.allowed,
        }
        return json_response(content, 400)

    @dashboard.errorhandler(NotFound)
    def not_found(fault: NotFound) -> Response:
        return json_response({"error": f"no such {fault.what}", fault.what: fault.name}, 404)

    @dashboard.errorhandler(Refused)
    def refused(fault: Refused) -> Response:
        return json_response({"error": fault.error, **fault.more}, fault.status)

    @dashboard.errorhandler(redis.RedisError)
    def redis_failed(fault: redis.RedisError) -> Response:
        is_unreachable = isinstance(fault, redis.ConnectionError | redis.TimeoutError)
        # Only the kind of the fault: its text may name the server and more.
        content = {
            "error": "Redis is unreachable" if is_unreachable else "Redis returned an error",
            "reason": type(fault).__name__,
        }
        if not is_unreachable:
            log.error("Redis returned an error to the dashboard: %s", fault)
        return _try_again(content)

    @dashboard.errorhandler(LogUnavailable)
    def log_failed(fault: LogUnavailable) -> Response:
        # The text may name the server.
        return _try_again({"error": "the log is unreachable", "reason": type(fault).__name__})

    @dashboard.errorhandler(ScanBusy)
    def scan_is_busy(fault: ScanBusy) -> Response:
        return _try_again({"error": "the log is being read for another request", "reason": "busy"})


def _try_again(content: object) -> Response:
    response = json_response(content, 503)
    response.headers["Retry-After"] = "2"
    return response
