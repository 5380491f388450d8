"""Chooses the rows that are judged: the apps, and their routes that the rules ask of, as many as can be read
every ten seconds. It is made anew once a minute, because it takes a look at every route."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import redis

from app.alerts.facts import Needs, Row, Stretch, Subject
from app.alerts.rule import EACH, Rule
from app.routes import RoutePattern, compile_rules
from app.store import keys, replies
from app.store.queries.all_time import Seen, all_time_seen
from app.store.queries.routes import apps

ROWS_MAX = 1_000
"""Rows that are judged in a step."""

APPS_MAX = 500
"""Of these, apps: those that had a request within APP_ACTIVE_S, and of these the busiest of all time."""

APP_ACTIVE_S = 7 * 86_400
"""Apps without a request for so long are the first to be left out: each pull request may have had one."""

CANDIDATES_MAX = 10_000
"""Routes that are looked at to find the busiest: of the apps that a rule asks for routes of. Those that are
watched come first, then those that a rule names, then the busiest."""

PARTS_MAX = 1_000
"""Rows of named apps that are read only to tell what requests without a name have."""

ACTIVE_S = 3_600
"""Routes without a request for so long are the first to be left out."""

FADING = 0.95
"""How busy a route is, is its requests from one choice to the next, and this part of what it was before."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What is judged."""

    made_s: float
    """Unix s."""
    rules: tuple[Rule, ...]
    needs: Needs
    apps: tuple[str, ...] = ()
    """As in Facts."""
    routes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """As in Facts."""
    wanted: Mapping[Row, frozenset[Stretch]] = field(default_factory=dict)
    """Of each row. Those of "" are to be read of all apps together, before the others."""
    named: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    """Digest -> the rows of named apps that are to be taken from those of "", if there are named apps."""
    watched: frozenset[Subject] = frozenset()

    def has(self, watched: Sequence[Subject]) -> bool:
        """Whether it was made with all of these in mind."""
        return self.watched.issuperset(subject for subject in watched if subject.digest)


@dataclass(slots=True)
class Chooser:
    """Remembers how busy routes are."""

    _requests: dict[Row, int] = field(default_factory=dict)
    _busy: dict[Row, float] = field(default_factory=dict)

    def choose(
        self, store: redis.Redis, rules: Sequence[Rule], watched: Sequence[Subject], now_s: float
    ) -> Choice:
        """The rows for these rules. `watched`: subjects that are among them in any case. Raises
        redis.RedisError."""
        asked = [_Asked(rule) for rule in rules if not _is_own(rule)]
        in_any_case = {subject.app for subject in watched}.union(some.app for some in asked)
        names, is_unnamed_alone = _apps(store, in_any_case, now_s)
        with_routes = [app for app in names if any(some.routes_of(app) for some in asked)]
        first = {subject.app for subject in watched if subject.digest}
        second = {some.app for some in asked if some.routes_of(some.app)}
        tables = _tables(store, sorted(with_routes, key=lambda app: (app not in first, app not in second)))
        chosen = self._routes(store, asked, tables, watched, ROWS_MAX - len(names), now_s)
        routes: dict[str, dict[str, str]] = {}
        for (app, digest), route in chosen.items():
            routes.setdefault(app, {})[digest] = route
        wanted: dict[Row, set[Stretch]] = {}
        for app in names:
            needs = [some.of_app(app) for some in asked]
            wanted[app, keys.ALL_ROUTES] = set().union(*needs)
        for (app, digest), route in chosen.items():
            wanted[app, digest] = set().union(*(some.of_route(app, route) for some in asked))
        named = {} if is_unnamed_alone else _parts(wanted, names, tables)
        if not is_unnamed_alone:
            routes[""] = {digest: name for digest, name in routes.get("", {}).items() if digest in named}
        return Choice(
            now_s,
            tuple(rules),
            _needs(rules),
            names,
            {app: found for app, found in routes.items() if found},
            {row: frozenset(stretches) for row, stretches in wanted.items() if stretches},
            named,
            frozenset(watched),
        )

    def _routes(
        self,
        store: redis.Redis,
        asked: Sequence[_Asked],
        tables: Mapping[str, Mapping[str, str]],
        watched: Sequence[Subject],
        most: int,
        now_s: float,
    ) -> dict[Row, str]:
        """Row -> route, at most so many: watched ones, then those of patterns, then the others; the busiest
        first."""
        chosen = {
            (subject.app, subject.digest): subject.route
            for subject in watched
            if subject.digest and tables.get(subject.app, {}).get(subject.digest)
        }
        ranks = {
            (app, digest): min((some.rank(route) for some in asked if some.routes_of(app)), default=2)
            for app, table in tables.items()
            for digest, route in table.items()
        }
        candidates = [row for row, rank in ranks.items() if rank < 2]
        seen = all_time_seen(store, candidates)
        self._update(seen)
        since_s = int(now_s) - ACTIVE_S

        def order(row: Row) -> tuple[int, bool, bool, float, int, Row]:
            is_quiet = not seen[row].is_since(since_s)
            # What is known of requests without a name is how busy all apps together are.
            is_last = row[0] == "" and len(tables) > 1
            busy = self._busy.get(row, 0.0)
            return ranks[row], is_quiet, is_last, -busy, -seen[row].requests, row

        for row in sorted(candidates, key=order):
            if len(chosen) >= most:
                break
            chosen.setdefault(row, tables[row[0]][row[1]])
        return dict(list(chosen.items())[: max(0, most)])

    def _update(self, seen: Mapping[Row, Seen]) -> None:
        before = self._requests
        self._requests = {row: found.requests for row, found in seen.items()}
        if before:
            self._busy = {
                row: FADING * self._busy.get(row, 0.0) + max(0, count - before.get(row, 0))
                for row, count in self._requests.items()
            }


class _Asked:
    """A rule that is about figures: what it asks of apps and routes."""

    def __init__(self, rule: Rule) -> None:
        needs = _needs([rule])
        of_routes = rule.route and all(condition.scope == "routes" for condition in rule.when)
        self.app = rule.app
        self._stretches, self._of_app = needs.stretches, needs.app_stretches
        self._pattern: RoutePattern | None = None
        self._is_each = of_routes and rule.route == EACH
        self._has_routes = bool(of_routes)
        if of_routes and not self._is_each:
            (self._pattern,) = compile_rules([rule.route], "alerts")

    def routes_of(self, app: str) -> bool:
        """Whether it asks of routes of this app."""
        return self._has_routes and self.app in ("", app)

    def rank(self, route: str) -> int:
        """0: its pattern matches the route; 1: it asks of each route; 2: not of this one."""
        if self._pattern is not None:
            return 0 if self._pattern[0].fullmatch(route) else 2
        return 1 if self._is_each else 2

    def of_app(self, app: str) -> frozenset[Stretch]:
        """Of all routes of the app together."""
        if self.app not in ("", app):
            return frozenset()
        return self._of_app if self._has_routes else self._of_app | self._stretches

    def of_route(self, app: str, route: str) -> frozenset[Stretch]:
        """Of one route of the app."""
        return self._stretches if self.routes_of(app) and self.rank(route) < 2 else frozenset()


def _is_own(rule: Rule) -> bool:
    return not rule.when or any(condition.scope == "tailrace" for condition in rule.when)


def _needs(rules: Iterable[Rule]) -> Needs:
    found = Needs()
    for rule in rules:
        for condition in rule.when:
            found |= condition.needs
    return found


def _apps(store: redis.Redis, in_any_case: Iterable[str], now_s: float) -> tuple[tuple[str, ...], bool]:
    """Those that are judged, and whether "" is the only one. Without all named ones nobody knows what
    requests without a name have."""
    known = apps(store)
    names = [found.name for found in known.apps]
    if len(names) > APPS_MAX:
        seen = all_time_seen(store, [(app, keys.ALL_ROUTES) for app in names])
        since_s = int(now_s) - APP_ACTIVE_S
        names.sort(key=lambda app: not seen[app, keys.ALL_ROUTES].is_since(since_s))
    shown = names[:APPS_MAX]
    further = set(names[APPS_MAX:]).intersection(in_any_case)
    is_judged = known.unnamed > 0 and len(names) <= APPS_MAX
    return (*([""] if is_judged else []), *shown, *sorted(further)), not names


def _tables(store: redis.Redis, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """App -> digest -> route, of as many of these apps as CANDIDATES_MAX allows."""
    pipeline = store.pipeline(transaction=False)
    for app in names:
        pipeline.hlen(keys.routes(app))
    sizes = list(map(replies.number, pipeline.execute()))
    read: list[str] = []
    room = CANDIDATES_MAX
    for app, size in zip(names, sizes, strict=True):
        if size <= room:
            room -= size
            read.append(app)
            pipeline.hgetall(keys.routes(app))
    answers = map(replies.texts, pipeline.execute())
    return {
        app: {digest: route for route, digest in table.items()}
        for app, table in zip(read, answers, strict=True)
    }


def _parts(
    wanted: dict[Row, set[Stretch]], names: Sequence[str], tables: Mapping[str, Mapping[str, str]]
) -> dict[str, list[Row]]:
    """Digest -> the rows of named apps that must be read beside the row of "". Rows of "" for which there is
    no room, or some app's routes are not known, are taken out of `wanted`."""
    others = [app for app in names if app]
    found: dict[str, list[Row]] = {}
    room = PARTS_MAX
    for row in [row for row in wanted if row[0] == ""]:
        digest = row[1]
        rows = list(_rows_of(digest, others, tables))
        new = [part for part in rows if part not in wanted]
        is_known = digest == keys.ALL_ROUTES or all(app in tables for app in others)
        if not is_known or len(new) > room:
            del wanted[row]
            continue
        room -= len(new)
        found[digest] = rows
        for part in rows:
            wanted.setdefault(part, set()).update(wanted[row])
    return found


def _rows_of(digest: str, others: Iterable[str], tables: Mapping[str, Mapping[str, str]]) -> Iterator[Row]:
    for app in others:
        if digest == keys.ALL_ROUTES or digest in tables.get(app, {}):
            yield app, digest
