"""The status that each worker reports: that it runs, and how far behind it is."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import orjson
import redis

from app.store import replies
from app.store.keys import WORKERS

GONE_AFTER_MS = 30_000
FORGOTTEN_AFTER_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """A worker's latest status; times in Unix ms."""

    id: str
    group: str
    at_ms: int
    lag_messages: int
    lag_seconds: float
    whole_group: bool
    started_at_ms: int
    waits: bool = False
    """The log is unreachable; lag is the last known value."""


_KNOWN = frozenset(field.name for field in fields(WorkerStatus))


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """A consumer group as seen from outside."""

    group: str
    workers: int
    lag_messages: int
    lag_seconds: float
    last_seen_ms: int
    waiting: int = 0
    """How many of the workers wait for the log."""


def report_status(store: redis.Redis, status: WorkerStatus) -> None:
    """Writes a worker's status."""
    store.hset(WORKERS, status.id, orjson.dumps(asdict(status)).decode())


def deregister(store: redis.Redis, worker_id: str) -> None:
    """Removes a worker that stops."""
    store.hdel(WORKERS, worker_id)


def all_workers(store: redis.Redis, now_ms: int) -> list[WorkerStatus]:
    """Every worker that spoke within the last hour; older entries are removed."""
    statuses = []
    for value in replies.texts(store.hgetall(WORKERS)).values():
        # While an upgrade is under way, workers of another version may say other things, or more.
        with contextlib.suppress(orjson.JSONDecodeError, TypeError, AttributeError):
            status_fields = orjson.loads(value).items()
            statuses.append(WorkerStatus(**{name: item for name, item in status_fields if name in _KNOWN}))
    forgotten = [status.id for status in statuses if now_ms - status.at_ms > FORGOTTEN_AFTER_MS]
    if forgotten:
        store.hdel(WORKERS, *forgotten)
    return [status for status in statuses if status.id not in forgotten]


def groups(statuses: Sequence[WorkerStatus], now_ms: int) -> list[GroupStatus]:
    """The groups of these workers. Members on Kafka each know their own partitions' lag; on Redis
    each knows the whole group's."""
    by_group: dict[str, list[WorkerStatus]] = {}
    for status in statuses:
        by_group.setdefault(status.group, []).append(status)
    result = []
    for group, members in sorted(by_group.items()):
        alive = [member for member in members if now_ms - member.at_ms <= GONE_AFTER_MS]
        known = alive or [max(members, key=lambda member: member.at_ms)]
        lags = [member.lag_messages for member in known]
        result.append(
            GroupStatus(
                group=group,
                workers=len(alive),
                lag_messages=max(lags) if known[0].whole_group else sum(lags),
                lag_seconds=max(member.lag_seconds for member in known),
                last_seen_ms=max(member.at_ms for member in known),
                waiting=sum(member.waits for member in alive),
            )
        )
    return result
