"""Too many requests of a kind, as a share: `errors > 2%`, `errors > 5x usual`."""

from __future__ import annotations

from dataclasses import dataclass

from app.alerts.clause import plain
from app.alerts.condition import Family, Judgement, Scope, Severity
from app.alerts.facts import Facts, Needs, Stretch, Subject
from app.alerts.judging import Z_OVER, Found, Part, judge_share
from app.alerts.measures import Measure
from app.alerts.spans import (
    LONG,
    NEWEST,
    RECENT,
    SHORT,
    WHEN,
    YESTERDAY,
    Versus,
    baseline,
    known_days,
    without_worst,
)
from app.alerts.wording import of_requests, percent_limit, within
from app.binomial import wilson
from app.formatting import percent

BASE_REQUESTS_MIN = 100
"""With fewer on the days before, nothing is known of what is usual."""


@dataclass(frozen=True, slots=True)
class ShareAbove:
    """`errors > 2%`."""

    measure: Measure
    limit: float

    scope: Scope = "routes"
    family: Family = "failures"
    severity: Severity = "critical"

    @property
    def text(self) -> str:
        return f"{self.measure.text} > {plain(100 * self.limit)}%"

    @property
    def needs(self) -> Needs:
        return Needs(RECENT | {YESTERDAY})

    def judge(self, facts: Facts, subject: Subject, min_requests: int) -> Judgement:
        found, part = _judged(self.measure, facts, subject, self.limit, min_requests)
        return Judgement(
            found.verdict,
            text=f"{_said(self.measure, part, found)}, the limit is {percent_limit(self.limit)}",
            value=part.share,
            limit=self.limit,
            usual=_usual(self.measure, facts, subject) if found.verdict == "bad" else "",
            measure=self.measure,
        )


@dataclass(frozen=True, slots=True)
class ShareAboveBaseline:
    """`errors > 5x yesterday`. What was then is taken as the upper end of its interval."""

    measure: Measure
    factor: float
    versus: Versus

    scope: Scope = "routes"
    family: Family = "failures"
    severity: Severity = "critical"

    @property
    def text(self) -> str:
        return f"{self.measure.text} > {plain(self.factor)}x {self.versus}"

    @property
    def needs(self) -> Needs:
        return Needs(RECENT | frozenset(baseline(self.versus)))

    def judge(self, facts: Facts, subject: Subject, min_requests: int) -> Judgement:
        days = known_days(facts, subject, self.versus)
        hits, requests = without_worst([(self.measure.hits(sums), sums.requests) for sums, _ in days])
        if requests < BASE_REQUESTS_MIN:
            return Judgement("unclear", f"too few requests {WHEN[self.versus]} to compare with")
        limit = min(1.0, self.factor * wilson(hits, requests, Z_OVER)[1])
        found, part = _judged(self.measure, facts, subject, limit, min_requests)
        before = percent(hits / requests)
        return Judgement(
            found.verdict,
            text=f"{_said(self.measure, part, found)}, over {plain(self.factor)} times as many as "
            f"{WHEN[self.versus]}"
            if found.verdict == "bad"
            else _said(self.measure, part, found),
            value=part.share,
            limit=limit,
            usual=f"{before} {WHEN[self.versus]}",
            measure=self.measure,
        )


def _judged(
    measure: Measure, facts: Facts, subject: Subject, limit: float, min_requests: int
) -> tuple[Found, Part]:
    long, short, newest = (_part(measure, facts, subject, stretch) for stretch in (LONG, SHORT, NEWEST))
    found = judge_share(long, short, newest, limit, min_requests)
    return found, short if found.is_short else long


def _part(measure: Measure, facts: Facts, subject: Subject, stretch: Stretch) -> Part:
    sums = facts.sums(subject, stretch)
    return Part(measure.hits(sums), sums.requests)


def _said(measure: Measure, part: Part, found: Found) -> str:
    if not part.requests:
        return f"no request {within(found.is_short)}"
    return f"{percent(part.share)} of {of_requests(part.requests)} {measure.did} {within(found.is_short)}"


def _usual(measure: Measure, facts: Facts, subject: Subject) -> str:
    days = known_days(facts, subject, "yesterday")
    if not days or not days[0][0].requests:
        return ""
    sums = days[0][0]
    return f"{percent(measure.hits(sums) / sums.requests)} {WHEN['yesterday']}"
