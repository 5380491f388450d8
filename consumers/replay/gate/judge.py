"""From what a run has measured to its result: findings, reasons and verdict. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.store.replay import RunFigures
from app.store.run_result import Coverage, Finding, Pace, RunResult, SpeedStep, TimePoint, Verdict
from consumers.replay.gate.thresholds import Threshold, check
from consumers.replay.pairs import Pairs


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
    steps: list[SpeedStep] = field(default_factory=list)
    """Of `--find-limit`."""
    timeline: list[TimePoint] = field(default_factory=list)


def judge(
    evidence: Evidence,
    thresholds: Sequence[Threshold],
    *,
    is_strict: bool = False,
    allow_slower: bool = False,
) -> RunResult:
    """The result. `is_strict`: inconclusive is failed. `allow_slower`: a run that could not keep its pace is
    judged all the same."""
    findings = [
        Finding(
            threshold=found.threshold,
            route=found.route,
            state="crossed" if found.is_sure else "inconclusive",
            unit="ms" if found.threshold.endswith("ms") else "share",
            before=None,
            after=found.value,
            estimate=found.value,
            low=None,
            high=None,
            limit=next(one.value for one in thresholds if one.text == found.threshold),
            samples=found.samples,
            samples_missing=None,
        )
        for found in check(thresholds, evidence.figures)
    ]
    verdict: Verdict = "failed" if any(one.state == "crossed" for one in findings) else "passed"
    if verdict == "passed" and evidence.doubts:
        verdict = "failed" if is_strict else "inconclusive"
    return RunResult(
        verdict=verdict,
        reasons=list(evidence.doubts),
        thresholds=[one.text for one in thresholds],
        findings=findings,
        coverage=evidence.coverage,
        pace=evidence.pace,
        is_strict=is_strict,
        is_interrupted=evidence.is_interrupted,
        steps=evidence.steps,
        timeline=evidence.timeline,
    )
