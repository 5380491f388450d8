"""Too few or too many requests: `requests < 1/min`, `requests < 0.5x yesterday`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from app.alerts.clause import VALUE_MAX, Clause, Operator, plain
from app.alerts.condition import Condition, Family, Judgement, Scope, Severity
from app.alerts.conditions.kind import Kind, factor, refuse, require_words
from app.alerts.facts import Facts, Needs, Stretch, Subject
from app.alerts.judging import Found, judge_high_rate, judge_low_rate
from app.alerts.spans import (
    HOUR_S,
    LONG,
    NEWEST,
    RECENT,
    SHORT,
    WHEN,
    YESTERDAY,
    Versus,
    baseline,
    known_days,
    lacks_newest,
    stretches_of,
)
from app.alerts.wording import per_minute, within
from app.formatting import plural
from app.store.sums import Sums

BEFORE = Stretch(HOUR_S, LONG.from_s)
"""An app without a request in it may just have begun."""

EXPECTED_MIN = 15
"""With fewer that one expects in five minutes, their number says nothing."""


@dataclass(frozen=True, slots=True)
class RequestRate:
    """`requests < 1/min`, as it is written: it is counted, not estimated."""

    operator: Operator
    per_min: float

    scope: Scope = "routes"
    family: Family = "traffic"
    severity: Severity = "warning"

    @property
    def text(self) -> str:
        return f"requests {self.operator} {plain(self.per_min)}/min"

    @property
    def needs(self) -> Needs:
        return Needs(RECENT | {BEFORE, YESTERDAY})

    def judge(self, facts: Facts, subject: Subject, min_requests: int) -> Judgement:
        found = _judged(facts, subject, self.operator, self.per_min)
        if self.operator == "<" and found.verdict == "bad" and _has_just_begun(facts, subject):
            found = replace(found, verdict="unclear")
        return Judgement(
            found.verdict,
            text=f"{_said(facts, subject, found)}, the limit is {per_minute(self.per_min)}",
            value=_per_min(facts, subject, found),
            limit=self.per_min,
            usual=_usual(known_days(facts, subject, "yesterday"), "yesterday"),
        )


@dataclass(frozen=True, slots=True)
class RequestRateBaseline:
    """`requests < 0.5x yesterday`."""

    operator: Operator
    factor: float
    versus: Versus

    scope: Scope = "routes"
    family: Family = "traffic"
    severity: Severity = "warning"

    @property
    def text(self) -> str:
        return f"requests {self.operator} {plain(self.factor)}x {self.versus}"

    @property
    def needs(self) -> Needs:
        return Needs(RECENT | frozenset(baseline(self.versus)))

    def judge(self, facts: Facts, subject: Subject, min_requests: int) -> Judgement:
        days = known_days(facts, subject, self.versus)
        before = _rate_of(days)
        if before is None or before * LONG.from_s / 60 < EXPECTED_MIN:
            return Judgement("unclear", f"too few requests {WHEN[self.versus]} to compare with")
        limit = self.factor * before
        found = _judged(facts, subject, self.operator, limit)
        word = "fewer than" if self.operator == "<" else "over"
        return Judgement(
            found.verdict,
            text=_said(facts, subject, found)
            + (
                f", {word} {plain(self.factor)} times as many as {WHEN[self.versus]}"
                if found.verdict == "bad"
                else ""
            ),
            value=_per_min(facts, subject, found),
            limit=limit,
            usual=_usual(days, self.versus),
        )


def _judged(facts: Facts, subject: Subject, operator: Operator, per_min: float) -> Found:
    long, short, newest = (facts.sums(subject, stretch).requests for stretch in (LONG, SHORT, NEWEST))
    if operator == "<":
        found = judge_low_rate(long, short, per_min)
        is_unclear = found.verdict == "bad" and lacks_newest(facts)
        return replace(found, verdict="unclear") if is_unclear else found
    return judge_high_rate(long, short, newest, per_min)


def _has_just_begun(facts: Facts, subject: Subject) -> bool:
    first_s = facts.first_s.get(subject.app)
    is_new = first_s is None or first_s >= facts.at_s - 2 * HOUR_S
    return is_new and not facts.sums(subject, BEFORE).requests


def _count(facts: Facts, subject: Subject, found: Found) -> int:
    """Requests of the minutes that it is said of."""
    return sum(facts.sums(subject, stretch).requests for stretch in stretches_of(found.minutes))


def _per_min(facts: Facts, subject: Subject, found: Found) -> float:
    return _count(facts, subject, found) / found.minutes


def _said(facts: Facts, subject: Subject, found: Found) -> str:
    count = _count(facts, subject, found)
    said = plural(count, "request") if count else "no request"
    return f"{said} {within(found.minutes)}"


def _rate_of(days: Sequence[tuple[Sums, int]]) -> float | None:
    """Requests a minute: of several days the median."""
    return median(sums.requests / (seconds / 60) for sums, seconds in days) if days else None


def _usual(days: Sequence[tuple[Sums, int]], versus: Versus) -> str:
    per_min = _rate_of(days)
    return "" if per_min is None else f"{per_minute(per_min)} {WHEN[versus]}"


def _parse(clause: Clause) -> Condition:
    example = "requests < 1/min or requests < 0.5x yesterday"
    require_words(clause, 1, example)
    if not clause.operator:
        raise refuse(clause, f"write it like {example}")
    if clause.unit == "%":
        raise refuse(clause, f"requests are counted, not a share: write {example}")
    if clause.versus:
        return RequestRateBaseline(clause.operator, factor(clause), clause.versus)
    if (per_min := clause.per_min) is None:
        raise refuse(clause, f"say how often: {example}")
    if not 0 < per_min <= VALUE_MAX:
        raise refuse(clause, f"a rate is above 0; for no request at all, write silence 5m. Else {example}")
    return RequestRate(clause.operator, per_min)


KIND = Kind(
    ("requests", "request"),
    ("requests < 1/min", "requests > 1000/min", "requests < 0.5x yesterday", "requests > 3x usual"),
    _parse,
)
