"""The verdict: what fails a run, what leaves it open, and what is said about it."""

from __future__ import annotations

import dataclasses
import time

import pytest

from app.store.run_figures import RunFigures
from app.store.run_result import from_json, to_json
from consumers.replay.choice.coverage import coverage_of
from consumers.replay.gate.judge import FINDINGS_MAX, Evidence, judge
from consumers.replay.gate.thresholds import parse_threshold
from consumers.replay.pairs import Pairs
from tests.consumers.replay.gate.evidence import (
    answers,
    constant,
    coverage,
    finding,
    pace,
    times,
    verdict_of,
)

NOTHING = Evidence(RunFigures(), Pairs(), coverage_of(RunFigures()), pace())


def test_an_unchanged_target_passes_without_a_reason() -> None:
    result = verdict_of(times({"/a": 1.0, "/b": 1.0}, 2_000), "p95>+20%", "p95>500ms", "errors>0.5%")
    assert (result.verdict, result.reasons) == ("passed", [])
    assert {one.state for one in result.findings} == {"met"}
    assert [one.route for one in result.findings if one.threshold == "p95>+20%"] == ["", "/a", "/b"]


def test_a_slower_route_fails_the_run_and_the_reason_has_its_figures() -> None:
    result = verdict_of(times({"/a": 1.0, "/b": 1.6}, 2_000), "p95>+20%")
    assert result.verdict == "failed"
    found = result.findings[0] if result.findings[0].route else result.findings[1]
    assert (found.route, found.state, found.unit, found.limit, found.samples) == (
        *("/b", "crossed", "share", 0.2, 2_000),
    )
    assert found.low is not None
    assert found.high is not None
    assert 0.2 < found.low < 0.6 < found.high
    assert found.before == pytest.approx(228, rel=0.1)
    assert found.after == pytest.approx(365, rel=0.1)
    assert found.samples_missing is None
    assert any("p95>+20%: /b 2" in reason and "2,000 samples" in reason for reason in result.reasons)
    assert finding(result.findings, "/a").state == "met"


def test_a_judged_route_across_its_limit_leaves_the_run_inconclusive_and_says_how_many_would_do() -> None:
    evidence = times({"/a": 1.0, "/b": 1.2}, {"/a": 8_000, "/b": 1_500})
    result = verdict_of(evidence, "p95>+20%")
    found = finding(result.findings, "/b")
    assert (result.verdict, found.state) == ("inconclusive", "inconclusive")
    assert "does not tell on which side of the limit" in result.reasons[0]
    assert found.samples_missing is not None
    assert found.samples_missing > 100
    assert f"about {found.samples_missing:,} more samples would do" in result.reasons[0]
    strict = verdict_of(evidence, "p95>+20%", is_strict=True)
    assert (strict.verdict, strict.is_strict) == ("failed", True)
    assert strict.reasons == result.reasons


def test_samples_that_are_missing_make_the_route_decided() -> None:
    few = finding(
        verdict_of(times({"/a": 1.12, "/c": 1.0}, {"/a": 450, "/c": 5_000}), "p95>+20%").findings, "/a"
    )
    assert few.state in ("inconclusive", "not-judged")
    assert few.samples_missing is not None
    assert 10 < few.samples_missing < 20_000


def test_a_rare_route_does_not_hold_the_verdict_but_with_strict() -> None:
    evidence = times({"/a": 1.0, "/rare": 1.0}, {"/a": 3_000, "/rare": 60})
    result = verdict_of(evidence, "p95>+20%")
    rare = finding(result.findings, "/rare")
    assert (result.verdict, rare.state, rare.samples) == ("passed", "not-judged", 60)
    assert rare.samples_missing is not None
    assert 200 < rare.samples_missing < 2_000
    strict = verdict_of(evidence, "p95>+20%", is_strict=True)
    assert strict.verdict == "failed"
    more = f"about {rare.samples_missing:,} more samples would do"
    assert strict.reasons == [f"p95>+20%: /rare cannot be judged with 60 samples; {more}"]


def test_routes_too_rare_for_an_interval_take_as_many_samples_as_others() -> None:
    evidence = times({"/a": 1.0, "/once": 1.0}, {"/a": 3_000, "/once": 1})
    once = finding(verdict_of(evidence, "p95>+20%").findings, "/once")
    assert (once.state, once.low, once.high) == ("not-judged", None, None)
    assert once.samples_missing is not None
    assert 100 < once.samples_missing < 2_000
    # Without any other, it cannot be said.
    alone = times({"/once": 1.0}, 1)
    assert finding(verdict_of(alone, "p95>+20%").findings, "/once").samples_missing is None


def test_being_slower_is_no_way_out_of_being_judged() -> None:
    """The interval of a slower route is wider; it is judged as if it were as slow as before."""
    for seed in (0, 1, 3, 4):
        same = finding(verdict_of(times({"/a": 1.0}, 700, seed=seed), "p95>+20%").findings, "/a")
        slower = finding(verdict_of(times({"/a": 1.3}, 700, seed=seed), "p95>+20%").findings, "/a")
        assert same.state == "met"
        assert slower.state in ("inconclusive", "crossed")


def test_all_requests_together_must_be_judged() -> None:
    result = verdict_of(times({"/a": 1.0}, 60), "p95>+20%")
    assert result.verdict == "inconclusive"
    assert result.reasons[0].startswith(
        "p95>+20%: all requests together cannot be judged with 60 samples; about"
    )


def test_failed_beats_inconclusive_and_its_reason_comes_first() -> None:
    evidence = dataclasses.replace(times({"/a": 2.0}, 2_000), is_interrupted=True)
    result = verdict_of(evidence, "p95>+20%")
    assert (result.verdict, result.is_interrupted) == ("failed", True)
    assert result.reasons[0].startswith("p95>+20%: ")
    assert result.reasons[-1] == "the run was interrupted: only a part of the window was replayed"


def test_an_interrupted_run_is_inconclusive() -> None:
    result = verdict_of(dataclasses.replace(times({"/a": 1.0}, 2_000), is_interrupted=True), "p95>+20%")
    assert result.verdict == "inconclusive"


@pytest.mark.parametrize(
    "text",
    [
        "p95>+20%",
        "p95>+5ms",
        "p95>500ms",
        "errors>0%",
        "status-changed>1%",
        "body-changed>1%",
        "late>1s",
        "sent<1%",
    ],
)
def test_a_gate_does_not_open_for_lack_of_traffic(text: str) -> None:
    result = verdict_of(NOTHING, text)
    assert (result.verdict, result.reasons) == (
        "inconclusive",
        ["no request was sent: there was none to send"],
    )
    assert verdict_of(NOTHING, text, is_strict=True).verdict == "failed"
    assert finding(result.findings, what=text).state == "not-judged"


@pytest.mark.parametrize("text", ["p95>+20%", "p95>500ms", "status-changed>1%"])
def test_a_gate_does_not_open_for_lack_of_answers(text: str) -> None:
    result = verdict_of(answers({}, {"timeout": 500}), text)
    assert result.verdict == "inconclusive"
    assert "no request was answered, of 500 sent" in result.reasons


def test_what_is_compared_must_have_been_measured() -> None:
    """Answers, but no original that could be compared."""
    evidence = answers({200: 1_000})
    evidence.figures.routes["/a"].statuses.clear()
    result = verdict_of(evidence, "status-changed>1%")
    assert (result.verdict, result.reasons) == ("inconclusive", ["status-changed>1%: nothing was measured"])


def test_without_thresholds_only_coverage_and_pace_are_judged_and_it_says_so() -> None:
    result = verdict_of(times({"/a": 3.0}, 2_000))
    assert result.verdict == "passed"
    assert result.reasons == [
        "only coverage and pace were judged: no --fail-if says what times or answers must be like"
    ]
    assert [one.threshold for one in result.findings] == ["sent<95%"]
    assert result.thresholds == []


def test_too_little_sent_is_inconclusive_by_default_and_failed_where_asked_for() -> None:
    evidence = dataclasses.replace(
        times({"/a": 1.0}, 2_000),
        coverage=coverage(4_000, 2_000, left_out={"late": 1_500, "refused-path": 500}),
    )
    result = verdict_of(evidence, "p95>+20%")
    sent = finding(result.findings, what="sent")
    assert (result.verdict, sent.state, sent.estimate, sent.limit) == (
        "inconclusive",
        "inconclusive",
        0.5,
        0.95,
    )
    assert result.reasons == [
        "too little sent: 50.0 % of 4,000 requests asked were sent (left out: late 1,500, refused-path 500)"
    ]
    for text in ("sent<95%", "sent<60%"):
        result = verdict_of(evidence, "p95>+20%", text)
        assert (result.verdict, finding(result.findings, what="sent").state) == ("failed", "crossed")
        assert result.reasons[0].startswith(f"{text}: 50.0 % of 4,000 requests asked were sent")
    assert verdict_of(evidence, "p95>+20%", "sent<40%").verdict == "passed"


def test_what_was_not_asked_for_does_not_count_as_left_out() -> None:
    evidence = times({"/a": 1.0}, 2_000)
    evidence.figures.skipped.update({"method": 9_000, "sample": 9_000})
    evidence = dataclasses.replace(evidence, coverage=coverage_of(evidence.figures))
    assert verdict_of(evidence, "p95>+20%").verdict == "passed"


def test_few_answers_are_inconclusive_unless_errors_are_judged() -> None:
    evidence = dataclasses.replace(times({"/a": 1.0}, 2_000), coverage=coverage(4_000, 4_000, answered=2_000))
    result = verdict_of(evidence, "p95>+20%")
    assert result.verdict == "inconclusive"
    assert result.reasons == [
        "too few answers: 50.0 % of 4,000 requests sent were answered "
        "(--fail-if 'errors>1%' would fail this run)"
    ]
    assert verdict_of(evidence, "p95>+20%", "errors>60%").verdict == "passed"


def test_a_run_that_was_too_slow_is_inconclusive_unless_allowed() -> None:
    slow = pace(0.4, "target", "The target answered 50 requests/s of 460 asked.")
    evidence = dataclasses.replace(times({"/a": 1.0}, 2_000), pace=slow)
    result = verdict_of(evidence, "p95>+20%")
    assert result.verdict == "inconclusive"
    assert result.reasons == [
        "too slow: 40 % of the speed asked was reached. The target answered 50 requests/s of 460 asked."
    ]
    assert verdict_of(evidence, "p95>+20%", allow_slower=True).verdict == "passed"
    assert verdict_of(dataclasses.replace(evidence, pace=pace(0.951)), "p95>+20%").verdict == "passed"
    # `max` asks for no speed.
    assert verdict_of(dataclasses.replace(evidence, pace=pace(None)), "p95>+20%").verdict == "passed"


@pytest.mark.parametrize(
    ("fault", "verdict"), [("target", "failed"), ("concurrency", "inconclusive"), ("machine", "inconclusive")]
)
@pytest.mark.parametrize("text", ["p95>150ms", "late>1s"])
def test_times_beyond_a_limit_count_against_the_target_only_if_it_is_to_blame(
    text: str, fault: str, verdict: str
) -> None:
    slow = pace(0.4, fault, "Because.", late_p99_ms=3_000.0)  # type: ignore[arg-type]
    evidence = dataclasses.replace(times({"/a": 1.0}, 2_000), pace=slow)
    result = verdict_of(evidence, text)
    assert result.verdict == verdict
    if verdict == "inconclusive":
        assert any(text in reason and "not because of the target" in reason for reason in result.reasons)
    # Allowed to be slower, it is judged, but still not for what is its own fault.
    assert verdict_of(evidence, text, allow_slower=True).verdict == verdict


def test_a_slower_service_counts_whoever_missed_the_pace() -> None:
    evidence = dataclasses.replace(times({"/a": 2.0}, 2_000), pace=pace(0.4, "machine"))
    assert verdict_of(evidence, "p95>+20%").verdict == "failed"


def test_lateness_is_judged_for_the_whole_run() -> None:
    evidence = dataclasses.replace(times({"/a": 1.0}, 2_000), pace=pace(late_p99_ms=1_200.0))
    result = verdict_of(evidence, "late>1s")
    late = finding(result.findings, what="late")
    assert (result.verdict, late.state, late.estimate, late.limit, late.unit) == (
        *("failed", "crossed", 1_200.0, 1_000.0, "ms"),
    )
    assert (late.low, late.high, late.route) == (None, None, "")
    assert result.reasons == ["late>1s: all requests together 1,200 ms"]
    assert verdict_of(evidence, "late>2s").verdict == "passed"


@pytest.mark.parametrize(
    ("evidence", "text", "state"),
    [
        (answers({200: 2_000}), "errors>0.5%", "met"),
        (answers({200: 1_900, 500: 100}), "errors>0.5%", "crossed"),
        (answers({200: 1_900}, {"timeout": 100}), "errors>0.5%", "crossed"),
        (answers({200: 1_900}, {"stream": 100}), "errors>0.5%", "met"),
        (answers({200: 1_900, 404: 100}), "errors>0.5%", "met"),
        (answers({200: 1_900, 404: 100}), "status-changed>1%", "crossed"),
        (answers({200: 1_983, 404: 17}), "status-changed>1%", "inconclusive"),
        (answers({200: 60}), "status-changed>1%", "not-judged"),
        (answers({404: 60}), "status-changed>1%", "crossed"),
        (answers({200: 60}), "errors>0%", "met"),
        (answers({200: 59, 500: 1}), "errors>0%", "crossed"),
    ],
)
def test_shares_of_requests(evidence: Evidence, text: str, state: str) -> None:
    result = verdict_of(evidence, text)
    found = finding(result.findings, "/a", what=text)
    assert (found.state, found.unit) == (state, "share")
    assert result.verdict == {"met": "passed", "crossed": "failed"}.get(state, "inconclusive")


def test_body_differences_are_judged_beyond_the_noise() -> None:
    evidence = answers({200: 2_000})
    bodies = evidence.figures.routes["/a"].bodies
    bodies.compared, bodies.noisy = 2_000, 1_500
    assert verdict_of(evidence, "body-changed>1%").verdict == "passed"
    bodies.differing = 100
    found = finding(verdict_of(evidence, "body-changed>1%").findings, "/a", what="body")
    assert (found.state, found.estimate) == ("crossed", 0.05)


def test_a_single_bad_answer_on_one_of_many_routes_does_not_fail_a_run() -> None:
    figures = RunFigures()
    for number in range(40):
        for status in (200, 404) if number == 7 else (200, 200):
            figures.of(f"/{number}").add("answered", status, 10.0, 200, 10.0, 10.0)
    for _ in range(3_000):
        figures.of("/often").add("answered", 200, 10.0, 200, 10.0, 10.0)
    result = verdict_of(Evidence(figures, Pairs(), coverage_of(figures), pace()), "status-changed>1%")
    assert result.verdict == "passed"
    assert finding(result.findings, "/7", what="status").state == "not-judged"


def test_response_times_are_those_from_due_to_answered() -> None:
    figures = RunFigures()
    for _ in range(1_000):
        figures.of("/a").add("answered", 200, 40.0, 200, 40.0, 900.0)
    result = verdict_of(Evidence(figures, Pairs(), coverage_of(figures), pace()), "p95>500ms")
    found = finding(result.findings, "/a")
    assert (result.verdict, found.before) == ("failed", None)
    assert found.estimate == pytest.approx(900, rel=0.02)
    # A run of an earlier version has service times alone.
    figures.routes["/a"].response.clear()
    result = verdict_of(Evidence(figures, Pairs(), coverage_of(figures), pace()), "p95>500ms")
    assert result.verdict == "passed"
    assert finding(result.findings, "/a").estimate == pytest.approx(40, rel=0.02)


def test_few_response_times_are_not_judged_by_a_high_percentile() -> None:
    """0.95 ** 71 is more than 0.025: the largest of 71 is no upper bound."""
    result = verdict_of(constant(40, 40, 60), "p95>500ms")
    found = finding(result.findings)
    assert (result.verdict, found.state, found.high, found.samples_missing) == (
        "inconclusive",
        "not-judged",
        None,
        12,
    )
    assert verdict_of(constant(40, 40, 72), "p95>500ms").verdict == "passed"
    assert verdict_of(constant(40, 900, 60), "p95>500ms").verdict == "failed"


def test_limits_in_ms_are_compared_with_the_difference() -> None:
    result = verdict_of(times({"/a": 1.5}, 2_000), "p95>+50ms")
    found = finding(result.findings, "/a")
    assert (result.verdict, found.unit) == ("failed", "ms")
    assert found.estimate == pytest.approx(114, rel=0.2)
    assert found.low is not None
    assert found.low > 50
    assert verdict_of(times({"/a": 1.5}, 2_000), "p95>+300ms").verdict == "passed"
    assert finding(verdict_of(times({"/a": 1.0}, 300), "p95>+5ms").findings, "/a").state == "not-judged"


def test_whole_milliseconds_are_no_certainty() -> None:
    """3 ms after 2 ms may be 2.4 after 2.4."""
    result = verdict_of(constant(2, 2.4, 5_000), "p50>+20%")
    found = finding(result.findings, "/a")
    assert (result.verdict, found.state, found.samples_missing) == ("inconclusive", "not-judged", None)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= -0.03
    assert found.high >= 0.6
    assert verdict_of(constant(200, 240, 5_000), "p50>+15%").verdict == "failed"
    # A baseline is measured here, to the microsecond.
    assert verdict_of(constant(2, 2.6, 5_000, has_baseline=True), "p50>+20%").verdict == "failed"
    assert verdict_of(constant(2, 9.0, 5_000), "p50>+20%").verdict == "failed"


def test_an_original_of_no_time_has_no_relative_change() -> None:
    result = verdict_of(constant(0, 5, 1_000), "p50>+20%")
    found = finding(result.findings, "/a")
    assert (found.state, found.estimate, found.samples_missing) == ("not-judged", None, None)
    assert result.verdict == "inconclusive"
    assert "took less than a millisecond before" in result.reasons[0]
    assert verdict_of(constant(0, 5, 1_000), "p50>+2ms").verdict == "failed"
    assert verdict_of(constant(0, 0.4, 1_000), "p50>+2ms").verdict == "passed"


def test_findings_come_the_gravest_first() -> None:
    slower = {"/a": 1.0, "/b": 2.0, "/c": 3.0, "/rare": 1.0, "/rarest": 1.0, "/near": 1.2}
    samples = {"/a": 3_000, "/b": 1_000, "/c": 1_000, "/rare": 100, "/rarest": 10, "/near": 1_500}
    result = verdict_of(times(slower, samples), "p95>+20%")
    routes = [(one.route, one.state) for one in result.findings if one.threshold == "p95>+20%"]
    assert routes == [
        *[("", "crossed"), ("/c", "crossed"), ("/b", "crossed"), ("/near", "inconclusive")],
        *[("/rare", "not-judged"), ("/rarest", "not-judged"), ("/a", "met")],
    ]


def test_thousands_of_rare_routes_flood_neither_the_result_nor_its_reasons() -> None:
    slower = {f"/{number}": 1.0 for number in range(FINDINGS_MAX + 500)} | {"/slow": 2.0, "/often": 1.0}
    samples = dict.fromkeys(slower, 2) | {"/slow": 2_000, "/often": 5_000}
    result = verdict_of(times(slower, samples), "p95>+20%", is_strict=True)
    assert len(result.findings) == FINDINGS_MAX
    assert result.findings_left_out == 500 + 2 + 2 - 0
    assert "/slow" in {one.route for one in result.findings if one.state == "crossed"}
    assert len(result.reasons) < 25
    assert result.reasons[-1].endswith("more routes cannot be judged")


def test_a_result_is_kept_as_json_with_all_it_says() -> None:
    result = verdict_of(
        times({"/a": 1.0, "/b": 2.0, "/rare": 1.0}, {"/a": 900, "/b": 900, "/rare": 2}), "p95>+20%"
    )
    assert from_json(to_json(result)) == result


def test_many_routes_with_as_many_pairs_as_are_kept_are_judged_in_seconds() -> None:
    evidence = times({"/a": 1.0}, 20_000)
    sample, row = evidence.pairs.routes["/a"], evidence.figures.routes["/a"]
    for number in range(50):
        evidence.pairs.routes[f"/{number}"], evidence.figures.routes[f"/{number}"] = sample, row
    thresholds = [parse_threshold(text) for text in ("p50>+20%", "p95>+20%")]
    started = time.process_time()
    result = judge(evidence, thresholds)
    assert result.verdict == "passed"
    assert time.process_time() - started < 10  # About 1 s.
