"""Writes the rows of one batch and settles its claim, in one atomic step and one round trip."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import redis

from app.redis_memory import is_out_of_memory
from app.store.dead_letters import DEAD_LETTERS_LUA, arguments, dead_letter, hold_bound
from app.store.keys import ALL_ROUTES, BUCKET_SHIFT, CHUNK_S, OTHER_ROUTE, WINDOWS, chunk, digest, scope
from app.store.settle import SETTLE_LUA, read_answer, read_lua, run_script
from app.streams.interface import BadValue, Claim

log = logging.getLogger(__name__)

NAMES_MAX = 200
"""Dynos, and hosts, kept by name per route; further ones count as `(other)`."""

Counts = dict[str, int]
Sketch = dict[int, int]
WindowCounts = tuple[int, int, Mapping[str | int, int]]
"""(length in seconds, start in Unix seconds, counts); see `keys.chunk`."""

_Fields = tuple[list[str | int], list[int]]
_KEPT_S = dict(WINDOWS)

_APPLY = SETTLE_LUA + DEAD_LETTERS_LUA + read_lua("apply.lua")


@dataclass(slots=True)
class Times:
    """One figure of a row, service or connect: exact sum in microseconds, sketch, maximum."""

    sum_us: int = 0
    count: int = 0
    max_ms: float = 0.0
    sketch: Sketch = field(default_factory=dict)


@dataclass(slots=True)
class Row:
    """What a batch adds to one route of one app; `route` empty: to all routes together."""

    app: str
    route: str
    service: Times
    connect: Times
    statuses: Counts
    mix: Counts
    """`count`, `bytes`, `m:<method>`, `c:<H-code>`."""
    dynos: Counts
    hosts: Counts
    windows: list[WindowCounts]


@dataclass(slots=True)
class Changes:
    """All that a batch changes: rows, requests per app, and the group's own totals."""

    rows: list[Row]
    apps: Counts
    totals: Counts
    bad: list[BadValue] = field(default_factory=list)
    """What could not be processed; goes to the dead letters in the same step."""


def apply(store: redis.Redis, group: str, claim: Claim, changes: Changes, routes_max: int) -> bool:
    """Applies all of it or nothing. False where Redis had been cleared since the reader looked.

    What Redis refuses (a key that someone else uses for another type) is left out, logged, and
    counted as `refused` in the group's totals. Raises StaleBatch where another process holds the
    messages now, redis.RedisError where the outcome is not known: to call it again with the same
    claim is then safe.
    """
    batch = {
        "group": group,
        "routes_max": routes_max,
        "names_max": NAMES_MAX,
        "other_route": OTHER_ROUTE,
        "other_digest": digest(OTHER_ROUTE),
        "rows": [_row(row) for row in changes.rows],
        "apps": _fields(changes.apps),
        "totals": _fields(changes.totals),
    }
    letters = (dead_letter("message", group, bad.reason, bad.value) for bad in changes.bad)
    try:
        answer, refused, fault = run_script(
            store, _APPLY, claim, batch, raw=arguments(letters, len(changes.bad))
        )
    except redis.RedisError as error:
        if is_out_of_memory(error):
            hold_bound(store)
        raise
    if refused:
        log.error("Redis refused %d parts of a batch: %s", refused, fault.decode("utf-8", "replace")[:200])
    return read_answer(answer)


def _row(row: Row) -> dict[str, Any]:
    return {
        "scope": scope(row.app),
        "route": row.route or None,
        "digest": digest(row.route) if row.route else ALL_ROUTES,
        "service": (row.service.sum_us, row.service.count),
        "connect": (row.connect.sum_us, row.connect.count),
        "service_max": row.service.max_ms,
        "connect_max": row.connect.max_ms,
        "service_sketch": _fields(row.service.sketch),
        "connect_sketch": _fields(row.connect.sketch),
        "statuses": _fields(row.statuses),
        "mix": _fields(row.mix),
        "dynos": _fields(row.dynos),
        "hosts": _fields(row.hosts),
        "chunks": _chunks(row.windows),
    }


def _chunks(windows: Iterable[WindowCounts]) -> list[tuple[str, int, list[int], list[_Fields]]]:
    """Name of each chunk, when it expires (Unix s), the windows in it, and what they get."""
    chunks: dict[str, tuple[str, int, list[int], list[_Fields]]] = {}
    for length_s, start_s, counts in windows:
        name, number = chunk(length_s, start_s)
        if name not in chunks:
            expiry_s = start_s - number * length_s + CHUNK_S[length_s] + _KEPT_S[length_s]
            chunks[name] = (name, expiry_s, [], [])
        _, _, numbers, added = chunks[name]
        numbers.append(number)
        names = [name if type(name) is str else int(name) - BUCKET_SHIFT for name in counts]
        added.append((names, list(counts.values())))
    return list(chunks.values())


def _fields(counts: Counts | Sketch) -> _Fields:
    """As the script takes them: fields, and what to add to each."""
    return list(counts), list(counts.values())
