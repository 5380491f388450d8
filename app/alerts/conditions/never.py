"""`never`: the rule is off. For a default rule that is not wanted."""

from __future__ import annotations

from dataclasses import dataclass

from app.alerts.clause import Clause
from app.alerts.condition import Condition, Family, Judgement, Scope, Severity
from app.alerts.conditions.kind import Kind, refuse
from app.alerts.facts import Facts, Needs, Subject


@dataclass(frozen=True, slots=True)
class Never:
    """It never holds."""

    scope: Scope = "routes"
    family: Family = "traffic"
    severity: Severity = "warning"

    @property
    def text(self) -> str:
        return "never"

    @property
    def needs(self) -> Needs:
        return Needs()

    def judge(self, facts: Facts, subject: Subject, min_requests: int) -> Judgement:
        return Judgement("fine", "the rule is off")


def _parse(clause: Clause) -> Condition:
    if len(clause.words) != 1 or clause.operator:
        raise refuse(clause, "never stands alone")
    return Never()


KIND = Kind(("never", "off"), ("never",), _parse)
