"""Too many requests of a kind a minute: `code H12 > 5/min`."""

from __future__ import annotations

from dataclasses import dataclass

from app.alerts.clause import plain
from app.alerts.condition import Family, Judgement, Scope, Severity
from app.alerts.facts import Facts, Needs, Subject
from app.alerts.judging import judge_high_rate
from app.alerts.measures import Measure
from app.alerts.spans import LONG, NEWEST, RECENT, SHORT, WHEN, YESTERDAY, known_days
from app.alerts.wording import per_minute, within
from app.formatting import plural


@dataclass(frozen=True, slots=True)
class RateAbove:
    """`code H12 > 5/min`."""

    measure: Measure
    per_min: float

    scope: Scope = "routes"
    family: Family = "failures"
    severity: Severity = "critical"

    @property
    def text(self) -> str:
        return f"{self.measure.text} > {plain(self.per_min)}/min"

    @property
    def needs(self) -> Needs:
        return Needs(RECENT | {YESTERDAY})

    def judge(self, facts: Facts, subject: Subject, min_requests: int) -> Judgement:
        long, short, newest = (
            self.measure.hits(facts.sums(subject, stretch)) for stretch in (LONG, SHORT, NEWEST)
        )
        found = judge_high_rate(long, short, newest, self.per_min)
        hits = short if found.minutes == 1 else long
        return Judgement(
            found.verdict,
            text=f"{plural(hits, 'request')} {self.measure.did} {within(found.minutes)}, "
            f"the limit is {per_minute(self.per_min)}",
            value=hits / found.minutes,
            limit=self.per_min,
            usual=self._usual(facts, subject) if found.verdict == "bad" else "",
            measure=self.measure,
        )

    def _usual(self, facts: Facts, subject: Subject) -> str:
        days = known_days(facts, subject, "yesterday")
        if not days or not days[0][0].requests:
            return ""
        sums, seconds = days[0]
        return f"{per_minute(self.measure.hits(sums) / (seconds / 60))} {WHEN['yesterday']}"
