"""What `/api/alerts`, the page, `python -m app alerts list` and Prometheus show: a few round trips."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, cast

import redis

from app.alerts.board import Board, Incident, Silence, notice_of
from app.alerts.compose import message_of
from app.alerts.context import Context
from app.alerts.defaults import rules_of
from app.alerts.describe import is_on
from app.alerts.evaluate import scope
from app.alerts.facts import Subject
from app.alerts.message import Message
from app.alerts.redis.budgets import Budget, BudgetReader
from app.alerts.redis.history import Told, read_board_and_open, read_history
from app.alerts.redis.lease import holder
from app.alerts.redis.outbox import TargetStatus, statuses
from app.alerts.redis.silences import silences
from app.alerts.rule import Rule
from app.alerts.targets.registry import targets_of
from app.formatting import duration
from app.settings import Settings
from app.store import keys
from app.store.queries.spans import Span

STOPPED_AFTER_S = 60
"""Rules are judged every 10 s; with no judgement for so long, nothing is known."""

TARGET_SHOWN_S = 86_400
"""So long a target is shown that had messages and is not among the settings of this process."""

RuleState = Literal["ok", "pending", "firing", "unknown"]


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule in force."""

    name: str
    when: str
    app: str
    route: str
    for_s: int
    to: tuple[str, ...]
    """Empty: all targets."""
    is_default: bool
    state: RuleState
    """The worst of its subjects."""
    subjects: int = 0
    """On the board: pending or firing."""
    silenced_until_s: int | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """An incident, as it is told."""

    incident: Incident
    message: Message


@dataclass(frozen=True, slots=True)
class AlertsView:
    """Everything about alerts. Times in Unix seconds."""

    rules: list[RuleView] = field(default_factory=list)
    open: list[Alarm] = field(default_factory=list)
    """Incidents that go on: critical ones first, then the newest."""
    history: list[Alarm] = field(default_factory=list)
    """Those that ended, and overlap the span, the newest first."""
    silences: list[Silence] = field(default_factory=list)
    targets: list[TargetStatus] = field(default_factory=list)
    budgets: list[Budget] = field(default_factory=list)
    evaluated_s: int | None = None
    """When rules were judged last; None: never."""
    evaluated_by: str = ""
    """The process that does; empty: none."""
    incomplete: str = ""
    """Why nothing is known now."""


def alerts_view(
    store: redis.Redis,
    settings: Settings,
    app: str,
    span: Span | None,
    now_s: float,
    budgets: BudgetReader | None = None,
) -> AlertsView:
    """Of one app and of Tailrace itself, or with "" of all. `span` None: all that is kept. `budgets`: what
    remembers them, where it is asked for often. Raises redis.RedisError."""
    left = (budgets or BudgetReader()).read(store, settings, now_s)
    board, going_on = read_board_and_open(store)
    by, base_url = holder(store), settings.tailrace_url
    stopped = _why_stopped(board, by, now_s)
    in_force = [silence for silence in silences(store, now_s) if not app or silence.app in ("", app)]
    rules = [rule for rule in rules_of(settings) if is_on(rule) and (not app or rule.app in ("", app))]
    unseen = _unseen(store, rules)
    return AlertsView(
        rules=[_rule(rule, board, app, stopped, in_force, unseen) for rule in rules],
        open=sorted(_alarms(going_on, app, base_url, now_s), key=_urgency),
        history=_alarms(read_history(store, *_ends(span, now_s)), app, base_url, now_s),
        silences=in_force,
        targets=_targets(settings, statuses(store), now_s),
        budgets=[budget for budget in left if app in ("", budget.app)],
        evaluated_s=board.at_s or None,
        evaluated_by=by,
        incomplete=stopped or board.incomplete,
    )


def _why_stopped(board: Board, by: str, now_s: float) -> str:
    """Why nothing is judged now; empty: it is. A board that nobody writes must not look green."""
    if not board.at_s:
        waits = "" if by else "no process does: start `alerts`, or `metrics`, which does it too"
        return f"no rule was judged yet{': ' if waits else ''}{waits}"
    age_s = now_s - board.at_s
    if age_s <= STOPPED_AFTER_S:
        return ""
    since = f"rules were judged last {duration(age_s)} ago"
    if by:
        return f"{since}; {by} should do it, and does not get on: see its log"
    return f"{since}, and no process does it now: start `alerts`, or `metrics`, which does it too"


def _ends(span: Span | None, now_s: float) -> tuple[int, int]:
    """From when to when, Unix s."""
    if span is None:
        return 0, int(now_s) + 1
    until_s = int(now_s) + 1 if span.until_s is None else span.until_s
    return until_s - span.seconds, until_s


def _is_about(subject: Subject, app: str) -> bool:
    """Of this app, or of Tailrace itself."""
    return not app or subject.app == app or (bool(subject.part) and not subject.app)


def _alarms(found: Sequence[Told], app: str, base_url: str, now_s: float) -> list[Alarm]:
    return [
        Alarm(told.incident, told.message or _untold(told.incident, base_url, now_s))
        for told in found
        if any(_is_about(alert.subject, app) for alert in told.incident.alerts)
    ]


def _urgency(alarm: Alarm) -> tuple[bool, int]:
    incident = alarm.incident
    return incident.severity != "critical", -incident.began_s


def _unseen(store: redis.Redis, rules: Sequence[Rule]) -> frozenset[str]:
    """Names of rules on requests of an app that never had one, because it is mistyped, or sends nothing."""
    named = {rule.name: rule.app for rule in rules if rule.app and scope(rule) == "routes"}
    counts = store.hmget(keys.APPS, list(named.values())) if named else []
    return frozenset(
        name for name, count in zip(named, cast(list[bytes | None], counts), strict=True) if not count
    )


def _rule(
    rule: Rule, board: Board, app: str, stopped: str, in_force: Sequence[Silence], unseen: Collection[str]
) -> RuleView:
    states = [
        alert.state
        for alert in board.alerts.values()
        if alert.rule == rule.name and _is_about(alert.subject, app)
    ]
    is_unknown = (
        rule.name in unseen
        or stopped
        or (board.incomplete and any(part.scope != "tailrace" for part in rule.when))
    )
    state: RuleState = "ok"
    if "firing" in states:
        state = "firing"
    elif is_unknown:
        state = "unknown"
    elif states:
        state = "pending"
    ends = [s.until_s for s in in_force if s.rule in ("", rule.name) and s.app in ("", app or rule.app)]
    return RuleView(
        name=rule.name,
        when=rule.text,
        app=rule.app,
        route=rule.route,
        for_s=rule.for_s,
        to=rule.to,
        is_default=rule.is_default,
        state=state,
        subjects=len(states),
        silenced_until_s=max(ends, default=None),
    )


def _targets(settings: Settings, found: Sequence[TargetStatus], now_s: float) -> list[TargetStatus]:
    """Of all that the settings name, whether they had a message or not; then of others that have one now or
    had lately: `alerts` may have secrets in its environment that `web` lacks."""
    by_name = {status.name: status for status in found}
    shown = []
    for name, target in targets_of(settings).items():
        status = by_name.pop(name, TargetStatus(name))
        shown.append(replace(status, reason=status.reason or "; ".join(target.unset)))
    for status in by_name.values():
        last_s = max(status.delivered_s or 0, status.failed_s or 0, status.given_up_s or 0)
        if status.waiting or last_s > now_s - TARGET_SHOWN_S:
            shown.append(status)
    return shown


def _untold(incident: Incident, base_url: str, now_s: float) -> Message:
    """What would be told of one that was not told yet, or never because it was silenced or short."""
    return message_of(notice_of(incident), Context(), base_url, int(now_s))
