"""In which row of the table of routes a line of the log counts, by the tables as they are now.

The metrics worker decided it when it read the line (consumers/metrics/route_rows.py), and left no trace of it
in the log. So this is the same decision once more, of one line instead of a batch: right for every route that
had its row then and has it now. What has got a row since, or was merged or dropped, is found under the name
that it has now; and of a path that answers both as if it existed and as if not, the answers of the second
kind alone are `(not found)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import redis

from app.learned_names import beginnings, learned_name
from app.router_line import RouterLine
from app.routes import RoutePattern, compile_rules, route_namer
from app.settings import Settings
from app.store.bounds import NOT_FOUND, NOT_FOUND_STATUSES, OTHER
from app.store.queries.routes import known_routes
from app.store.route_table import learned_templates

CACHED_ROUTES = 20_000


@dataclass(slots=True)
class RouteRowNames:
    """The rows of one app, or of all apps together. Call it with a line."""

    route_of: Callable[[RouterLine], str]
    rows: frozenset[str] = frozenset()
    templates: frozenset[str] = frozenset()
    patterns: tuple[RoutePattern, ...] = ()
    named_by_rule: frozenset[str] = frozenset()
    heals: bool = True
    """There are learned templates and `(not found)`."""
    is_full: bool = False
    """There is no room for a route without a row."""
    _beginnings: set[str] | None = None
    _known: dict[str, str] = field(default_factory=dict)

    def __call__(self, line: RouterLine) -> str:
        """The name of the row; empty for a line without a path."""
        route = self.route_of(line)
        if not route or route in self.rows:
            return route
        if self.heals and self.rows and line.status in NOT_FOUND_STATUSES:
            return NOT_FOUND
        row = self._known.get(route)
        if row is None:
            row = self._row(route)
            if len(self._known) >= CACHED_ROUTES:
                self._known.clear()
            self._known[route] = row
        return row

    def _row(self, route: str) -> str:
        name = self._learned_name(route)
        return OTHER if name == route and self.is_full else name

    def _learned_name(self, route: str) -> str:
        if not (self.templates or self.patterns) or route in self.named_by_rule:
            return route
        for regex, template in self.patterns:
            if regex.fullmatch(route):
                return template
        if self._beginnings is None:
            self._beginnings = beginnings(self.rows)
        return learned_name(route, self.templates, self._beginnings)


def plain_row_names(settings: Settings) -> RouteRowNames:
    """The routes' own names, where the tables cannot be read."""
    return RouteRowNames(route_namer(settings), heals=False)


def read_row_names(store: redis.Redis, app: str, settings: Settings) -> RouteRowNames:
    """The rows of an app; "": of all apps together. Raises redis.RedisError."""
    heals = settings.route_templates == "auto"
    rows = frozenset(known_routes(store, app)[0])
    learned = learned_templates(store, app) if heals else {}
    in_force = {name: template for name, template in learned.items() if not template.is_forgotten}
    return RouteRowNames(
        route_namer(settings),
        rows,
        frozenset(name for name, template in in_force.items() if not template.is_pattern),
        tuple(compile_rules([name for name, template in in_force.items() if template.is_pattern])),
        frozenset(settings.route_rules),
        heals,
        is_full=len(rows - {OTHER, NOT_FOUND}) >= settings.routes_max,
    )
