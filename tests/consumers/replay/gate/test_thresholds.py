"""Thresholds: what they mean, and how certain a failure must be."""

from __future__ import annotations

import math
import random

import pytest

from app.sketch import bucket, middle_ms
from app.store.queries.replays import compared
from app.store.replay import Run, RunFigures
from consumers.replay.gate.thresholds import (
    SENT,
    BadThreshold,
    Finding,
    Threshold,
    check,
    describe,
    parse_threshold,
    require_bodies,
    with_sent,
)
from consumers.replay.report import as_markdown, verdict


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
        ("body-changed>1%", Threshold("body-changed>1%", "body-changed", 0.01, "%", False)),
        ("errors>0%", Threshold("errors>0%", "errors", 0, "%", False)),
        ("late>1s", Threshold("late>1s", "late", 1000, "ms", False)),
        ("late > 250 ms", Threshold("late > 250 ms", "late", 250, "ms", False)),
        ("p95>1.5s", Threshold("p95>1.5s", "p95", 1500, "ms", False)),
        ("p95>+0.2s", Threshold("p95>+0.2s", "p95", 200, "ms", True)),
        ("sent<95%", Threshold("sent<95%", "sent", 0.95, "%", False)),
    ],
)
def test_thresholds_are_parsed(text: str, threshold: Threshold) -> None:
    assert parse_threshold(text) == threshold


@pytest.mark.parametrize(
    "text",
    [
        *("", "p95", "p95<20%", "p95>20%", "p42>+1%", "errors>5ms", "errors>+5%", "p95>+x%", "p95>+1e3%"),
        *("late<1s", "late>1m", "p95>+\u0665%", "p95>+" + "9" * 400 + "%", "p95>=5ms", "p95>-5%"),
        *("sent", "sent<95ms"),
    ],
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


def share_of(bad: int, samples: int, threshold: str) -> list[tuple[str, float, int, bool]]:
    found = figures(samples, changed=bad)
    return [
        (one.route, one.value, one.samples, one.is_sure) for one in check([parse_threshold(threshold)], found)
    ]


def test_a_share_is_crossed_above_its_bound_and_not_at_it() -> None:
    assert share_of(10, 1_000, "status-changed>1%") == []
    assert share_of(11, 1_000, "status-changed>1%") == [
        ("", 0.011, 1_000, False),
        ("/a", 0.011, 1_000, False),
    ]
    # wilson(50, 1000) begins at 0.0381.
    assert [one[3] for one in share_of(50, 1_000, "status-changed>3.8%")] == [True, True]
    assert [one[3] for one in share_of(50, 1_000, "status-changed>3.82%")] == [False, False]


def test_errors_are_requests_without_an_answer_and_new_failures_of_the_server() -> None:
    found = RunFigures()
    route = found.of("/a")
    route.add("timeout", 0, 1.0, 200, 1.0)
    for before, after in ((200, 500), (499, 599), (500, 500), (503, 500), (200, 499), (200, 404), (0, 500)):
        route.add("answered", after, 1.0, before, 1.0)
    (finding, _) = check([parse_threshold("errors>0%")], found)
    assert (finding.value, finding.samples) == (4 / 8, 8)


def in_ms(before_ms: float, after_ms: float, samples: int = 1_000) -> RunFigures:
    """All requests took the same time before, and the same after."""
    found = RunFigures()
    found.of("/a").original[bucket(before_ms)] = samples
    found.of("/a").replayed[bucket(after_ms)] = samples
    return found


@pytest.mark.parametrize(
    ("text", "value"),
    [("p50>100ms", 200.0), ("p95>+50ms", 100.0), ("p99>+50%", 1.0), ("p90>+50%", 1.0)],
)
def test_the_value_of_a_finding_is_what_its_threshold_speaks_of(text: str, value: float) -> None:
    finding, of_route = check([parse_threshold(text)], in_ms(100, 200))
    assert (finding.route, of_route.route) == ("", "/a")
    assert finding.value == of_route.value == pytest.approx(value, rel=0.04)
    assert (finding.threshold, finding.samples, finding.is_sure) == (text, 1_000, True)


def test_a_percentile_is_crossed_above_its_bound_and_not_at_it() -> None:
    exact = Threshold("p50>0ms", "p50", middle_ms(bucket(200)), "ms", False)
    assert check([exact], in_ms(100, 200)) == []
    same = Threshold("p50>+0%", "p50", 0.0, "%", True)
    assert check([same], in_ms(200, 200)) == []
    assert check([same], in_ms(200, 204.5))


@pytest.mark.parametrize(("text", "value"), [("p50>+50%", math.inf), ("p50>+50ms", 200.0)])
def test_what_took_no_time_before_is_slower_by_any_share(text: str, value: float) -> None:
    (finding, _) = check([parse_threshold(text)], in_ms(0, 200))
    assert finding.value == pytest.approx(value, rel=0.01)
    assert finding.is_sure


def test_a_percentile_is_sure_when_the_whole_interval_lies_beyond() -> None:
    found = RunFigures()
    for took_ms in range(1, 1_001):
        found.of("/a").replayed[bucket(took_ms)] += 1
        found.of("/a").original[bucket(took_ms)] += 1
    # The interval of p50 of 1 to 1000 ms is 469 to 532 ms.
    for bound, is_sure in ((460, True), (475, False), (495, False)):
        assert [one.is_sure for one in check([parse_threshold(f"p50>{bound}ms")], found)] == [is_sure] * 2
    assert check([parse_threshold("p50>510ms")], found) == []
    # Slower by nothing, but the highest that the original may have been is above the lowest of the replay.
    for one in check([Threshold("p50>+0ms", "p50", -1.0, "ms", True)], found):
        assert not one.is_sure


def test_where_only_one_side_was_measured_nothing_can_be_compared() -> None:
    found = RunFigures()
    found.of("/a").replayed[bucket(100)] = 10
    (finding,) = check([parse_threshold("p50>+10%")], found)
    assert (finding.route, finding.samples, finding.is_sure) == ("", 0, True)
    assert math.isnan(finding.value)
    assert [one.samples for one in check([parse_threshold("p50>10ms")], found)] == [10, 10]


def test_with_too_few_of_the_original_its_percentile_has_no_upper_bound() -> None:
    found = in_ms(10, 1_000)
    found.of("/a").original[bucket(10)] = 5
    assert [one.is_sure for one in check([parse_threshold("p95>+10%")], found)] == [False, False]


def test_findings_come_the_certain_ones_first_then_by_threshold_and_route() -> None:
    found = figures(1_000, 3.0, changed=11)
    found.of("/0").add("answered", 404, 1.0, 200, 1.0)
    texts = ["status-changed>1%", "p95>+20%", "errors>50%", "p50>+20%"]
    order = [
        (one.is_sure, one.threshold, one.route) for one in check(list(map(parse_threshold, texts)), found)
    ]
    assert order == [
        *((True, text, route) for text in ("p50>+20%", "p95>+20%") for route in ("", "/a")),
        (True, "status-changed>1%", "/0"),
        *((False, "status-changed>1%", route) for route in ("", "/a")),
    ]


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("p95>20%", "--fail-if 'p95>20%': write +20% for slower than the original"),
        ("errors>5ms", "--fail-if 'errors>5ms': errors is a share, such as errors>1%"),
        (
            "status-changed>+5%",
            "--fail-if 'status-changed>+5%': status-changed is a share, such as status-changed>1%",
        ),
        (
            "fast",
            "--fail-if 'fast': must be like 'p95>+20%', 'p50>+100ms', 'p99>500ms', 'late>1s', "
            "'status-changed>1%', 'errors>0.5%', 'body-changed>1%' or 'sent<95%'",
        ),
        ("sent>95%", "--fail-if 'sent>95%': write sent<95%"),
        ("p95<+5%", "--fail-if 'p95<+5%': only sent takes '<': write p95>+5%"),
        ("late>5%", "--fail-if 'late>5%': late is a time, such as late>1s or late>500ms"),
        ("late>+1s", "--fail-if 'late>+1s': late is a time, such as late>1s or late>500ms"),
        ("sent<1s", "--fail-if 'sent<1s': sent is a share, such as sent<95%"),
        ("errors>101%", "--fail-if 'errors>101%': a share is at most 100%"),
        (
            "p95>+0%",
            "--fail-if 'p95>+0%': must be above 0, because times vary by chance: write p95>+20%",
        ),
        ("p95>0ms", "--fail-if 'p95>0ms': must be above 0, because times vary by chance: write p95>100ms"),
    ],
)
def test_a_bad_threshold_is_answered_with_what_to_write(text: str, advice: str) -> None:
    with pytest.raises(BadThreshold) as caught:
        parse_threshold(text)
    assert str(caught.value) == advice


def test_what_was_sent_is_always_looked_at_unless_the_user_says_how() -> None:
    slower, own = parse_threshold("p95>+20%"), parse_threshold("sent<50%")
    assert with_sent([slower]) == [slower, SENT]
    assert with_sent([own, slower]) == [own, slower]
    # One that reads the same is the user's own all the same: it fails a run.
    written = parse_threshold("sent<95%")
    assert with_sent([written])[0] is not SENT


def test_a_threshold_for_bodies_needs_two_targets() -> None:
    bodies = parse_threshold("body-changed>1%")
    require_bodies([bodies], compares_bodies=True)
    require_bodies([parse_threshold("p95>+20%")], compares_bodies=False)
    with pytest.raises(BadThreshold, match="add --baseline URL --compare-bodies"):
        require_bodies([bodies], compares_bodies=False)


def test_spaces_around_a_threshold_do_not_matter() -> None:
    assert parse_threshold("  p95 > 500 ms ") == Threshold("p95 > 500 ms", "p95", 500, "ms", False)


@pytest.mark.parametrize(
    ("finding", "text"),
    [
        (Finding("p95>500ms", "", 612.4, 1_234, True), "p95>500ms: all requests: 612 ms (1,234 samples)"),
        (
            Finding("p95>+20%", "/a", 0.256, 12, False),
            "p95>+20%: route /a: 25.60% (12 samples, too few samples to be sure)",
        ),
        (Finding("errors>0.5%", "/a", 0.01, 1, True), "errors>0.5%: route /a: 1.00% (1 samples)"),
        (Finding("errors>0.5%", "", math.nan, 0, True), "errors>0.5%: nothing was measured"),
    ],
)
def test_a_finding_is_one_line_of_text(finding: Finding, text: str) -> None:
    assert describe(finding) == text


def test_the_report_has_p50_p95_and_p99_of_each_route() -> None:
    run = compared(Run("r", {}, figures(500, slower=3.0)))
    text = as_markdown(run, [], [])
    (row,) = [found for found in text.split("## All routes")[1].splitlines() if found.startswith("| `/a`")]
    before, after = run.routes[0].original.p99, run.routes[0].replayed.p99
    assert f"| {before:,.0f} ms | {after:,.0f} ms |" in row
