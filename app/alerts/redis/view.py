"""What `/api/alerts`, the page, `python -m app alerts list` and Prometheus show: a few round trips."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import redis

from app.alerts.board import Incident, Silence
from app.alerts.message import Message
from app.alerts.redis.outbox import TargetStatus
from app.settings import Settings
from app.store.queries.spans import Span

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
class Budget:
    """What is left of an objective."""

    rule: str
    app: str
    route: str
    objective: float
    """A share, 0.999."""
    over_s: int
    left: float | None
    """Share of the errors that may happen in `over_s`; below 0: it is overdrawn; None: no requests."""
    requests: int
    bad: int
    from_s: int
    """When what is counted begins."""


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
    store: redis.Redis, settings: Settings, app: str, span: Span | None, now_s: float
) -> AlertsView:
    """Of one app, or with "" of all. Raises redis.RedisError."""
    return AlertsView()
