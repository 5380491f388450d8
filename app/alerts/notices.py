"""What is told of an incident, to whom, and when. Pure.

Each target is told what is for it. The first notice waits a little for alerts that join. What joins later is
told at most every ten minutes, but the first critical alert of a warning is told at once. While every alert
of an incident is silenced, nothing is told of it but its end, and that only if its beginning was: the end
closes what the beginning opened.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.alerts.board import AlertState, Incident, Notice, NoticeKind, Silence, Telling
from app.alerts.condition import Severity
from app.alerts.incidents import SHOWN_MAX, rank, worst
from app.alerts.rule import Rule

JOIN_S = 20
"""How long the first notice of an incident waits for other alerts."""

UPDATE_S = 600
"""What joins an incident later is told at most this often."""

Audience = tuple[str, ...]
"""Names of targets that the same rules are for, so they are told the same; empty: there are no targets."""


def audiences(rules: Iterable[Rule], targets: Iterable[str]) -> list[Audience]:
    """All targets, those together that the same rules are for."""
    addressed = [(rule.name, rule.to) for rule in rules if rule.to]
    found: dict[frozenset[str], list[str]] = defaultdict(list)
    for target in sorted(targets):
        found[frozenset(name for name, to in addressed if target in to)].append(target)
    return [tuple(names) for names in found.values()] or [()]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a moment knows of whom to tell, and of what."""

    at_s: int
    rules: Mapping[str, Rule] = field(default_factory=dict)
    """By name."""
    silences: Sequence[Silence] = ()
    audiences: Sequence[Audience] = ((),)

    def is_for(self, state: AlertState, audience: Audience) -> bool:
        """Whether its rule is for these targets; without any, what would be told is noted. One whose rule is
        gone is for nobody any more."""
        rule = self.rules.get(state.rule)
        return rule is not None and (not rule.to or not audience or audience[0] in rule.to)

    def silent_until_s(self, state: AlertState) -> int | None:
        """When the last of the silences that cover the alert ends; None: none covers it."""
        covering = (one for one in self.silences if one.until_s > self.at_s and _is_of(one, state))
        return max((one.until_s for one in covering), default=None)


def tell(
    incident: Incident, members: Sequence[AlertState], ended: Sequence[AlertState], now: Circumstances
) -> tuple[Incident, list[Notice]]:
    """The incident as it is remembered, and what is told of it. `members`: its alerts that fire; without any,
    it has ended. `ended`: those of it that ended at this moment."""
    known = {state.key: state for state in (*incident.alerts, *ended, *members)}
    tellings: list[Telling] = []
    due: dict[tuple[NoticeKind, tuple[str, ...]], tuple[Incident, list[str]]] = {}
    elsewhere = _elsewhere(incident, now.audiences)
    whom = [group for audience in now.audiences for group in _by_what_they_know(incident, audience)]
    if not members:
        whom += [(one.to, one) for one in elsewhere]
    for audience, before in whom:
        mine = [state for state in members if now.is_for(state, audience)]
        kind, telling = _told(before, audience, mine, now)
        if telling is not None:
            tellings.append(telling)
        if kind is not None:
            theirs = [one for one in known.values() if now.is_for(one, audience) or _is_known(before, one)]
            # Other settings may have made what they were told of an alert for others.
            heard = _heard(incident, theirs or list(known.values()), kind, now)
            view = kind, tuple(state.key for state in heard.alerts)
            due.setdefault(view, (heard, []))[1].extend(audience)
    incident = replace(
        incident,
        tellings=(*tellings, *(elsewhere if members else ())),
        told_s=now.at_s if due else incident.told_s,
        to=tuple(sorted({*incident.to, *(name for _, names in due.values() for name in names)})),
        notices=incident.notices + len(due),
        silenced_until_s=_silenced_until_s(members, now),
        resolved_s=None if members else _last_end_s(known.values(), now.at_s),
    )
    first = incident.notices - len(due) + 1
    return incident, [
        Notice(kind, number, replace(heard, told_s=now.at_s), tuple(names))
        for number, ((kind, _), (heard, names)) in enumerate(due.items(), first)
    ]


def _by_what_they_know(incident: Incident, audience: Audience) -> list[tuple[Audience, Telling | None]]:
    """The audience in parts, each with what its targets were told. With other settings, they may have been of
    other audiences, or not been there."""
    if not audience:
        return [(audience, next((one for one in incident.tellings if not one.to), None))]
    found: dict[Telling | None, list[str]] = defaultdict(list)
    for name in audience:
        found[next((one for one in incident.tellings if name in one.to), None)].append(name)
    return [(tuple(names), before) for before, names in found.items()]


def _is_known(before: Telling | None, state: AlertState) -> bool:
    """Whether it is one that they were told of, and that went on until now."""
    return before is not None and state.key in before.keys


def _elsewhere(incident: Incident, audiences: Sequence[Audience]) -> list[Telling]:
    """What was told to targets that are not among these. Another process may have them: `alerts` with secrets
    that `metrics` lacks."""
    here = {name for audience in audiences for name in audience}
    rests = [(one, tuple(name for name in one.to if name not in here)) for one in incident.tellings]
    return [replace(one, to=rest) for one, rest in rests if rest]


def _told(
    before: Telling | None, audience: Audience, mine: Sequence[AlertState], now: Circumstances
) -> tuple[NoticeKind | None, Telling | None]:
    """What is told now, and what is told then and goes on. `mine`: the alerts for this audience that fire."""
    if not mine:
        return ("resolved" if before is not None else None), None
    if before is not None:
        still = {state.key for state in mine}.intersection(before.keys)
        before = replace(before, to=audience, keys=tuple(sorted(still)))
    audible = [state for state in mine if now.silent_until_s(state) is None]
    kind = _due(before, audible, now) if audible else None
    if kind is None:
        return None, before
    keys = {state.key for state in audible}.union(before.keys if before else ())
    was_critical = before is not None and before.severity == "critical"
    severity: Severity = "critical" if was_critical else worst(audible)
    return kind, Telling(audience, now.at_s, tuple(sorted(keys)), severity)


def _due(before: Telling | None, audible: Sequence[AlertState], now: Circumstances) -> NoticeKind | None:
    if before is None:
        fired_s = min(state.bad_since_s if state.fired_s is None else state.fired_s for state in audible)
        return "firing" if now.at_s - fired_s >= JOIN_S else None
    new = [state for state in audible if state.key not in before.keys]
    since_s = now.at_s - before.told_s
    is_worse = before.severity == "warning" and worst(new) == "critical"
    if new and (since_s >= UPDATE_S or is_worse):
        return "update"
    every_s = [now.rules[state.rule].repeat_s for state in audible if state.rule in now.rules]
    repeats_s = min((one for one in every_s if one > 0), default=None)
    return "repeat" if repeats_s is not None and since_s >= repeats_s else None


def _heard(
    incident: Incident, states: Sequence[AlertState], kind: NoticeKind, now: Circumstances
) -> Incident:
    """The incident with these alerts alone. Those that are silenced are part of its end only."""
    audible = [one for one in states if kind == "resolved" or now.silent_until_s(one) is None]
    heard = tuple(sorted(audible, key=rank)[:SHOWN_MAX])
    is_whole = {state.key for state in incident.alerts} <= {state.key for state in heard}
    return replace(
        incident,
        alerts=heard,
        severity=worst(heard),
        began_s=incident.began_s if is_whole else min(state.bad_since_s for state in heard),
        resolved_s=_last_end_s(heard, now.at_s) if kind == "resolved" else None,
    )


def _last_end_s(states: Iterable[AlertState], at_s: int) -> int:
    return max((state.ended_s or at_s for state in states), default=at_s)


def _is_of(silence: Silence, state: AlertState) -> bool:
    return silence.rule in ("", state.rule) and silence.app in ("", state.subject.app)


def _silenced_until_s(members: Sequence[AlertState], now: Circumstances) -> int | None:
    """When the first of the alerts can be told, by the silences that there are; None: one can now."""
    untils_s = [now.silent_until_s(state) for state in members]
    silent_s = [one for one in untils_s if one is not None]
    return min(silent_s) if silent_s and len(silent_s) == len(members) else None
