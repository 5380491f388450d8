"""Conditions whose answers are written down, and moments one after the other: for the tests of the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.alerts.board import Board, Incident, Notice, Silence
from app.alerts.condition import Family, Judgement, Scope, Severity, Verdict
from app.alerts.engine import Step, step
from app.alerts.facts import Facts, Needs, Subject
from app.alerts.rule import Rule
from app.store.queries.alert import Alert

Answers = Callable[[int, Subject], Verdict]

T0 = 1_700_000_000
SHOP = Subject("shop")
CHECKOUT = Subject("shop", "/checkout", "d1")
CART = Subject("shop", "/cart", "d2")
ROUTES = {"shop": {"d1": "/checkout", "d2": "/cart"}}


@dataclass(frozen=True, slots=True)
class Scripted:
    """A condition that says what it was told to say, at which moment of which subject."""

    answers: Answers
    family: Family = "failures"
    scope: Scope = "routes"
    text: str = "errors > 2%"
    value: float = 20.0
    needs: Needs = field(default_factory=Needs)

    @property
    def severity(self) -> Severity:
        return "critical" if self.family == "failures" else "warning"

    def judge(self, facts: Facts, subject: Subject, min_requests: int) -> Judgement:
        verdict = self.answers(facts.at_s - T0, subject)
        return Judgement(verdict, f"{self.text} is {verdict}", self.value, 2.0)


def during(*spans: tuple[int, int], of: Iterable[Subject] | None = None) -> Answers:
    """Bad in these spans (seconds since T0, the end excluded), else fine."""
    subjects = None if of is None else set(of)

    def answer(second: int, subject: Subject) -> Verdict:
        is_of = subjects is None or subject in subjects
        return "bad" if is_of and any(low <= second < high for low, high in spans) else "fine"

    return answer


def saying(said: Mapping[int, Verdict]) -> Answers:
    """What it says from each second on; fine before."""

    def answer(second: int, subject: Subject) -> Verdict:
        begun = [at for at in said if at <= second]
        return said[max(begun)] if begun else "fine"

    return answer


def rule(name: str = "errors", condition: Scripted | None = None, **others: object) -> Rule:
    return replace(Rule(name, (condition or Scripted(during()),)), **others)  # type: ignore[arg-type]


def facts(
    second: int, incomplete: str = "", health: Sequence[Alert] = (), apps: Sequence[str] = ("shop",)
) -> Facts:
    return Facts(T0 + second, incomplete, routes=ROUTES, apps=tuple(apps), health=tuple(health))


@dataclass(slots=True)
class Told:
    """What came of some moments."""

    board: Board = field(default_factory=Board)
    targets: Sequence[str] = ()
    notices: list[Notice] = field(default_factory=list)
    resolved: list[Incident] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def __call__(self, rules: Sequence[Rule], moment: Facts, silences: Sequence[Silence] = ()) -> Step:
        made = step(self.board, rules, moment, silences, self.targets)
        self.board = made.board
        self.notices += made.notices
        self.resolved += made.resolved
        self.steps.append(made)
        return made

    @property
    def words(self) -> list[tuple[str, int]]:
        """(kind, second of the notice)."""
        return [(one.kind, (one.incident.told_s or 0) - T0) for one in self.notices]

    def heard(self, target: str) -> list[tuple[str, int, list[str]]]:
        """(kind, second, rules in it) of each notice to the target."""
        return [
            (one.kind, (one.incident.told_s or 0) - T0, [state.rule for state in one.incident.alerts])
            for one in self.notices
            if target in one.to
        ]


def run(
    rules: Sequence[Rule],
    seconds: Iterable[int] = range(0, 1_200, 10),
    silences: Sequence[Silence] = (),
    make: Callable[[int], Facts] = facts,
    targets: Sequence[str] = (),
) -> Told:
    """The moments at these seconds."""
    told = Told(targets=targets)
    for second in seconds:
        told(rules, make(second), silences)
    return told
