"""The sketch against exact percentiles."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sketch import LARGEST_BUCKET, RELATIVE_ERROR, at_rank, at_ranks, bucket, middle_ms

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
