"""The health of Tailrace itself: losses, workers, the log, dead letters, senders. A few round trips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import redis

from app.groups import group_names
from app.log_status import GroupPosition, LogSize, LogStatus
from app.store import keys, replies
from app.store.frame_events import OTHER_DRAIN
from app.store.queries.alerting_health import AlertingHealth, alerting_health
from app.store.queries.windows import sums_of_minutes
from app.store.schema import Counts
from app.store.sender_faults import SenderFault, UnknownToken, sender_faults, unknown_tokens
from app.store.workers import GroupStatus, all_workers, groups

FULL_SHARE = 0.9
"""A table of routes is full from this share of its bound on, once rows had to give way."""


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
    """Frames that the drain rejected because the log was full of what this group had not read."""
    refused_full_s: int | None
    """Unix seconds of the last of these; None: there was none."""
    totals: Counts
    """`messages`, `duplicates`, `lost`, `bad`, `without_path`, `unreadable_times`, `replayed`,
    `forged_marks`, `platform_messages` and, of these, `platform_unread`: those that say nothing that is kept.
    ..."""


@dataclass(frozen=True, slots=True)
class LogHealth:
    """The message log, where it keeps account of its size."""

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
class SenderReport:
    """Something that a sender reported about its drains or its log, and that is no loss of messages."""

    code: str
    """L11, L14 or L15; a code of losses whose notice gives no number; `(other)`."""
    app: str
    count_last_hour: int
    count_ever: int


@dataclass(frozen=True, slots=True)
class Health:
    """The state of Tailrace itself. Losses are messages that senders reported as lost."""

    at_s: int
    requests: int
    losses_last_hour: Counts
    losses_ever: Counts
    losses_by_code: Counts
    other_drains_losses_last_hour: Counts
    """App -> messages that a drain of it lost which is not one of Tailrace's: they are in no other figure."""
    other_drains_losses_ever: Counts
    sender_reports: list[SenderReport]
    sender_faults: list[SenderFault]
    """What was wrong with requests to `web`: frames that were refused for good, and flaws of others."""
    unknown_tokens: list[UnknownToken]
    """Drain tokens that were refused because DRAIN_TOKENS does not name them."""
    groups: list[GroupHealth]
    log: LogHealth | None
    """None where the log keeps no account of its size."""
    memory: MemoryHealth
    dead_letters: int
    dead_letters_ever: int
    dead_letters_dropped: int
    """Those dropped because there were too many, not by an operator."""
    dead_letters_bytes: int
    full_apps: list[str]
    """Apps at their route limit, so that new routes count as `(other)`; "": all apps combined."""
    alerting: AlertingHealth = field(default_factory=AlertingHealth)


class StatusSource(Protocol):
    """What is needed of a message log here."""

    def status(self, store: redis.Redis, groups: Sequence[str]) -> LogStatus:
        """Raises redis.RedisError."""


def health(store: redis.Redis, now_s: float, log: StatusSource, *, routes_max: int) -> Health:
    """As things are now. Raises redis.RedisError."""
    now = int(now_s)
    names = group_names()
    status = log.status(store, names)
    pipeline = store.pipeline(transaction=False)
    pipeline.hgetall(keys.APPS)
    pipeline.hgetall(keys.LOSSES)
    pipeline.hgetall(keys.COUNTS)
    pipeline.xlen(keys.DEAD_LETTERS)
    pipeline.info("memory")
    pipeline.hget(keys.DEAD_LETTERS_ACCOUNT, "bytes")
    pipeline.hgetall(keys.REPORTS)
    pipeline.hgetall(keys.SENDER_FAULTS)
    pipeline.hgetall(keys.UNKNOWN_TOKENS)
    pipeline.hget(keys.ALERT_BOARD, keys.ALERT_BOARD_ITSELF)
    pipeline.hgetall(keys.ALERT_TARGETS)
    for group in names:
        pipeline.hgetall(keys.group(group))
    answers = pipeline.execute()
    apps, lost, counts = map(replies.counts, answers[:3])
    dead_letters, memory, letters_bytes = answers[3:6]
    reports, faults, tokens = answers[6:9]
    board, targets = answers[9:11]
    totals = dict(zip(names, map(replies.counts, answers[11:]), strict=True))

    def last_hour(key_of: Callable[[int, int], str], is_wanted: object) -> Counts:
        return sums_of_minutes(store, key_of, now - 3_600, now) if is_wanted else {}

    told = _reports(replies.counts(reports), last_hour(keys.report_window, reports))
    status_of_group = {found.group: found for found in groups(all_workers(store, now * 1000), now * 1000)}
    return Health(
        at_s=now,
        requests=sum(apps.values()),
        losses_last_hour=last_hour(keys.loss_window, lost),
        losses_ever=lost,
        losses_by_code={name[5:]: count for name, count in counts.items() if name.startswith("lost:")},
        other_drains_losses_last_hour={
            report.app: report.count_last_hour
            for report in told
            if report.code == OTHER_DRAIN and report.count_last_hour
        },
        other_drains_losses_ever={
            report.app: report.count_ever for report in told if report.code == OTHER_DRAIN
        },
        sender_reports=[report for report in told if report.code != OTHER_DRAIN],
        sender_faults=sender_faults(faults, last_hour(keys.sender_faults_window, faults)),
        unknown_tokens=unknown_tokens(tokens),
        groups=[_group(name, status_of_group.get(name), totals[name], status.groups[name]) for name in names],
        log=_log(status.size, now) if status.size else None,
        memory=memory_health(memory),
        dead_letters=int(dead_letters),
        dead_letters_ever=counts.get("dead_letters", 0),
        dead_letters_dropped=counts.get("dead_letters_dropped", 0),
        dead_letters_bytes=int(letters_bytes or 0),
        full_apps=_full_apps(store, ["", *filter(None, apps)], routes_max),
        alerting=alerting_health(board, targets),
    )


def _reports(ever: Counts, last_hour: Counts) -> list[SenderReport]:
    found = []
    for name, count in sorted(ever.items()):
        code, _, app = name.partition(" ")
        found.append(SenderReport(code, app, last_hour.get(name, 0), count))
    return found


def memory_health(info: dict[str, Any]) -> MemoryHealth:
    """What Redis's own INFO says of its memory."""
    return MemoryHealth(
        used_bytes=int(info.get("used_memory", 0)),
        limit_bytes=int(info.get("maxmemory", 0)),
        policy=str(info.get("maxmemory_policy", "noeviction")),
    )


def _group(name: str, status: GroupStatus | None, totals: Counts, position: GroupPosition) -> GroupHealth:
    lag_messages = status.lag_messages if status else 0
    # A group without workers says nothing; some logs know how far it has come.
    if (status is None or not status.workers) and position.lag_messages is not None:
        lag_messages = position.lag_messages
    refused_ms = position.refused_full_ms
    return GroupHealth(
        group=name,
        workers=status.workers if status else 0,
        waiting=status.waiting if status else 0,
        lag_messages=lag_messages,
        lag_seconds=status.lag_seconds if status else 0.0,
        last_seen_s=status.last_seen_ms // 1000 if status else None,
        log_lost=position.lost,
        refused_full=position.refused_full,
        refused_full_s=None if refused_ms is None else refused_ms // 1000,
        totals=totals,
    )


def _log(size: LogSize, now_s: int) -> LogHealth:
    return LogHealth(
        bytes=size.bytes,
        limit_bytes=size.limit_bytes,
        messages_kept=size.messages_kept,
        messages_added=size.messages_added,
        messages_trimmed=size.messages_trimmed,
        reaches_back_s=None if size.first_ms is None else max(0, now_s - size.first_ms // 1000),
    )


def _full_apps(store: redis.Redis, apps: list[str], routes_max: int) -> list[str]:
    pipeline = store.pipeline(transaction=False)
    for app in apps:
        pipeline.hexists(keys.routes(app), keys.OTHER_ROUTE)
        pipeline.hlen(keys.routes(app))
    answers = iter(pipeline.execute())
    full = []
    for app in apps:
        has_other, routes = next(answers), next(answers)
        # Rows give way to others all the time, so there is mostly some room.
        if has_other and routes >= FULL_SHARE * routes_max:
            full.append(app)
    return full
