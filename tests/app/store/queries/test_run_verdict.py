"""A run's result in an answer of the API: the gravest is kept, and what is left out is counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
import redis

from app.store import queries, replay
from app.store.queries import replays
from app.store.queries.replays import compared
from app.store.queries.run_verdict import (
    ENTRIES_MAX,
    FINDINGS_MAX,
    GRAVITY,
    REASONS_MAX,
    THRESHOLDS_MAX,
    bounded,
    by_route,
    judged,
)
from app.store.run_figures import RunFigures
from app.store.run_result import Finding, FindingState, RunResult
from tests.support import sample_result
from tests.support.sample_result import finding, lateness


def result(
    findings: list[Finding], thresholds: list[str] | None = None, *, strict: bool = False
) -> RunResult:
    names = list(dict.fromkeys(found.threshold for found in findings)) if thresholds is None else thresholds
    return replace(sample_result.passed(), findings=findings, thresholds=names, is_strict=strict)


def large(thresholds: int = 10, routes: int = 500) -> RunResult:
    """A finding of every threshold on every route; in each threshold, a hundredth of them is crossed."""
    states: list[FindingState] = ["met" for _ in range(80)]
    states += ["not-judged" for _ in range(18)]
    states += ["inconclusive", "crossed"]
    return result(
        [
            finding(f"p95>+{number}%", f"/route-{route}" if route else "", states[route % 100])
            for number in range(thresholds)
            for route in range(routes)
        ]
    )


def test_of_many_findings_the_gravest_are_kept_and_the_one_on_all_requests_together() -> None:
    whole = large()
    shown, left_out = bounded(whole)
    assert len(shown.findings) <= FINDINGS_MAX
    assert left_out.findings == len(whole.findings) - len(shown.findings)
    gravity = [GRAVITY.index(found.state) for found in shown.findings]
    assert gravity == sorted(gravity)
    for row in judged(whole, shown.findings):
        own = [found for found in shown.findings if found.threshold == row.threshold]
        assert [found.route for found in own].count("") == 1
        # No more than 20 a threshold: all that is crossed or inconclusive is there.
        assert "crossed" not in row.left_out
        assert "inconclusive" not in row.left_out
        assert row.findings == {"crossed": 5, "inconclusive": 5, "not-judged": 90, "met": 400}
        assert sum(row.left_out.values()) == 500 - len(own)


def test_a_small_result_is_kept_whole() -> None:
    whole = sample_result.failed()
    shown, left_out = bounded(whole)
    assert Counter(shown.findings) == Counter(whole.findings)
    assert set(shown.thresholds) == set(whole.thresholds)
    assert (left_out.findings, left_out.reasons, left_out.thresholds, left_out.coverage) == (0, 0, 0, 0)
    assert all(row.left_out == {} for row in judged(whole, shown.findings))


def test_thresholds_reasons_and_names_are_bounded_and_the_gravest_threshold_is_kept() -> None:
    findings = [finding(f"p95>+{number}%") for number in range(300)]
    findings.append(finding("p99>+7%", state="crossed"))
    names = {f"reason-{number}": number for number in range(300)}
    whole = replace(
        result(findings),
        reasons=[f"reason {number}" for number in range(90)],
        coverage=replace(sample_result.passed().coverage, uncomparable=names),
    )
    shown, left_out = bounded(whole)
    assert shown.thresholds[0] == "p99>+7%"
    assert len(shown.thresholds) == THRESHOLDS_MAX
    assert {found.threshold for found in shown.findings} == set(shown.thresholds)
    assert len(judged(whole, shown.findings)) == THRESHOLDS_MAX
    assert shown.reasons == whole.reasons[:REASONS_MAX]
    assert list(shown.coverage.uncomparable)[:2] == ["reason-299", "reason-298"]
    assert len(shown.coverage.uncomparable) == ENTRIES_MAX
    assert (left_out.thresholds, left_out.reasons, left_out.coverage) == (301 - THRESHOLDS_MAX, 60, 200)


@pytest.mark.parametrize(
    ("states", "is_strict", "state"),
    [
        # (of all requests together, of a route)
        (("met", "met"), False, "met"),
        (("met", "crossed"), False, "crossed"),
        (("crossed", "met"), False, "crossed"),
        (("met", "inconclusive"), False, "inconclusive"),
        (("met", "not-judged"), False, "met"),
        (("met", "not-judged"), True, "inconclusive"),
        (("not-judged", "met"), False, "inconclusive"),
    ],
)
def test_a_threshold_stands_as_its_findings_let_the_verdict(
    states: tuple[FindingState, FindingState], is_strict: bool, state: FindingState
) -> None:
    findings = [finding(state=states[0]), finding(route="/a", state=states[1])]
    (row,) = judged(result(findings, strict=is_strict), findings)
    assert row.state == state


def test_a_threshold_without_findings_is_not_met() -> None:
    (row,) = judged(result([], ["p95>+20%"]), [])
    assert (row.state, row.findings, row.left_out) == ("inconclusive", {}, {})


def test_thresholds_come_the_gravest_first_and_otherwise_as_they_were_written() -> None:
    findings = [finding("p50>+9%"), lateness("inconclusive"), finding("p99>+9%", state="crossed"), finding()]
    found = judged(result(findings), findings)
    assert [row.threshold for row in found] == ["p99>+9%", "late>1s", "p50>+9%", "p95>+20%"]


def test_a_route_has_the_gravest_state_of_its_findings() -> None:
    findings = [
        finding(route="/a"),
        finding("p99>+9%", "/a", "inconclusive"),
        finding(route="/b", state="not-judged"),
        finding(),
    ]
    assert by_route(result(findings)) == {"/a": "inconclusive", "/b": "not-judged", "": "met"}


def test_an_answer_is_bounded_in_routes_and_keeps_those_that_crossed(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays, "ROUTES_MAX", 3)
    figures = RunFigures()
    for number in range(6):
        for _ in range(10 - number):
            figures.of(f"/{number}").add("answered", 200, 10.0, 200, 10.0)
    replay.record(redis_client, "r1", figures, {"target": "t"})
    replay.record_result(redis_client, "r1", result([finding(route="/5", state="crossed"), finding()]))
    run = queries.replay_run(redis_client, "r1")
    assert run is not None
    assert [(row.route, row.state) for row in run.routes] == [("/0", None), ("/1", None), ("/5", "crossed")]
    assert (run.left_out.routes, run.total.sent, run.total.state) == (3, 45, "met")
    # What the reports are made from has all.
    found = replay.run(redis_client, "r1")
    assert found is not None
    assert len(compared(found).routes) == 6


def test_a_run_has_response_times_bodies_and_what_cannot_be_compared(redis_client: redis.Redis) -> None:
    figures = RunFigures()
    figures.of("/a").add("answered", 200, 10.0, 200, 10.0, response_ms=50.0)
    figures.of("/a").bodies = sample_result.bodies(
        compared=40,
        changed=7,
        noisy=3,
        keys={f"body.{letter}": 7 - at for at, letter in enumerate("abcdefg")},
    )
    figures.uncomparable.update({"304: unlike": 2, "H12: failed": 5})
    replay.record(redis_client, "r1", figures, {"target": "t"})
    run = queries.replay_run(redis_client, "r1")
    assert run is not None
    row = run.routes[0]
    assert row.response.count == 1
    assert row.response.p95 == pytest.approx(50.0, rel=0.01)
    assert (row.bodies.compared, row.bodies.changed, row.bodies.noisy) == (40, 7, 3)
    assert row.bodies.keys == {"body.a": 7, "body.b": 6, "body.c": 5, "body.d": 4, "body.e": 3}
    assert run.uncomparable == {"H12: failed": 5, "304: unlike": 2}
    assert (run.result, run.judged, row.state) == (None, [], None)


def test_the_list_names_the_verdict(redis_client: redis.Redis) -> None:
    replay.record(redis_client, "r1", RunFigures(), {"target": "t"})
    replay.record_result(redis_client, "r1", sample_result.failed())
    (run,) = queries.replay_runs(redis_client).runs
    assert run.info["verdict"] == "failed"
