"""How much of what was asked was sent, and which routes the verdict says nothing about."""

from __future__ import annotations

import redis

from app.store import replay
from app.store.run_figures import RunFigures
from app.store.run_result import RouteLeftOut
from consumers.replay.choice.coverage import KEYS_MAX, OTHER, coverage_of, why_too_little
from consumers.replay.request import Outcome
from consumers.replay.stats import ReplayStats
from tests.consumers.replay.samples import request

CHOSEN = ("replayed", "forged-mark", "connection", "method", "rule", "sample", "route")
AGAINST_THE_WISH = (
    "refused-path", "rewrite-limit", "unknown-address", "no-path", "late", "breaker-open", "stopped", "fault"
)  # fmt: skip


def answered(stats: ReplayStats, route: str = "/a", count: int = 1, **changes: object) -> None:
    for _ in range(count):
        stats.done(request(route=route, **changes), Outcome("answered", 200, 5.0), 0.0)


def skipped(stats: ReplayStats, reason: str, route: str, count: int = 1, method: str = "GET") -> None:
    for _ in range(count):
        stats.skipped(request(route=route, method=method), reason)


def test_what_was_chosen_is_not_asked_and_all_else_that_is_not_sent_counts_against_coverage() -> None:
    stats = ReplayStats()
    answered(stats, count=10)
    for reason in (*CHOSEN, *AGAINST_THE_WISH):
        skipped(stats, reason, "/a")
    coverage = coverage_of(stats.take(), of_other_apps=7)
    assert coverage.not_asked == {**dict.fromkeys(CHOSEN, 1), "app": 7}
    assert coverage.left_out == dict.fromkeys(AGAINST_THE_WISH, 1)
    assert (coverage.in_window, coverage.asked, coverage.sent, coverage.answered) == (32, 18, 10, 10)


def test_routes_that_were_left_out_wholly_or_for_the_most_part_are_named() -> None:
    stats = ReplayStats()
    skipped(stats, "method", "/checkout", 508, "POST")
    answered(stats, "/cart", 20)
    skipped(stats, "method", "/cart", 30, "POST")
    skipped(stats, "method", "/cart", 8, "DELETE")
    skipped(stats, "rule", "/cart", 3)
    answered(stats, "/mostly", 20)
    skipped(stats, "late", "/mostly", 19)
    skipped(stats, "sample", "/rare", 2)
    answered(stats, "/sampled", 1)
    skipped(stats, "sample", "/sampled", 9)
    skipped(stats, "route", "/chosen", 900)
    coverage = coverage_of(stats.take())
    assert coverage.routes_left_out == [
        RouteLeftOut("/checkout", 0, 508, {"method POST": 508}),
        RouteLeftOut("/cart", 20, 41, {"method POST": 30, "method DELETE": 8, "rule": 3}),
        RouteLeftOut("/rare", 0, 2, {"sample": 2}),
    ]


def test_nothing_is_said_where_nothing_was_left_out() -> None:
    stats = ReplayStats()
    answered(stats, count=3)
    assert coverage_of(stats.take()).routes_left_out == []


def test_names_of_routes_and_methods_are_bounded() -> None:
    stats = ReplayStats()
    for number in range(2 * KEYS_MAX):
        skipped(stats, "method", f"/\x1b[31m{number}", method=f"X{number}\x1b")
    figures = stats.take()
    assert len(figures.left_out) == KEYS_MAX + 1
    assert figures.left_out[f"method {OTHER}", OTHER] == KEYS_MAX
    assert sum(figures.left_out.values()) == figures.skipped["method"] == 2 * KEYS_MAX
    for number in range(2 * KEYS_MAX):
        skipped(stats, "method", f"/new/{number}", method="POST")
    assert set(stats.take().left_out) == {("method POST", OTHER)}
    coverage = coverage_of(figures)
    assert len(coverage.routes_left_out) == 50
    assert coverage.more_routes_left_out == KEYS_MAX + 1 - 50


def test_a_window_that_the_log_lacks_too_much_of_cannot_pass() -> None:
    assert why_too_little(coverage_of(RunFigures(), window_s=3_600, missing_s=180)) == []
    (why,) = why_too_little(coverage_of(RunFigures(), window_s=3_600, missing_s=1_800))
    assert why.startswith("50 % of the window is not in the log")
    assert why_too_little(coverage_of(RunFigures())) == []
    (why,) = why_too_little(coverage_of(RunFigures(), window_s=3_600, was_overtaken=True))
    assert why.startswith("the log dropped requests of the window before they were read")


def test_a_run_in_redis_gives_back_what_was_left_out_and_what_could_not_be_compared(
    redis_client: redis.Redis,
) -> None:
    stats = ReplayStats()
    answered(stats, "/a", 2, status=304)
    answered(stats, "/b", 3, status=503, code="H12")
    skipped(stats, "method", "/check:out/\u00fc", 4, "POST")
    skipped(stats, "late", "/b", 1)
    first = stats.take()
    skipped(stats, "method", "/check:out/\u00fc", 5, "POST")
    second = stats.take()
    for figures in (first, second):
        replay.record(redis_client, "r1", figures, {"state": "running"})
    whole = RunFigures()
    whole.merge(first)
    whole.merge(second)
    found = replay.run(redis_client, "r1")
    assert found is not None
    assert (
        found.figures.left_out
        == whole.left_out
        == {("method POST", "/check:out/\u00fc"): 9, ("late", "/b"): 1}
    )
    assert found.figures.uncomparable == whole.uncomparable
    assert coverage_of(found.figures) == coverage_of(whole)
    replay.record(redis_client, "r1", whole, {"state": "finished"}, replaces_run=True)
    again = replay.run(redis_client, "r1")
    assert again is not None
    assert again.figures.left_out == whole.left_out


def test_the_live_run_does_not_keep_which_routes_were_left_out(redis_client: redis.Redis) -> None:
    stats = ReplayStats()
    skipped(stats, "method", "/a", 4, "POST")
    replay.record(redis_client, replay.LIVE, stats.take(), {"state": "running"})
    found = replay.live(redis_client)
    assert found is not None
    assert (found.figures.skipped, found.figures.left_out) == ({"method": 4}, {})
