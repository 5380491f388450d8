"""Which dynos and hosts of an app get figures of their own: those that it knows, and new ones if it has room.

The worker asks before it computes rows, so that thousands of names that a sender invents are one row for
Redis to merge. app/store/name_rows.lua decides in the end, because workers may admit new names at the same
time. It also forgets names, so what is remembered here may be out of date: such a name is a new one to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis

from app.store import keys, replies
from app.store.bounds import NAMES_KEPT_S, NAMES_MAX, NAMES_SENT_MAX, OTHER
from consumers.metrics.names import CACHED_NAMES, NAMES_AT_ONCE, field_of

NameTable = tuple[str, str]
"""App, and kind of names: `dynos` or `hosts`."""


@dataclass(frozen=True, slots=True)
class WantedTable:
    """Names of a table that lines came with: how many each, and when the newest of them began, Unix s."""

    lines: Mapping[str, int]
    newest_s: int


WantedNames = Mapping[NameTable, WantedTable]
AdmittedNames = Mapping[NameTable, set[str]]


class NameTables:
    """Answers from Redis, or from a cache of what was there."""

    def __init__(self, store: redis.Redis) -> None:
        self._store = store
        self._known: dict[NameTable, set[str]] = {}

    def names(self, wanted: WantedNames) -> dict[NameTable, set[str]]:
        """Of each table at most NAMES_SENT_MAX names; new ones by their number of lines. One round trip where
        a name is not known. Raises redis.RedisError."""
        if sum(map(len, self._known.values())) > CACHED_NAMES:
            self._known.clear()
        unknown = {
            table: [name for name in some.lines if name not in self._known.get(table, ())]
            for table, some in wanted.items()
        }
        newcomers = self._look_up({table: names for table, names in unknown.items() if names}, wanted)
        return {
            table: _busiest(
                (self._known.get(table, set()) & some.lines.keys()) | newcomers.get(table, set()),
                some.lines,
                NAMES_SENT_MAX,
            )
            for table, some in wanted.items()
        }

    def _look_up(
        self, unknown: Mapping[NameTable, list[str]], wanted: WantedNames
    ) -> dict[NameTable, set[str]]:
        """Remembers which of the unknown are in Redis after all; the others that may come in."""
        if not unknown:
            return {}
        pipeline = self._store.pipeline(transaction=False)
        for table, names in unknown.items():
            key = keys.names(*table)
            pipeline.zcard(key)
            pipeline.zcount(key, "-inf", f"({wanted[table].newest_s - NAMES_KEPT_S}")
            for at in range(0, len(names), NAMES_AT_ONCE):
                members: list[Any] = [field_of(name) for name in names[at : at + NAMES_AT_ONCE]]
                pipeline.zmscore(key, members)
        answers: Any = iter(pipeline.execute())
        newcomers = {}
        for table, names in unknown.items():
            size, unseen = replies.number(next(answers)), replies.number(next(answers))
            scores: list[float | None] = []
            for _ in range(0, len(names), NAMES_AT_ONCE):
                scores += next(answers)
            there = {name for name, score in zip(names, scores, strict=True) if score is not None}
            self._known.setdefault(table, set()).update(there - {OTHER})
            # `(other)` may be one of them: then there is room for one more, which the script decides.
            room = NAMES_MAX + 1 - size + unseen
            new = {name for name in names if name not in there}
            newcomers[table] = _busiest(new, wanted[table].lines, room)
        return newcomers


def _busiest(names: set[str], lines: Mapping[str, int], most: int) -> set[str]:
    if len(names) <= most:
        return names
    return set(sorted(names, key=lambda name: (-lines[name], name))[: max(0, most)])
