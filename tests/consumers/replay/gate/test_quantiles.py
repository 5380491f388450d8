"""The change of a percentile and its interval: where it is exact, where it must be wide, and what cancels."""

from __future__ import annotations

import math
import random
from statistics import NormalDist

import pytest

from consumers.replay.gate.quantiles import Change, change_of, quantile_of, student


def changed(
    before_ms: list[float], after_ms: list[float], share: float, resolution_ms: float = 0.0
) -> Change:
    return change_of(
        before_ms,
        after_ms,
        quantile_of(sorted(before_ms), share, resolution_ms),
        quantile_of(sorted(after_ms), share),
        resolution_ms,
    )


@pytest.mark.parametrize("share", [0.5, 0.9, 0.95, 0.99])
def test_the_estimate_is_the_percentile(share: float) -> None:
    rng = random.Random(1)
    found = quantile_of(sorted(rng.lognormvariate(4, 0.5) for _ in range(50_000)), share)
    assert found.ms == pytest.approx(math.exp(NormalDist(4, 0.5).inv_cdf(share)), rel=0.02)
    assert found.single_ms == pytest.approx(found.ms, rel=0.02)


def test_the_error_is_that_of_many_repeated_samples() -> None:
    rng = random.Random(2)
    found = [quantile_of(sorted(rng.lognormvariate(4, 0.5) for _ in range(400)), 0.95) for _ in range(300)]
    mean = sum(one.log_ms for one in found) / 300
    deviation = math.sqrt(sum((one.log_ms - mean) ** 2 for one in found) / 299)
    assert sum(one.error for one in found) / 300 == pytest.approx(deviation, rel=0.12)


def test_leaving_out_a_request_is_what_the_jackknife_says() -> None:
    """Against the definition: the estimate from all samples but one."""
    rng = random.Random(3)
    times_ms = sorted(rng.lognormvariate(4, 0.5) for _ in range(300))
    found = quantile_of(times_ms, 0.95)
    without = found.without(times_ms)
    for number in (0, 100, 270, 285, 292, 299):
        others = times_ms[:number] + times_ms[number + 1 :]
        assert without[number] == pytest.approx(quantile_of(others, 0.95).log_ms, abs=1e-9)


def test_what_makes_a_request_slow_both_times_cancels() -> None:
    rng = random.Random(4)
    own = [rng.lognormvariate(4, 0.5) for _ in range(1_000)]
    same = changed(own, [one * 1.3 for one in own], 0.95)
    assert same.correlation == pytest.approx(0.99, abs=0.001)
    low, high = same.log_interval(0.025)
    assert math.exp(low) == pytest.approx(1.3, rel=0.03)
    assert math.exp(high) == pytest.approx(1.3, rel=0.03)
    rng.shuffle(own)
    other = changed(own, [rng.lognormvariate(4, 0.5) * 1.3 for _ in range(1_000)], 0.95)
    assert abs(other.correlation) < 0.2
    assert other.log_half(0.025) > 4 * same.log_half(0.025)


def test_rounded_times_are_spread_over_what_they_may_have_been() -> None:
    """Nine tenths of 10 ms and a tenth of 11: the p50 is 10, more or less; not a step."""
    rounded = [10.0] * 900 + [11.0] * 100
    lower = quantile_of(rounded, 0.1, 1.0).ms
    upper = quantile_of(rounded, 0.8, 1.0).ms
    assert 9.5 < lower < 9.7
    assert 10.3 < upper < 10.5
    assert quantile_of(rounded, 0.5).ms == pytest.approx(10.0)


def test_the_interval_is_at_least_as_wide_as_the_rounding() -> None:
    change = changed([3.0] * 10_000, [3.0] * 10_000, 0.5, 1.0)
    low, high = change.log_interval(0.025)
    assert math.exp(low) <= 3 / 3.49
    assert math.exp(high) >= 3 / 2.51
    assert change.ms_interval(0.025)[0] <= -0.5
    assert change.ms_interval(0.025)[1] >= 0.5
    # What took less than half a millisecond may have taken next to none.
    assert changed([0.0] * 100, [1.0] * 100, 0.5, 1.0).log_interval(0.025)[1] == math.inf


def test_between_two_modes_only_order_statistics_are_certain() -> None:
    """A p95 of 20 ms or of 200, as chance will have it: the bound from order statistics spans both."""
    before_ms = [20.0 + number / 1_000 for number in range(951)] + [200.0] * 49
    after_ms = [20.0 + number / 1_000 for number in range(940)] + [200.0] * 60
    random.Random(6).shuffle(after_ms)
    change = changed(before_ms, after_ms, 0.95)
    assert change.log_ratio > 0.5
    assert change.certain_log_low(0.025) < 0


@pytest.mark.parametrize(("samples", "share"), [(30, 0.95), (150, 0.99)])
def test_with_few_samples_there_is_no_certain_bound(samples: int, share: float) -> None:
    assert changed([1.0] * samples, [100.0] * samples, share).certain_log_low(0.025) == -math.inf


def test_a_faster_target_has_a_change_below_zero() -> None:
    rng = random.Random(5)
    before_ms = [rng.lognormvariate(4, 0.5) for _ in range(2_000)]
    change = changed(before_ms, [one / 2 for one in before_ms], 0.5)
    assert change.log_ratio == pytest.approx(math.log(0.5), abs=0.02)
    assert change.ms_interval(0.025)[1] < 0


@pytest.mark.parametrize(
    ("freedom", "t"), [(5, 2.5706), (10, 2.2281), (20, 2.0860), (60, 2.0003), (1_000_000, 1.9600)]
)
def test_few_degrees_of_freedom_make_intervals_wider(freedom: float, t: float) -> None:
    """Published quantiles of Student's t for 97.5 %."""
    assert student(1.959964, freedom) == pytest.approx(t, rel=0.005)


@pytest.mark.parametrize("samples", [2, 3, 5, 10, 51])
@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_the_smallest_samples_have_an_estimate_within_them(samples: int, share: float) -> None:
    times_ms = [float(number + 1) for number in range(samples)]
    found = quantile_of(times_ms, share, 1.0)
    assert 0.5 <= found.ms <= samples + 0.5
    assert math.isfinite(found.error)
    change = changed(times_ms, times_ms, share, 1.0)
    assert all(math.isfinite(end) for end in (change.log_interval(0.025)[0], *change.ms_interval(0.025)))
