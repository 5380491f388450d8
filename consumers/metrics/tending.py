"""Tends the tables of routes between batches: merges rows that belong together, and promotes what grew.

Every worker does it, because each knows which tables it has let grow. What two of them do at once is done
once: a row is retired, and each of its figures moved, in one script (app/store/route_table.py).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping
from threading import Event

import redis

from app.learned_names import beginnings
from app.routes import compile_rules
from app.store.bounds import NOT_FOUND
from app.store.route_table import (
    LearnedTemplate,
    Move,
    Mover,
    frequent_paths,
    learned_templates,
    promote,
    retire,
    rows,
    unlearn,
)
from consumers.metrics.learning import learn
from consumers.metrics.route_rows import SPECIAL, RouteRows

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
TABLES_A_LOOK = 5
"""Tables that are read at one look: the others wait for the next."""

LOOK_SHARE = 0.05
"""Looking at large tables takes at most about this share of the time."""

MOVES_EVERY_S = 2.0
"""How often moves that another worker has left are looked for."""

STEPS_AT_ONCE = 20

TEMPLATES_MAX = 1_000
"""Learned templates of an app. Beyond that, those without a row are unlearned to make room."""

PROMOTED_FROM = 100
PROMOTED_SHARE = 0.01
"""A path under a learned template is busy when it had so many requests there, and this share of them."""

PROMOTED_KEEPS_S = 3_600
"""A row that was promoted is not merged again for so long."""


class Tender:
    """Tends the tables that `route_rows` has let grow."""

    def __init__(
        self,
        store: redis.Redis,
        route_rows: RouteRows,
        routes_max: int,
        *,
        heals: bool = True,
        kept: Collection[str] = (),
    ) -> None:
        """`heals`: see RouteRows; without, it only moves what an operator has merged. `kept`: routes that are
        never merged, because a rule names them."""
        self._store = store
        self._route_rows = route_rows
        self._routes_max = routes_max
        self._mover = Mover(store, routes_max)
        self._heals = heals
        self._kept = frozenset(kept)
        self._next_look_s = self._next_moves_s = 0.0

    def tend(self, stop: Event | None = None) -> None:
        """A look at some tables if it is time, and some steps of what is to be moved. Raises
        redis.RedisError."""
        now_s = time.monotonic()
        if self._heals and now_s >= self._next_look_s:
            self._look()
            took_s = time.monotonic() - now_s
            self._next_look_s = now_s + max(LOOK_EVERY_S, took_s / LOOK_SHARE)
        if now_s < self._next_moves_s:
            return
        for _ in range(STEPS_AT_ONCE):
            if stop and stop.is_set():
                return
            if not self._mover.step(time.time()):
                self._next_moves_s = now_s + MOVES_EVERY_S
                return

    def _look(self) -> None:
        now_s = int(time.time())
        for app in list(self._route_rows.templates_used)[:TABLES_A_LOOK]:
            self._promote(app, self._route_rows.templates_used.pop(app), now_s)
        for app in list(self._route_rows.grown)[:TABLES_A_LOOK]:
            del self._route_rows.grown[app]
            if self._merge(app, now_s):
                # Lines that were on their way may have brought a merged row back: look once more.
                self._route_rows.grown[app] = None
                self._next_moves_s = 0.0

    def _merge(self, app: str, now_s: int) -> int:
        """Merges what belongs together in one table; how many rows were retired."""
        found = {row.route: row for row in rows(self._store, app) if row.route not in SPECIAL}
        known = learned_templates(self._store, app)
        mergeable = found.keys() - self._kept
        promoted = {route for route, row in found.items() if now_s < row.promoted_s + PROMOTED_KEEPS_S}
        merged = {route: NOT_FOUND for route in mergeable - promoted if found[route].is_not_found}
        patterns = [
            name for name, template in known.items() if template.is_pattern and not template.is_forgotten
        ]
        for regex, pattern in compile_rules(patterns):
            merged |= {route: pattern for route in mergeable - merged.keys() if regex.fullmatch(route)}
        rest = {route: row.requests for route, row in found.items() if route not in merged}
        learned = learn(
            rest,
            routes_max=self._routes_max,
            known=[name for name, template in known.items() if not template.is_forgotten],
            forgotten=[name for name, template in known.items() if template.is_forgotten],
            kept=self._kept | promoted,
        )
        merged |= learned.merged
        new = sorted(learned.templates - known.keys())
        if len(known) + len(new) > TEMPLATES_MAX:
            unused = _unused(known, found)
            unlearn(self._store, app, unused)
            new = new[: max(0, TEMPLATES_MAX - len(known) + len(unused))]
        templates = {name: LearnedTemplate("worker", now_s) for name in new}
        if not merged:
            return 0
        moves = [Move(route, found[route].digest, into) for route, into in merged.items()]
        retired = retire(self._store, app, moves, templates)
        if templates:
            log.info("routes merged: app=%s learned_templates=%d rows=%d", app, len(templates), retired)
        return retired

    def _promote(self, app: str, names: set[str], now_s: int) -> None:
        """Gives the busy paths under these learned templates rows of their own."""
        there = {row.route: row for row in rows(self._store, app)}
        room = self._routes_max - len(there)
        for name in sorted(names & set(there)):
            row = there[name]
            fewest = max(PROMOTED_FROM, PROMOTED_SHARE * row.requests)
            counts = frequent_paths(self._store, app, row.digest)
            busy = [path for path, count in counts.items() if count >= fewest][: max(0, room)]
            if busy:
                promote(self._store, app, row.digest, busy, now_s)
                room -= len(busy)


def _unused(known: Mapping[str, LearnedTemplate], routes: Collection[str]) -> list[str]:
    """Templates that workers have learned, and under which no row is any more."""
    named = beginnings(routes)
    return [name for name, template in known.items() if template.by == "worker" and name not in named]
