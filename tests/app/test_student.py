"""Student's t, against tables and closed forms."""

from __future__ import annotations

import math

import pytest

from app.binomial import z_of
from app.student import quantile, tail


@pytest.mark.parametrize(
    ("alpha", "freedom", "expected"),
    [
        (0.025, 1, 12.7062),
        (0.025, 8, 2.3060),
        (0.0005, 10, 4.5869),
        (0.0005, 120, 3.3735),
        (0.05, 2, 2.9200),
        (1e-5, 1, 1 / math.tan(math.pi * 1e-5)),
    ],
)
def test_quantiles_are_those_of_the_tables(alpha: float, freedom: float, expected: float) -> None:
    assert quantile(alpha, freedom) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("freedom", [0.5, 1, 2.5, 7.25, 40, 999])
@pytest.mark.parametrize("alpha", [0.4, 0.01, 1e-6])
def test_a_quantile_has_its_probability_beyond_it(alpha: float, freedom: float) -> None:
    assert tail(quantile(alpha, freedom), freedom) == pytest.approx(alpha, rel=1e-6)


def test_with_much_freedom_it_is_normal() -> None:
    assert quantile(0.001, 1e6) == z_of(0.001)
    assert quantile(0.001, 999) == pytest.approx(z_of(0.001), rel=0.01)
