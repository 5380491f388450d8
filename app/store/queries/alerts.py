"""Alerts: what is wrong, in plain words, and what to do about it. Pure: from Health to sentences."""

from __future__ import annotations

from collections.abc import Iterator

from app.formatting import duration, plural
from app.groups import Group, group_named
from app.log_status import LogAdvice
from app.store.queries.alert import Alert, Severity
from app.store.queries.alerting_alerts import alerting_alerts
from app.store.queries.health import GroupHealth, Health
from app.store.queries.line_alerts import line_alerts
from app.store.queries.sender_alerts import sender_alerts

LAG_S = 30
"""With a larger lag than this, the figures are no longer current."""

FULL_S = 60
"""If a frame was rejected within this many seconds, the log is full now."""

MEMORY_SHARE = 0.9

SAFE_POLICIES = ("noeviction",)


def alerts(health: Health, advice: LogAdvice) -> list[Alert]:
    """The most urgent first; empty when all is well. `advice`: of the message log."""
    found = [
        *_log_full(health, advice),
        *_workers(health, advice),
        *_refused(health),
        *sender_alerts(health),
        *alerting_alerts(health),
        *_memory(health, advice),
        *_dead_letters(health),
        *line_alerts(health),
        *_routes(health),
    ]
    order = {"alarm": 0, "warning": 1, "note": 2}
    return sorted(found, key=lambda alert: order[alert.severity])


def _workers(health: Health, advice: LogAdvice) -> Iterator[Alert]:
    for group in health.groups:
        known = group_named(group.group)
        # What is not part of every installation is expected only once it was seen.
        is_expected = known.is_required or group.last_seen_s is not None
        if is_expected and not group.workers:
            yield _no_worker(known, group, health)
        elif group.workers and group.waiting == group.workers:
            yield _waiting(known, group, advice)
        elif group.workers and group.lag_seconds > LAG_S:
            yield Alert(
                code=f"lag:{group.group}",
                severity="warning",
                title=f"{group.group} is {duration(group.lag_seconds)} behind",
                text=f"{_queued(group.lag_messages)}. {known.while_behind}",
                action="If the lag does not shrink, start more workers: "
                f"`heroku ps:scale {group.group}={group.workers + 1}`",
                count=group.lag_messages,
            )
        if group.log_lost and is_expected:
            yield Alert(
                code=f"log_lost:{group.group}",
                severity="warning",
                title=f"{group.group} missed {_messages(group.log_lost)}",
                text="The log dropped its oldest messages before the worker had read them.",
                action=f"{advice.keep_longer[:1].upper()}{advice.keep_longer[1:]}, or start more workers.",
                count=group.log_lost,
            )


def _log_full(health: Health, advice: LogAdvice) -> Iterator[Alert]:
    for group in health.groups:
        if group.refused_full_s is None or health.at_s - group.refused_full_s > FULL_S:
            continue
        yield Alert(
            code=f"log_full:{group.group}",
            severity="alarm",
            title=f"The log is full: frames are rejected until {group.group} catches up",
            text=f"{_queued(group.lag_messages)} for {group.group}. Senders get 503 and retry; "
            "Logplex reports what it gives up on as lost.",
            action=f"Start more workers: `heroku ps:scale {group.group}={group.workers + 1}`, "
            f"or {advice.keep_longer}.",
            count=group.refused_full,
        )


def _no_worker(known: Group, group: GroupHealth, health: Health) -> Alert:
    since = f" for {duration(health.at_s - group.last_seen_s)}" if group.last_seen_s is not None else ""
    so = known.while_stopped if health.requests else known.before_first_request or known.while_stopped
    queued = f" {_queued(group.lag_messages)}." if group.lag_messages else ""
    return Alert(
        code=f"no_worker:{group.group}",
        severity=_severity(known),
        title=f"No {group.group} worker is running",
        text=f"No worker has reported{since}, so {so}.{queued}",
        action=f"Start one: `heroku ps:scale {group.group}=1`, or `{known.command}`.",
        count=1,
    )


def _waiting(known: Group, group: GroupHealth, advice: LogAdvice) -> Alert:
    verb = "is running" if group.workers == 1 else "are running"
    if known.reading is None:
        return Alert(
            code=f"waiting:{group.group}",
            severity=_severity(known),
            title=f"{group.group} cannot do its work",
            text=f"{plural(group.workers, 'worker')} {verb}, but what it needs is unreachable, "
            f"so {known.while_stopped}. It retries by itself.",
            action="The worker logs the cause as `waiting: ...`.",
            count=group.waiting,
        )
    return Alert(
        code=f"waiting:{group.group}",
        severity=_severity(known),
        title=f"{group.group} cannot reach the message log",
        text=f"{plural(group.workers, 'worker')} {verb}, but the log is unreachable, "
        f"so {known.while_stopped}. Nothing is lost: reading resumes by itself where it stopped.",
        action=advice.reconnect,
        count=group.waiting,
    )


def _severity(known: Group) -> Severity:
    return "alarm" if known.is_required else "warning"


def _refused(health: Health) -> Iterator[Alert]:
    for group in health.groups:
        if refused := group.totals.get("refused", 0):
            yield Alert(
                code=f"refused:{group.group}",
                severity="warning",
                title=f"Redis refused {plural(refused, 'update')} from {group.group}",
                text="Another program uses a key of Tailrace's with a different type, so counts are too low.",
                action="Give Tailrace its own Redis in `REDIS_URL`; the worker's log has Redis's error.",
                count=refused,
            )


def _memory(health: Health, advice: LogAdvice) -> Iterator[Alert]:
    memory = health.memory
    if memory.policy not in SAFE_POLICIES and memory.limit_bytes:
        yield Alert(
            code="eviction",
            severity="warning",
            title="Redis may evict figures when it is full",
            text=f"Its maxmemory-policy is {memory.policy}.",
            action="Set it to noeviction: `heroku redis:maxmemory --policy noeviction -a APP`",
            count=1,
        )
    if memory.limit_bytes and memory.used_bytes > MEMORY_SHARE * memory.limit_bytes:
        share = round(100 * memory.used_bytes / memory.limit_bytes)
        yield Alert(
            code="memory",
            severity="warning",
            title=f"Redis is {share} % full",
            text="When it is full, frames are rejected and Logplex drops them.",
            action="Run `python -m app memory` to see what uses it. Then take a larger plan, or lower "
            f"{' or '.join(filter(None, (advice.take_less, '`ROUTES_MAX`')))}.",
            count=share,
        )


def _dead_letters(health: Health) -> Iterator[Alert]:
    if health.dead_letters:
        yield Alert(
            code="dead_letters",
            severity="warning",
            title=plural(health.dead_letters, "dead letter"),
            text="Lines that could not be processed are kept with the reason.",
            action="List them with `python -m app dead-letters list`, then requeue or drop them.",
            count=health.dead_letters_ever,
        )
    if health.dead_letters_dropped:
        yield Alert(
            code="dead_letters_dropped",
            severity="warning",
            title=f"{plural(health.dead_letters_dropped, 'dead letter')} could not be kept",
            text="There is no room for all lines that could not be processed; the oldest were dropped.",
            action="Find the sender: `python -m app dead-letters list` shows the newest.",
            count=health.dead_letters_dropped,
        )


def _routes(health: Health) -> Iterator[Alert]:
    for app in health.full_apps:
        yield Alert(
            code=f"routes_full:{app}",
            severity="note",
            title=f"Route limit reached for {app or 'all apps combined'}",
            text="The least used routes are counted under (other), so that busy ones have a row.",
            action="See `python -m app routes list`. Merge what belongs together with "
            "`python -m app routes merge`, add patterns under `routes:` in the file of `TAILRACE_CONFIG`, "
            "or raise `ROUTES_MAX`.",
            count=1,
            app=app,
        )


def _queued(count: int) -> str:
    return f"{_messages(count)} {'is' if count == 1 else 'are'} queued"


def _messages(count: int) -> str:
    return plural(count, "message")
