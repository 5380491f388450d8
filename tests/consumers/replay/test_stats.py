"""What counts as a time, what as a status, and what as an error."""

from __future__ import annotations

import pytest

from app.sketch import bucket
from app.store.run_figures import RouteFigures
from consumers.replay.request import Outcome
from consumers.replay.stats import ReplayStats
from tests.consumers.replay.gate.evidence import share_of
from tests.consumers.replay.samples import request

ROUTE = "/users/:id"


def only_route(stats: ReplayStats) -> RouteFigures:
    return stats.take().routes[ROUTE]


def pairs(stats: ReplayStats) -> list[tuple[float, float]]:
    sample = stats.pairs.of(ROUTE)
    return list(zip(sample.before_ms, sample.after_ms, strict=True))


def test_a_response_takes_from_due_to_answered_and_a_service_from_sent_to_answered() -> None:
    stats = ReplayStats()
    stats.done(request(service_ms=18.0), Outcome("answered", 200, 50.0, elapsed_ms=80.0), 2_000.0)
    assert pairs(stats) == [(18.0, 50.0)]
    route = only_route(stats)
    assert route.response == {bucket(2_080.0): 1}
    assert route.replayed == {bucket(50.0): 1}


def test_a_timeout_is_a_slow_time_and_a_refusal_is_none() -> None:
    stats = ReplayStats()
    stats.done(request(service_ms=18.0), Outcome("timeout", 0, 30_000.0, elapsed_ms=30_000.0), 500.0)
    stats.done(request(service_ms=18.0), Outcome("refused", 0, 0.1, elapsed_ms=70.0), 0.0)
    assert pairs(stats) == [(18.0, 30_000.0)]
    route = only_route(stats)
    assert route.response == {bucket(30_500.0): 1}
    assert route.replayed == {}  # There was no answer.


def test_a_baselines_timeout_has_its_place_among_the_pairs_too() -> None:
    """Otherwise an unchanged target with a few timeouts would look slower than its baseline."""
    stats = ReplayStats()
    timeout, answer = Outcome("timeout", 0, 1_000.0, 1_000.0), Outcome("answered", 200, 20.0, 20.0)
    refused = Outcome("refused", 0, 0.1, 0.1)
    for before, after in ((timeout, answer), (answer, timeout), (timeout, timeout), (refused, answer)):
        stats.compared(request(), before, after, 0.0)
    assert pairs(stats) == [(1_000.0, 20.0), (20.0, 1_000.0), (1_000.0, 1_000.0)]
    route = only_route(stats)
    assert route.original == {}  # Of answers alone: no request was answered by both.
    assert route.kinds == {"answered": 2, "timeout": 2, "baseline-timeout": 2, "baseline-refused": 1}


def test_a_time_without_a_status_is_no_original() -> None:
    stats = ReplayStats()
    stats.done(request(service_ms=18.0, status=0), Outcome("answered", 200, 20.0, 20.0), 0.0)
    assert only_route(stats).original == {}


@pytest.mark.parametrize("has_baseline", [False, True])
def test_a_stream_has_a_status_but_no_time_and_is_no_error(*, has_baseline: bool) -> None:
    stats = ReplayStats()
    before, stream = Outcome("answered", 200, 20.0, 20.0), Outcome("stream", 404, 9.0, 9.0)
    if has_baseline:
        stats.compared(request(), before, stream, 0.0)
        stats.compared(request(), stream, Outcome("stream", 404, 9.0, 9.0), 0.0)
    else:
        stats.done(request(status=200), stream, 0.0)
        stats.done(request(status=404), stream, 0.0)
    assert pairs(stats) == []
    figures = stats.take()
    route = figures.routes[ROUTE]
    assert route.statuses == {(200, 404): 1, (404, 404): 1}
    assert (route.response, route.replayed, route.original) == ({}, {}, {})
    assert share_of("errors", figures) == 0.0
    assert share_of("status-changed", figures) == 0.5


def test_a_stream_of_an_original_that_cannot_be_compared_is_counted_as_that() -> None:
    stats = ReplayStats()
    stats.done(request(status=499), Outcome("stream", 200, 9.0, 9.0), 0.0)
    figures = stats.take()
    assert figures.routes[ROUTE].statuses == {(0, 200): 1}
    assert sum(figures.uncomparable.values()) == 1
