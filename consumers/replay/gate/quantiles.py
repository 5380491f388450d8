"""How much a percentile has changed between the two times of the same requests, and how sure that is. Pure.

Each percentile is estimated by Harrell's and Davis' mean of neighbouring order statistics ("A new
distribution-free quantile estimator", Biometrika 69, 1982), of the logarithms. It varies less than a single
order statistic, and smoothly, so the jackknife tells how much: leave out one request at a time, before and
after together. What makes a request slow in both then cancels. All of it is closed form: no resampling.
bench/gate.py measures its coverage; docs/gate.md says what else was tried.
"""

from __future__ import annotations

import functools
import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from app.binomial import lower_rank, upper_rank, z_of

WINDOW = 6
"""The ranks that matter for a percentile lie within so many standard deviations of its own."""
FREEDOM_MIN = 5.0
"""Degrees of freedom below which nothing is said: 50 samples for a p95, 250 for a p99, 5 for a p50."""
CORRELATED_MAX = 2_000
"""About as many pairs tell the correlation: known to 0.02 then."""
SMALLEST_MS = 0.01
SPREAD_MAX = 50.0
"""More, in logarithms, would be no number when squared."""


@dataclass(frozen=True, slots=True)
class Quantile:
    """A percentile of `samples` times, and what leaving out one of them does to it."""

    samples: int
    share: float
    log_ms: float
    """The estimate."""
    error: float
    """Its standard error, in logarithms."""
    below: float
    above: float
    within: dict[float, float]
    """The estimate without one request: of a time below, above, or within the ranks that matter."""
    first: int
    near_ms: array[float]
    """The order statistics around the percentile, from rank `first` (0, 1, ...)."""

    @property
    def ms(self) -> float:
        return math.exp(self.log_ms)

    def without(self, times_ms: Sequence[float]) -> list[float]:
        """The estimate without each of these requests."""
        edge = max(self.within, default=-math.inf)
        get, below, above = self.within.get, self.below, self.above
        return [get(time_ms, above if time_ms > edge else below) for time_ms in times_ms]

    def at(self, rank: int | None) -> float | None:
        """The order statistic of a rank (1, 2, ...), ms; None where it is not near the percentile."""
        if rank is None or not 0 < rank - self.first <= len(self.near_ms):
            return None
        return self.near_ms[rank - self.first - 1]

    @property
    def single_ms(self) -> float:
        """The estimate from a single order statistic."""
        return self.near_ms[min(int(self.samples * self.share) - self.first, len(self.near_ms) - 1)]


def quantile_of(ascending_ms: Sequence[float], share: float, resolution_ms: float = 0.0) -> Quantile:
    """`resolution_ms`: what the times are rounded to. Equal ones are then taken as evenly spread around
    it. Needs two times or more."""
    samples = len(ascending_ms)
    first, weights = _weights(samples, share)
    fewer_first, fewer = _weights(samples - 1, share)
    start, end = min(first, fewer_first), max(first + len(weights), fewer_first + len(fewer) + 1)
    near_ms = ascending_ms[start:end]
    logs = _logs(ascending_ms, start, end, resolution_ms)
    estimate = math.fsum(map(float.__mul__, logs[first - start : first - start + len(weights)], weights))
    # Without rank i, the ranks above it move down by one. So from i to i + 1 the estimate changes by the
    # weight of i times the step between the two values.
    step = fewer_first - start
    below = without = math.fsum(map(float.__mul__, logs[step + 1 : step + 1 + len(fewer)], fewer))
    sums: dict[float, tuple[float, int]] = {}
    deleted: list[float] = []
    for number, weight in enumerate(fewer, step):
        without -= weight * (logs[number + 1] - logs[number])
        deleted.append(without)
        total, count = sums.get(near_ms[number + 1], (0.0, 0))
        sums[near_ms[number + 1]] = (total + without, count + 1)
    variance = _jackknife_variance(below, fewer_first + 1, deleted, samples)
    return Quantile(
        samples,
        share,
        estimate,
        math.sqrt(variance),
        below,
        without,
        {time_ms: total / count for time_ms, (total, count) in sums.items()},
        start,
        array("d", near_ms),
    )


def _jackknife_variance(below: float, lowest: int, deleted: Sequence[float], samples: int) -> float:
    """`deleted` are the estimates without each rank that matters, in ascending order; without one of the
    `lowest` ranks it is `below`, without one of those above it is as the last of `deleted`."""
    highest, above = samples - lowest - len(deleted), deleted[-1]
    mean = (lowest * below + math.fsum(deleted) + highest * above) / samples
    squares = lowest * (below - mean) ** 2 + highest * (above - mean) ** 2
    return (squares + math.fsum([(one - mean) ** 2 for one in deleted])) * (samples - 1) / samples


@functools.lru_cache(maxsize=256)
def _weights(samples: int, share: float) -> tuple[int, tuple[float, ...]]:
    """(rank of the first, weights of the order statistics): the density of Beta((n + 1) p, (n + 1)(1 - p)),
    whose integral over each step is Harrell's and Davis' weight."""
    deviation = math.sqrt(samples * share * (1 - share))
    first = max(0, math.floor(samples * share - WINDOW * deviation) - 2)
    last = min(samples, math.ceil(samples * share + WINDOW * deviation) + 2)
    one, other = (samples + 1) * share - 1, (samples + 1) * (1 - share) - 1
    peak = one * math.log(share) + other * math.log1p(-share)
    found = []
    for rank in range(first, last):
        place = (rank + 0.5) / samples
        found.append(math.exp(one * math.log(place) + other * math.log1p(-place) - peak))
    total = math.fsum(found)
    return first, tuple(weight / total for weight in found)


def _logs(ascending_ms: Sequence[float], start: int, end: int, resolution_ms: float) -> list[float]:
    """The logarithms of some ranks; of rounded times, equal ones are spread over what they may have been."""
    if not resolution_ms:
        return [math.log(max(time_ms, SMALLEST_MS)) for time_ms in ascending_ms[start:end]]
    logs: list[float] = []
    rank = start
    while rank < end:
        time_ms = ascending_ms[rank]
        lowest, beyond = (
            bisect_left(ascending_ms, time_ms, 0, rank),
            bisect_right(ascending_ms, time_ms, rank),
        )
        step_ms = resolution_ms / (beyond - lowest)
        floor_ms = time_ms - resolution_ms / 2 - (lowest - 0.5) * step_ms
        logs += [
            math.log(max(floor_ms + number * step_ms, SMALLEST_MS))
            for number in range(rank, min(beyond, end))
        ]
        rank = beyond
    return logs


@dataclass(frozen=True, slots=True)
class Change:
    """A percentile of the same requests before and after."""

    before: Quantile
    after: Quantile
    correlation: float
    """Of the two estimates."""
    resolution_ms: float
    """What the times before are rounded to: their percentile is known to half of it at best."""

    @property
    def freedom(self) -> float:
        """Degrees of freedom of the standard errors: about the requests on the rarer side of the
        percentile, in both samples."""
        return 2 * self.before.samples * min(self.before.share, 1 - self.before.share)

    @property
    def log_ratio(self) -> float:
        return self.after.log_ms - self.before.log_ms

    def log_half(self, alpha: float) -> float:
        """The half of the interval of `log_ratio` that is due to chance."""
        one, other = self.before.error, self.after.error
        variance = one**2 + other**2 - 2 * self.correlation * one * other
        return student(z_of(alpha), self.freedom) * math.sqrt(max(0.0, variance))

    def log_interval(self, alpha: float) -> tuple[float, float]:
        """Of `log_ratio`; `alpha` is what lies beyond each end. The upper one may be infinite."""
        half = self.log_half(alpha)
        fewer, more = self.rounding()
        return self.log_ratio - math.hypot(half, more), self.log_ratio + math.hypot(half, fewer)

    def rounding(self) -> tuple[float, float]:
        """How far the logarithm of the percentile before may lie below and above its estimate, because its
        times are rounded."""
        half_ms, before_ms = self.resolution_ms / 2, self.before.ms
        fewer = math.log(before_ms / (before_ms - half_ms)) if before_ms > half_ms else math.inf
        return fewer, math.log1p(half_ms / before_ms)

    def ms_interval(self, alpha: float, ratio_max: float = math.inf) -> tuple[float, float]:
        """Of after minus before, ms, combined from the two intervals (Zou and Donner, "Construction of
        confidence limits about effect measures", Statistics in Medicine 27, 2008). `ratio_max` takes a
        slower percentile as so many times that before."""
        times = student(z_of(alpha), self.freedom)
        half_ms, before_ms = self.resolution_ms / 2, self.before.ms
        after_ms = min(self.after.ms, ratio_max * before_ms)

        def ends(middle_ms: float, error: float) -> tuple[float, float]:
            spread = min(times * error, SPREAD_MAX)
            return middle_ms * -math.expm1(-spread), middle_ms * math.expm1(spread)

        (before_low, before_high), (after_low, after_high) = (
            ends(before_ms, self.before.error),
            ends(after_ms, self.after.error),
        )
        low, high = (
            math.sqrt(one**2 + other**2 - 2 * self.correlation * one * other + half_ms**2)
            for one, other in ((after_low, before_high), (after_high, before_low))
        )
        return after_ms - before_ms - low, after_ms - before_ms + high

    def certain_log_low(self, alpha: float) -> float:
        """A lower bound of `log_ratio` from single order statistics, combined as in `ms_interval`: for every
        distribution, also where the percentile lies between two modes and the jackknife errs. -inf with too
        few samples."""
        samples, share = self.before.samples, self.before.share
        before_high_ms = self.before.at(upper_rank(samples, share, alpha))
        after_low_ms = self.after.at(lower_rank(samples, share, alpha))
        if before_high_ms is None or after_low_ms is None:
            return -math.inf
        before_high_ms += self.resolution_ms / 2
        before_ms = min(self.before.single_ms, before_high_ms)
        after_ms = max(self.after.single_ms, after_low_ms)
        before, before_high, after, after_low = (
            math.log(max(one, SMALLEST_MS)) for one in (before_ms, before_high_ms, after_ms, after_low_ms)
        )
        one, other = after - after_low, before_high - before
        squares = one**2 + other**2 - 2 * max(0.0, self.correlation) * one * other
        return after - before - math.sqrt(max(0.0, squares))


def change_of(
    before_ms: Sequence[float],
    after_ms: Sequence[float],
    before: Quantile,
    after: Quantile,
    resolution_ms: float = 0.0,
) -> Change:
    """`before_ms` and `after_ms` belong together by place; the quantiles are theirs."""
    every = max(1, len(before_ms) // CORRELATED_MAX)
    correlation = _correlation(before.without(before_ms[::every]), after.without(after_ms[::every]))
    return Change(before, after, correlation, resolution_ms)


def _correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """0 where one of them does not vary."""
    one_mean, other_mean = math.fsum(one) / len(one), math.fsum(other) / len(other)
    ones, others = [value - one_mean for value in one], [value - other_mean for value in other]
    products = math.fsum(map(float.__mul__, ones, others))
    squares = math.fsum(map(float.__mul__, ones, ones)) * math.fsum(map(float.__mul__, others, others))
    return max(-0.99, min(0.99, products / math.sqrt(squares))) if squares > 0 else 0.0


def student(z: float, freedom: float) -> float:
    """The quantile of Student's t that is as improbable as `z` of the normal distribution (Abramowitz and
    Stegun, 26.7.5): within 2 % from 5 degrees of freedom and to z = 3."""
    cubed, fifth = z**3, z**5
    return (
        z
        + (cubed + z) / (4 * freedom)
        + (5 * fifth + 16 * cubed + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * fifth + 17 * cubed - 15 * z) / (384 * freedom**3)
    )
