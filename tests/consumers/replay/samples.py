"""Requests and messages for the replay's tests."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from app.log import open_log
from app.message import RouterMessage, encode
from app.settings import Settings
from consumers.replay.request import Request


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
        "fwd": "204.204.204.204",
        "protocol": "https",
        "status": 200,
        "service_ms": 18.0,
        "at_ms": 1_763_900_000_000,
        "received_ms": 1_763_900_000_000,
    }
    return Request(**{**values, **changes})  # type: ignore[arg-type]


def line(
    path: str, method: str = "GET", status: int = 200, service_ms: int = 18, request_id: str = ""
) -> str:
    """A router line."""
    return (
        f'at=info method={method} path="{path}" host=shop.example.com '
        f"request_id={request_id or uuid.uuid4()} "
        f'fwd="204.204.204.204" dyno=web.1 connect=1ms service={service_ms}ms status={status} bytes=13 '
        "protocol=https\n"
    )


def append(settings: Settings, lines: Sequence[str], at_s: float | None = None, gap_s: float = 0.0) -> None:
    """Writes the lines to the log as one frame, `gap_s` apart in their own time from `at_s` on."""
    frame_id = str(uuid.uuid4())
    now_s = time.time()
    values = []
    for index, text in enumerate(lines):
        moment = datetime.fromtimestamp((at_s or now_s) + index * gap_s, UTC)
        message: RouterMessage = {
            "prival": 158,
            "version": 1,
            "timestamp": moment.isoformat(timespec="microseconds"),
            "hostname": "host",
            "app_name": "heroku",
            "procid": "router",
            "msgid": None,
            "structured_data": None,
            "msg": text,
            "id": f"{frame_id}.{index}",
            "app": "",
            "received_at": int(now_s * 1000),
        }
        values.append(encode(message))
    writer = open_log(settings).writer()
    writer.append(frame_id, values, 5.0)
    writer.close()
