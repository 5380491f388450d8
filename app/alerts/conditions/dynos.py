"""What the platform says of an app's dynos: `R14 > 3`, `crashed > 0`, `memory > 100%`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.alerts.clause import Clause, plain
from app.alerts.condition import Condition, Family, Judgement, Scope, Severity, Verdict
from app.alerts.conditions.kind import Kind, refuse, require_above, require_words
from app.alerts.facts import DynoFacts, Facts, Needs, Subject
from app.alerts.wording import percent_limit
from app.formatting import percent, plural

R_CODE = re.compile(r"[Rr]1[0-7]")
"""R10 to R17: devcenter.heroku.com/articles/error-codes."""
CRASHED = "crashed"

EVENTS_MAX = 10_000
MEMORY_MAX = 10.0
FINE_SHARE = 0.95
"""Memory is fine again below this share of the limit."""

OF_MEMORY = ("R14", "R15")
_NEEDS = Needs(kinds=frozenset({"dynos"}))


@dataclass(frozen=True, slots=True)
class DynoEvents:
    """`R14 > 3`: in the last ten minutes, of any one dyno."""

    event: str
    """`R14`, `crashed`."""
    limit: int

    scope: Scope = "apps"

    @property
    def family(self) -> Family:
        return "memory" if self.event in OF_MEMORY else "failures"

    @property
    def severity(self) -> Severity:
        return "warning" if self.event in OF_MEMORY else "critical"

    @property
    def text(self) -> str:
        return f"{self.event} > {self.limit}"

    @property
    def needs(self) -> Needs:
        return _NEEDS

    def judge(self, facts: Facts, subject: Subject, min_requests: int) -> Judgement:
        dynos = facts.dynos.get(subject.app)
        if dynos is None:
            return Judgement("unclear", "nothing is known of its dynos")
        worst = max(dynos, key=self._count, default=DynoFacts("", None))
        count = self._count(worst)
        others = sum(self._count(dyno) > self.limit for dyno in dynos) - 1
        said = f"{worst.name} crashed" if self.event == CRASHED else f"{worst.name} logged {self.event}"
        text = f"{said} {plural(count, 'time')} in the last 10 minutes"
        if self.limit:
            text += f", the limit is {self.limit}"
        if others > 0:
            text += f"; so did {plural(others, 'other dyno')}"
        return Judgement(
            "bad" if count > self.limit else "fine",
            text=text if count else f"no dyno had {self.event} in the last 10 minutes",
            value=float(count),
            limit=float(self.limit),
            dyno=worst.name if count > self.limit else "",
        )

    def _count(self, dyno: DynoFacts) -> int:
        return dyno.events.get(self.event, 0)


@dataclass(frozen=True, slots=True)
class Memory:
    """`memory > 100%`: of its quota, the average of five minutes, of any one dyno."""

    limit: float

    scope: Scope = "apps"
    family: Family = "memory"
    severity: Severity = "warning"

    @property
    def text(self) -> str:
        return f"memory > {plain(100 * self.limit)}%"

    @property
    def needs(self) -> Needs:
        return _NEEDS

    def judge(self, facts: Facts, subject: Subject, min_requests: int) -> Judgement:
        known = [dyno for dyno in facts.dynos.get(subject.app, ()) if dyno.memory_share is not None]
        if not known:
            return Judgement(
                "unclear",
                "the memory of its dynos is not known: heroku labs:enable "
                "log-runtime-metrics has each say it",
            )
        worst = max(known, key=_memory)
        share = _memory(worst)
        others = sum(_memory(dyno) > self.limit for dyno in known) - 1
        limit = percent_limit(self.limit)
        text = f"{worst.name} uses {percent(share)} of its memory quota, the limit is {limit}"
        if others > 0:
            text += f"; {plural(others, 'other dyno')} too"
        verdict: Verdict = (
            "bad" if share > self.limit else "fine" if share <= self.limit * FINE_SHARE else "unclear"
        )
        return Judgement(verdict, text, share, self.limit, dyno=worst.name if share > self.limit else "")


def _memory(dyno: DynoFacts) -> float:
    return dyno.memory_share or 0.0


def _parse_event(clause: Clause) -> Condition:
    word = clause.words[0]
    event = CRASHED if word in EVENTS.words else word.upper()
    require_words(clause, 1, f"{event} > 3")
    if not clause.operator:
        return DynoEvents(event, 0)
    require_above(clause, f"it would alert while all is well: write {event} > 3")
    if clause.unit or clause.versus or clause.value % 1:
        raise refuse(clause, f"it is a whole number, of the last ten minutes: {event} > 3")
    limit = int(clause.value) - clause.or_equal
    if not 0 <= limit <= EVENTS_MAX:
        raise refuse(clause, f"it is a number from 0 to {EVENTS_MAX:,}: {event} > 3")
    return DynoEvents(event, limit)


def _parse_memory(clause: Clause) -> Condition:
    require_words(clause, 1, "memory > 100%")
    require_above(clause, "it would alert while all is well: write memory > 100%")
    if clause.unit != "%":
        raise refuse(clause, "it is a share of the dyno's quota: memory > 100%")
    if not 0 < clause.share <= MEMORY_MAX:
        raise refuse(clause, f"it is above 0% and at most {MEMORY_MAX:.0%}: memory > 100%")
    return Memory(clause.share)


EVENTS = Kind((CRASHED, "crashes", "crash"), ("R14 > 3", "crashed > 0"), _parse_event, R_CODE)
MEMORY = Kind(("memory",), ("memory > 100%",), _parse_memory)
