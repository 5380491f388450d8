"""Requests put into a real Redis by the metrics worker's own code, for tests of what reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import redis

from app.message import RouterMessage, message_id
from app.store.apply import apply
from app.store.claims import offsets_claim
from consumers.metrics.admission import Admission
from consumers.metrics.aggregate import Aggregator

POSITIONS = "tailrace:positions:metrics"


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as the router saw it; `at_s` in Unix seconds."""

    at_s: float
    path: str = "/"
    service_ms: float | None = 20
    connect_ms: float | None = 1
    status: str = "200"
    method: str = "GET"
    code: str = ""
    app: str = ""
    dyno: str = "web.1"
    host: str = "shop.example.com"
    bytes: int = 100

    def line(self) -> str:
        """The router's log line."""
        failure = f'code={self.code} desc="x" ' if self.code else ""
        path = self.path.replace("\\", "\\\\").replace('"', '\\"')
        return (
            f'at={"error" if self.code else "info"} {failure}method={self.method} path="{path}" '
            f'host={self.host} request_id=0 fwd="192.0.2.1" dyno={self.dyno} '
            f"connect={_ms(self.connect_ms)} service={_ms(self.service_ms)} status={self.status} "
            f"bytes={self.bytes} protocol=https"
        )


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:g}ms"


def fill(store: redis.Redis, requests: Sequence[Seen], now_s: float, routes_max: int = 500) -> None:
    """Counts the requests as if a metrics worker had read them, exactly once, all in one batch."""
    stored = store.hget(POSITIONS, "0")
    position = int(str(stored, "ascii")) if isinstance(stored, bytes) else 0
    claim = offsets_claim(POSITIONS, [(0, position, position + len(requests), stored is not None)])
    messages = [_message(seen, position + at) for at, seen in enumerate(requests)]
    changes = Aggregator(lambda path: path, Admission(store, routes_max)).changes(messages, int(now_s))
    assert apply(store, "metrics", claim, changes, routes_max), "another batch was in between"


def _message(seen: Seen, index: int) -> RouterMessage:
    return {
        "prival": 158,
        "version": 1,
        "timestamp": datetime.fromtimestamp(seen.at_s, UTC).isoformat(timespec="microseconds"),
        "hostname": "host",
        "app_name": "heroku",
        "procid": "router",
        "msgid": None,
        "structured_data": None,
        "msg": seen.line(),
        "id": message_id("filled", index),
        "app": seen.app,
        "received_at": int(seen.at_s * 1000),
    }
