"""Which row the lines of a route count in: its own, or one that stands for many.

    its own        it has a row, or gets one because there is room
    /blog/:name    a template that was learned (learning.py), or merged into by an operator
    (not found)    it has only ever answered as paths do that do not exist
    (other)        the table is full, and it is used less than every row there

The worker asks before it computes rows, so that a batch of a crawler's 20,000 paths becomes one row and not
20,000 for Redis to merge. app/store/rows.lua keeps the bound of rows as well, because workers may admit new
ones at the same time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import redis

from app.learned_names import beginnings, learned_name
from app.routes import RoutePattern, compile_rules
from app.store import keys, replies
from app.store.bounds import NOT_FOUND
from app.store.keys import OTHER_ROUTE
from app.store.route_table import LearnedTemplate, Move, RowUse, retire, some_rows
from app.store.schema import PATHS_HASH
from consumers.metrics.names import CACHED_NAMES, NAMES_AT_ONCE, field_of, names_there

HALF_LIFE_S = 86_400
"""The requests of a row that is silent count half after a day, so that it gives way to one that is in use."""

ROWS_WEIGHED = 1_000
"""Of a larger table, so many rows are weighed, drawn by chance, to find those that are used least."""

UNKNOWN_SILENCE_S = 7 * HALF_LIFE_S
"""Of a row that an earlier version counted: it did not note when a row was last used."""

MAKE_ROOM_EVERY_S = 1.0
URGENT_REQUESTS = 10
"""A route with so many requests does not wait for its turn."""

RETIRED_SHARE = 0.05
"""At most this share of a table is retired at once, because moving rows costs Redis time."""

SPECIAL = frozenset({OTHER_ROUTE, NOT_FOUND})


class Seen(NamedTuple):
    """The lines of a route in a batch."""

    lines: int
    is_not_found: bool
    """All of them are answers as of paths that do not exist."""


@dataclass(slots=True)
class _Table:
    """What the worker remembers of an app's table; void once rows were taken out of it."""

    version: int
    templates: frozenset[str]
    patterns: list[RoutePattern]
    rows: set[str] = field(default_factory=set)
    beginnings: set[str] | None = None
    """Loaded once a template needs it."""


class RouteRows:
    """Answers from Redis, or from a cache of it that is void once the table's version changes."""

    def __init__(
        self,
        store: redis.Redis,
        routes_max: int,
        *,
        heals: bool = False,
        named_by_rule: Collection[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`heals`: there are `(not found)` and learned templates, and the least used rows give way. Without
        it, as where routes are raw paths, a full table stays as it is. `named_by_rule`: routes that no
        learned template takes in."""
        self._store = store
        self._routes_max = routes_max
        self._heals = heals
        self._named_by_rule = frozenset(named_by_rule)
        self._clock = clock
        self._tables: dict[str, _Table] = {}
        self._made_room_s: dict[str, float] = {}
        self.grown: dict[str, None] = {}
        """Apps whose tables are worth a look: new to this worker, or with new rows since the last one."""
        self.templates_used: dict[str, set[str]] = {}
        """App -> learned templates that lines were counted under since the last look."""

    def rows(self, wanted: Mapping[str, Mapping[str, Seen]]) -> dict[str, dict[str, str]]:
        """App (empty: all apps together) -> route -> the row that its lines count in. Raises
        redis.RedisError."""
        self._refresh(wanted)
        unknown = {
            app: [route for route in routes if route not in self._tables[app].rows]
            for app, routes in wanted.items()
        }
        newcomers = self._look_up({app: routes for app, routes in unknown.items() if routes}, wanted)
        return {
            app: {route: newcomers.get(app, {}).get(route, route) for route in routes}
            for app, routes in wanted.items()
        }

    def _refresh(self, apps: Collection[str]) -> None:
        """Drops what is void, and loads the learned templates of tables that are not known."""
        if sum(len(table.rows) for table in self._tables.values()) > CACHED_NAMES:
            self._tables.clear()
        names = list(apps)
        versions = [replies.number(found) for found in self._store.hmget(keys.ROUTE_VERSIONS, names)]
        stale = [
            (app, version)
            for app, version in zip(names, versions, strict=True)
            if app not in self._tables or self._tables[app].version != version
        ]
        if not stale:
            return
        pipeline = self._store.pipeline(transaction=False)
        for app, _ in stale:
            pipeline.hgetall(keys.learned(app))
        for (app, version), answer in zip(stale, pipeline.execute(), strict=True):
            if app not in self._tables:
                self.grown[app] = None
            self._tables[app] = _table(version, answer if self._heals else {})

    def _look_up(
        self, unknown: Mapping[str, list[str]], wanted: Mapping[str, Mapping[str, Seen]]
    ) -> dict[str, dict[str, str]]:
        """Remembers which of the unknown are in Redis after all; the rows of the others."""
        if not unknown:
            return {}
        found = names_there(
            self._store, {keys.routes(app): [*routes, *SPECIAL] for app, routes in unknown.items()}
        )
        rows: dict[str, dict[str, str]] = {}
        for app, routes in unknown.items():
            size, there = found[keys.routes(app)]
            room = self._routes_max - (size - len(there & SPECIAL))
            self._remember(app, there)
            missing = {route: wanted[app][route] for route in routes if route not in there}
            rows[app] = self._place(app, missing, room, in_use=wanted[app])
        return rows

    def _remember(self, app: str, routes: Collection[str]) -> None:
        table = self._tables[app]
        table.rows.update(routes)
        if table.beginnings is not None:
            table.beginnings |= beginnings(routes)

    def _place(
        self, app: str, newcomers: Mapping[str, Seen], room: int, *, in_use: Collection[str]
    ) -> dict[str, str]:
        """The rows of routes that have none."""
        rows: dict[str, str] = {}
        wanting: list[str] = []
        for route, seen in newcomers.items():
            if self._heals and seen.is_not_found:
                rows[route] = NOT_FOUND
            elif (name := self._learned_name(app, route)) != route:
                rows[route] = name
                if not any(name == pattern for _, pattern in self._tables[app].patterns):
                    self.templates_used.setdefault(app, set()).add(name)
            else:
                wanting.append(route)
        room = max(0, room)
        if self._heals:
            # The busiest first: with little room, a crawler's paths must not keep out what is used.
            wanting.sort(key=lambda route: -newcomers[route].lines)
        if len(wanting) > room and self._heals:
            room += self._make_room(app, {route: newcomers[route].lines for route in wanting[room:]}, in_use)
        rows |= dict.fromkeys(wanting[room:], OTHER_ROUTE)
        if wanting[:room]:
            self.grown[app] = None
        return rows

    def _learned_name(self, app: str, route: str) -> str:
        table = self._tables[app]
        if not (table.templates or table.patterns) or route in self._named_by_rule:
            return route
        for regex, template in table.patterns:
            if regex.fullmatch(route):
                return template
        if table.templates and table.beginnings is None:
            table.beginnings = beginnings(replies.text_list(self._store.hkeys(keys.routes(app))))
        return learned_name(route, table.templates, table.beginnings or ())

    def _make_room(self, app: str, wanting: Mapping[str, int], in_use: Collection[str]) -> int:
        """Retires rows that are used less than those that want one; how many. `wanting`: route -> its lines,
        the busiest first; `in_use`: routes that stay whatever they are worth."""
        now_s = self._clock()
        candidates = list(wanting)[:NAMES_AT_ONCE]
        other = keys.total(app, keys.digest(OTHER_ROUTE), PATHS_HASH)
        before = self._store.hmget(other, [field_of(route) for route in candidates])
        requests = sorted(
            (wanting[route] + replies.number(count) for route, count in zip(candidates, before, strict=True)),
            reverse=True,
        )
        is_urgent = requests[0] >= URGENT_REQUESTS
        if not is_urgent and now_s - self._made_room_s.get(app, 0.0) < MAKE_ROOM_EVERY_S:
            return 0
        weighed = sorted(
            (worth(row, now_s), row.route, row.digest)
            for row in some_rows(self._store, app, ROWS_WEIGHED)
            if row.route not in SPECIAL and row.route not in in_use
        )
        if not weighed:
            return 0
        self._made_room_s[app] = now_s
        most = max(1, int(self._routes_max * RETIRED_SHARE))
        given_up = [
            Move(route, digest, OTHER_ROUTE)
            for (value, route, digest), count in zip(weighed[:most], requests[:most], strict=False)
            if value <= count
        ]
        retired = retire(self._store, app, given_up)
        self._tables[app].rows.difference_update(move.route for move in given_up)
        return retired


def worth(row: RowUse, now_s: float) -> float:
    """Its requests, of which half count for each day of silence."""
    silent_s = max(0.0, now_s - row.last_s) if row.last_s else UNKNOWN_SILENCE_S
    return float(row.requests * 0.5 ** min(silent_s / HALF_LIFE_S, 1_000))


def _table(version: int, learned: Mapping[bytes, bytes]) -> _Table:
    known = {name: LearnedTemplate.loads(text) for name, text in replies.texts(learned).items()}
    in_force = {name: template for name, template in known.items() if not template.is_forgotten}
    return _Table(
        version,
        frozenset(name for name, template in in_force.items() if not template.is_pattern),
        compile_rules([name for name, template in in_force.items() if template.is_pattern]),
    )
