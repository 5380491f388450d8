"""Quantiles of Student's t distribution, also far out in its tail and for fractions of a degree. Pure."""

from __future__ import annotations

import functools
import math

from app.binomial import z_of

FREEDOM_MAX = 1_000.0
"""With more it is the normal distribution."""
_STEPS = 60
_TINY = 1e-300


@functools.lru_cache(maxsize=4096)
def quantile(alpha: float, freedom: float) -> float:
    """The value beyond which `alpha` (below 0.5) lies. `freedom`: degrees of freedom, above 0."""
    if freedom >= FREEDOM_MAX:
        return z_of(alpha)
    low, high = 0.0, 2.0
    while tail(high, freedom) > alpha:
        low, high = high, 2 * high
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle, freedom) > alpha else (low, middle)
    return high


def tail(value: float, freedom: float) -> float:
    """The probability of more than `value` (0 or above)."""
    return _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + value**2)) / 2


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularized, by its continued fraction, which converges fast where x < (a + 1) / (a + b + 2) (Press et
    al., "Numerical Recipes", 3rd edition, 6.4); elsewhere by its mirror."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(b, a, 1 - x)
    front = math.exp(
        math.lgamma(a + b)
        - math.lgamma(a)
        - math.lgamma(b)
        + a * math.log(x)
        + b * math.log1p(-x)
        - math.log(a)
    )
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    found = d
    for step in range(1, 300):
        for factor in (
            step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step)),
            -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1)),
        ):
            d = 1 / _not_zero(1 + factor * d)
            c = _not_zero(1 + factor / c)
            found *= c * d
        if abs(c * d - 1) < 1e-12:
            break
    return front * found


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
