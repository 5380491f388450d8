"""Rules by hand, for tests: conditions that only say what they must know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.alerts.condition import Family, Judgement, Scope, Severity
from app.alerts.facts import Facts, Kind, Needs, Stretch, Subject
from app.alerts.rule import Rule


@dataclass(frozen=True, slots=True)
class Asks:
    """A condition that needs facts, and never says anything of them."""

    needs: Needs
    scope: Scope = "routes"
    text: str = "asks"
    family: Family = "failures"
    severity: Severity = "critical"

    def judge(self, facts: Facts, subject: Subject, min_requests: int) -> Judgement:
        return Judgement("unclear")


def rule(
    *stretches: Stretch,
    app: str = "",
    route: str = "",
    of_app: Iterable[Stretch] = (),
    kinds: Iterable[Kind] = (),
    scope: Scope = "routes",
) -> Rule:
    """One that needs these stretches, of its apps or routes."""
    needs = Needs(frozenset(stretches), frozenset(of_app), frozenset(kinds))
    return Rule("test", (Asks(needs, scope),), app=app, route=route)
