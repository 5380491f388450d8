"""`POST /logs`: where Logplex delivers. 2xx only for what is safe; 4xx only for what no retry saves.

How Logplex takes an answer (heroku/logplex, `logplex_http_drain.erl`): 2xx is done; 429, 5xx and
timeouts are tried again, twice; any other 4xx drops the frame for good. It waits 5 s.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import redis
from flask import Blueprint, Request, Response, jsonify, request

from app.errors import MalformedFrame, NotDurable
from app.log import Writer
from app.settings import Settings
from drain.auth import CHALLENGE, BasicAuth, app_of
from drain.instruments import Instruments
from drain.receivers.body import BodyCutShort, BodyMalformed, BodyNotGzip, BodyTooLarge, gunzip, read
from drain.receivers.ingest import Delivery, frame_id_of, ingest
from drain.receivers.rejection_log import RejectionLog

CONTENT_TYPE = "application/logplex-1"
APPEND_TIMEOUT_S = 4.0
RETRY_AFTER_S = "1"


@dataclass(slots=True)
class Refusal(Exception):
    """An answer other than 202: `status`, a JSON body with `error` and `details`."""

    status: int
    error: str
    details: dict[str, object]


def blueprint(settings: Settings, writer: Writer, store: redis.Redis, instruments: Instruments) -> Blueprint:
    """The endpoint, with its own login: sending logs and reading the dashboard are separate rights."""
    logs = Blueprint("logs", __name__)
    door = BasicAuth(settings.drain_pairs)
    # Requests that wait hold a thread and a body each: past this many, no is the faster answer.
    places = threading.BoundedSemaphore(settings.web_threads)
    rejections = RejectionLog()

    @logs.post("/logs")
    def post_logs() -> Response:
        try:
            if not places.acquire(blocking=False):
                raise Refusal(503, "busy", {"retry_after_s": 1})
            try:
                with instruments.in_flight.track_inprogress():
                    _take(request, settings, door, writer, store, instruments)
                response = Response(status=202)
            finally:
                places.release()
        except Refusal as refusal:
            response = _refused(refusal)
            reason = str(refusal.details.get("reason", refusal.error))
            headers = request.headers
            rejections.record(
                refusal.status, reason, headers.get("Logplex-Frame-Id", ""), headers.get("X-Request-Id", "")
            )
        except Exception:
            instruments.count_answer(500)  # create_app's error page says it, and logs why.
            raise
        instruments.count_answer(response.status_code)
        return response

    return logs


def _take(
    request: Request,
    settings: Settings,
    door: BasicAuth,
    writer: Writer,
    store: redis.Redis,
    instruments: Instruments,
) -> None:
    """Returns once the frame is safe. Raises Refusal."""
    app = _admitted(request, settings, door)
    body = _body(request, settings.drain_body_max_bytes)
    try:
        ingest(body, _delivery(request, app), writer, store, instruments, APPEND_TIMEOUT_S)
    except MalformedFrame as fault:
        details: dict[str, object] = {"at_byte": fault.offset, "reason": fault.reason}
        raise Refusal(400, "not octet-counted syslog", details) from None
    except NotDurable as fault:
        raise Refusal(503, "not durable in time; send it again", {"reason": str(fault)}) from None


def _admitted(request: Request, settings: Settings, door: BasicAuth) -> str:
    """The app's name, once the sender may write."""
    if not door.authenticates(request):
        raise Refusal(401, "user or password is wrong or missing", {})
    app = app_of(settings.drain_tokens, request.headers.get("Logplex-Drain-Token", ""))
    if app is None:
        raise Refusal(401, "the drain token is not one of DRAIN_TOKENS", {})
    if request.mimetype != CONTENT_TYPE:
        raise Refusal(415, f"Content-Type must be {CONTENT_TYPE}", {})
    return app


def _body(request: Request, limit: int) -> bytes:
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", ""):
        raise Refusal(415, "Content-Encoding must be gzip or none", {})
    try:
        body = _read_stream(request, limit)
        return gunzip(body, limit) if encoding == "gzip" else body
    except BodyTooLarge:
        details: dict[str, object] = {"limit_bytes": limit, "setting": "DRAIN_BODY_MAX_BYTES"}
        raise Refusal(413, "the body is too large", details) from None
    except BodyCutShort:
        # The rest may come with a retry, so this is no 4xx.
        raise Refusal(503, "the body ended early or arrived too slowly", {}) from None
    except BodyMalformed as fault:
        raise Refusal(400, "the chunked body is malformed", {"reason": str(fault)}) from None
    except BodyNotGzip:
        raise Refusal(400, "the body is not gzip", {"at_byte": 0}) from None


def _read_stream(request: Request, limit: int) -> bytes:
    # The server's own stream: Werkzeug's turns a body that is cut short into a 400.
    return read(request.environ["wsgi.input"], request.content_length, limit)


def _delivery(request: Request, app: str) -> Delivery:
    count = request.headers.get("Logplex-Msg-Count", "")
    return Delivery(
        frame_id=frame_id_of(request.headers.get("Logplex-Frame-Id", "")),
        app=app,
        declared_count=int(count) if count.isdecimal() and len(count) < 10 else None,
    )


def _refused(refusal: Refusal) -> Response:
    response = jsonify({"error": refusal.error, **refusal.details})
    response.status_code = refusal.status
    if refusal.status == 503:
        response.headers["Retry-After"] = RETRY_AFTER_S
    if refusal.status == 401:
        response.headers.update(CHALLENGE)
    return response
