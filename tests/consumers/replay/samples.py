"""Requests and messages for the replay's tests."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Sequence

from app.log import open_log
from app.loop_guard import LoopGuard
from app.message import RouterMessage, encode, message_id
from app.router_line import RouterLine
from app.settings import Settings
from consumers.replay.request import Request
from servers.messages import router_line, router_message

GUARD = LoopGuard(lambda: b"a key of the tests")


def never(line: RouterLine) -> bool:
    """No line is of a connection."""
    return False


def request(**changes: object) -> Request:
    """A GET of /users/42 on shop.example.com, changed as told."""
    values: dict[str, object] = {
        "method": "GET",
        "path": "/users/42?q=a",
        "host": "shop.example.com",
        "app": "shop",
        "route": "/users/:id",
        "dyno": "web.1",
        "request_id": "8601b555-6a83-4c12-8269-97c8e32cdb22",
        "message_id": "f.0",
        "fwd": "204.204.204.204",
        "protocol": "https",
        "status": 200,
        "service_ms": 18.0,
        "at_ms": 1_763_900_000_000,
        "received_ms": 1_763_900_000_000,
        "is_connection": False,
        "is_reencoded": False,
        "code": "",
    }
    return Request(**{**values, **changes})  # type: ignore[arg-type]


def line(
    path: str, method: str = "GET", status: int = 200, service_ms: int = 18, request_id: str = ""
) -> str:
    """A line of the legacy router, whose path is what the client sent."""
    identity = request_id or str(uuid.uuid4())
    return (
        router_line(
            path,
            method=method,
            status=status,
            service_ms=service_ms,
            request_id=identity,
            protocol="http",
        )
        + "\n"
    )


def router_2_line(
    path: str,
    *,
    status: int = 200,
    fwd: str = 'fwd="61.8.139.252"',
    request_id: str = "request_id=8ccbf8cb-feee-758d-cf68-23ddb10586ab",
    tls: str = "tls=true tls_version=tls1.3",
) -> str:
    """A line of Router 2.0; `path` as it logs it: percent-decoded."""
    quoted = path.replace("\\", "\\\\").replace('"', '\\"')
    return (
        f'at=info method=GET path="{quoted}" host=lexicon.example.com {request_id} {fwd} dyno=web.1 '
        f"connect=0ms service=31ms status={status} bytes=5570 protocol=http2.0 {tls}\n"
    )


def append(settings: Settings, lines: Sequence[str], at_s: float | None = None, gap_s: float = 0.0) -> None:
    """Writes the lines to the log as one frame, `gap_s` apart in their own time from `at_s` on."""
    frame_id = str(uuid.uuid4())
    now_s = time.time()
    values = [
        encode(_message(text, (at_s or now_s) + index * gap_s, message_id(frame_id, index), now_s))
        for index, text in enumerate(lines)
    ]
    writer = open_log(settings).writer()
    writer.append(frame_id, values, 5.0)
    writer.close()


def _message(text: str, at_s: float, identity: str, received_s: float) -> RouterMessage:
    """As the drain writes it: whole in `raw` if it is not UTF-8."""
    data = text.encode("utf-8", "surrogateescape")
    readable = data.decode("utf-8", "replace")
    raw = {} if readable == text else {"raw": base64.b64encode(data).decode()}
    return router_message(readable, at_s, id=identity, received_s=received_s, **raw)
