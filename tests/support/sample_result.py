"""Results of replay runs as the gate would give them, made by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from app.store.body_figures import BodyFigures
from app.store.run_result import (
    Coverage,
    Finding,
    FindingState,
    Milliseconds,
    Pace,
    RunResult,
    SpeedStep,
    TimePoint,
)


def finding(
    threshold: str = "p95>+20%",
    route: str = "",
    state: FindingState = "met",
    *,
    estimate: float | None = 0.02,
    low: float | None = -0.05,
    high: float | None = 0.09,
    missing: int | None = None,
) -> Finding:
    return Finding(
        threshold=threshold,
        route=route,
        state=state,
        unit="share",
        before=340.0,
        after=None if estimate is None else 340.0 * (1 + estimate),
        estimate=estimate,
        low=low,
        high=high,
        limit=0.2,
        samples=599,
        samples_missing=missing,
    )


def lateness(state: FindingState = "met", p99_ms: float = 12.0) -> Finding:
    return Finding("late>1s", "", state, "ms", None, p99_ms, p99_ms, None, None, 1_000.0, 3_726, None)


def status(route: str = "", state: FindingState = "met") -> Finding:
    return Finding(
        "status-changed>1%", route, state, "share", None, 0.004, 0.004, 0.001, 0.008, 0.01, 599, None
    )


def bodies(compared: int, changed: int, noisy: int, keys: Mapping[str, int]) -> BodyFigures:
    """Of a route whose answers were compared."""
    return BodyFigures.without_noise(compared, changed, noisy, Counter(keys))


def passed() -> RunResult:
    return RunResult(
        verdict="passed",
        reasons=[],
        thresholds=["p95>+20%", "status-changed>1%", "late>1s"],
        findings=[finding(), finding(route="/search"), status(), lateness()],
        coverage=Coverage(4_000, 3_800, 3_726, 3_725, {"late": 74}, {"method": 200}, {"304: unlike": 31}),
        pace=Pace(
            asked="10x",
            speed_asked=10.0,
            speed_reached=9.9,
            rate_asked=460.0,
            rate_reached=455.0,
            share_reached=0.99,
            duration_s=8.2,
            late=Milliseconds(1.0, 8.0, 12.0, 40.0),
            fault="",
            explanation="",
            concurrency=31,
            concurrency_max=64,
        ),
        timeline=[TimePoint(float(at), 450 + at, 5.0 + at, 60.0 + at) for at in range(8)],
    )


def failed() -> RunResult:
    """`/search` is slower for certain, one route cannot be told, one has too few samples, the rest is met."""
    search = finding(route="/search", state="crossed", estimate=0.43, low=0.27, high=0.66)
    return replace(
        passed(),
        verdict="failed",
        reasons=["/search: p95 340 -> 486 ms, +43 %, limit +20 %", "<b>window.hacked=5</b>"],
        findings=[
            search,
            finding(
                route="/<script>window.hacked=1</script>", state="inconclusive", high=0.31, missing=1_200
            ),
            finding(route="/products/:id", state="not-judged", low=None, high=None, missing=5_000),
            finding(),
            finding(route="/gone"),
            status(),
            lateness(),
        ],
    )


def too_slow() -> RunResult:
    """Inconclusive, because the target handled a tenth of the load."""
    return replace(
        passed(),
        verdict="inconclusive",
        reasons=["the run reached 11 % of the speed asked for"],
        findings=[finding(), lateness("inconclusive", 8_200.0)],
        pace=replace(
            passed().pace,
            speed_reached=1.1,
            rate_reached=50.0,
            share_reached=0.11,
            late=Milliseconds(4_000.0, 7_900.0, 8_200.0, 8_300.0),
            fault="target",
            explanation="The target answered 50 requests/s, and 460 were asked for.",
            concurrency=64,
        ),
    )


def found_limit() -> RunResult:
    """Of `--find-limit`: four times the speed held, eight times did not."""
    steps = [
        SpeedStep(2.0, 92.0, True, "", 210.0, 0.0),
        SpeedStep(4.0, 184.0, True, "", 260.0, 0.001),
        SpeedStep(8.0, 290.0, False, "p95>500ms: 1,900 ms", 1_900.0, 0.02),
    ]
    return replace(passed(), steps=steps)
