"""Writes the rows of one batch and settles its claim: one atomic step, then more where that is too little.

The first step settles the claim and adds as many rows as one step may cost. The rest of the rows
goes to the journal in that same step, and short steps add it from there (app/store/journal.py).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
import redis

from app.message import BadValue
from app.redis_memory import is_out_of_memory
from app.store import keys
from app.store.bounds import NAMES_MAX
from app.store.claims import Claim
from app.store.dead_letters import DEAD_LETTERS_LUA, dead_letter, hold_bound
from app.store.dead_letters import arguments as letter_arguments
from app.store.journal import Journal
from app.store.keys import ALL_ROUTES, BUCKET_SHIFT, CHUNK_S, OTHER_ROUTE, WINDOWS, chunk, digest, scope
from app.store.settle import SETTLE_LUA, read_answer, read_lua, run_raw

Counts = dict[str, int]
Sketch = dict[int, int]
WindowCounts = tuple[int, int, Mapping[str | int, int]]
"""(length in seconds, start in Unix seconds, counts); see `keys.chunk`."""

ROW_UNITS = 40
"""What a row costs before its fields, in units: one unit is about what one field of a hash costs."""

WINDOW_UNITS = 60
"""What a window costs beside the fields that it gets: it is read and written whole."""

PORTION_UNITS = 1_000
"""Rows are added in portions of about this cost, some milliseconds: no portion is ever split."""

_Fields = tuple[list[str | int], list[int]]
_Chunk = tuple[str, int, list[int], list[_Fields]]
_KEPT_S = dict(WINDOWS)

_APPLY = SETTLE_LUA + read_lua("rows.lua") + DEAD_LETTERS_LUA + read_lua("apply.lua")


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


def apply(
    store: redis.Redis,
    group: str,
    claim: Claim,
    changes: Changes,
    routes_max: int,
    journal: Journal | None = None,
) -> bool:
    """Applies all of it or nothing. False where Redis had been cleared since the reader looked.

    Where one step may not cost that much, rows are left in `journal`, whose `finish` adds them.
    Without one, which a worker keeps from batch to batch, all rows are added when this returns.

    What Redis refuses (a key that someone else uses for another type) is left out, logged, and
    counted as `refused` in the group's totals. Raises StaleBatch where another process holds the
    messages now, redis.RedisError where the outcome is not known: to call it again with the same
    claim is then safe.
    """
    rest = journal or Journal(store, group, limits(routes_max))
    rows = list(portions(changes.rows))
    batch = {
        "portions": len(rows),
        "limits": limits(routes_max),
        "journal": keys.journal(group),
        "units_max": rest.cost.units_max,
        "apps": _fields(changes.apps),
        "totals_key": keys.group(group),
        "totals": _fields(changes.totals),
    }
    letters = (dead_letter("message", group, bad.reason, bad.value) for bad in changes.bad)
    arguments = [
        *(orjson.dumps(claim), orjson.dumps(batch)),
        *rows,
        *letter_arguments(letters, len(changes.bad)),
    ]
    started_s = time.perf_counter()
    try:
        answer, left, units, refused, fault = run_raw(store, _APPLY, [], arguments)
    except redis.RedisError as error:
        if is_out_of_memory(error):
            hold_bound(store)
        raise
    rest.note(left, units, time.perf_counter() - started_s, refused, fault)
    is_settled = read_answer(answer)
    if journal is None:
        rest.finish()
    return is_settled


def limits(routes_max: int) -> dict[str, Any]:
    """What the scripts have to know to keep names and routes within their bounds."""
    return {
        "names_max": NAMES_MAX,
        "routes_max": routes_max,
        "other_route": OTHER_ROUTE,
        "other_digest": digest(OTHER_ROUTE),
    }


def portions(rows: Iterable[Row]) -> Iterator[bytes]:
    """The rows as the scripts take them: `<units> <JSON list of rows>`, each of bounded cost.

    Portions outlive a worker in the journal, so a later version must be able to read them.
    """
    portion: list[dict[str, Any]] = []
    units = 0
    for row in rows:
        for piece, piece_units in _pieces(row):
            if portion and units + piece_units > PORTION_UNITS:
                yield b"%d %b" % (units, orjson.dumps(portion))
                portion, units = [], 0
            portion.append(piece)
            units += piece_units
    if portion:
        yield b"%d %b" % (units, orjson.dumps(portion))


def _pieces(row: Row) -> Iterator[tuple[dict[str, Any], int]]:
    """The row and what it costs in units; a row with many windows in several pieces."""
    names = {
        "scope": scope(row.app),
        "route": row.route or None,
        "digest": digest(row.route) if row.route else ALL_ROUTES,
    }
    totals = {
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
    }
    units = ROW_UNITS + sum(
        len(counts)
        for counts in (
            *(row.service.sketch, row.connect.sketch, row.statuses),
            *(row.mix, row.dynos, row.hosts),
        )
    )
    windows: list[WindowCounts] = []
    for window in row.windows:
        window_units = WINDOW_UNITS + len(window[2])
        if units + window_units > PORTION_UNITS and (windows or totals):
            yield {**names, **totals, "chunks": _chunks(windows)}, units
            windows, totals, units = [], {}, ROW_UNITS
        windows.append(window)
        units += window_units
    yield {**names, **totals, "chunks": _chunks(windows)}, units


def _chunks(windows: Iterable[WindowCounts]) -> list[_Chunk]:
    """Name of each chunk, when it expires (Unix s), the windows in it, and what they get."""
    chunks: dict[str, _Chunk] = {}
    for length_s, start_s, counts in windows:
        name, number = chunk(length_s, start_s)
        if name not in chunks:
            expiry_s = start_s - number * length_s + CHUNK_S[length_s] + _KEPT_S[length_s]
            chunks[name] = (name, expiry_s, [], [])
        _, _, numbers, added = chunks[name]
        numbers.append(number)
        names = [name if type(name) is str else cast(int, name) - BUCKET_SHIFT for name in counts]
        added.append((names, list(counts.values())))
    return list(chunks.values())


def _fields(counts: Counts | Sketch) -> _Fields:
    """As the script takes them: fields, and what to add to each."""
    return list(counts), list(counts.values())
