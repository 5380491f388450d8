"""Too many requests of a kind, as a share: `errors > 2%`, `errors > 5x usual`."""

from __future__ import annotations

from dataclasses import dataclass

from app.alerts.clause import plain
from app.alerts.condition import Family, Judgement, Scope, Severity
from app.alerts.facts import Facts, Needs, Stretch, Subject
from app.alerts.judging import NOTHING, Z_OVER, Found, Part, judge_share, together
from app.alerts.measures import Measure
from app.alerts.spans import (
    EARLIER,
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
from app.store.sums import Sums

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
        return Needs(RECENT | {EARLIER, YESTERDAY})

    def judge(self, facts: Facts, subject: Subject, min_requests: int) -> Judgement:
        if not _is_any(self.measure, facts, subject):
            return Judgement("fine")
        found, part = _judged(self.measure, facts, subject, self.limit, min_requests)
        if found.verdict != "bad":
            return Judgement(found.verdict)
        return Judgement(
            "bad",
            text=f"{_said(self.measure, part, found)}, the limit is {percent_limit(self.limit)}",
            value=part.share,
            limit=self.limit,
            usual=_usual(self.measure, facts, subject),
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
        return Needs(RECENT | {EARLIER, *baseline(self.versus)})

    def judge(self, facts: Facts, subject: Subject, min_requests: int) -> Judgement:
        if not _is_any(self.measure, facts, subject):
            return Judgement("fine")
        days = known_days(facts, subject, self.versus)
        hits, requests = without_worst([(self.measure.hits(sums), sums.requests) for sums, _ in days])
        if requests < BASE_REQUESTS_MIN:
            return Judgement("unclear", f"too few requests {WHEN[self.versus]} to compare with")
        limit = min(1.0, self.factor * wilson(hits, requests, Z_OVER)[1])
        found, part = _judged(self.measure, facts, subject, limit, min_requests)
        if found.verdict != "bad":
            return Judgement(found.verdict)
        return Judgement(
            "bad",
            text=f"{_said(self.measure, part, found)}, over {plain(self.factor)} times as many as "
            f"{WHEN[self.versus]}",
            value=part.share,
            limit=limit,
            usual=f"{percent(hits / requests)} {WHEN[self.versus]}",
            measure=self.measure,
        )


def _is_any(measure: Measure, facts: Facts, subject: Subject) -> bool:
    """Of a thousand routes, most have no request of the kind."""
    return any(measure.hits(facts.sums(subject, stretch)) for stretch in (LONG, EARLIER))


def _judged(
    measure: Measure, facts: Facts, subject: Subject, limit: float, min_requests: int
) -> tuple[Found, Part]:
    long, short, newest, earlier = (
        _part(measure, facts, subject, stretch) for stretch in (LONG, SHORT, NEWEST, EARLIER)
    )
    days = known_days(facts, subject, "yesterday")
    yesterday = _counted(measure, days[0][0]) if days else NOTHING
    found = judge_share(long, short, newest, limit, min_requests, earlier=earlier, yesterday=yesterday)
    return found, {1: short, 5: long, 15: together(earlier, long)}[found.minutes]


def _part(measure: Measure, facts: Facts, subject: Subject, stretch: Stretch) -> Part:
    return _counted(measure, facts.sums(subject, stretch))


def _counted(measure: Measure, sums: Sums) -> Part:
    return Part(measure.hits(sums), sums.requests)


def _said(measure: Measure, part: Part, found: Found) -> str:
    return f"{percent(part.share)} of {of_requests(part.requests)} {measure.did} {within(found.minutes)}"


def _usual(measure: Measure, facts: Facts, subject: Subject) -> str:
    days = known_days(facts, subject, "yesterday")
    if not days or not days[0][0].requests:
        return ""
    sums = days[0][0]
    return f"{percent(measure.hits(sums) / sums.requests)} {WHEN['yesterday']}"
