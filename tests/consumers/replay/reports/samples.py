"""Results of replays, made by hand."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from app.store.body_figures import BodyFigures
from app.store.replay import Run
from app.store.run_figures import RunFigures
from app.store.run_result import (
    Coverage,
    Finding,
    Milliseconds,
    Pace,
    RouteLeftOut,
    RunResult,
    SpeedStep,
    TimePoint,
)
from consumers.replay.reports.report import Report

RUN = "20261123T100000Z-ab12"
INFO = {
    "target": "https://staging.example.com",
    "from": "2026-11-23T10:00:00.000Z",
    "until": "2026-11-23T11:00:00.000Z",
    "started_at": "1795600800",
    "updated_at": "1795601160",
    "speed": "10",
    "progress": "1.00",
    "state": "finished",
}

CROSSED = Finding("p95>+20%", "/search", "crossed", "share", 334, 478, 0.43, 0.27, 0.66, 0.2, 599, None)
UNSURE = Finding("p95>+20%", "/cart", "inconclusive", "share", 120, 141, 0.175, -0.09, 0.352, 0.2, 210, 1_187)
MET = Finding("p95>+20%", "", "met", "share", 210, 221, 0.052, 0.01, 0.095, 0.2, 3_726, None)
RARE = Finding("p95>+20%", "/rare", "not-judged", "share", 12, 15, 0.25, -0.8, None, 0.2, 3, 900)
ABSOLUTE = Finding("p99>500ms", "", "met", "ms", None, 478, 478, 440, 512, 500, 3_726, None)
SHARE = Finding(
    "errors>0.5%", "/a", "crossed", "share", None, 0.0125, 0.0125, 0.0081, 0.0193, 0.005, 1_600, None
)

PACE = Pace(
    asked="10x",
    speed_asked=10,
    speed_reached=4.1,
    rate_asked=460,
    rate_reached=189,
    share_reached=0.41,
    duration_s=39.5,
    late=Milliseconds(200, 7_400, 8_100, 8_200),
    fault="concurrency",
    explanation="All 16 connections were busy. --concurrency 64 would do.",
    concurrency=16,
    concurrency_max=16,
)
COVERAGE = Coverage(
    in_window=8_520,
    asked=8_000,
    sent=7_467,
    answered=7_460,
    left_out={"breaker-open": 533},
    not_asked={"method": 508, "sample": 12},
    uncomparable={"304: the original was conditional, the replay is not": 22},
    routes_left_out=[RouteLeftOut("/checkout", 0, 508, {"method POST": 508})],
    more_routes_left_out=3,
    window_s=3_600.0,
    missing_s=90.0,
)
RESULT = RunResult(
    verdict="failed",
    reasons=["p95>+20% was crossed on /search"],
    thresholds=["p95>+20%"],
    findings=[CROSSED, UNSURE, RARE, MET],
    coverage=COVERAGE,
    pace=PACE,
    timeline=[TimePoint(at * 2.0, 60 + at, 400.0 * at, None if at == 9 else 30.0 + at) for at in range(20)],
)


def figures(routes: Sequence[str] = ("/search", "/cart", "/rare"), requests: int = 60) -> RunFigures:
    """Each route with as many requests; one in six has another status, and all differ in their bodies."""
    rng = random.Random(1)
    found = RunFigures(skipped=Counter(COVERAGE.left_out) + Counter(COVERAGE.not_asked), reencoded=7)
    found.late_ms[100] = 5
    for route in routes:
        figures = found.of(route)
        for number in range(requests):
            ms = rng.lognormvariate(3, 0.5)
            figures.add("answered", 404 if number % 6 == 0 else 200, ms * 1.5, 200, ms, ms * 2)
        figures.add("timeout", 0, 900.0, 200, 10.0)
        figures.bodies = BodyFigures.without_noise(requests, 6, 2, Counter({"body.items[].price": 6}))
    return found


def report(
    result: RunResult = RESULT,
    run_figures: RunFigures | None = None,
    exit_code: int = 1,
    info: dict[str, str] | None = None,
    **changes: Any,
) -> Report:
    """`changes`: other values of the result's fields."""
    run = Run(RUN, {**INFO, **(info or {})}, figures() if run_figures is None else run_figures)
    return Report.of(run, replace(result, **changes), exit_code)


def interrupted() -> Report:
    info = {"state": "interrupted", "progress": "0.38", "reached": "2026-11-23T10:23:11.000Z"}
    return report(exit_code=130, info=info, verdict="inconclusive", is_interrupted=True, reasons=[])


def empty() -> Report:
    """Nothing was sent, and nothing was asked for."""
    nothing = Coverage(0, 0, 0, 0, {}, {}, {})
    pace = replace(
        PACE,
        asked="",
        speed_asked=None,
        speed_reached=None,
        rate_asked=None,
        rate_reached=0.0,
        share_reached=None,
        duration_s=0.0,
        late=Milliseconds(None, None, None, None),
        fault="",
        explanation="",
    )
    return report(
        run_figures=RunFigures(),
        exit_code=4,
        verdict="inconclusive",
        thresholds=[],
        findings=[],
        coverage=nothing,
        pace=pace,
        timeline=[],
    )


def with_many_routes(names: Sequence[str]) -> Report:
    """All of them crossed a threshold, are inconclusive, cannot be judged, or are within it, in turn."""
    kinds = (CROSSED, UNSURE, RARE, replace(MET, estimate=float("inf")))
    order = ("crossed", "inconclusive", "not-judged", "met")
    findings = [replace(kinds[at % 4], route=name) for at, name in enumerate(names)]
    findings.sort(key=lambda finding: order.index(finding.state))
    steps = [
        SpeedStep(2.0, 92.4, True, "", 310.0, 0.0),
        SpeedStep(4.0, 180.0, False, "p95 rose", 900.0, 0.02),
    ]
    return report(
        run_figures=figures(names, requests=12),
        findings=[MET, ABSOLUTE, SHARE, *findings],
        steps=steps,
        thresholds=["p95>+20%", "p99>500ms", "errors>0.5%", "late>1s"],
    )
