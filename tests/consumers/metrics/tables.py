"""A metrics worker that heals its tables, without a process: batches in, rows out."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence

import redis

from app.message import RouterMessage
from app.router_line import RouterLine
from app.routes import route_namer
from app.settings import Settings
from app.store import keys
from app.store.apply import apply
from app.store.claims import offsets_claim
from app.store.schema import TOTALS_HASH
from consumers.metrics.admission import Admission
from consumers.metrics.aggregate import Aggregator
from consumers.metrics.tending import Tender
from servers.messages import router_line, router_message
from tests.support.stored import text_hash


class HealingWorker:
    """Counts batches as the worker does; `tend` looks and moves at once, without waiting for its time."""

    def __init__(
        self,
        store: redis.Redis,
        routes_max: int = 500,
        *,
        route_of: Callable[[RouterLine], str] | None = None,
        rules: Collection[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._routes_max = routes_max
        self.names = Admission(store, routes_max, heals=True, named_by_rule=rules)
        self.names.route_rows._clock = clock
        self._aggregator = Aggregator(route_of or route_namer(Settings()), self.names)
        self.tender = Tender(store, self.names.route_rows, routes_max, kept=rules)

    def count(self, messages: Sequence[RouterMessage]) -> None:
        at = int(self._store.hget("positions", "0") or 0)
        claim = offsets_claim("positions", [(0, at, at + 1, False)])
        changes = self._aggregator.changes(messages, int(time.time()))
        apply(self._store, "metrics", claim, changes, self._routes_max)

    def tend(self, looks: int = 3) -> None:
        for _ in range(looks):
            self.tender._next_look_s = self.tender._next_moves_s = 0.0
            self.tender.tend()
        while self.tender._mover.step(time.time()):
            pass


def requests_for(
    paths: Iterable[str], status: int | str = 200, app: str = "", age_s: float = 0
) -> list[RouterMessage]:
    at_s = time.time() - age_s
    return [router_message(router_line(path, status=status), at_s, id=f"{path}.0", app=app) for path in paths]


def table(store: redis.Redis, app: str = "") -> dict[str, int]:
    """Route -> its requests."""
    return {
        route: int(store.hget(keys.total(app, digest, TOTALS_HASH), "count") or 0)
        for route, digest in text_hash(store, keys.routes(app)).items()
    }


def all_requests(store: redis.Redis, app: str = "") -> int:
    return int(store.hget(keys.total(app, keys.ALL_ROUTES, TOTALS_HASH), "count") or 0)
