"""Reads the tables of events: the newest rows of some apps in a span, in three round trips."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from app.store import keys, replies
from app.store.event_rows import META, SLOT_MAX_MS, StoredEvent, unpack

ROWS_READ = 8_000
"""Most rows of one kind of table that a query reads. Of one app that is all; where apps share it, those with
few rows leave their share to the others."""

IDS_AT_ONCE = 500
"""Of one command, so that other clients' come in between."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A part of a table; times in Unix ms."""

    app: str
    table: str
    from_ms: int
    to_ms: int
    since_ms: int
    """Rows from then on count in `left_out`; older ones are read to explain them."""


@dataclass(frozen=True, slots=True)
class TableRows:
    """What was read of a table."""

    app: str
    table: str
    rows: list[tuple[str, StoredEvent]]
    """(id, row): those with any event in the part, newest first."""
    left_out: int
    """Older rows that were not read because there are many."""
    lost_ms: int
    """When the newest event happened that the table did not keep because there were many, Unix ms; 0: all
    were kept."""


def apps_with_events(store: redis.Redis) -> list[str]:
    """All apps that may have events; "" stands for what came without an app's name."""
    return list(dict.fromkeys(["", *replies.text_list(store.hkeys(keys.APPS))]))


def read_tables(store: redis.Redis, wanted: Sequence[Wanted]) -> list[TableRows]:
    """The rows of each. Raises redis.RedisError."""
    pipeline = store.pipeline(transaction=False)
    for one in wanted:
        key = keys.events(one.app, one.table)
        low, high = _ranks(one)
        pipeline.zcount(key, low, high)
        pipeline.zcount(key, one.since_ms * 1000, high)
        pipeline.hget(keys.event_facts(one.app, one.table), META[-1])
    answers = iter(pipeline.execute(raise_on_error=False))
    counts = [[replies.number(checked(next(answers))) for _ in range(3)] for _ in wanted]
    most = {
        table: _share((size for one, (size, _, _) in zip(wanted, counts, strict=True) if one.table == table))
        for table in {one.table for one in wanted}
    }
    there = [one for one, (size, _, _) in zip(wanted, counts, strict=True) if size]
    for one in there:
        low, high = _ranks(one)
        key = keys.events(one.app, one.table)
        pipeline.zrevrangebyscore(key, high, low, start=0, num=most[one.table], withscores=True)
    answers = iter(pipeline.execute(raise_on_error=False))
    ranked: list[list[tuple[bytes, float]]] = [
        checked(next(answers)) or [] if size else [] for size, _, _ in counts
    ]
    for one, ids in zip(wanted, ranked, strict=True):
        for at in range(0, len(ids), IDS_AT_ONCE):
            some = [identity for identity, _ in ids[at : at + IDS_AT_ONCE]]
            pipeline.hmget(keys.event_facts(one.app, one.table), some)
    values = map(checked, pipeline.execute(raise_on_error=False))
    tables = []
    for one, ids, (_, size, lost_ms) in zip(wanted, ranked, counts, strict=True):
        rows: list[tuple[str, StoredEvent]] = []
        for at in range(0, len(ids), IDS_AT_ONCE):
            rows += _in_part(one, ids[at : at + IDS_AT_ONCE], next(values) or [])
        is_read = sum(rank >= one.since_ms * 1000 for _, rank in ids)
        tables.append(TableRows(one.app, one.table, rows, max(0, size - is_read), lost_ms))
    return tables


def _ranks(one: Wanted) -> tuple[int, int]:
    """A row ranks anywhere in its slot."""
    return (one.from_ms - SLOT_MAX_MS) * 1000, (one.to_ms + SLOT_MAX_MS) * 1000


def _share(sizes: Iterable[int]) -> int:
    """The most rows of each table, so that all together are at most ROWS_READ, or one of each."""
    left, share = ROWS_READ, ROWS_READ
    ranked = sorted(size for size in sizes if size)
    for at, size in enumerate(ranked):
        share = max(1, left // (len(ranked) - at))
        if size > share:
            break
        left -= size
    return share


def _in_part(
    one: Wanted, ids: Sequence[tuple[bytes, float]], rows: Sequence[bytes | None]
) -> Iterator[tuple[str, StoredEvent]]:
    for (identity, _), row in zip(ids, rows, strict=False):
        if row is not None:
            with contextlib.suppress(ValueError):  # Something else is under the table's name.
                stored = unpack(replies.text(row))
                if stored.event.at_ms < one.to_ms and stored.last_ms >= one.from_ms:
                    yield replies.text(identity), stored


def checked(answer: Any) -> Any:
    """The answer; None where someone else uses the key for another type."""
    if isinstance(answer, redis.ResponseError) and str(answer).startswith("WRONGTYPE"):
        return None
    if isinstance(answer, Exception):
        raise answer
    return answer
