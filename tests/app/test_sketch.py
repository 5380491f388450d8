"""The sketch against exact percentiles."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sketch import (
    GAMMA,
    LARGEST_BUCKET,
    RELATIVE_ERROR,
    SMALLEST_MS,
    above,
    at_rank,
    at_ranks,
    bucket,
    middle_ms,
    up_to,
)

SHARES = (0.0, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0)


def log_normal(n: int) -> list[float]:
    rng = random.Random(1)
    return [max(1.0, rng.lognormvariate(3.5, 1.2)) for _ in range(n)]


def bimodal(n: int) -> list[float]:
    rng = random.Random(2)
    return [abs(rng.gauss(*((12, 2) if rng.random() < 0.8 else (2_500, 300)))) + 0.02 for _ in range(n)]


def constant(n: int) -> list[float]:
    return [18.0] * n


def sketch_of(values: list[float]) -> Counter[int]:
    return Counter(bucket(value) for value in values)


@pytest.mark.parametrize("shape", [log_normal, bimodal, constant])
@pytest.mark.parametrize("n", [1, 2, 10, 100_000])
def test_every_percentile_is_within_one_percent_of_the_exact_one(shape: object, n: int) -> None:
    values = sorted(shape(n))  # type: ignore[operator]
    buckets = sketch_of(values)
    ranks = [math.floor(share * (n - 1)) for share in SHARES]
    for rank, estimate in zip(ranks, at_ranks(buckets, ranks), strict=True):
        assert abs(estimate - values[rank]) <= values[rank] * RELATIVE_ERROR * 1.0001
        assert at_rank(buckets, rank) == estimate


def test_beyond_the_last_rank_is_the_largest_value() -> None:
    buckets = {bucket(5): 2, bucket(9): 1}
    assert at_ranks(buckets, [0, 2, 3, 99]) == [middle_ms(bucket(5)), *[middle_ms(bucket(9))] * 3]


@given(st.floats(min_value=0.011, max_value=1e9))
def test_a_bucket_holds_its_value_and_its_middle_is_near(value: float) -> None:
    index = bucket(value)
    assert abs(middle_ms(index) - value) <= value * RELATIVE_ERROR * 1.0001


@given(st.floats(min_value=0, max_value=1e300), st.floats(min_value=0, max_value=1e300))
def test_larger_values_never_have_smaller_buckets(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= bucket(low) <= bucket(high) <= LARGEST_BUCKET


def test_zero_has_a_bucket_of_its_own() -> None:
    assert bucket(0) == 0
    assert middle_ms(0) == 0.0
    assert at_rank({0: 9, bucket(100): 1}, 4) == 0.0


def test_the_sum_of_two_sketches_is_the_sketch_of_both() -> None:
    values = log_normal(5_000)
    assert sketch_of(values[:1_700]) + sketch_of(values[1_700:]) == sketch_of(values)


def test_up_to_the_smallest_value_all_are_zero_and_the_next_is_not() -> None:
    assert [bucket(SMALLEST_MS), bucket(SMALLEST_MS * 1.001)] == [0, 1]


def test_the_largest_values_share_the_last_bucket() -> None:
    assert bucket(1e11) < LARGEST_BUCKET
    assert bucket(1e12) == bucket(1e300) == LARGEST_BUCKET


def test_buckets_are_those_of_the_paper() -> None:
    """Bucket i of DDSketch holds (gamma^(i-1), gamma^i]; its middle is 2 gamma^i / (gamma + 1)."""
    shift = bucket(1.0)
    for index in (-100, 1, 2, 300):
        assert bucket(GAMMA ** (index - 0.5)) == shift + index
        assert middle_ms(shift + index) == pytest.approx(2 * GAMMA**index / (GAMMA + 1))
    assert [middle_ms(index) for index in (-1, 0)] == [0.0, 0.0]
    assert middle_ms(1) == pytest.approx(SMALLEST_MS, rel=0.03)


def test_counts_up_to_edges_add_up_to_what_was_counted() -> None:
    buckets = Counter(bucket(value) for value in (0, 9.9, 10, 10, 11, 99, 100, 103, 5_000))
    assert up_to(buckets, [10, 100]) == [4, 3, 2]
    assert up_to(buckets, [1, 10, 100, 1_000, 10_000]) == [1, 3, 3, 1, 1, 0]
    assert up_to(buckets, []) == [9]
    assert up_to({}, [10]) == [0, 0]


@pytest.mark.parametrize("edge_ms", [1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000, 30_000])
def test_a_value_at_an_edge_is_up_to_it(edge_ms: int) -> None:
    assert up_to({bucket(edge_ms): 7}, [edge_ms]) == [7, 0]
    assert up_to({bucket(edge_ms * 1.05): 7}, [edge_ms]) == [0, 7]


@given(
    st.dictionaries(st.integers(0, LARGEST_BUCKET), st.integers(1, 9)),
    st.one_of(st.integers(1, 5_000), st.floats(0.001, 1e12)),
)
def test_above_an_edge_are_those_that_are_not_up_to_it(buckets: dict[int, int], edge_ms: float) -> None:
    assert above(buckets, edge_ms) == up_to(buckets, [edge_ms])[1]
