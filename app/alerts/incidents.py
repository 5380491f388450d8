"""Which alerts are one incident: those of one app that fire within ten minutes of each other, or are of one
family. Pure.

An app never has two open incidents of one family, because an alert joins the one that has its family before
any other. Whom an alert is for changes nothing here: of one incident, each target is told what is for it
(notices.py). What Tailrace says of itself is apart from what it says of apps.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from app.alerts.board import AlertState, Incident
from app.alerts.condition import Severity

TOGETHER_S = 600
"""Alerts of one app that fire within this time of each other have one cause, as far as one can tell."""

SHOWN_MAX = 100
"""Alerts of an incident that it lists, the worst first; the board has all that fire."""

_Place = tuple[str, bool]
"""App, and whether it is about Tailrace itself: only alerts of one place come together."""


def place(
    incidents: Mapping[str, Incident], alerts: Mapping[str, AlertState]
) -> tuple[dict[str, AlertState], dict[str, Incident]]:
    """(alerts, incidents), where each alert that fires has its incident."""
    found, placed = dict(incidents), dict(alerts)
    by_place: dict[_Place, list[str]] = defaultdict(list)
    for incident in incidents.values():
        by_place[_place_of(incident)].append(incident.id)
    for state in sorted(_homeless(incidents, alerts), key=rank):
        ids = by_place[state.subject.app, state.subject.part != ""]
        home = _home([found[one] for one in ids], state) or _new(state)
        if home.id not in found:
            ids.append(home.id)
        placed[state.key] = replace(state, incident=home.id)
        found[home.id] = _joined(home, placed[state.key])
    return placed, found


def with_alerts(
    incidents: Mapping[str, Incident],
    alerts: Iterable[AlertState],
    ended: Iterable[AlertState],
    at_s: int,
) -> dict[str, Incident]:
    """The incidents with the latest of their alerts. One none of whose alerts fires any more has ended."""
    members: dict[str, dict[str, AlertState]] = {
        # Those that still go on are given their latest state below.
        one.id: {state.key: _ended(state, at_s) for state in one.alerts}
        for one in incidents.values()
    }
    for state in (*ended, *alerts):
        if state.incident in members:
            members[state.incident][state.key] = state
    return {one.id: _updated(one, members[one.id].values()) for one in incidents.values()}


def rank(state: AlertState) -> tuple[bool, bool, bool, float, str]:
    """The worst first: those that go on, critical ones, those of a whole app, those furthest beyond
    their limit."""
    is_route = state.subject.digest != ""
    return state.ended_s is not None, state.severity != "critical", is_route, -_excess(state), state.key


def _excess(state: AlertState) -> float:
    """How many times its limit it is, or, of what must not be less, its limit is it."""
    value, limit = state.judgement.value, state.judgement.limit
    if value is None or not limit:
        return 0.0
    return max(value / limit, limit / value) if value > 0 else math.inf


def worst(states: Iterable[AlertState]) -> Severity:
    """Critical if one of them is."""
    return "critical" if any(state.severity == "critical" for state in states) else "warning"


def _homeless(incidents: Mapping[str, Incident], alerts: Mapping[str, AlertState]) -> list[AlertState]:
    """Alerts that fire and have no incident yet. One whose incident is not on the board (it could not be
    read) gets one of the same id, if it was the first of it."""
    return [one for one in alerts.values() if one.state == "firing" and one.incident not in incidents]


def _home(candidates: Sequence[Incident], state: AlertState) -> Incident | None:
    of_family = (one for one in candidates if state.family in one.families)
    near = (one for one in candidates if abs(_fired_s(state) - one.fired_s) <= TOGETHER_S)
    return next(of_family, None) or next(near, None)


def _place_of(incident: Incident) -> _Place:
    return incident.app, any(state.subject.part for state in incident.alerts)


def _new(state: AlertState) -> Incident:
    fired_s = _fired_s(state)
    names = "\n".join((state.subject.app, state.family, str(fired_s), state.key))
    return Incident(
        id=hashlib.sha256(names.encode("utf-8", "surrogatepass")).hexdigest()[:16],
        app=state.subject.app,
        severity=state.severity,
        began_s=state.bad_since_s,
        fired_s=fired_s,
        alerts=(),
    )


def _joined(incident: Incident, state: AlertState) -> Incident:
    return replace(
        incident,
        alerts=(*incident.alerts, state),
        families=tuple(sorted({*incident.families, state.family})),
    )


def _fired_s(state: AlertState) -> int:
    return state.fired_s if state.fired_s is not None else state.bad_since_s


def _ended(state: AlertState, at_s: int) -> AlertState:
    return state if state.ended_s is not None else replace(state, ended_s=at_s)


def _updated(incident: Incident, states: Iterable[AlertState]) -> Incident:
    shown = sorted(states, key=rank)[:SHOWN_MAX]
    return replace(
        incident,
        alerts=tuple(shown),
        severity="critical" if incident.severity == "critical" else worst(shown),
        began_s=min([incident.began_s, *(state.bad_since_s for state in shown)]),
    )
