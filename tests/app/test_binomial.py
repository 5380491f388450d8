"""Order statistics, tails and intervals of shares, against their definitions and published figures."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from app.binomial import holm, lower_rank, upper_rank, upper_tail, wilson, z_of


def at_most(hits: int, samples: int, share: float) -> float:
    """The probability of at most so many hits, term by term."""
    return sum(
        math.comb(samples, one) * share**one * (1 - share) ** (samples - one) for one in range(hits + 1)
    )


@pytest.mark.parametrize("share", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("samples", [1, 5, 20, 72, 73, 300, 900])
@pytest.mark.parametrize("alpha", [0.025, 0.0005])
def test_the_rank_below_a_percentile_is_the_largest_that_is_seldom_above_it(
    samples: int, share: float, alpha: float
) -> None:
    rank = lower_rank(samples, share, alpha)
    assert rank == 0 or at_most(rank - 1, samples, share) <= alpha
    assert at_most(rank, samples, share) > alpha


def test_the_rank_above_a_percentile_needs_enough_samples() -> None:
    """0.95 ** 72 is the first power below 0.025."""
    assert upper_rank(71, 0.95, 0.025) is None
    assert upper_rank(72, 0.95, 0.025) == 72
    assert upper_rank(1_000, 0.5, 0.025) == 1_001 - lower_rank(1_000, 0.5, 0.025)


def test_ranks_of_many_samples_are_about_those_of_the_normal_distribution() -> None:
    deviation = math.sqrt(100_000 * 0.95 * 0.05)
    assert lower_rank(100_000, 0.95, 0.025) == pytest.approx(95_000 - 1.96 * deviation, abs=2)
    assert upper_rank(100_000, 0.95, 0.025) == pytest.approx(95_000 + 1.96 * deviation, abs=2)


@pytest.mark.parametrize(
    ("hits", "samples", "share"),
    [(1, 1, 0.01), (3, 20, 0.01), (40, 600, 0.05), (11, 1_000, 0.01), (5, 5, 0.9)],
)
def test_the_tail_is_the_probability_of_so_many_or_more(hits: int, samples: int, share: float) -> None:
    assert upper_tail(hits, samples, share) == pytest.approx(1 - at_most(hits - 1, samples, share), rel=1e-9)


def test_the_tail_of_no_more_than_expected_is_everything() -> None:
    assert upper_tail(0, 10, 0.0) == upper_tail(1, 100, 0.01) == upper_tail(0, 5, 0.5) == 1.0
    assert upper_tail(1, 10, 0.0) == 0.0
    assert upper_tail(100_000, 100_000, 0.01) == 0.0


def p_value(value: float) -> Callable[[float], bool]:
    return lambda alpha: value <= alpha


@pytest.mark.parametrize(
    ("values", "rejected"),
    [
        ([], set()),
        ([0.01], {0}),
        ([0.04], set()),
        ([0.02, 0.01], {0, 1}),  # 0.01 at 0.025 / 2, then 0.02 at 0.025.
        ([0.02, 0.013], set()),
        ([0.001, 0.02, 0.012, 0.9], {0}),  # 0.012 is above 0.025 / 3.
        ([0.001, 0.02, 0.008, 0.012], {0, 2, 3, 1}),
    ],
)
def test_holm_tests_the_smallest_at_the_strictest_level(values: list[float], rejected: set[int]) -> None:
    assert holm([p_value(one) for one in values], 0.025) == rejected


def test_deviations_are_those_of_the_normal_distribution() -> None:
    assert z_of(0.025) == pytest.approx(1.959964, abs=1e-6)


def test_the_wilson_interval_contains_the_share_and_narrows_with_more_samples() -> None:
    low, high = wilson(10, 1_000)
    assert low < 0.01 < high
    wide_low, wide_high = wilson(1, 100)
    assert wide_high - wide_low > high - low
    assert wilson(0, 10)[0] == 0.0


@pytest.mark.parametrize(
    ("hits", "samples", "low", "high"),
    [
        # Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine
        # 17 (1998), table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_wilson_interval_is_the_published_one(hits: int, samples: int, low: float, high: float) -> None:
    assert wilson(hits, samples) == pytest.approx((low, high), abs=0.000_05)


@pytest.mark.parametrize(("hits", "samples"), [(1, 2), (3, 7), (50, 100), (9_999, 10_000), (1, 1_000_000)])
def test_the_wilson_interval_ends_where_the_score_test_rejects(hits: int, samples: int) -> None:
    """Its definition: a true share p with |hits/samples - p| = z * sqrt(p (1 - p) / samples)."""
    for p in wilson(hits, samples):
        assert abs(hits / samples - p) == pytest.approx(1.959964 * math.sqrt(p * (1 - p) / samples))


def test_the_wilson_interval_stays_a_share() -> None:
    for samples in (1, 10, 1_000):
        low, high = wilson(0, samples)
        assert low == 0.0 < high < 1.0
        low, high = wilson(samples, samples)
        assert 0.0 < low < high == 1.0
