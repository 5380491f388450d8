"""The budget of an objective is used up too fast: `slo:`, see app/alerts/slo.py.

Two pairs of spans, as in Google's "Site Reliability Workbook", chapter 5, "Alerting on SLOs", section 6:
2 % of the budget of 30 days is gone within an hour (14.4 times too fast), or 5 % within six (6 times). The
shorter span of each pair, a twelfth, must burn as fast, so that an alert ends soon after its cause. For
another period the shares of the budget are the same, and the rates follow from it, but for FACTOR_MIN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from app.alerts.condition import Family, Judgement, Scope, Severity
from app.alerts.facts import Facts, Needs, Stretch, Subject
from app.alerts.judging import Part, is_above
from app.alerts.measures import Measure
from app.alerts.slo import Objective, bad_requests, budget_left, burn_rate
from app.alerts.wording import days_or, of_requests
from app.formatting import duration, percent
from app.store.keys import ALL_ROUTES

SHARE_MAX = 0.9
"""No limit on the share of bad requests is higher: 144 %, as of an objective of 90 %, is never reached."""


FACTOR_MIN = 1.5
"""No budget that burns less than so many times too fast is an alert: of a day's, 2 % in an hour is half of
what it may, and 5 % in six hours a fifth."""


class Pair(NamedTuple):
    """A span, its twelfth, and the share of the budget that must be used up in it."""

    long: Stretch
    short: Stretch
    of_budget: float


PAIRS = (
    Pair(Stretch(3_600), Stretch(300), 0.02),
    Pair(Stretch(21_600), Stretch(1_800), 0.05),
)


@dataclass(frozen=True, slots=True)
class BurnRate:
    """The budget burns too fast."""

    objective: Objective

    scope: Scope = "routes"
    family: Family = "failures"
    severity: Severity = "critical"

    @property
    def text(self) -> str:
        return f"slo {self.objective.text}"

    @property
    def needs(self) -> Needs:
        return Needs(frozenset(stretch for pair in PAIRS for stretch in (pair.long, pair.short)))

    def factor(self, pair: Pair) -> float:
        """How many times too fast: 14.4 and 6 of 30 days."""
        return max(FACTOR_MIN, round(pair.of_budget * self.objective.over_s / pair.long.from_s, 4))

    def judge(self, facts: Facts, subject: Subject, min_requests: int) -> Judgement:
        is_fine = True
        for pair in PAIRS:
            limit = min(SHARE_MAX, self.factor(pair) * self.objective.budget)
            long, short = (self._part(facts, subject, stretch) for stretch in (pair.long, pair.short))
            if short.share > limit and is_above(long, limit, min_requests):
                return self._bad(facts, subject, pair, long)
            is_fine = is_fine and (short.share <= limit or long.share <= limit)
        burn = burn_rate(self.objective, facts.sums(subject, PAIRS[0].long))
        said = "no request in the last hour" if burn is None else f"the budget burns {_times(burn)} as fast"
        return Judgement("fine" if is_fine else "unclear", said, burn, self.factor(PAIRS[0]))

    def _part(self, facts: Facts, subject: Subject, stretch: Stretch) -> Part:
        sums = facts.sums(subject, stretch)
        return Part(bad_requests(self.objective, sums), sums.requests)

    def _bad(self, facts: Facts, subject: Subject, pair: Pair, long: Part) -> Judgement:
        objective = self.objective
        burn = long.share / objective.budget
        over = days_or(objective.over_s)
        did = "failed" if objective.faster_ms is None else "failed or were too slow"
        whole = facts.rows.get((subject.app, subject.digest or ALL_ROUTES), {}).get(Stretch(objective.over_s))
        left = budget_left(objective, whole).left if whole else None
        if left is None:
            rest = f"at this rate it lasts {duration(objective.over_s / burn)}"
        else:
            rest = f"{percent(left)} is left" if left > 0 else "nothing is left of it"
        return Judgement(
            "bad",
            text=f"the budget of {over} burns {_times(burn)} too fast; {rest}: {percent(long.share)} of "
            f"{of_requests(long.requests)} in the last {duration(pair.long.from_s)} {did}, "
            f"{percent(objective.budget)} may",
            value=burn,
            limit=self.factor(pair),
            measure=Measure("errors") if objective.faster_ms is None else None,
        )


def _times(burn: float) -> str:
    """`22 times`, `0.4 times`."""
    return f"{burn:.0f} times" if burn >= 9.95 else f"{burn:.1f} times"
