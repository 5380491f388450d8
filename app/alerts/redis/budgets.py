"""What is left of the budgets of objectives, over their whole period.

A month of a row is some 800 windows, of which Redis sums up about a hundred in a millisecond, so a process
reads budgets once a minute at most.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from threading import Lock

import redis

from app.alerts.conditions.burn import BurnRate
from app.alerts.defaults import rules_of
from app.alerts.rule import EACH, Rule
from app.alerts.slo import Objective, budget_left
from app.routes import compile_rules
from app.settings import Settings
from app.store import queries
from app.store.keys import ALL_ROUTES
from app.store.queries.routes import busiest, known_routes
from app.store.queries.spans import Span, plan
from app.store.queries.windows import row_sums

FRESH_S = 60.0
BUDGETS_MAX = 30
"""Rows of all objectives together."""

ROUTES_MAX = 20
"""Of an app, for an objective of each route, or of a pattern: the busiest."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left of an objective."""

    rule: str
    app: str
    route: str
    objective: float
    """A share, 0.999."""
    over_s: int
    left: float | None
    """Share of the errors that may happen in `over_s`; below 0: it is overdrawn; None: no requests."""
    requests: int
    bad: int
    from_s: int
    """When what is counted begins."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    rule: str
    objective: Objective
    app: str
    route: str
    digest: str


@dataclass(slots=True)
class BudgetReader:
    """Remembers the budgets for a minute; threads may share it."""

    _lock: Lock = field(default_factory=Lock)
    _read_s: float = -math.inf
    _found: list[Budget] = field(default_factory=list)

    def read(self, store: redis.Redis, settings: Settings, now_s: float) -> list[Budget]:
        """Of all apps, the worst first. Raises redis.RedisError."""
        with self._lock:
            if not 0 <= now_s - self._read_s < FRESH_S:
                self._found = _read(store, settings, now_s)
                self._read_s = now_s
            return self._found


def _read(store: redis.Redis, settings: Settings, now_s: float) -> list[Budget]:
    rules = [
        (rule, condition.objective)
        for rule in rules_of(settings)
        for condition in rule.when
        if isinstance(condition, BurnRate)
    ]
    if not rules:
        return []
    apps = [app.name for app in queries.apps(store).apps] or [""]
    tables = _Tables(store)
    every = (one for rule, objective in rules for one in _rows(tables, rule, objective, apps))
    wanted = list(islice(every, BUDGETS_MAX))
    found: list[Budget] = []
    for over_s in sorted({one.objective.over_s for one in wanted}):
        found += _budgets(store, [one for one in wanted if one.objective.over_s == over_s], over_s, now_s)
    return sorted(found, key=lambda budget: math.inf if budget.left is None else budget.left)


@dataclass(slots=True)
class _Tables:
    """The tables of routes, each read once, however many rules ask for it."""

    store: redis.Redis
    _known: dict[str, dict[str, str]] = field(default_factory=dict)

    def of(self, app: str) -> dict[str, str]:
        """Route -> digest."""
        if app not in self._known:
            self._known[app] = known_routes(self.store, app)[0]
        return self._known[app]


def _rows(tables: _Tables, rule: Rule, objective: Objective, apps: Sequence[str]) -> Iterator[_Wanted]:
    for app in [rule.app] if rule.app else apps:
        if not rule.route:
            yield _Wanted(rule.name, objective, app, "", ALL_ROUTES)
            continue
        digests = tables.of(app)
        if rule.route != EACH:
            pattern = _pattern(rule.route)
            digests = {route: digest for route, digest in digests.items() if pattern.fullmatch(route)}
        names, _ = busiest(tables.store, app, digests, ROUTES_MAX)
        for route in names:
            yield _Wanted(rule.name, objective, app, route, digests[route])


def _pattern(route: str) -> re.Pattern[str]:
    ((pattern, _),) = compile_rules([route])
    return pattern


def _budgets(store: redis.Redis, wanted: Sequence[_Wanted], over_s: int, now_s: float) -> Iterator[Budget]:
    span = plan(Span(over_s), now_s, 1)
    sums = row_sums(store, list(dict.fromkeys((one.app, one.digest) for one in wanted)), span)
    for one in wanted:
        found = sums.get((one.app, one.digest))
        left = None if found is None else budget_left(one.objective, found.total)
        yield Budget(
            rule=one.rule,
            app=one.app,
            route=one.route,
            objective=one.objective.share,
            over_s=over_s,
            left=left.left if left else None,
            requests=left.requests if left else 0,
            bad=left.bad if left else 0,
            from_s=span.start_s if found is None else max(span.start_s, found.first[1]),
        )
