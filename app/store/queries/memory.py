"""What uses Redis's memory: the log, the figures by app, dead letters, and the rest.

The log and the dead letters track their own bytes. All other keys are measured a page at a time, so that
Redis serves others in between. If there are too many keys for that, those measured are a sample (SCAN returns
keys in the order of their hashes, so the first ones are a fair one).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import redis

from app.groups import group_names
from app.log_status import RedisShare
from app.store import dead_letters, keys, replies
from app.store.queries.health import MemoryHealth, StatusSource, memory_health

KEYS_A_PAGE = 250
KEYS_AT_MOST = 10_000
SCAN_TIME_S = 1.0
"""Measuring stops after this many keys or this many seconds, whichever comes first."""

APPS_SHOWN = 20

Kind = Literal["log", "app", "samples", "events", "alerts", "dead_letters", "bookkeeping", "foreign", "other"]


NAMES: dict[Kind, str] = {
    "log": "Message log",
    "samples": "Samples: the slowest and failed requests of each route",
    "events": "Events: releases, and what happened to dynos",
    "alerts": "Alerts: the board, their history, and what waits for targets",
    "dead_letters": "Dead letters",
    "bookkeeping": "Bookkeeping: positions, frames, workers, replays",
    "foreign": "Keys of other programs",
    "other": "Redis itself and its connections",
}


@dataclass(frozen=True, slots=True)
class MemoryPart:
    """A part of Redis's memory. `app`: the app's name if `kind` is `app`; empty: all apps together."""

    kind: Kind
    app: str
    name: str
    """What a person calls it."""
    bytes: int
    limit_bytes: int | None
    """Its own limit; None: it has none."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Redis's memory in parts, the largest first. They add up to `redis.used_bytes`, approximately
    if `is_estimate`."""

    redis: MemoryHealth
    parts: list[MemoryPart]
    further_apps: int
    """Apps with fewer bytes than those in `parts`; together they are in `further_apps_bytes`."""
    further_apps_bytes: int
    keys: int
    keys_looked_at: int
    is_estimate: bool
    """Not all keys were sampled."""
    refused: str
    """Why the sizes of keys are not known; empty where they are."""


@dataclass(slots=True)
class _Sizes:
    """What was measured: bytes by (kind, app), and how many keys."""

    by_part: dict[tuple[Kind, str], int]
    sampled: int = 0
    is_complete: bool = False
    refused: str = ""


# Large keys that are the only ones of their kind are measured by name: in a sample they would count as many.
_BOOKKEEPING = keys.FRAME_EVENTS


def memory(
    store: redis.Redis,
    log: StatusSource,
    *,
    keys_at_most: int = KEYS_AT_MOST,
    clock: Callable[[], float] = time.monotonic,
) -> Memory:
    """As it is now. Raises redis.RedisError."""
    share = log.status(store, group_names()).redis_share
    pipeline = store.pipeline(transaction=False)
    pipeline.info("memory")
    pipeline.dbsize()
    pipeline.hget(keys.DEAD_LETTERS_ACCOUNT, "bytes")
    pipeline.hkeys(keys.APPS)
    info, key_count, letters_bytes, apps = pipeline.execute()
    limits = memory_health(info)
    bookkeeping = (*share.bookkeeping, *_BOOKKEEPING)
    sizes = _measure_keys(store, _measured_elsewhere(share, bookkeeping), keys_at_most, clock)
    if not sizes.refused:
        sizes.by_part = _extrapolate(sizes, key_count)
        _add_large(store, sizes.by_part, bookkeeping, replies.text_list(apps))
    figures = [_part(kind, size, app=app) for (kind, app), size in sizes.by_part.items()]
    parts = [
        *figures,
        _part("log", share.bytes, share.limit_bytes),
        _part("dead_letters", int(letters_bytes or 0), dead_letters.limit_bytes(limits.limit_bytes)),
    ]
    rest = limits.used_bytes - sum(part.bytes for part in parts)
    named = sorted((part for part in parts if part.app), key=_size, reverse=True)
    shown = [*(part for part in parts if not part.app), *named[:APPS_SHOWN]]
    other = _part("other", max(0, rest))
    if sizes.refused:
        other = replace(other, name="Figures and everything else")
    return Memory(
        redis=limits,
        parts=[*sorted(shown, key=_size, reverse=True), other],
        further_apps=len(named[APPS_SHOWN:]),
        further_apps_bytes=sum(part.bytes for part in named[APPS_SHOWN:]),
        keys=key_count,
        keys_looked_at=sizes.sampled,
        is_estimate=not sizes.is_complete,
        refused=sizes.refused,
    )


def _part(kind: Kind, size: int, limit_bytes: int | None = None, app: str = "") -> MemoryPart:
    figures = f"Figures of {app}" if app else "Figures of all apps together"
    return MemoryPart(kind, app, NAMES.get(kind, figures), size, limit_bytes)


def _size(part: MemoryPart) -> int:
    return part.bytes


def _measured_elsewhere(share: RedisShare, bookkeeping: Sequence[str]) -> frozenset[bytes]:
    """The keys whose size is known in another way."""
    return frozenset(name.encode() for name in (*share.keys, keys.DEAD_LETTERS, *bookkeeping))


def _measure_keys(
    store: redis.Redis, excluded: frozenset[bytes], keys_at_most: int, clock: Callable[[], float]
) -> _Sizes:
    """Asks for the size of the first keys but those `excluded`, page by page."""
    sizes = _Sizes({})
    deadline_s = clock() + SCAN_TIME_S
    try:
        cursor, page = cast(tuple[int, list[bytes]], store.scan(0, count=KEYS_A_PAGE))
    except redis.ResponseError:
        sizes.refused = "This Redis does not allow listing keys: it refuses SCAN."
        return sizes
    while True:
        names = [name for name in page if name not in excluded and not keys.ROUTES_PATTERN.fullmatch(name)]
        pipeline = store.pipeline(transaction=False)
        for name in names:
            pipeline.memory_usage(name)
        is_last = cursor == 0 or sizes.sampled + len(names) >= keys_at_most or clock() >= deadline_s
        if not is_last:
            pipeline.scan(cursor, count=KEYS_A_PAGE)
        answers: list[Any] = pipeline.execute(raise_on_error=False)
        for name, size in zip(names, answers, strict=False):
            if isinstance(size, redis.ResponseError):
                sizes.refused = "This Redis does not reveal the size of keys: it refuses MEMORY USAGE."
                return sizes
            part = _part_of(name)
            sizes.by_part[part] = sizes.by_part.get(part, 0) + (size or 0)
        sizes.sampled += len(names)
        if is_last:
            sizes.is_complete = cursor == 0
            return sizes
        if isinstance(answers[-1], redis.RedisError):
            raise answers[-1]
        cursor, page = answers[-1]


def _part_of(name: bytes) -> tuple[Kind, str]:
    if keys.SAMPLES_PATTERN.match(name):
        return "samples", ""
    if keys.EVENTS_PATTERN.match(name):
        return "events", ""
    if keys.ALERTS_PATTERN.match(name):
        return "alerts", ""
    figures = keys.FIGURES_PATTERN.match(name)
    if figures is not None:
        return "app", replies.text(figures["app"])
    return ("bookkeeping" if name.startswith(keys.PREFIX.encode()) else "foreign"), ""


def _extrapolate(sizes: _Sizes, key_count: int) -> dict[tuple[Kind, str], int]:
    """Scales the sample up to all keys."""
    if sizes.is_complete or not sizes.sampled:
        return sizes.by_part
    factor = max(1.0, key_count / sizes.sampled)
    return {part: round(size * factor) for part, size in sizes.by_part.items()}


def _add_large(
    store: redis.Redis,
    by_part: dict[tuple[Kind, str], int],
    bookkeeping: Sequence[str],
    apps: Sequence[str],
) -> None:
    asked: list[tuple[tuple[Kind, str], str]] = [(("bookkeeping", ""), name) for name in bookkeeping]
    asked += [(("app", app), keys.routes(app)) for app in dict.fromkeys(["", *apps])]
    pipeline = store.pipeline(transaction=False)
    for _, name in asked:
        pipeline.memory_usage(name)
    for (part, _), size in zip(asked, pipeline.execute(), strict=True):
        if size:
            by_part[part] = by_part.get(part, 0) + size
