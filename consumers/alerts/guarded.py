"""Rules cannot stop one another: a condition that raises says nothing of its subject, and is reported."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from app.alerts.condition import Condition, Family, Judgement, Scope, Severity
from app.alerts.facts import Facts, Needs, Subject
from app.alerts.rule import Rule
from app.errors import first_words
from app.store.queries.alert import Alert

log = logging.getLogger(__name__)

FAULT = "rule:"
"""Stands before the name of a rule, in the code of the alert about it."""


@dataclass(slots=True)
class RuleFaults:
    """What rules have raised."""

    _now: dict[str, str] = field(default_factory=dict)
    """Rule -> what, since the last `begin`."""
    _logged: set[tuple[str, str]] = field(default_factory=set)

    def note(self, rule: str, fault: Exception) -> None:
        """Call it in the handler of the exception. Logs it once, with where it was raised."""
        self._now[rule] = first_words(fault)
        kind = (rule, type(fault).__name__)
        if kind not in self._logged:
            self._logged.add(kind)
            log.exception("a rule cannot be judged: rule=%s", rule)

    def begin(self) -> tuple[Alert, ...]:
        """What the last moment has found, as matters of Tailrace itself; the next one begins."""
        found = tuple(
            Alert(
                code=f"{FAULT}{rule}",
                severity="warning",
                title=f"The rule {rule} cannot be judged",
                text=f"Its condition ends in an error ({why}), so it neither fires nor resolves. Other rules "
                "are not affected.",
                action="The log of `alerts` (or `metrics`) says where: report it with those lines",
                count=1,
            )
            for rule, why in sorted(self._now.items())
        )
        self._now.clear()
        return found


@dataclass(frozen=True, slots=True)
class GuardedCondition:
    """A condition that raises nothing."""

    rule: str
    inner: Condition
    faults: RuleFaults

    @property
    def text(self) -> str:
        return self.inner.text

    @property
    def family(self) -> Family:
        return self.inner.family

    @property
    def severity(self) -> Severity:
        return self.inner.severity

    @property
    def scope(self) -> Scope:
        return self.inner.scope

    @property
    def needs(self) -> Needs:
        return self.inner.needs

    def judge(self, facts: Facts, subject: Subject, min_requests: int) -> Judgement:
        """`unclear` where the condition raises: what fires goes on, and nothing begins."""
        try:
            return self.inner.judge(facts, subject, min_requests)
        except Exception as fault:
            self.faults.note(self.rule, fault)
            return Judgement("unclear")


def guarded(rules: Sequence[Rule], faults: RuleFaults) -> tuple[Rule, ...]:
    """The same rules, with conditions that raise nothing."""
    return tuple(
        replace(rule, when=tuple(GuardedCondition(rule.name, condition, faults) for condition in rule.when))
        for rule in rules
    )
