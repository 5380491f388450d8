"""report.md: for a pull request."""

from __future__ import annotations

from consumers.replay.reports.markdown import render
from tests.consumers.replay.reports.samples import RUN, empty, interrupted, report, with_many_routes
from tests.support.hostile import HOSTILE, drives, pipes


def test_the_verdict_comes_first_then_why() -> None:
    lines = [line for line in render(report()).splitlines() if line]
    assert lines[0] == f"# Replay {RUN}: failed"
    assert lines[1:3] == ["**Verdict: failed.**", "- p95\\>+20% was crossed on /search"]


def test_pace_status_pairs_intervals_what_was_left_out_and_bodies_are_in_it() -> None:
    text = render(report())
    for said in (
        "| ❌ | `p95>+20%` | `/search` | 334 → 478 ms | +43 % | +27 … +66 % | +20 % | 599 | - |",
        "about 1,200 more samples would decide",
        "`p95>+20%`: 1 route has too few samples to be judged",
        "- asked 10x, reached 4.1x",
        "- 7,467 of 8,000 requests asked for (93.3 %), 7,460 answered",
        "- left out: breaker-open: 533",
        "- not asked for: method: 508; sample: 12",
        "- percent-encoded again (Router 2.0 logs the path decoded): 7",
        "304: the original was conditional, the replay is not: 22",
        "- without an answer: timeout 3",
        "- `/checkout`: left out wholly, 508 requests not sent (method POST 508)",
        "- the log lacks 1 min of the window's 60 min (2.5 %)",
        "- 200 → 404: 30",
        "- 180 answers compared: 10 % differ (18), noise 3.33 %",
        "- `/cart`: 6 of 60 differ: `body.items[].price` (6)",
    ):
        assert said in text, said


def test_each_route_has_p50_p95_and_p99_before_and_now() -> None:
    found = report()
    row = next(line for line in render(found).splitlines() if line.startswith("| `/cart` | 61"))
    route = next(route for route in found.run.routes if route.route == "/cart")
    assert f"| {route.original.p99:.0f} → {route.replayed.p99:.0f} ms |" in row


def test_an_interrupted_run_is_called_so_in_the_title() -> None:
    text = render(interrupted())
    assert text.startswith(f"# Replay {RUN}: interrupted\n\n**Verdict: inconclusive.**\n")
    assert "**Interrupted after 38 % of the window, at 2026-11-23T10:23:11.000Z: the rest was not" in text


def test_a_resumed_run_says_that_it_had_parts() -> None:
    assert "resumed: 3 parts of one run, judged together" in render(report(info={"parts": "3"}))


def test_a_run_without_thresholds_and_requests_still_is_a_page() -> None:
    text = render(empty())
    assert "**Verdict: inconclusive.**" in text
    assert "threshold" not in text
    assert "0 of 0 requests asked for, 0 answered" in text


def test_500_routes_fit_into_a_comment() -> None:
    text = render(with_many_routes([f"/r{number}/" + "x" * 2_000 for number in range(500)]))
    assert len(text) < 20_000
    assert "475 more routes; the JSON and HTML reports list them." in text
    assert "- ❌ `p95>+20%`: 106 more routes crossed it" in text


def test_hostile_routes_stay_in_their_cells_and_are_no_markup() -> None:
    text = render(with_many_routes([*HOSTILE, "/half\udcff"]))
    assert drives(text) == set()
    assert {pipes(row) for row in text.splitlines() if row.startswith("| `")} == {(11, 11)}
    marked = [row for row in text.splitlines() if row.startswith(("| ❌", "| ❔"))]
    assert len(marked) > 10
    assert {pipes(row) for row in marked} == {(10, 10)}
    outside = "".join(part for part in text.split("`")[::2])
    assert not any(markup in outside for markup in ("<script", "<img", "![x]"))
