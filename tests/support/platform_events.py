"""Events by hand, and the way to Redis that a worker takes with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import redis

from app.platform.facts import Event
from app.store import keys
from app.store.apply import Changes, apply
from app.store.claims import offsets_claim
from app.store.event_rows import META, TABLES, StoredEvent, event_parts, unpack
from app.store.journal import Journal
from app.store.platform_rows import PlatformRow

R14 = "Error R14 (Memory quota exceeded)"
GROUP = "g"


def up(at_ms: int, dyno: str = "web.1") -> Event:
    return Event("state", at_ms, "State changed from starting to up", dyno, state="up")


def over_memory(at_ms: int, dyno: str = "web.1") -> Event:
    return Event("error", at_ms, R14, dyno, code="R14")


def released(at_ms: int, version: int) -> Event:
    return Event("release", at_ms, f"Release v{version} created", version=version)


def scaled(at_ms: int, size: str = "web@3:Standard-1X") -> Event:
    return Event("scale", at_ms, f"Scaled to {size}", names=(size,))


def add(
    store: redis.Redis,
    events: Mapping[str, Iterable[Event]],
    now_s: float,
    journal: Journal | None = None,
    at: int | None = None,
) -> None:
    """One batch: the events of each app. `at`: its place in the log; None: the next."""
    position = int(store.hget(keys.positions(GROUP), "0") or 0) if at is None else at
    claim = offsets_claim(keys.positions(GROUP), [(0, position, position + 1, position > 0)])
    rows = [PlatformRow(app, list(event_parts(some, int(now_s)))) for app, some in events.items()]
    assert apply(store, GROUP, claim, Changes([], dict.fromkeys(events, 0), {}, platform=rows), 500, journal)


def stored(store: redis.Redis, app: str, table: str) -> list[StoredEvent]:
    """The rows of a table, oldest first; both keys have the same ones."""
    ids = cast(list[bytes], store.zrange(keys.events(app, table), 0, -1))
    rows = cast(dict[bytes, bytes], store.hgetall(keys.event_facts(app, table)))
    assert {name for name in rows if name.decode() not in META} == set(ids)
    return sorted((unpack(rows[id].decode()) for id in ids), key=lambda row: row.event.at_ms)


def moments(rows: Sequence[StoredEvent]) -> list[int]:
    return [at_ms for row in rows for at_ms in row.times_ms]


def contents(store: redis.Redis, app: str) -> dict[str, object]:
    """All that the tables of an app hold."""
    return {
        table: (
            store.zrange(keys.events(app, table), 0, -1, withscores=True),
            store.hgetall(keys.event_facts(app, table)),
        )
        for table in TABLES
    }


def size_of(store: redis.Redis, app: str, table: str) -> int:
    """Bytes in Redis."""
    names = (keys.events(app, table), keys.event_facts(app, table))
    return sum(store.memory_usage(name, samples=0) or 0 for name in names)
