"""From counts to figures: percentiles, error rates, classes, histograms."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sketch import RELATIVE_ERROR, at_rank, bucket
from app.store.queries.figures import by_class, figures, histogram, latency
from app.store.sums import Sums


def sketch(values_ms: list[float]) -> dict[int, int]:
    buckets: dict[int, int] = {}
    for value in values_ms:
        buckets[bucket(value)] = buckets.get(bucket(value), 0) + 1
    return buckets


@given(st.lists(st.integers(0, 60_000), min_size=1, max_size=200))
def test_percentiles_are_those_of_the_sketch(values_ms: list[int]) -> None:
    buckets = sketch([float(value) for value in values_ms])
    found = latency(buckets)
    for value, share in ((found.p50, 0.5), (found.p95, 0.95), (found.p99, 0.99), (found.max, 1.0)):
        exact = at_rank(buckets, int(share * (len(values_ms) - 1)))
        assert value is not None
        assert value == pytest.approx(exact, rel=0.001)


def test_percentiles_are_within_one_percent() -> None:
    values = sorted(random.Random(1).lognormvariate(4, 1) for _ in range(5_000))
    found = latency(sketch(values))
    for value, share in ((found.p50, 0.5), (found.p90, 0.9), (found.p95, 0.95), (found.p99, 0.99)):
        assert value == pytest.approx(values[int(share * 4_999)], rel=RELATIVE_ERROR * 1.1)


def test_the_time_of_all_together_is_within_one_percent() -> None:
    values = [random.Random(2).lognormvariate(5, 2) for _ in range(5_000)]
    assert latency(sketch(values)).total_ms == pytest.approx(sum(values), rel=RELATIVE_ERROR * 1.1)


def test_nothing_measured_has_no_percentiles() -> None:
    assert latency({}).p50 is None
    assert latency({}).total_ms == 0
    assert figures(Sums(), 0.0).error_rate == 0


def test_errors_are_5xx_with_what_the_lines_themselves_correct() -> None:
    # H12 comes with 503, H27 with 499; five H18 have the status 200 that was already sent.
    sums = Sums(
        counts={"requests": 100, "errors_added": 5, "errors_removed": 2, "aborted": 2},
        names={
            "statuses": {"200": 90, "500": 4, "503": 3, "499": 2, "404": 1},
            "codes": {"H12": 3, "H18": 5, "H27": 2},
        },
    )
    found = figures(sums, None)
    assert (found.errors, found.error_rate, found.aborted) == (12, 0.12, 2)


def test_connections_have_a_lifetime_and_no_latency() -> None:
    sums = Sums(counts={"requests": 2, "connections": 2}, sketches={"lifetime": sketch([60_000, 531_114])})
    found = figures(sums, None, {"lifetime": 531_114.0})
    assert (found.connections, found.service.count, found.connect.p50) == (2, 0, None)
    assert (found.lifetime.count, found.lifetime.max) == (2, 531_114.0)
    assert found.lifetime.p50 == pytest.approx(60_000, rel=0.011)


def test_an_exact_maximum_takes_the_place_of_the_sketch() -> None:
    sums = Sums(counts={"requests": 1}, sketches={"service": sketch([30_001])})
    assert figures(sums, None, {"service": 30_001.0}).service.max == 30_001.0


def test_classes_put_odd_statuses_together() -> None:
    counts = {"200": 5, "204": 1, "503": 2, "": 1, "abc": 1, "999": 3, "20": 1}
    assert by_class(counts) == {"2xx": 6, "5xx": 2, "other": 6}


@given(st.lists(st.floats(0, 300_000), min_size=1, max_size=100))
def test_a_histogram_holds_every_request_and_has_no_gaps(values_ms: list[float]) -> None:
    bars = histogram(sketch(values_ms))
    assert sum(bar.count for bar in bars) == len(values_ms)
    for one, other in itertools.pairwise(bars):
        assert one.to_ms == other.from_ms


@pytest.mark.parametrize("value_ms", [0, 1, 2, 3, 8, 10, 12, 100, 120, 1_000, 30_000])
def test_a_whole_millisecond_is_in_the_bar_that_ends_with_it(value_ms: int) -> None:
    (bar,) = histogram(sketch([value_ms]))
    assert bar.to_ms == value_ms


def test_what_is_longer_than_all_bars_is_in_an_open_one() -> None:
    (bar,) = histogram(sketch([500_000]))
    assert (bar.from_ms, bar.to_ms) == (100_000, None)
