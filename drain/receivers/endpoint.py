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
from app.store.sender_faults import Kind, SenderKind
from drain.auth import CHALLENGE, BasicAuth, app_in_url, app_of
from drain.instruments import Instruments
from drain.receivers.body import (
    BodyCutShort,
    BodyMalformed,
    BodyNotGzip,
    BodyTooLarge,
    gunzip,
    read_request_body,
)
from drain.receivers.fault_counter import FaultCounter
from drain.receivers.frame import Frame, frame_id_of
from drain.receivers.ingest import ingest
from drain.receivers.receiver import Envelope, Receiver
from drain.receivers.rejection_log import RejectionLog

BLUEPRINT = "receivers"
APPEND_TIMEOUT_S = 4.0
"""Logplex waits 5 s for its answer."""
RETRY_AFTER_S = "1"
NO_TOKEN: dict[str, object] = {
    "reason": "a drain without a token needs ?app=NAME in its URL, and DRAIN_TOKENS the entry app=NAME"
}


@dataclass(slots=True)
class Refusal(Exception):
    """An answer other than 202: `status`, a JSON body with `error` and `details`."""

    status: int
    error: str
    details: dict[str, object]
    fault: Kind | None = None
    """Why the frame is lost for good; None if its sender may send it again."""


def blueprint(
    receivers: Sequence[Receiver],
    settings: Settings,
    writer: Writer,
    store: redis.Redis,
    instruments: Instruments,
    faults: FaultCounter,
) -> Blueprint:
    """An endpoint for each receiver, with their own credentials: who may write is not who may read."""
    routes = Blueprint(BLUEPRINT, __name__)
    intake = Intake(settings, writer, store, instruments, faults)

    def add(receiver: Receiver) -> None:
        def post() -> Response:
            return intake.answer(receiver, request)

        routes.add_url_rule(receiver.path, receiver.name, post, methods=["POST"])

    for receiver in receivers:
        add(receiver)

    return routes


def count_misdirected(receivers: Sequence[Receiver], request: Request, faults: FaultCounter) -> None:
    """For a request that no receiver got and that gets a 4xx: counts it if it looks like a frame."""
    if request.method != "POST":
        return
    for receiver in receivers:
        envelope = receiver.envelope(request.headers)
        if envelope.is_marked:
            faults.record("path", "logplex", envelope.token)
            return


class Intake:
    """What the receivers of one process share."""

    def __init__(
        self,
        settings: Settings,
        writer: Writer,
        store: redis.Redis,
        instruments: Instruments,
        faults: FaultCounter,
    ) -> None:
        self._settings = settings
        self._writer = writer
        self._store = store
        self._instruments = instruments
        self._auth = BasicAuth(settings.drain_credential_pairs)
        # Each waiting request holds a thread and a body: past this many, refusing at once is better.
        self._slots = threading.BoundedSemaphore(settings.web_threads)
        self._rejections = RejectionLog()
        self._faults = faults

    def answer(self, receiver: Receiver, request: Request) -> Response:
        """202 once the frame is safe; any other answer is counted, and logged with its reason."""
        try:
            envelope = receiver.envelope(request.headers)
            try:
                self._accept(receiver, envelope, request)
                response = Response(status=202)
            except Refusal as refusal:
                response = _refused(refusal)
                if refusal.fault:
                    self._faults.record(
                        refusal.fault, _sender_kind(receiver, envelope, request), envelope.token
                    )
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
                app, name_in_url = self._authenticated_app(envelope, request)
                if request.mimetype != receiver.content_type:
                    raise Refusal(415, f"Content-Type must be {receiver.content_type}", {}, "content_type")
                body = _unpacked_body(request, self._settings.drain_body_max_bytes)
                frame_id = frame_id_of(envelope.frame_id, envelope.token, body, name_in_url or "")
                frame = receiver.parse(body, frame_id, app, envelope.declared_count)
                frame.token = envelope.token
                left_out = self._ingest(frame, receiver)
                if name_in_url is None:
                    self._faults.record("app_name", "logplex", envelope.token)
                if left_out:
                    self._faults.record("platform_topic", "logplex", envelope.token, left_out)
                if frame.uncounted_newlines:
                    self._faults.record("newline", "logplex", envelope.token, frame.uncounted_newlines)
        finally:
            self._slots.release()

    def _authenticated_app(self, envelope: Envelope, request: Request) -> tuple[str, str | None]:
        """Authenticates the sender. Returns its app's name, and the name in its URL if that one counts: empty
        where it does not, None where it is no name. Such a frame is accepted, because a 4xx would lose it.

        Raises Refusal.
        """
        if not self._auth.authenticates(request):
            raise Refusal(401, "user or password is wrong or missing", {}, "password")
        tokens, token = self._settings.drain_tokens, envelope.token
        named = app_in_url(request.args.getlist("app")) if request.query_string else ""
        app = app_of(tokens, token, named or "")
        if app is None and token:
            raise Refusal(401, "the drain token is not one of DRAIN_TOKENS", {}, "token")
        if app is None:
            raise Refusal(401, "DRAIN_TOKENS is set, but the drain sends no token", NO_TOKEN, "no_token")
        return app, "" if tokens and token else named

    def _ingest(self, frame: Frame, receiver: Receiver) -> int:
        try:
            return ingest(
                frame,
                self._writer,
                self._store,
                self._instruments,
                APPEND_TIMEOUT_S,
                self._settings.drain_tokens,
                keep_users=self._settings.keep_users,
            )
        except MalformedFrame as fault:
            details: dict[str, object] = {"at_byte": fault.offset, "reason": fault.reason}
            raise Refusal(400, f"not {receiver.body_format}", details, "malformed") from None
        except NotDurable as fault:
            raise Refusal(503, "not durable in time; send it again", {"reason": str(fault)}) from None


def _unpacked_body(request: Request, limit_bytes: int) -> bytes:
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", ""):
        raise Refusal(415, "Content-Encoding must be gzip or none", {}, "encoding")
    try:
        # The server's own stream: Werkzeug's turns a body that is cut short into a 400.
        body = read_request_body(request.environ["wsgi.input"], request.content_length, limit_bytes)
        return gunzip(body, limit_bytes) if encoding == "gzip" else body
    except BodyTooLarge:
        details: dict[str, object] = {"limit_bytes": limit_bytes, "setting": "DRAIN_BODY_MAX_BYTES"}
        raise Refusal(413, "the body is too large", details, "too_large") from None
    except BodyCutShort:
        # A retry may bring the rest, so this is not a 4xx.
        raise Refusal(503, "the body ended early or arrived too slowly", {}) from None
    except BodyMalformed as fault:
        details = {"reason": str(fault)}
        raise Refusal(400, "the chunked body is malformed", details, "malformed") from None
    except BodyNotGzip:
        raise Refusal(400, "the body is not gzip", {"at_byte": 0}, "malformed") from None


def _sender_kind(receiver: Receiver, envelope: Envelope, request: Request) -> SenderKind:
    """`other` for what has no sign of a frame, as requests of scanners."""
    return "logplex" if envelope.is_marked or request.mimetype == receiver.content_type else "other"


def _refused(refusal: Refusal) -> Response:
    response = jsonify({"error": refusal.error, **refusal.details})
    response.status_code = refusal.status
    if refusal.status == 503:
        response.headers["Retry-After"] = RETRY_AFTER_S
    if refusal.status == 401:
        response.headers.update(CHALLENGE)
    return response
