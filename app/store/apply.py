"""Writes the rows of one batch and settles its claim: in one atomic step, then more steps if needed.

The first step settles the claim and adds as many rows as one step may cost. The other rows go to the
journal in that same step, and short steps add them from there (app/store/journal.py).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import orjson
import redis

from app.message import BadValue
from app.redis_memory import is_out_of_memory
from app.store import keys
from app.store.bounds import EVENTS_MAX_BYTES, NAMES_MAX, NAMES_SILENT_S, PATHS_MAX
from app.store.claims import Claim
from app.store.dead_letters import DEAD_LETTERS_LUA, dead_letter, enforce_limit
from app.store.dead_letters import arguments as dead_letter_arguments
from app.store.event_rows import EVENT_TIMES, ROW_BYTES
from app.store.gauge_rows import gauge_limits
from app.store.journal import Journal, split
from app.store.platform_rows import PlatformRow
from app.store.rows import ROWS_LUA, Row, portions
from app.store.samples import FAILED_MAX, SLOWEST_MAX
from app.store.schema import LAST_SEEN, NAME_TOTALS_HASH, PATHS_HASH, PROMOTED, TOTALS_HASH, Counts
from app.store.settle import SETTLE_LUA, read_answer, read_lua, run_raw

_APPLY = SETTLE_LUA + ROWS_LUA + DEAD_LETTERS_LUA + read_lua("apply.lua")


@dataclass(slots=True)
class Changes:
    """All that a batch changes: rows, requests per app, and the group's own totals."""

    rows: list[Row]
    apps: Counts
    totals: Counts
    bad: list[BadValue] = field(default_factory=list)
    """What could not be processed; it goes to the dead letters in the same step."""
    examples: list[BadValue] = field(default_factory=list)
    """Of what the totals count alone; they go to the dead letters too."""
    names: list[Row] = field(default_factory=list)
    """The rows of dynos and hosts."""
    platform: list[PlatformRow] = field(default_factory=list)


def apply(
    store: redis.Redis,
    group: str,
    claim: Claim,
    changes: Changes,
    routes_max: int,
    journal: Journal | None = None,
) -> bool:
    """Applies all of it or nothing. False if Redis has been cleared since the reader checked.

    Rows that would make the step too expensive are left in `journal`, whose `finish` adds them. A worker
    keeps one journal for all batches; without one, all rows are added when this returns.

    What Redis refuses (a key that someone else uses for another type) is left out, logged, and
    counted as `refused` in the group's totals. Raises StaleBatch where another process holds the
    messages now, redis.RedisError where the outcome is not known: to call it again with the same
    claim is then safe.
    """
    rest = journal or Journal(store, group, limits(routes_max))
    rows, further = split(list(portions([*changes.rows, *changes.names], changes.platform)))
    batch = {
        "portions": len(rows),
        "kept": len(further),
        "limits": limits(routes_max),
        "journal": keys.journal(group),
        "units_max": rest.cost.units_max,
        "apps_key": keys.APPS,
        "apps": _fields(changes.apps),
        "totals_key": keys.group(group),
        "totals": _fields(changes.totals),
    }
    kept = [*changes.bad, *changes.examples]
    letters = (dead_letter("message", group, bad.reason, bad.value) for bad in kept)
    kept_key = ""
    try:
        kept_key = rest.keep(further) if further else ""
        arguments = [
            *(orjson.dumps(claim), orjson.dumps(batch | {"kept_key": kept_key})),
            *rows,
            *dead_letter_arguments(letters, len(kept)),
        ]
        started_s = time.perf_counter()
        answer, left, units, refused, fault = run_raw(store, _APPLY, [], arguments)
    except redis.RedisError as error:
        if kept_key and isinstance(error, redis.ResponseError):
            rest.drop(kept_key)
        if is_out_of_memory(error):
            enforce_limit(store)
        raise
    if kept_key and answer == b"stale":
        rest.drop(kept_key)
    rest.note(left, units, time.perf_counter() - started_s, refused, fault)
    is_settled = read_answer(answer)
    if journal is None:
        rest.finish()
    return is_settled


def limits(routes_max: int) -> dict[str, Any]:
    """What the scripts have to know to name keys, and to keep names and routes within their bounds."""
    return {
        "prefix": keys.PREFIX,
        "routes": keys.routes(""),
        "digest_chars": keys.DIGEST_CHARS,
        "mix": TOTALS_HASH,
        "paths": PATHS_HASH,
        "last_seen": LAST_SEEN,
        "promoted": PROMOTED,
        "names_max": NAMES_MAX,
        "names": keys.NAMES,
        "names_silent_s": NAMES_SILENT_S,
        "name_totals": NAME_TOTALS_HASH,
        "paths_max": PATHS_MAX,
        "routes_max": routes_max,
        "other_route": keys.OTHER_ROUTE,
        "other_digest": keys.digest(keys.OTHER_ROUTE),
        "not_found_route": keys.NOT_FOUND_ROUTE,
        "slowest_max": SLOWEST_MAX,
        "failed_max": FAILED_MAX,
        "events": keys.EVENTS,
        "event_facts": keys.EVENT_FACTS,
        "events_max": EVENTS_MAX_BYTES,
        "event_row_bytes": ROW_BYTES,
        "event_times": EVENT_TIMES,
        "gauges": gauge_limits(),
    }


def _fields(counts: Counts) -> tuple[list[str], list[int]]:
    """As the script takes them: fields, and what to add to each."""
    return list(counts), list(counts.values())
