"""Admission: which names get a row or field of their own: those in Redis, and new ones while there is room.

The rows of routes are decided in route_rows.py, those of dynos and hosts in name_tables.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import redis

from app.store import keys
from app.store.bounds import APP, APPS_MAX, CODE, CODES_MAX, DOCUMENTED_CODES
from app.store.schema import CODES, OTHER_TOTALS_FIELDS
from consumers.metrics.name_tables import AdmittedNames, NameTables, WantedNames
from consumers.metrics.names import CACHED_NAMES, names_there
from consumers.metrics.route_rows import RouteRows, Seen


class Admission:
    """Answers from Redis, or from a cache of it, because these names are never removed."""

    def __init__(
        self,
        store: redis.Redis,
        routes_max: int,
        *,
        heals: bool = False,
        named_by_rule: Collection[str] = (),
    ) -> None:
        """For `routes_max`, `heals` and `named_by_rule` see RouteRows."""
        self._store = store
        self.route_rows = RouteRows(store, routes_max, heals=heals, named_by_rule=named_by_rule)
        self._name_tables = NameTables(store)
        self._known: dict[str, set[str]] = {}

    def rows(self, wanted: Mapping[str, Mapping[str, Seen]]) -> dict[str, dict[str, str]]:
        """App -> route -> the row that its lines count in. Raises redis.RedisError."""
        return self.route_rows.rows(wanted)

    def apps(self, names: Iterable[str]) -> set[str]:
        """Apps that have or may get figures of their own. Raises redis.RedisError."""
        fitting = [name for name in names if not name or APP.fullmatch(name)]
        return self._admitted({keys.APPS: fitting}, APPS_MAX)[keys.APPS]

    def codes(self, names: Iterable[str]) -> set[str]:
        """H-codes that are counted by name. Raises redis.RedisError."""
        names = set(names)
        fields = {f"{CODES.prefix}{name}": name for name in names - DOCUMENTED_CODES if CODE.fullmatch(name)}
        if not fields:
            return names & DOCUMENTED_CODES
        key = keys.total("", keys.ALL_ROUTES, CODES.hash)
        found = self._admitted({key: list(fields)}, CODES_MAX + OTHER_TOTALS_FIELDS)[key]
        return {fields[field] for field in found} | names & DOCUMENTED_CODES

    def names(self, wanted: WantedNames) -> AdmittedNames:
        """Dynos and hosts that have or may get figures of their own. Raises redis.RedisError."""
        return self._name_tables.names(wanted)

    def _admitted(self, wanted: Mapping[str, Collection[str]], limit: int) -> dict[str, set[str]]:
        """Hash -> the wanted fields that it has, and of the others as many as fit its limit."""
        if sum(map(len, self._known.values())) > CACHED_NAMES:
            self._known.clear()
        unknown = {
            key: [name for name in names if name not in self._known.get(key, ())]
            for key, names in wanted.items()
        }
        newcomers = self._look_up({key: names for key, names in unknown.items() if names}, limit)
        return {
            key: (self._known.get(key, set()) & set(names)) | newcomers.get(key, set())
            for key, names in wanted.items()
        }

    def _look_up(self, unknown: Mapping[str, list[str]], limit: int) -> dict[str, set[str]]:
        """Remembers which of the unknown are in Redis after all; the others that may come in."""
        if not unknown:
            return {}
        newcomers: dict[str, set[str]] = {}
        for key, (size, there) in names_there(self._store, unknown).items():
            room = limit - size
            self._known.setdefault(key, set()).update(there)
            newcomers[key] = set([name for name in unknown[key] if name not in there][: max(0, room)])
        return newcomers
