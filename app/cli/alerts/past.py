"""The rules over the past: which moments are judged, and which incidents there would have been. Redis is read
by what is passed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from app.alerts.board import Board, Incident, Severity
from app.alerts.engine import step
from app.alerts.facts import Facts, Subject
from app.alerts.rule import Rule
from app.store.queries.spans import FINE_S, MINUTE_S, kept_from_s

LOOKS_BACK_S = 300
"""Most conditions look at the last five minutes."""

INCIDENTS_MAX = 1_000
"""Those that are listed; more are counted."""

NOT_KEPT = {
    "dynos": "what the platform says of dynos is read of now alone",
    "releases": "releases are read of now alone",
    "comparisons": "releases are compared now alone",
}
TAILRACE = "whether Tailrace itself was well is not kept"

Read = Callable[[Sequence[Rule], int, Sequence[Subject]], Facts]
"""The facts of a moment (Unix s); the last argument: what is on the board. Raises redis.RedisError."""


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
    """That would have been sent to each target, silences aside."""


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
    more_incidents: int = 0
    """Beyond INCIDENTS_MAX."""
    messages: int = 0
    is_whole: bool = True
    """False: it was interrupted, at `until_s`."""


def moments(from_s: int, until_s: int, now_s: float) -> list[int]:
    """The moments that can be judged: every 10 s within the last hour, every minute within the last day, as
    long as the windows are that are kept of then."""
    fine_s = kept_from_s(FINE_S, now_s) + LOOKS_BACK_S
    first_s = max(from_s, earliest_s(now_s))
    start_s = -(-first_s // MINUTE_S) * MINUTE_S
    minutes = [at_s for at_s in range(start_s, until_s + 1, MINUTE_S) if at_s < fine_s]
    fine_start_s = max(-(-first_s // FINE_S) * FINE_S, -(-fine_s // FINE_S) * FINE_S)
    return [*minutes, *range(fine_start_s, until_s + 1, FINE_S)]


def earliest_s(now_s: float) -> int:
    """The first moment (Unix s) whose last minutes are kept as such; of what was before, whole hours are."""
    return kept_from_s(MINUTE_S, now_s) + LOOKS_BACK_S


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
    for condition in rule.when:
        if condition.scope == "tailrace":
            yield TAILRACE
        for kind in sorted(condition.needs.kinds):
            yield NOT_KEPT[kind]


def run_moments(
    found: Backtest,
    rules: Sequence[Rule],
    moments_s: Sequence[int],
    read: Read,
    progress: Callable[[int, int, int], None],
) -> None:
    """Judges the moments, one after the other, and adds what would have fired to `found`. `progress` is told
    how many are done, the moment, and how many incidents there are. What raises KeyboardInterrupt ends it."""
    board, by_id = Board(), dict[str, PastIncident]()
    try:
        for at_s in moments_s:
            watched = [state.subject for state in board.alerts.values()]
            judged = step(board, rules, read(rules, at_s, watched), ())
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
    except KeyboardInterrupt:
        found.is_whole = False


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
