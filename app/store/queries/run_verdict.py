"""A run's result as an answer of the API: threshold by threshold, and bounded. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from app.store.queries.figures import largest_first
from app.store.run_result import Coverage, Finding, FindingState, RunResult
from app.store.schema import Counts

FINDINGS_MAX = 200
"""Of a run with 500 routes and 10 thresholds, 50 kB instead of a megabyte."""
THRESHOLDS_MAX = 40
REASONS_MAX = 30
ENTRIES_MAX = 100
"""Of each part of the coverage."""
STEPS_MAX = 100
POINTS_MAX = 300

GRAVITY: tuple[FindingState, ...] = ("crossed", "inconclusive", "not-judged", "met")


@dataclass(frozen=True, slots=True)
class JudgedThreshold:
    """One threshold over all its findings, also those that the answer leaves out."""

    threshold: str
    state: FindingState
    """`crossed` where any finding is. `inconclusive` where the verdict cannot be `passed` because of it."""
    findings: Counts
    """State -> findings, the gravest first."""
    left_out: Counts
    """State -> findings that are not in the answer."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How much an answer leaves out to stay small; the gravest and the most frequent are kept."""

    routes: int
    findings: int
    reasons: int
    thresholds: int
    coverage: int
    """Names (of reasons, of routes) in the parts of the coverage."""


def bounded(result: RunResult) -> tuple[RunResult, LeftOut]:
    """The result with its gravest findings, at most FINDINGS_MAX, and of each threshold the one on all
    requests together."""
    thresholds = _names(result)[:THRESHOLDS_MAX]
    of_threshold = dict.fromkeys(thresholds, 0)
    most = max(1, FINDINGS_MAX // max(1, len(thresholds)))
    kept: list[Finding] = []
    # The one on all requests together comes first, or routes would push it out.
    for found in sorted(result.findings, key=lambda one: (bool(one.route), GRAVITY.index(one.state))):
        if of_threshold.get(found.threshold, most) < most:
            of_threshold[found.threshold] += 1
            kept.append(found)
    kept.sort(key=lambda one: GRAVITY.index(one.state))
    coverage, entries = _bounded_coverage(result.coverage)
    shown = replace(
        result,
        reasons=result.reasons[:REASONS_MAX],
        thresholds=thresholds,
        findings=kept,
        coverage=coverage,
        steps=result.steps[:STEPS_MAX],
        timeline=result.timeline[:POINTS_MAX],
    )
    return shown, LeftOut(
        routes=0,
        findings=len(result.findings) - len(kept),
        reasons=len(result.reasons) - len(shown.reasons),
        thresholds=len(_names(result)) - len(thresholds),
        coverage=entries,
    )


def judged(result: RunResult, shown: Iterable[Finding]) -> list[JudgedThreshold]:
    """Each threshold of a result, the gravest first. `shown`: the findings that the answer has."""
    by_threshold: dict[str, list[Finding]] = {name: [] for name in _names(result)}
    for found in result.findings:
        by_threshold[found.threshold].append(found)
    shown_states = Counter((found.threshold, found.state) for found in shown)
    rows = []
    for name, findings in list(by_threshold.items())[:THRESHOLDS_MAX]:
        counts = Counter(found.state for found in findings)
        rows.append(
            JudgedThreshold(
                threshold=name,
                state=_state(findings, is_strict=result.is_strict),
                findings={state: counts[state] for state in GRAVITY if counts[state]},
                left_out={
                    state: counts[state] - shown_states[name, state]
                    for state in GRAVITY
                    if counts[state] > shown_states[name, state]
                },
            )
        )
    return sorted(rows, key=lambda row: GRAVITY.index(row.state))


def by_route(result: RunResult) -> dict[str, FindingState]:
    """Route -> the gravest state of its findings; all requests together are the route `""`."""
    found: dict[str, FindingState] = {}
    for one in result.findings:
        known = found.get(one.route, one.state)
        found[one.route] = min(known, one.state, key=GRAVITY.index)
    return found


def _state(findings: Sequence[Finding], *, is_strict: bool) -> FindingState:
    """What cannot be judged holds the verdict if it is all requests together; a route only in strict runs."""
    if not findings:
        return "inconclusive"
    states = {found.state for found in findings}
    if "crossed" in states:
        return "crossed"
    is_held = any(found.state == "not-judged" and (is_strict or not found.route) for found in findings)
    return "inconclusive" if is_held or "inconclusive" in states else "met"


def _names(result: RunResult) -> list[str]:
    """The thresholds, those with the gravest findings first; without doubles."""
    written = dict.fromkeys([*result.thresholds, *(found.threshold for found in result.findings)])
    worst = {name: len(GRAVITY) for name in written}
    for found in result.findings:
        worst[found.threshold] = min(worst[found.threshold], GRAVITY.index(found.state))
    return sorted(written, key=lambda name: worst[name])


def _bounded_coverage(coverage: Coverage) -> tuple[Coverage, int]:
    """Every part of the coverage with its largest entries, and how many entries are left out."""
    shown: dict[str, Any] = {}
    left_out = 0
    for part in fields(coverage):
        value = getattr(coverage, part.name)
        if isinstance(value, Mapping):
            left_out += max(0, len(value) - ENTRIES_MAX)
            shown[part.name] = dict(list(largest_first(value).items())[:ENTRIES_MAX])
        elif isinstance(value, list):
            left_out += max(0, len(value) - ENTRIES_MAX)
            shown[part.name] = value[:ENTRIES_MAX]
    return replace(coverage, **shown), left_out
