"""The end of a replay on the terminal."""

from __future__ import annotations

from consumers.replay.reports.terminal import summary_lines
from tests.consumers.replay.reports.samples import RUN, empty, interrupted, report, with_many_routes
from tests.support.hostile import HOSTILE, drives


def test_each_threshold_has_a_mark_its_values_and_its_interval() -> None:
    lines = summary_lines(report(), is_on_page=True)
    at = lines.index("thresholds")
    assert lines[at + 1] == (
        "  ✗ p95>+20%  /search       334 → 478 ms, +43 % (95 % CI +27 … +66 %), limit +20 %, 599 samples"
    )
    assert lines[at + 2].startswith("  ? p95>+20%  /cart         120 → 141 ms")
    assert lines[at + 2].endswith("210 samples, about 1,200 more samples would decide")
    assert lines[at + 3].startswith("  ✓ p95>+20%  all requests  210 → 221 ms, +5.2 %")
    assert lines[at + 4] == ("  · p95>+20%  1 route has too few samples to be judged; --report shows them")


def test_pace_coverage_answers_and_bodies_are_told() -> None:
    text = "\n".join(summary_lines(report(), is_on_page=True))
    for said in (
        f"run {RUN}: 183 sent, 180 answered, 30 with another status",
        "asked 10x, reached 4.1x",
        "sent 7,467 of 8,000 requests asked for (93.3 %)",
        "not sent (breaker-open): 533",
        "not sent (method): 508",
        "/checkout: left out wholly, 508 requests not sent (method POST 508)",
        "3 more routes of which less was sent than left out; --report shows them",
        "the log lacks 1 min of the window's 60 min (2.5 %)",
        "22  304: the original was conditional",
        "percent-encoded again (Router 2.0 logs the path decoded): 7",
        "timeout: 3",
        "another status than before: 200 → 404: 30",
        "180 answers compared: 10 % differ (18), noise 3.33 %",
        "/cart: 6 of 60 differ: body.items[].price (6)",
        "verdict: failed\n  p95>+20% was crossed on /search\nexit code 1: failed",
        f"on the page: Replay view, run {RUN} (#/replay/{RUN})",
    ):
        assert said in text


def test_a_run_that_redis_does_not_have_is_not_said_to_be_on_the_page() -> None:
    assert "page" not in "\n".join(summary_lines(report(), is_on_page=False))


def test_an_interrupted_run_says_how_far_it_came_and_gives_no_verdict_on_the_whole() -> None:
    assert summary_lines(interrupted(), is_on_page=False)[-3:] == [
        "interrupted after 38 % of the window, at 2026-11-23T10:23:11.000Z: the rest was not replayed",
        "verdict: inconclusive",
        "exit code 130: interrupted",
    ]


def test_a_run_without_thresholds_and_requests_is_short_and_says_so() -> None:
    lines = summary_lines(empty(), is_on_page=False)
    assert "verdict: inconclusive (no threshold was set)" in lines
    assert not any(line in ("thresholds", "pace", "answers", "bodies", "speeds") for line in lines)


def test_of_500_routes_the_gravest_are_listed_and_the_rest_is_counted() -> None:
    lines = summary_lines(with_many_routes([f"/r{number}/:id" for number in range(500)]), is_on_page=True)
    assert len(lines) < 75
    assert "  ✗ p95>+20%     116 more routes crossed it; --report shows them" in lines
    assert "  · p95>+20%     125 routes have too few samples to be judged; --report shows them" in lines
    assert "  ✓ late>1s      nothing crossed it" in lines
    assert "  ✗ 4x, 180 requests/s, p95 900 ms, errors 2 %: did not hold: p95 rose" in lines


def test_hostile_routes_drive_no_terminal_and_fill_no_screen() -> None:
    lines = summary_lines(with_many_routes([*HOSTILE, "/half\udcff", "/" + "x" * 5_000]), is_on_page=True)
    assert drives("\n".join(lines)) == set()
    assert max(map(len, lines)) < 250
