"""Thresholds: what they mean, and how certain a failure must be."""

from __future__ import annotations

import random

import pytest

from app.sketch import bucket
from app.store.queries.replays import compared
from app.store.replay import Run, RunFigures
from consumers.replay.report import as_markdown, verdict
from consumers.replay.thresholds import BadThreshold, Threshold, check, describe, parse_threshold, wilson


def figures(n: int, slower: float = 1.0, changed: int = 0, failed: int = 0, errors: int = 0) -> RunFigures:
    """`n` requests of one route, replayed `slower` times as slowly."""
    rng = random.Random(1)
    found = RunFigures()
    route = found.of("/a")
    for number in range(n):
        before_ms = rng.lognormvariate(3, 0.5)
        kind = "timeout" if number < failed else "answered"
        status = 404 if number < failed + changed else 500 if number < failed + changed + errors else 200
        route.add(kind, status, rng.lognormvariate(3, 0.5) * slower, 200, before_ms)
    return found


@pytest.mark.parametrize(
    ("text", "threshold"),
    [
        ("p95>+20%", Threshold("p95>+20%", "p95", 0.2, "%", True)),
        ("p50 > +100ms", Threshold("p50 > +100ms", "p50", 100, "ms", True)),
        ("p99>500ms", Threshold("p99>500ms", "p99", 500, "ms", False)),
        ("status-changed>1%", Threshold("status-changed>1%", "status-changed", 0.01, "%", False)),
        ("errors>0.5%", Threshold("errors>0.5%", "errors", 0.005, "%", False)),
    ],
)
def test_thresholds_are_parsed(text: str, threshold: Threshold) -> None:
    assert parse_threshold(text) == threshold


@pytest.mark.parametrize(
    "text", ["", "p95", "p95<20%", "p95>20%", "p42>+1%", "errors>5ms", "errors>+5%", "p95>+x%"]
)
def test_a_bad_threshold_is_refused_with_examples_of_good_ones(text: str) -> None:
    with pytest.raises(BadThreshold, match="--fail-if"):
        parse_threshold(text)


@pytest.mark.parametrize(
    ("text", "found", "is_crossed"),
    [
        ("p95>+20%", figures(5_000, slower=1.5), True),
        ("p95>+20%", figures(5_000, slower=1.05), False),
        ("p50>+5ms", figures(5_000, slower=1.5), True),
        ("p50>+50ms", figures(5_000, slower=1.5), False),
        ("p99>20ms", figures(5_000), True),
        ("p99>5000ms", figures(5_000), False),
        ("status-changed>1%", figures(5_000, changed=100), True),
        ("status-changed>1%", figures(5_000, changed=30), False),
        ("errors>0.5%", figures(5_000, failed=30, errors=30), True),
        ("errors>0.5%", figures(5_000, changed=500), False),
    ],
)
def test_a_threshold_is_crossed_in_total_and_on_the_route(
    text: str, found: RunFigures, is_crossed: bool
) -> None:
    findings = check([parse_threshold(text)], found)
    assert [finding.route for finding in findings if finding.is_sure] == (["", "/a"] if is_crossed else [])


def test_with_few_samples_a_finding_is_uncertain_and_says_so() -> None:
    findings = check(
        [parse_threshold("p95>+20%"), parse_threshold("status-changed>1%")], figures(20, 3.0, changed=1)
    )
    assert findings
    assert not any(finding.is_sure for finding in findings)
    assert "too few samples" in describe(findings[0])


@pytest.mark.parametrize("text", ["p95>+20%", "p95>500ms", "errors>0%", "status-changed>1%"])
def test_a_gate_does_not_open_for_lack_of_traffic(text: str) -> None:
    (finding,) = check([parse_threshold(text)], RunFigures())
    assert finding.is_sure
    assert describe(finding) == f"{text}: nothing was measured"
    assert verdict([finding]) == "failed"


@pytest.mark.parametrize("text", ["p95>+20%", "p95>500ms", "status-changed>1%"])
def test_a_gate_does_not_open_for_lack_of_answers(text: str) -> None:
    (finding,) = check([parse_threshold(text)], figures(15, failed=15))
    assert finding.is_sure
    assert finding.samples == 0


def test_a_route_without_samples_crosses_nothing() -> None:
    found = figures(5_000)
    found.of("/b").add("timeout", 0, 1.0, 200, 1.0)
    assert check([parse_threshold("status-changed>1%"), parse_threshold("p95>5000ms")], found) == []


def test_a_status_that_is_unknown_in_the_original_does_not_count_as_changed() -> None:
    found = RunFigures()
    for _ in range(30):
        found.of("/a").add("answered", 200, 5.0, 0, None)
    run = compared(Run("r", {}, found))
    assert (run.total.status_changed, run.total.status_changes) == (0, [])
    assert [finding.samples for finding in check([parse_threshold("status-changed>1%")], found)] == [0]


def test_chance_alone_seldom_fails_a_replay() -> None:
    """100 replays of an unchanged target, 200 requests each: a sure p95>+10% is rare."""
    failures = 0
    for seed in range(100):
        rng = random.Random(seed)
        found = RunFigures()
        for _ in range(200):
            found.of("/a").replayed[bucket(rng.lognormvariate(3, 0.5))] += 1
            found.of("/a").original[bucket(rng.lognormvariate(3, 0.5))] += 1
        findings = check([parse_threshold("p95>+10%")], found)
        failures += any(finding.is_sure for finding in findings)
    assert failures <= 3


def test_the_wilson_interval_contains_the_share_and_narrows_with_more_samples() -> None:
    low, high = wilson(10, 1_000)
    assert low < 0.01 < high
    wide_low, wide_high = wilson(1, 100)
    assert wide_high - wide_low > high - low
    assert wilson(0, 10)[0] == 0.0


def test_the_report_has_p50_p95_and_p99_of_each_route() -> None:
    run = compared(Run("r", {}, figures(500, slower=3.0)))
    text = as_markdown(run, [], [])
    (row,) = [found for found in text.split("## All routes")[1].splitlines() if found.startswith("| `/a`")]
    before, after = run.routes[0].original.p99, run.routes[0].replayed.p99
    assert f"| {before:,.0f} ms | {after:,.0f} ms |" in row
