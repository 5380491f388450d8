"""Binomial arithmetic: order statistics that bound a percentile, tails of shares, Wilson's interval. Pure."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from statistics import NormalDist

Z_95 = NormalDist().inv_cdf(0.975)
SURE = 0.025
"""What lies beyond one end of a 95 % interval."""


@functools.lru_cache(maxsize=1024)
def z_of(alpha: float) -> float:
    """How many standard deviations above the mean a normal value is with probability `alpha`."""
    return NormalDist().inv_cdf(1 - alpha)


@functools.lru_cache(maxsize=4096)
def lower_rank(samples: int, share: float, alpha: float) -> int:
    """The largest r for which the r-th smallest of the samples (1, 2, ...) lies above the percentile with a
    probability of at most `alpha`; 0 where there are too few for any.

    How many samples lie below a percentile is binomial, whatever the distribution (Conover, "Practical
    Nonparametric Statistics", section 3.2). The upper bound is its mirror, see `upper_rank`.
    """
    mean, deviation = samples * share, math.sqrt(samples * share * (1 - share))
    below = max(0, math.floor(mean - 12 * deviation - 12))  # What is further below has no weight.
    probability = passed = math.exp(_log_pmf(below, samples, share))
    while passed <= alpha and below < samples:
        probability *= (samples - below) * share / ((below + 1) * (1 - share))
        below += 1
        passed += probability
    return below


def upper_rank(samples: int, share: float, alpha: float) -> int | None:
    """The smallest r for which the r-th smallest lies below the percentile with a probability of at most
    `alpha`; None where there are too few samples for any."""
    mirrored = lower_rank(samples, 1 - share, alpha)
    return samples + 1 - mirrored if mirrored else None


def _log_pmf(hits: int, samples: int, share: float) -> float:
    return (
        math.lgamma(samples + 1)
        - math.lgamma(hits + 1)
        - math.lgamma(samples - hits + 1)
        + hits * math.log(share)
        + (samples - hits) * math.log1p(-share)
    )


def upper_tail(hits: int, samples: int, share: float) -> float:
    """The probability of at least so many hits where the true share is `share`; 1 for no more hits than it
    makes one expect."""
    if not hits or hits <= samples * share:
        return 1.0
    if share <= 0:
        return 0.0
    probability = total = math.exp(_log_pmf(hits, samples, share))
    while hits < samples and probability > total * 1e-12:
        probability *= (samples - hits) * share / ((hits + 1) * (1 - share))
        hits += 1
        total += probability
    return min(1.0, total)


def wilson(hits: float, samples: float, z: float = Z_95) -> tuple[float, float]:
    """The 95 % confidence interval of a share (Wilson 1927), sound for few samples and small shares too.
    Counts may be fractions: those of as many independent samples as so many related ones are worth."""
    share, squared = hits / samples, z**2
    middle = (share + squared / (2 * samples)) / (1 + squared / samples)
    half = z * math.sqrt(share * (1 - share) / samples + squared / (4 * samples**2)) / (1 + squared / samples)
    # At the ends, rounding must not move a bound off what was seen.
    low = 0.0 if not hits else max(0.0, middle - half)
    return low, 1.0 if hits == samples else min(1.0, middle + half)


def holm(tests: Sequence[Callable[[float], bool]], alpha: float) -> set[int]:
    """Which of the tests reject their hypothesis, so that one or more do so wrongly with a probability of
    at most `alpha` (Holm, "A Simple Sequentially Rejective Multiple Test Procedure", 1979). A test says
    whether it rejects at the level it is given; what it rejects at one, it rejects at a higher one."""
    rejected: set[int] = set()
    while len(rejected) < len(tests):
        level = alpha / (len(tests) - len(rejected))
        found = {number for number, test in enumerate(tests) if number not in rejected and test(level)}
        if not found:
            break
        rejected |= found
    return rejected
