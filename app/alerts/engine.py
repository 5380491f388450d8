"""One moment: rules and facts make a new board, and the notices that are to be sent. Pure.

The same facts make the same board, notices and ids, so a step that was computed and not stored can be
computed again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from app.alerts.board import AlertState, Board, Incident, Notice, Silence
from app.alerts.evaluate import evaluate
from app.alerts.facts import Facts
from app.alerts.incidents import place, with_alerts
from app.alerts.machine import advance
from app.alerts.notices import Circumstances, audiences, tell
from app.alerts.rule import Rule

CATCH_UP_S = 900
"""What could not be judged in time is judged after the fact, as far back as this."""

CATCH_UP_STEP_S = 60


@dataclass(frozen=True, slots=True)
class Step:
    """What one moment makes of the board."""

    board: Board
    notices: tuple[Notice, ...] = ()
    resolved: tuple[Incident, ...] = ()
    """Those that left the board, told or not: for the history."""


def step(
    board: Board,
    rules: Sequence[Rule],
    facts: Facts,
    silences: Sequence[Silence],
    targets: Sequence[str] = (),
) -> Step:
    """Judges the facts by the rules. `targets`: the names of all. A moment that was judged before changes
    nothing."""
    at_s = facts.at_s
    board = _set_back(board, at_s)
    if at_s <= (board.at_s if facts.incomplete else board.evaluated_s):
        return Step(board)
    # What Tailrace says of itself was judged at its time, even while figures were not complete.
    facts = replace(facts, is_past=facts.is_past or at_s <= board.at_s)
    by_name = {rule.name: rule for rule in rules}
    advanced = advance(board, by_name, evaluate(board, rules, facts), at_s)
    alerts, incidents = place(board.incidents, advanced.alerts)
    ended = advanced.ended
    now = Circumstances(at_s, by_name, silences, audiences(rules, targets))
    told = _tell(with_alerts(incidents, alerts.values(), ended, at_s), alerts.values(), ended, now)
    return Step(
        Board(
            evaluated_s=board.evaluated_s if facts.incomplete else at_s,
            at_s=max(board.at_s, at_s),
            incomplete=board.incomplete if at_s < board.at_s else facts.incomplete,
            alerts=alerts,
            incidents={one.id: one for one, _ in told if one.resolved_s is None},
            left_out=advanced.left_out,
        ),
        notices=tuple(notice for _, notices in told for notice in notices),
        resolved=tuple(one for one, _ in told if one.resolved_s is not None),
    )


def moments(board: Board, at_s: int) -> list[int]:
    """The moments to judge, the oldest first, where the figures of `at_s` are complete: it alone, or after a
    time without complete figures those since the last that was judged."""
    since_s = max(board.evaluated_s, at_s - CATCH_UP_S)
    if not board.evaluated_s or since_s >= at_s:
        return [at_s]
    return [*range(since_s + CATCH_UP_STEP_S, at_s, CATCH_UP_STEP_S), at_s]


def _tell(
    incidents: Mapping[str, Incident],
    alerts: Iterable[AlertState],
    ended: Iterable[AlertState],
    now: Circumstances,
) -> list[tuple[Incident, list[Notice]]]:
    members, over = _by_incident(alerts), _by_incident(ended)
    return [tell(one, members[one.id], over[one.id], now) for one in incidents.values()]


def _by_incident(states: Iterable[AlertState]) -> dict[str, list[AlertState]]:
    found: dict[str, list[AlertState]] = defaultdict(list)
    for state in states:
        found[state.incident].append(state)
    return found


def _set_back(board: Board, at_s: int) -> Board:
    """The board of a clock that is so far ahead that it was wrong: times on it are no later than now."""
    if board.at_s - at_s <= CATCH_UP_S:
        return board
    alerts = {key: _earlier(state, at_s) for key, state in board.alerts.items()}
    incidents = {key: _earlier_incident(one, at_s) for key, one in board.incidents.items()}
    return replace(board, at_s=0, evaluated_s=0, alerts=alerts, incidents=incidents)


def _earlier(state: AlertState, at_s: int) -> AlertState:
    return replace(
        state,
        bad_since_s=min(state.bad_since_s, at_s),
        last_bad_s=min(state.last_bad_s, at_s),
        fired_s=None if state.fired_s is None else min(state.fired_s, at_s),
        fine_since_s=None,
    )


def _earlier_incident(incident: Incident, at_s: int) -> Incident:
    return replace(
        incident,
        began_s=min(incident.began_s, at_s),
        fired_s=min(incident.fired_s, at_s),
        told_s=None if incident.told_s is None else min(incident.told_s, at_s),
        tellings=tuple(replace(one, told_s=min(one.told_s, at_s)) for one in incident.tellings),
    )
