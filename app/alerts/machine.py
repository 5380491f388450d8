"""What becomes of each alert at a moment: pending, firing, ended. Pure.

An alert is pending while its rule is bad, and fires once it was for the rule's `for`. It ends once it was
fine for five minutes on end. `unclear` changes nothing, within limits: a pending alert is forgotten after
some minutes without being bad, and a firing one ends after a day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.alerts.board import ALERTS_MAX, AlertState, Board
from app.alerts.evaluate import Judged, gone
from app.alerts.rule import Rule

FINE_S = 300
"""For how long an alert must be fine until it ends: as long as what is mostly judged. While that holds old
failures, a single further one would be a new incident."""

PENDING_UNCLEAR_S = 180
"""How long a pending one is kept without being bad, and how long a gap may be in what was looked at."""

FIRING_UNCLEAR_S = 86_400
"""How long one goes on to fire without being bad. A route that failed, and is not requested any more, would
fire for ever."""


@dataclass(slots=True)
class Advance:
    """All alerts after a moment."""

    alerts: dict[str, AlertState]
    """By key."""
    ended: list[AlertState]
    """Those that fired, and do not any more."""
    left_out: int = 0


def advance(board: Board, rules: Mapping[str, Rule], judged: Mapping[str, Judged], at_s: int) -> Advance:
    """`rules`: by name. Alerts that were not judged stay as they are, unless their rule is gone."""
    found = Advance({}, [])
    for key, state in board.alerts.items():
        if key in judged:
            _keep(found, advanced(state, judged[key], at_s))
        elif not gone(state, rules):
            _keep(found, state)
        elif state.state == "firing":
            found.ended.append(replace(state, ended_s=at_s))
    new = sorted((one for key, one in judged.items() if key not in board.alerts), key=_order)
    room = max(0, ALERTS_MAX - len(found.alerts))
    for one in new[:room]:
        _keep(found, begun(one, at_s))
    found.left_out = len(new) - len(new[:room])
    return found


def begun(judged: Judged, at_s: int) -> AlertState:
    """The alert of a subject that turned bad."""
    state = AlertState(
        judged.rule.name, judged.subject, judged.family, "pending", at_s, judged.judgement, last_bad_s=at_s
    )
    return _bad(state, judged, at_s)


def advanced(state: AlertState, judged: Judged, at_s: int) -> AlertState | None:
    """The alert after this answer, with `ended_s` once it ended, which is when it turned fine; None: it was
    pending, and is forgotten."""
    if judged.judgement.verdict == "bad":
        return _bad(state, judged, at_s)
    is_fine = judged.judgement.verdict == "fine"
    if state.state == "pending":
        return None if is_fine or at_s - state.last_bad_s > PENDING_UNCLEAR_S else state
    if is_fine and state.fine_since_s is None:
        return replace(state, fine_since_s=at_s)
    if is_fine and state.fine_since_s is not None and at_s - state.fine_since_s >= FINE_S:
        return replace(state, ended_s=state.fine_since_s)
    return replace(state, ended_s=at_s) if at_s - state.last_bad_s >= FIRING_UNCLEAR_S else state


def _bad(state: AlertState, judged: Judged, at_s: int) -> AlertState:
    has_gap = state.state == "pending" and at_s - state.last_bad_s > PENDING_UNCLEAR_S
    state = replace(
        state,
        subject=judged.subject,
        # Once it fires, it belongs to the incident of its family.
        family=state.family if state.state == "firing" else judged.family,
        severity=judged.severity,
        judgement=judged.judgement,
        bad_since_s=at_s if has_gap else state.bad_since_s,
        last_bad_s=at_s,
        fine_since_s=None,
    )
    if state.state == "firing" or at_s - state.bad_since_s < judged.rule.for_s:
        return state
    # From here on it is since when people are told that it is so, and no longer what `for` counts from.
    began_s = state.bad_since_s if judged.judgement.began_s is None else judged.judgement.began_s
    return replace(state, state="firing", fired_s=at_s, bad_since_s=min(state.bad_since_s, began_s))


def _keep(found: Advance, state: AlertState | None) -> None:
    if state is None:
        return
    if state.ended_s is None:
        found.alerts[state.key] = state
    else:
        found.ended.append(state)


def _order(judged: Judged) -> tuple[bool, bool, str, str, str, str]:
    """Where there is no room for all: critical ones first, then those of whole apps."""
    subject = judged.subject
    is_route = subject.digest != ""
    return (
        judged.severity != "critical",
        is_route,
        judged.rule.name,
        subject.app,
        subject.digest,
        subject.part,
    )
