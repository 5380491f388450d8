"""What is told of an incident, and when. Pure.

The first notice waits a little for alerts that join. What joins later is told at most every ten minutes, but
the first critical alert of a warning is told at once. While every alert of it is silenced, nothing is told of
an incident but its end, and that only if its beginning was: the end closes what the beginning opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.alerts.board import AlertState, Incident, Notice, NoticeKind, Silence
from app.alerts.condition import Severity
from app.alerts.incidents import worst
from app.alerts.rule import Rule

JOIN_S = 20
"""How long the first notice of an incident waits for other alerts."""

UPDATE_S = 600
"""What joins an incident later is told at most this often."""

Told = tuple[Incident, Notice | None]
"""The incident as it is remembered, and what is told of it."""


def tell(
    incident: Incident,
    members: Sequence[AlertState],
    rules: Mapping[str, Rule],
    silences: Sequence[Silence],
    at_s: int,
) -> Told:
    """`members`: its alerts that fire, at least one. `rules`: by name."""
    audible = [state for state in members if _silent_until_s(state, silences, at_s) is None]
    incident = replace(
        incident,
        told_keys=tuple(sorted({state.key for state in members}.intersection(incident.told_keys))),
        silenced_until_s=None if audible else _until_s(members, silences, at_s),
    )
    kind = _due(incident, audible, rules, at_s) if audible else None
    if kind is None:
        return incident, None
    keys = {state.key for state in audible}.union(incident.told_keys)
    incident = replace(
        incident,
        told_s=at_s,
        told_keys=tuple(sorted(keys)),
        told_severity=_told_severity(incident, audible),
        notices=incident.notices + 1,
    )
    return incident, Notice(kind, incident.notices, _heard(incident, silences, at_s))


def tell_end(incident: Incident, at_s: int) -> Told:
    """None of its alerts fires any more."""
    resolved_s = max((state.ended_s or at_s for state in incident.alerts), default=at_s)
    incident = replace(incident, resolved_s=resolved_s, silenced_until_s=None)
    if incident.told_s is None:
        return incident, None
    incident = replace(incident, told_s=at_s, told_keys=(), notices=incident.notices + 1)
    return incident, Notice("resolved", incident.notices, incident)


def _due(
    incident: Incident, audible: Sequence[AlertState], rules: Mapping[str, Rule], at_s: int
) -> NoticeKind | None:
    if incident.told_s is None:
        return "firing" if at_s - incident.fired_s >= JOIN_S else None
    new = [state for state in audible if state.key not in incident.told_keys]
    since_s = at_s - incident.told_s
    is_worse = incident.told_severity == "warning" and worst(new) == "critical"
    if new and (since_s >= UPDATE_S or is_worse):
        return "update"
    every_s = [rules[state.rule].repeat_s for state in audible if state.rule in rules]
    repeats_s = min((one for one in every_s if one > 0), default=None)
    return "repeat" if repeats_s is not None and since_s >= repeats_s else None


def _told_severity(incident: Incident, audible: Sequence[AlertState]) -> Severity:
    return "critical" if incident.told_severity == "critical" else worst(audible)


def _heard(incident: Incident, silences: Sequence[Silence], at_s: int) -> Incident:
    """The incident without what is silenced."""
    heard = tuple(state for state in incident.alerts if _silent_until_s(state, silences, at_s) is None)
    return replace(incident, alerts=heard, severity=worst(heard))


def _silent_until_s(state: AlertState, silences: Sequence[Silence], at_s: int) -> int | None:
    """When the last of the silences that cover the alert ends; None: none covers it."""
    return max((one.until_s for one in silences if one.until_s > at_s and _is_of(one, state)), default=None)


def _is_of(silence: Silence, state: AlertState) -> bool:
    return silence.rule in ("", state.rule) and silence.app in ("", state.subject.app)


def _until_s(members: Sequence[AlertState], silences: Sequence[Silence], at_s: int) -> int | None:
    """When the first of the alerts can be told, by the silences that there are."""
    untils_s = (_silent_until_s(state, silences, at_s) for state in members)
    return min((one for one in untils_s if one is not None), default=None)
