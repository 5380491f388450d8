"""The HTTP side that all receivers share: authentication, limits, backpressure, refusals and answers.

What differs between protocols is in their `Receiver` (receiver.py). 2xx only for what is safe; 4xx only
for what no retry could save, because senders give up on those.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import redis
from flask import Blueprint, Request, Response, jsonify, request

from app.errors import MalformedFrame, NotDurable
from app.log import Writer
from app.settings import Settings
from drain.auth import CHALLENGE, BasicAuth, app_of
from drain.instruments import Instruments
from drain.receivers.body import (
    BodyCutShort,
    BodyMalformed,
    BodyNotGzip,
    BodyTooLarge,
    gunzip,
    read_request_body,
)
from drain.receivers.frame import Frame, frame_id_of
from drain.receivers.ingest import ingest
from drain.receivers.receiver import Envelope, Receiver
from drain.receivers.rejection_log import RejectionLog

BLUEPRINT = "receivers"
APPEND_TIMEOUT_S = 4.0
"""Logplex waits 5 s for its answer."""
RETRY_AFTER_S = "1"


@dataclass(slots=True)
class Refusal(Exception):
    """An answer other than 202: `status`, a JSON body with `error` and `details`."""

    status: int
    error: str
    details: dict[str, object]


def blueprint(
    receivers: Sequence[Receiver],
    settings: Settings,
    writer: Writer,
    store: redis.Redis,
    instruments: Instruments,
) -> Blueprint:
    """An endpoint for each receiver, with their own credentials: who may write is not who may read."""
    routes = Blueprint(BLUEPRINT, __name__)
    intake = Intake(settings, writer, store, instruments)

    def add(receiver: Receiver) -> None:
        def post() -> Response:
            return intake.answer(receiver, request)

        routes.add_url_rule(receiver.path, receiver.name, post, methods=["POST"])

    for receiver in receivers:
        add(receiver)
    return routes


class Intake:
    """What the receivers of one process share."""

    def __init__(
        self, settings: Settings, writer: Writer, store: redis.Redis, instruments: Instruments
    ) -> None:
        self._settings = settings
        self._writer = writer
        self._store = store
        self._instruments = instruments
        self._auth = BasicAuth(settings.drain_credential_pairs)
        # Each waiting request holds a thread and a body: past this many, refusing at once is better.
        self._slots = threading.BoundedSemaphore(settings.web_threads)
        self._rejections = RejectionLog()

    def answer(self, receiver: Receiver, request: Request) -> Response:
        """202 once the frame is safe; any other answer is counted, and logged with its reason."""
        try:
            envelope = receiver.envelope(request.headers)
            try:
                self._accept(receiver, envelope, request)
                response = Response(status=202)
            except Refusal as refusal:
                response = _refused(refusal)
                reason = str(refusal.details.get("reason", refusal.error))
                request_id = request.headers.get("X-Request-ID", "")
                self._rejections.record(refusal.status, reason, envelope.frame_id, request_id)
        except Exception:
            self._instruments.count_answer(500)  # create_app's error handler answers and logs it.
            raise
        self._instruments.count_answer(response.status_code)
        return response

    def _accept(self, receiver: Receiver, envelope: Envelope, request: Request) -> None:
        """Returns once the frame is safe. Raises Refusal."""
        if not self._slots.acquire(blocking=False):
            raise Refusal(503, "busy", {"retry_after_s": 1})
        try:
            with self._instruments.in_flight.track_inprogress():
                app = self._authenticated_app(envelope, request)
                if request.mimetype != receiver.content_type:
                    raise Refusal(415, f"Content-Type must be {receiver.content_type}", {})
                body = _unpacked_body(request, self._settings.drain_body_max_bytes)
                frame_id = frame_id_of(envelope.frame_id, envelope.token, body)
                frame = receiver.parse(body, frame_id, app, envelope.declared_count)
                self._ingest(frame, receiver)
        finally:
            self._slots.release()

    def _authenticated_app(self, envelope: Envelope, request: Request) -> str:
        """Authenticates the sender; returns its app's name. Raises Refusal."""
        if not self._auth.authenticates(request):
            raise Refusal(401, "user or password is wrong or missing", {})
        app = app_of(self._settings.drain_tokens, envelope.token)
        if app is None:
            raise Refusal(401, "the drain token is not one of DRAIN_TOKENS", {})
        return app

    def _ingest(self, frame: Frame, receiver: Receiver) -> None:
        try:
            ingest(frame, self._writer, self._store, self._instruments, APPEND_TIMEOUT_S)
        except MalformedFrame as fault:
            details: dict[str, object] = {"at_byte": fault.offset, "reason": fault.reason}
            raise Refusal(400, f"not {receiver.body_format}", details) from None
        except NotDurable as fault:
            raise Refusal(503, "not durable in time; send it again", {"reason": str(fault)}) from None


def _unpacked_body(request: Request, limit_bytes: int) -> bytes:
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", ""):
        raise Refusal(415, "Content-Encoding must be gzip or none", {})
    try:
        # The server's own stream: Werkzeug's turns a body that is cut short into a 400.
        body = read_request_body(request.environ["wsgi.input"], request.content_length, limit_bytes)
        return gunzip(body, limit_bytes) if encoding == "gzip" else body
    except BodyTooLarge:
        details: dict[str, object] = {"limit_bytes": limit_bytes, "setting": "DRAIN_BODY_MAX_BYTES"}
        raise Refusal(413, "the body is too large", details) from None
    except BodyCutShort:
        # A retry may bring the rest, so this is not a 4xx.
        raise Refusal(503, "the body ended early or arrived too slowly", {}) from None
    except BodyMalformed as fault:
        raise Refusal(400, "the chunked body is malformed", {"reason": str(fault)}) from None
    except BodyNotGzip:
        raise Refusal(400, "the body is not gzip", {"at_byte": 0}) from None


def _refused(refusal: Refusal) -> Response:
    response = jsonify({"error": refusal.error, **refusal.details})
    response.status_code = refusal.status
    if refusal.status == 503:
        response.headers["Retry-After"] = RETRY_AFTER_S
    if refusal.status == 401:
        response.headers.update(CHALLENGE)
    return response
