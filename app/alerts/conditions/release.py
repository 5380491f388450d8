"""The last release made it worse: `release worse`. What `python -m app compare` says of it, in full."""

from __future__ import annotations

from dataclasses import dataclass

from app.alerts.clause import Clause
from app.alerts.condition import Condition, Family, Judgement, Scope, Severity
from app.alerts.conditions.kind import Kind, refuse
from app.alerts.facts import Facts, Needs, Subject
from app.comparison.result import Comparison, FigureComparison, RouteComparison
from app.formatting import NONE, milliseconds, percent, plural

_NAMES = {"errors": "errors", "aborted": "aborted requests"}


@dataclass(frozen=True, slots=True)
class ReleaseWorse:
    """Once both spans of the comparison are complete: before that, it would be asked again and again."""

    scope: Scope = "routes"
    family: Family = "release"
    severity: Severity = "warning"

    @property
    def text(self) -> str:
        return "release worse"

    @property
    def needs(self) -> Needs:
        return Needs(kinds=frozenset({"comparisons"}))

    def judge(self, facts: Facts, subject: Subject, min_requests: int) -> Judgement:
        found = facts.comparisons.get(subject.app)
        if found is None:
            return Judgement("fine", "there was no release in the last hour")
        if found.refused or not found.is_complete or found.total is None:
            return Judgement("unclear", found.refused or "the time after the release is not over yet")
        rows = [row for row in _rows(found, subject) if _worse(row, found)]
        name = _name(found)
        if not rows:
            return Judgement("fine", f"nothing is shown to be worse after {name}")
        figures = _worse(rows[0], found)
        where = f" of {rows[0].route}" if rows[0].route and not subject.digest else ""
        # What went wrong comes first: it becomes the title.
        said = "; ".join([f"{_figure(figures[0], where)} after {name}", *map(_figure, figures[1:])])
        others = f", and {plural(len(rows) - 1, 'other route')} is worse" if len(rows) == 2 else ""
        if len(rows) > 2:
            others = f", and {plural(len(rows) - 1, 'other route')} are worse"
        return Judgement(
            "bad",
            text=f"{said}{others}",
            value=figures[0].after,
            usual=f"{_value(figures[0], figures[0].before)} before {name}",
        )


def _rows(found: Comparison, subject: Subject) -> list[RouteComparison]:
    if subject.digest:
        return [row for row in found.routes if row.digest == subject.digest]
    return [*([found.total] if found.total else []), *found.routes]


def _worse(row: RouteComparison, found: Comparison) -> list[FigureComparison]:
    """The figures that are worse, and were not so at the same time a day before."""
    before = {
        (other.digest, figure.figure)
        for other in (_all_rows(found.yesterday) if found.yesterday else [])
        for figure in other.figures
        if figure.word == "worse"
    }
    return [
        figure
        for figure in row.figures
        if figure.word == "worse" and (row.digest, figure.figure) not in before
    ]


def _all_rows(found: Comparison) -> list[RouteComparison]:
    return _rows(found, Subject())


def _figure(figure: FigureComparison, where: str = "") -> str:
    name = _NAMES.get(figure.figure, figure.figure)
    return f"{name}{where} went from {_value(figure, figure.before)} to {_value(figure, figure.after)}"


def _value(figure: FigureComparison, value: float | None) -> str:
    if value is None:
        return NONE
    return percent(value) if figure.figure in _NAMES else milliseconds(value)


def _name(found: Comparison) -> str:
    return f"v{found.release.version}" if found.release and found.release.version else "the release"


def _parse(clause: Clause) -> Condition:
    if clause.words not in (("release", "worse"), ("release", "is", "worse")) or clause.operator:
        raise refuse(clause, "write it like release worse")
    return ReleaseWorse()


KIND = Kind(("release",), ("release worse",), _parse)
