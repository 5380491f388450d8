"""Asks every rule of every app and route that it is about. Pure.

While figures are not complete, only what says something of Tailrace itself is asked; of a moment of the past,
only figures are. What is not asked stays as it is.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from app.alerts.board import AlertState, Board, alert_key
from app.alerts.condition import Condition, Family, Judgement, Scope, Severity
from app.alerts.facts import Facts, Subject
from app.alerts.rule import EACH, Rule
from app.routes import compile_rules

SUBJECTS_MAX = 1_000
"""Of a rule, in one moment: those on the board first, then as the facts have them."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The answer to a rule, for one subject."""

    rule: Rule
    subject: Subject
    family: Family
    severity: Severity
    judgement: Judgement


def evaluate(board: Board, rules: Sequence[Rule], facts: Facts) -> dict[str, Judged]:
    """Key -> answer: of every subject that is bad, and of those on the board whatever the answer is."""
    on_board: dict[str, list[Subject]] = defaultdict(list)
    for state in board.alerts.values():
        on_board[state.rule].append(state.subject)
    found: dict[str, Judged] = {}
    for rule in rules:
        if not is_asked(rule, facts):
            continue
        for subject in subjects(rule, facts, on_board[rule.name]):
            judgement = judge(rule, facts, subject)
            key = alert_key(rule.name, subject)
            if judgement.verdict == "bad" or key in board.alerts:
                found[key] = Judged(
                    rule, subject, leading(rule).family, severity(rule, facts, subject), judgement
                )
    return found


def is_asked(rule: Rule, facts: Facts) -> bool:
    """Whether these facts can say something of the rule."""
    if not rule.when:
        return False
    return not facts.is_past if scope(rule) == "tailrace" else not facts.incomplete


def scope(rule: Rule) -> Scope:
    """What the rule can be asked of: what the narrowest of its conditions can."""
    scopes = {condition.scope for condition in rule.when}
    narrow: tuple[Scope, ...] = ("tailrace", "apps")
    return next((one for one in narrow if one in scopes), "routes")


def covers(rule: Rule, subject: Subject) -> bool:
    """Whether the rule is about this subject."""
    if rule.app not in ("", subject.app):
        return False
    of = scope(rule)
    if of == "tailrace" or subject.part:
        return of == "tailrace" and subject.part != ""
    if of == "apps" or not rule.route:
        return not subject.digest
    if not subject.digest:
        return False
    return rule.route == EACH or _pattern(rule.route).fullmatch(subject.route) is not None


def subjects(rule: Rule, facts: Facts, on_board: Sequence[Subject]) -> Iterator[Subject]:
    """What the rule is asked of, each once."""
    watched = {_identity(subject): subject for subject in on_board if covers(rule, subject)}
    others = (one for one in _chosen(rule, facts) if _identity(one) not in watched)
    yield from watched.values()
    yield from islice(others, max(0, SUBJECTS_MAX - len(watched)))


def judge(rule: Rule, facts: Facts, subject: Subject) -> Judgement:
    """Bad if every condition is, fine if one is."""
    answers: list[Judgement] = []
    for condition in rule.when:
        answer = condition.judge(facts, subject, rule.min_requests)
        if answer.verdict == "fine":
            return answer
        answers.append(answer)
    if unclear := next((answer for answer in answers if answer.verdict == "unclear"), None):
        return unclear
    return answers[0] if len(answers) == 1 else _joined(answers, rule.when.index(leading(rule)))


def leading(rule: Rule) -> Condition:
    """The condition that the rule is about: `requests > 10/min` beside another only says when to ask."""
    return next((one for one in rule.when if one.family != "traffic"), rule.when[0])


def severity(rule: Rule, facts: Facts, subject: Subject) -> Severity:
    """As the condition says; of Tailrace itself, alarms are critical."""
    if subject.part:
        alarms = (one for one in facts.health if one.severity == "alarm")
        return "critical" if any(_is_of(subject, one.code, one.app) for one in alarms) else "warning"
    return leading(rule).severity


def _chosen(rule: Rule, facts: Facts) -> Iterator[Subject]:
    of = scope(rule)
    if of == "tailrace":
        for alert in facts.health:
            if rule.app in ("", alert.app):
                yield Subject(alert.app, part=alert.code)
        return
    for app in (rule.app,) if rule.app else facts.apps:
        if of == "apps" or not rule.route:
            yield Subject(app)
        else:
            yield from _routes(rule.route, app, facts.routes.get(app, {}))


def _routes(wanted: str, app: str, routes: Mapping[str, str]) -> Iterator[Subject]:
    pattern = None if wanted == EACH else _pattern(wanted)
    for digest, route in routes.items():
        if pattern is None or pattern.fullmatch(route):
            yield Subject(app, route, digest)


@functools.lru_cache(maxsize=1_024)
def _pattern(text: str) -> re.Pattern[str]:
    return compile_rules([text], "alerts")[0][0]


def _identity(subject: Subject) -> tuple[str, str, str]:
    """Without the route's name, which the digest stands for."""
    return subject.app, subject.digest, subject.part


def _is_of(subject: Subject, code: str, app: str) -> bool:
    return (subject.part, subject.app) == (code, app)


def _joined(answers: Sequence[Judgement], lead: int) -> Judgement:
    """The leading condition's figures, and what all of them say: it first, because a title takes that."""
    first = answers[lead]
    said = (first, *answers[:lead], *answers[lead + 1 :])
    return Judgement(
        first.verdict,
        text=", and ".join(answer.text for answer in said if answer.text),
        value=first.value,
        limit=first.limit,
        usual=first.usual,
        dyno=next((answer.dyno for answer in answers if answer.dyno), ""),
        action=next((answer.action for answer in answers if answer.action), ""),
        began_s=first.began_s,
        measure=first.measure,
    )


def gone(state: AlertState, rules: Mapping[str, Rule]) -> bool:
    """Whether no rule in force is about this alert any more. `rules`: by name."""
    rule = rules.get(state.rule)
    return rule is None or not covers(rule, state.subject)
