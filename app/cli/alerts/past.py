"""The rules over the past: which moments are judged, and which incidents there would have been. Redis is read
by what is passed in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from app.alerts.board import Board, Incident
from app.alerts.condition import Severity
from app.alerts.describe import is_on
from app.alerts.engine import step
from app.alerts.facts import READ_UNTIL_S, Facts, Subject
from app.alerts.rule import Rule
from app.alerts.spans import EARLIER
from app.store.queries.spans import FINE_S, MINUTE_S

LOOKS_BACK_S = EARLIER.from_s
"""Most conditions look at the last quarter of an hour."""

RUNS_S = 120
"""A backtest takes so long at most until it comes to the last hour."""

INCIDENTS_MAX = 1_000
"""Those that are listed; more are counted."""

NOT_KEPT = {
    "dynos": "what the platform says of dynos is read of now alone",
    "comparisons": "releases are compared now alone",
}
TOO_OLD = "it looks back at what is kept in whole hours alone by then"
NOT_REACHED = "what it looks back at is kept of later moments alone, which were not judged"
TAILRACE = "whether Tailrace itself was well is not kept"

Read = Callable[[Sequence[Rule], int, Sequence[Subject]], Facts]
"""The facts of a moment (Unix s); the last argument: what is on the board. Raises redis.RedisError
and LogUnavailable."""


@dataclass(slots=True)
class PastIncident:
    """An incident that there would have been. Times in Unix s."""

    id: str
    app: str
    severity: Severity
    rules: list[str]
    text: str
    """Of the worst of its alerts, when it was told."""
    routes: list[str]
    began_s: int
    fired_s: int
    resolved_s: int | None = None
    """None: it goes on when the span ends."""
    messages: int = 0
    """That would have been sent to a target that all rules are for, silences aside."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A rule that cannot be judged of the past."""

    rule: str
    reason: str


@dataclass(slots=True)
class Backtest:
    """What came out of it."""

    from_s: int
    until_s: int
    """Unix s; what was judged, from the first moment to the last."""
    not_judged_before_s: int | None = None
    """What was asked for before that is kept in whole hours alone."""
    rules: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    moments: int = 0
    incidents: list[PastIncident] = field(default_factory=list)
    """The oldest first."""
    judged_from_s: dict[str, int] = field(default_factory=dict)
    """Rule -> the first moment at which what it looks back at is kept, where that is later than `from_s`."""
    more_incidents: int = 0
    """Beyond INCIDENTS_MAX."""
    messages: int = 0
    is_whole: bool = True
    """False: it ended early, after `until_s`."""
    ended_by: str = ""
    """Why it ended early: `interrupted`, or what was wrong with Redis."""


def moments(from_s: int, until_s: int, now_s: float) -> list[int]:
    """The moments that can be judged: every 10 s within the last hour, every minute within the last day, as
    long as the windows are that are kept of then."""
    fine_s = _first_s(FINE_S, now_s)
    first_s = max(from_s, earliest_s(now_s))
    minutes = range(-(-first_s // MINUTE_S) * MINUTE_S, min(until_s + 1, fine_s), MINUTE_S)
    tens = range(max(-(-first_s // FINE_S) * FINE_S, fine_s), until_s + 1, FINE_S)
    return [*minutes, *tens]


def earliest_s(now_s: float) -> int:
    """The first moment (Unix s) whose last minutes are kept as such; of what was before, whole hours are."""
    return _first_s(MINUTE_S, now_s)


def _first_s(length_s: int, now_s: float) -> int:
    """The first moment whose last minutes are read from windows of this length; it is one of them. Running
    takes a while, and the windows go on getting older."""
    behind_s = dict(READ_UNTIL_S)[length_s] - LOOKS_BACK_S - RUNS_S
    return -(-(int(now_s) - behind_s) // length_s) * length_s


def split_rules(rules: Sequence[Rule]) -> tuple[list[Rule], list[LeftOut]]:
    """Those that can be judged of the past, and the others with the reason."""
    judged, left_out = [], []
    for rule in rules:
        reasons = dict.fromkeys(_reasons(rule))
        if reasons:
            left_out.append(LeftOut(rule.name, "; ".join(reasons)))
        else:
            judged.append(rule)
    return judged, left_out


def _reasons(rule: Rule) -> Iterator[str]:
    if not is_on(rule):
        yield "it is off"
    for condition in rule.when:
        if condition.scope == "tailrace":
            yield TAILRACE
        yield from (NOT_KEPT[kind] for kind in sorted(condition.needs.kinds) if kind in NOT_KEPT)


def is_kept(rule: Rule, at_s: int, now_s: float) -> bool:
    """Whether everything is kept that the rule looks back at from a moment (Unix s). The longer ago, the less
    is."""
    needs = [condition.needs for condition in rule.when]
    behind_s = max(0, int(now_s) - at_s)
    return all(
        stretch.span(at_s, behind_s) for need in needs for stretch in need.stretches | need.app_stretches
    )


def run_moments(
    found: Backtest,
    rules: Sequence[Rule],
    moments_s: Sequence[int],
    read: Read,
    progress: Callable[[int, int, int], None],
    clock: Callable[[], float] = time.time,
) -> None:
    """Judges the moments, one after the other, and adds what would have fired to `found`. `progress` is told
    how many are done, the moment, and how many incidents there are. Raises what `read` raises, and
    KeyboardInterrupt: `found` has what was found until then."""
    board, by_id = Board(), dict[str, PastIncident]()
    judged_names: set[str] = set()
    found.is_whole = False
    try:
        for at_s in moments_s:
            now_s = clock()
            asked = [rule for rule in rules if rule.name in judged_names or is_kept(rule, at_s, now_s)]
            watched = [state.subject for state in board.alerts.values()]
            judged = step(board, asked, read(asked, at_s, watched), ())
            for rule in asked:
                if rule.name not in judged_names and found.moments:
                    found.judged_from_s[rule.name] = at_s
                judged_names.add(rule.name)
            board = judged.board
            for incident in (*board.incidents.values(), *judged.resolved):
                _note(found, by_id, incident)
            for notice in judged.notices:
                found.messages += 1
                if notice.incident.id in by_id:
                    by_id[notice.incident.id].messages += 1
            found.moments += 1
            found.until_s = at_s
            progress(found.moments, at_s, len(found.incidents) + found.more_incidents)
        found.is_whole = True
    finally:
        for rule in rules if found.moments else ():
            if rule.name not in judged_names:
                found.left_out.append(LeftOut(rule.name, TOO_OLD if found.is_whole else NOT_REACHED))
                found.rules.remove(rule.name)


def _note(found: Backtest, by_id: dict[str, PastIncident], incident: Incident) -> None:
    known = by_id.get(incident.id)
    if known is None:
        known = PastIncident(
            incident.id, incident.app, incident.severity, [], "", [], incident.began_s, incident.fired_s
        )
        by_id[incident.id] = known
        if len(found.incidents) < INCIDENTS_MAX:
            found.incidents.append(known)
        else:
            found.more_incidents += 1
    known.text = known.text or incident.alerts[0].judgement.text
    known.severity = incident.severity
    known.rules = sorted({*known.rules, *(state.rule for state in incident.alerts)})
    known.routes = sorted({*known.routes, *(s.subject.route for s in incident.alerts if s.subject.route)})
    known.resolved_s = incident.resolved_s
