"""Requests counted into a real Redis by the metrics worker's own code, for whatever reads figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import redis

from app.groups import METRICS
from app.message import message_id
from app.platform.facts import Fact
from app.router_line import path_only
from app.store import keys
from app.store.apply import Changes, apply
from app.store.claims import OffsetsClaim, offsets_claim
from app.store.platform_rows import PlatformRow
from consumers.metrics.admission import Admission
from consumers.metrics.aggregate import Aggregator
from consumers.metrics.platform.events import event_parts
from consumers.metrics.platform.gauges import gauge_parts
from servers.messages import router_line, router_message

POSITIONS = keys.positions(METRICS.name)


@dataclass(frozen=True, slots=True)
class SeenRequest:
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
        return router_line(
            self.path,
            method=self.method,
            status=self.status,
            service_ms=self.service_ms,
            connect_ms=self.connect_ms,
            bytes=self.bytes,
            host=self.host,
            request_id="0",
            fwd="192.0.2.1",
            dyno=self.dyno,
            code=self.code,
        )


def fill(store: redis.Redis, requests: Sequence[SeenRequest], now_s: float, routes_max: int = 500) -> None:
    """Counts the requests as if a metrics worker had read them, exactly once, all in one batch."""
    position, claim = _next_claim(store, len(requests))
    messages = [
        router_message(seen.line(), seen.at_s, id=message_id("filled", position + at), app=seen.app)
        for at, seen in enumerate(requests)
    ]
    changes = Aggregator(lambda line: path_only(line.path), Admission(store, routes_max)).changes(
        messages, int(now_s)
    )
    assert apply(store, METRICS.name, claim, changes, routes_max), "another batch was in between"


def fill_facts(store: redis.Redis, app: str, facts: Sequence[Fact], now_s: float) -> None:
    """Keeps what the platform said of one app as if a metrics worker had read it, all in one batch."""
    _, claim = _next_claim(store, len(facts))
    row = PlatformRow(app, event_parts(facts, int(now_s)), gauge_parts(facts, int(now_s)))
    changes = Changes([], {app: 0}, {}, platform=[row])
    assert apply(store, METRICS.name, claim, changes, 500), "another batch was in between"


def _next_claim(store: redis.Redis, count: int) -> tuple[int, OffsetsClaim]:
    """The position of the next batch, and the claim of it."""
    stored = store.hget(POSITIONS, "0")
    position = int(str(stored, "ascii")) if isinstance(stored, bytes) else 0
    return position, offsets_claim(POSITIONS, [(0, position, position + count, stored is not None)])
