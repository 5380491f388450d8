"""From a comparison and its conditions to a verdict. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.cli.compare.conditions import Condition
from app.comparison.result import Comparison, FigureComparison, RouteComparison
from app.formatting import plural
from consumers.replay.gate.findings import MET_SHARE

Verdict = Literal["passed", "failed", "inconclusive"]
State = Literal["crossed", "met", "inconclusive", "too few"]

NAMED = 5
WIDTH_MAX = 1.0
"""Half of an interval may be so much of the limit, or it cannot tell the limit from noise."""
_ORDER: dict[State, int] = {"crossed": 0, "inconclusive": 1, "too few": 2, "met": 3}


@dataclass(frozen=True, slots=True)
class FoundCondition:
    """One condition on one route (empty: all requests together); values as the condition's limit is."""

    condition: str
    route: str
    state: State
    value: float | None
    low: float | None
    high: float | None
    limit: float


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict and what it rests on."""

    verdict: Verdict
    reasons: list[str]
    findings: list[FoundCondition]
    """Gravest first; empty without conditions."""


def judge(found: Comparison, conditions: Sequence[Condition], *, is_strict: bool) -> Judged:
    """The verdict of a comparison that is not refused. `is_strict`: inconclusive is failed."""
    rows = [*([found.total] if found.total else []), *found.routes]
    findings = sorted(
        (_judged(condition, row) for condition in conditions for row in rows),
        key=lambda one: (_ORDER[one.state], bool(one.route)),
    )
    failing = _crossed(findings) if conditions else _worse(rows)
    holding = [*_incomplete(found), *(_undecided(findings) if conditions else _untold(found))]
    if failing:
        return Judged("failed", [*failing, *holding], findings)
    if holding:
        return Judged("failed" if is_strict else "inconclusive", holding, findings)
    return Judged("passed", [], findings)


def _worse(rows: Sequence[RouteComparison]) -> list[str]:
    worse = [(row.route, [one.figure for one in row.figures if one.word == "worse"]) for row in rows]
    found = [f"{name_of(route)} is worse: {', '.join(figures)}" for route, figures in worse if figures]
    more = len(found) - NAMED
    return [*found[:NAMED], *([f"and {plural(more, 'more route')}"] if more > 0 else [])]


def _incomplete(found: Comparison) -> list[str]:
    if found.is_complete:
        return []
    if found.ready_s is not None or found.total is None:
        return ["the span after is not over: --wait 15m would wait for it"]
    return ["the figures are not complete: the workers of `metrics` are behind or down"]


def _untold(found: Comparison) -> list[str]:
    if found.total is None or found.total.word == "too few":
        return ["there are too few requests to tell anything: give a longer --window"]
    return []


def _judged(condition: Condition, row: RouteComparison) -> FoundCondition:
    figure = next(one for one in row.figures if one.figure == condition.figure)
    value, low, high = _values(condition, figure)
    return FoundCondition(
        condition.text,
        row.route,
        _state(value, low, high, condition.limit, is_told=figure.word != "too few"),
        value,
        low,
        high,
        condition.limit,
    )


Values = tuple[float | None, float | None, float | None]
"""Estimate, low, high."""


def _values(condition: Condition, figure: FigureComparison) -> Values:
    if condition.of == "after":
        return figure.after, figure.after_low, figure.after_high
    if condition.of == "change":
        return figure.change, figure.low, figure.high
    before = figure.before
    value, low, high = (
        None if one is None or before is None else one * before
        for one in (figure.change, figure.low, figure.high)
    )
    return value, low, high


def _state(
    value: float | None, low: float | None, high: float | None, limit: float, *, is_told: bool
) -> State:
    if low is not None and low > limit:
        return "crossed"
    if value is None or not is_told:
        return "too few"
    if high is not None and high <= limit:
        return "met"
    if low is None or high is None or (high - low) / 2 > WIDTH_MAX * limit > 0:
        return "too few"
    return "met" if value <= MET_SHARE * limit else "inconclusive"


def _crossed(findings: Sequence[FoundCondition]) -> list[str]:
    return _listed([one for one in findings if one.state == "crossed"], "{condition} on {where}")


def _undecided(findings: Sequence[FoundCondition]) -> list[str]:
    """What cannot be told of all requests together holds the verdict; a route with too few does not."""
    return [
        *_listed(
            [one for one in findings if one.state == "inconclusive"], "{condition} on {where}: undecided"
        ),
        *_listed(
            [one for one in findings if one.state == "too few" and not one.route],
            "{condition} on {where}: too few requests, or too noisy",
        ),
    ]


def _listed(findings: Sequence[FoundCondition], form: str) -> list[str]:
    lines = [form.format(condition=one.condition, where=name_of(one.route)) for one in findings[:NAMED]]
    more = len(findings) - NAMED
    return [*lines, *([f"and on {plural(more, 'more route')}"] if more > 0 else [])]


def name_of(route: str) -> str:
    """For a person."""
    return route or "all requests"
