"""How Tailrace itself is: losses, workers, the log in Redis, dead letters. One round trip, or two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import redis

from app.log.redis.reader import META, SHARE_OF_MAXMEMORY, STREAM, group_lag
from app.redis_memory import share_of
from app.store import keys
from app.store.dead_letters import ACCOUNT, DEAD_LETTERS
from app.store.queries.windows import Counts, losses
from app.store.workers import GroupStatus, all_workers, groups

KNOWN_GROUPS = ("metrics", "replay")


@dataclass(frozen=True, slots=True)
class GroupHealth:
    """A consumer group: the status of its workers, and its all-time counts."""

    group: str
    workers: int
    waiting: int
    """Of the workers, those that cannot reach the log."""
    lag_messages: int
    lag_seconds: float
    last_seen_s: int | None
    """Unix seconds when a worker last reported; None: not within the last hour."""
    log_lost: int
    """Messages that the log dropped before this group had read them."""
    refused_full: int
    """Frames that the drain rejected because the log in Redis was full of what this group had not read."""
    refused_full_s: int | None
    """Unix seconds of the last of these; None: there was none."""
    totals: Counts
    """`messages`, `duplicates`, `lost`, `bad`, `without_path`, `replayed`, ..."""


@dataclass(frozen=True, slots=True)
class LogHealth:
    """The message log, if it is in Redis."""

    bytes: int
    limit_bytes: int
    messages_kept: int
    messages_added: int
    messages_trimmed: int
    reaches_back_s: int | None
    """Age of the oldest message; None for an empty log."""


@dataclass(frozen=True, slots=True)
class MemoryHealth:
    """Redis's memory; `limit_bytes` 0: no limit."""

    used_bytes: int
    limit_bytes: int
    policy: str


@dataclass(frozen=True, slots=True)
class Health:
    """The state of Tailrace itself. Losses are messages that senders reported as lost."""

    at_s: int
    requests: int
    losses_last_hour: Counts
    losses_ever: Counts
    losses_by_code: Counts
    groups: list[GroupHealth]
    log: LogHealth | None
    """None with Kafka."""
    memory: MemoryHealth
    dead_letters: int
    dead_letters_ever: int
    dead_letters_dropped: int
    """Those dropped because there were too many, not by an operator."""
    dead_letters_bytes: int
    full_apps: list[str]
    """Apps at their route limit, so that new routes count as `(other)`; "": all apps combined."""


def health(store: redis.Redis, now_s: float, *, log_limit_bytes: int | None, routes_max: int) -> Health:
    """`log_limit_bytes`: the setting for the log in Redis; None with Kafka."""
    now = int(now_s)
    pipeline = store.pipeline(transaction=False)
    pipeline.hgetall(keys.APPS)
    pipeline.hgetall(keys.LOSSES)
    pipeline.hgetall(keys.COUNTS)
    pipeline.hgetall(META)
    pipeline.xlen(DEAD_LETTERS)
    pipeline.xrange(STREAM, count=1)
    pipeline.info("memory")
    pipeline.hget(ACCOUNT, "bytes")
    for group in KNOWN_GROUPS:
        pipeline.hgetall(keys.group(group))
    answers = pipeline.execute()
    apps, lost, counts, meta = (_counts(answer) for answer in answers[:4])
    dead_letters, oldest, memory, letters_bytes = answers[4:8]
    totals = dict(zip(KNOWN_GROUPS, (_counts(answer) for answer in answers[8:]), strict=True))
    limits = memory_health(memory)
    in_redis = log_limit_bytes is not None
    told = {status.group: status for status in groups(all_workers(store, now * 1000), now * 1000)}
    return Health(
        at_s=now,
        requests=sum(apps.values()),
        losses_last_hour=losses(store, now - 3_600, now) if lost else {},
        losses_ever=lost,
        losses_by_code={name[5:]: count for name, count in counts.items() if name.startswith("lost:")},
        groups=[_group(name, told.get(name), totals[name], meta, in_redis) for name in KNOWN_GROUPS],
        log=_log(meta, oldest, limits, log_limit_bytes, now) if log_limit_bytes is not None else None,
        memory=limits,
        dead_letters=int(dead_letters),
        dead_letters_ever=counts.get("dead_letters", 0),
        dead_letters_dropped=counts.get("dead_letters_dropped", 0),
        dead_letters_bytes=int(letters_bytes or 0),
        full_apps=_full_apps(store, ["", *filter(None, apps)], routes_max),
    )


def memory_health(info: dict[str, Any]) -> MemoryHealth:
    """What Redis's own INFO says of its memory."""
    return MemoryHealth(
        used_bytes=int(info.get("used_memory", 0)),
        limit_bytes=int(info.get("maxmemory", 0)),
        policy=str(info.get("maxmemory_policy", "noeviction")),
    )


def _group(name: str, told: GroupStatus | None, totals: Counts, meta: Counts, in_redis: bool) -> GroupHealth:
    lag_messages = told.lag_messages if told else 0
    # A group that is not running reports nothing; the log in Redis knows how far it has come.
    if in_redis and (told is None or not told.workers) and f"read:{name}" in meta:
        lag_messages = group_lag(meta, name)
    full_at_ms = meta.get(f"full_at:{name}", 0) if in_redis else 0
    return GroupHealth(
        group=name,
        workers=told.workers if told else 0,
        waiting=told.waiting if told else 0,
        lag_messages=lag_messages,
        lag_seconds=told.lag_seconds if told else 0.0,
        last_seen_s=told.last_seen_ms // 1000 if told else None,
        log_lost=meta.get(f"lost:{name}", 0) if in_redis else totals.get("lost", 0),
        refused_full=meta.get(f"full:{name}", 0) if in_redis else 0,
        refused_full_s=full_at_ms // 1000 if full_at_ms else None,
        totals=totals,
    )


def _log(meta: Counts, oldest: Any, memory: MemoryHealth, limit_bytes: int, now_s: int) -> LogHealth:
    limit_bytes = share_of(memory.limit_bytes, SHARE_OF_MAXMEMORY, limit_bytes)
    first_s = int(oldest[0][0].partition(b"-")[0]) // 1000 if oldest else None
    return LogHealth(
        bytes=meta.get("bytes", 0),
        limit_bytes=limit_bytes,
        messages_kept=meta.get("kept", 0),
        messages_added=meta.get("added", 0),
        messages_trimmed=meta.get("trimmed", 0),
        reaches_back_s=None if first_s is None else max(0, now_s - first_s),
    )


def _full_apps(store: redis.Redis, apps: list[str], routes_max: int) -> list[str]:
    pipeline = store.pipeline(transaction=False)
    for app in apps:
        pipeline.hexists(keys.routes(app), keys.OTHER_ROUTE)
        pipeline.hlen(keys.routes(app))
    answers = iter(cast(list[int], pipeline.execute()))
    full = []
    for app in apps:
        has_other, routes = next(answers), next(answers)
        if has_other and routes >= routes_max:
            full.append(app)
    return full


def _counts(answer: dict[bytes, bytes]) -> Counts:
    return {name.decode("utf-8", "replace"): int(value) for name, value in answer.items()}
