"""The board: what is remembered from one moment to the next. Alerts that are pending or firing, and the open
incidents that they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from app.alerts.condition import Family, Judgement, Severity
from app.alerts.facts import Subject

State = Literal["pending", "firing"]
"""One that is fine is not on the board."""

NoticeKind = Literal["firing", "update", "repeat", "resolved"]
"""`update`: more belongs to it than was told before."""

ALERTS_MAX = 1_000
"""Alerts on the board; what comes beyond is left out, and the board says how many."""


def alert_key(rule: str, subject: Subject) -> str:
    """Identifies an alert: the rule of this name, for this subject."""
    return " ".join((rule, subject.app, subject.digest, subject.part))


@dataclass(frozen=True, slots=True)
class AlertState:
    """A rule that is met for a subject: not for long enough yet (pending), or for so long that it fires."""

    rule: str
    subject: Subject
    family: Family
    state: State
    bad_since_s: int
    """Unix s: since when the condition holds without a break; of a silence, when the last request came."""
    judgement: Judgement
    """The latest that was bad."""
    fired_s: int | None = None
    fine_since_s: int | None = None
    """Since when it is fine again; it is resolved once it was for a while."""
    incident: str = ""
    severity: Severity = "warning"
    last_bad_s: int = 0
    """The moment of `judgement`, Unix s."""
    ended_s: int | None = None
    """When it turned fine, once it is resolved; such an alert is in its incident alone, as long as that goes
    on."""

    @property
    def key(self) -> str:
        """Identifies it on the board."""
        return alert_key(self.rule, self.subject)


@dataclass(frozen=True, slots=True)
class Telling:
    """What some targets were told of an incident. Forgotten with what they are told of its end."""

    to: tuple[str, ...]
    """Names of targets; empty: there are none."""
    told_s: int
    """When they were told last, Unix s."""
    keys: tuple[str, ...]
    """The alerts that they were told, of those that fire."""
    severity: Severity


@dataclass(frozen=True, slots=True)
class Incident:
    """Alerts of one cause, as far as one can tell: they are told together, to each target those that are for
    it."""

    id: str
    app: str
    severity: Severity
    began_s: int
    """When the first of its alerts turned bad, Unix s."""
    fired_s: int
    alerts: tuple[AlertState, ...]
    """Those that fire, and those that did: the worst first, and no more than a message can use."""
    told_s: int | None = None
    """When it was told last; None: not yet, because it is silenced or other alerts may join it."""
    to: tuple[str, ...] = ()
    """The targets that were told of it, by name."""
    tellings: tuple[Telling, ...] = ()
    """What they were told that goes on."""
    families: tuple[Family, ...] = ()
    """Of all alerts that ever belonged to it."""
    notices: int = 0
    """How many there were."""
    resolved_s: int | None = None
    silenced_until_s: int | None = None

    @property
    def family(self) -> Family:
        return self.alerts[0].family


@dataclass(frozen=True, slots=True)
class Notice:
    """That an incident is to be told. Its id is the same however often it is sent."""

    kind: NoticeKind
    number: int
    """1, 2, ... of its incident."""
    incident: Incident
    """As these targets are told of it: with the alerts that are for them, and none that is silenced."""
    to: tuple[str, ...] = ()
    """Names of targets; empty: there are none."""

    @property
    def id(self) -> str:
        return f"{self.incident.id}.{self.number}"


def notice_of(whole: Incident) -> Notice:
    """The incident as a whole: how it is shown, whatever each target was told of it."""
    return Notice("firing" if whole.resolved_s is None else "resolved", whole.notices, whole, whole.to)


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that is remembered."""

    evaluated_s: int = 0
    """The last moment that was judged with complete figures, Unix s."""
    at_s: int = 0
    """The last moment that was looked at."""
    incomplete: str = ""
    """Why the figures of that moment cannot be trusted: then every alert on figures is unknown."""
    alerts: Mapping[str, AlertState] = field(default_factory=dict)
    """By key."""
    incidents: Mapping[str, Incident] = field(default_factory=dict)
    """Open ones, by id."""
    left_out: int = 0
    """Alerts beyond ALERTS_MAX."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing is sent of a rule, or of all, until then. It is judged and shown all the same."""

    rule: str
    """Empty: every rule."""
    app: str
    """Empty: every app."""
    until_s: int
