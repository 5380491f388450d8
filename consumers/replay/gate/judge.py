"""From what a run has measured to its result: findings, reasons and verdict. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.store.run_figures import RunFigures
from app.store.run_result import Coverage, Pace, RunResult, TimePoint, Verdict
from consumers.replay.gate import reasons
from consumers.replay.gate.findings import findings_of
from consumers.replay.gate.measure import Measure, single_figure, unknown
from consumers.replay.gate.measures import measured
from consumers.replay.gate.thresholds import Threshold, with_sent
from consumers.replay.pairs import Pairs

FINDINGS_MAX = 2_000
"""More are counted, but not kept: a run may have thousands of routes, each with a few requests."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a run has measured."""

    figures: RunFigures
    pairs: Pairs
    coverage: Coverage
    pace: Pace
    has_baseline: bool = False
    doubts: list[str] = field(default_factory=list)
    """Why the run cannot pass, whatever it has measured, one line each."""
    is_interrupted: bool = False
    timeline: list[TimePoint] = field(default_factory=list)


def judge(
    evidence: Evidence,
    thresholds: Sequence[Threshold],
    *,
    is_strict: bool = False,
    allow_slower: bool = False,
) -> RunResult:
    """The result. `is_strict`: inconclusive is failed, and routes that cannot be judged hold the verdict.
    `allow_slower`: a run that could not keep its pace is judged all the same."""
    measures = _measures(evidence, with_sent(thresholds))
    findings = findings_of(measures, is_own_fault=reasons.is_own_fault(evidence.pace))
    crossed = [one for one in findings if one.state == "crossed"]
    holding = [
        *reasons.of_the_run(evidence.coverage, evidence.pace, evidence.is_interrupted, allow_slower),
        *evidence.doubts,
        *reasons.of_answers(evidence.coverage, has_errors=any(one.what == "errors" for one in thresholds)),
        *reasons.of_findings(findings, evidence.coverage, evidence.pace, is_strict=is_strict),
    ]
    verdict: Verdict = "passed"
    if crossed:
        verdict = "failed"
    elif holding:
        verdict = "failed" if is_strict else "inconclusive"
    return RunResult(
        verdict=verdict,
        reasons=[*reasons.of_crossed(crossed, evidence.coverage), *holding] or _of_passed(thresholds),
        thresholds=[one.text for one in thresholds],
        findings=findings[:FINDINGS_MAX],
        coverage=evidence.coverage,
        pace=evidence.pace,
        is_strict=is_strict,
        is_interrupted=evidence.is_interrupted,
        timeline=evidence.timeline,
        findings_left_out=max(0, len(findings) - FINDINGS_MAX),
    )


def _of_passed(thresholds: Sequence[Threshold]) -> list[str]:
    """A run without thresholds must not be read as fast enough."""
    if any(one.what != "sent" for one in thresholds):
        return []
    return ["only coverage and pace were judged: no --fail-if says what times or answers must be like"]


def _measures(evidence: Evidence, thresholds: Sequence[Threshold]) -> list[Measure]:
    figures, found = evidence.figures, []
    of_routes = [one for one in thresholds if one.what not in ("late", "sent")]
    rows = {"": figures.total(), **figures.routes}
    for route, row in rows.items():
        measures = measured(
            of_routes, route, row, evidence.pairs.of(route), has_baseline=evidence.has_baseline
        )
        # A route of which nothing was measured is not worth a finding; a whole run is.
        found += [one for one in measures if one.samples or not route]
    for one in thresholds:
        if one.what == "late":
            found.append(_late(one, evidence))
        elif one.what == "sent":
            found.append(_sent(one, evidence.coverage))
    return found


def _late(threshold: Threshold, evidence: Evidence) -> Measure:
    late_ms = evidence.pace.late.p99
    if late_ms is None or not evidence.coverage.sent:
        return unknown(threshold, "")
    return single_figure(threshold, late_ms, evidence.coverage.sent, exceeds=late_ms > threshold.value)


def _sent(threshold: Threshold, coverage: Coverage) -> Measure:
    if not coverage.asked:
        return unknown(threshold, "")
    share = coverage.sent / coverage.asked
    return single_figure(threshold, share, coverage.asked, exceeds=share < threshold.value)
