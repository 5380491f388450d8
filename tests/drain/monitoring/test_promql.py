"""The pieces of PromQL mean what Tailrace's own arithmetic means."""

from __future__ import annotations

import math

import pytest

from app.binomial import wilson
from drain.monitoring.exports.promql import Z, grown, lower_bound


@pytest.mark.parametrize(
    ("hits", "requests"), [(1, 20), (3, 30), (20, 20), (0, 50), (40, 2_000), (900, 90_000)]
)
def test_the_share_that_is_certain_is_wilsons_lower_bound(hits: int, requests: int) -> None:
    # The expression is Python's as well, but for its functions.
    expr = lower_bound(str(hits), str(requests))
    found = eval(f"({expr})", {"sqrt": math.sqrt, "clamp_min": max})
    assert found == pytest.approx(wilson(hits, requests, Z)[0], abs=1e-4)


def test_what_began_above_zero_counts_only_if_its_target_was_scraped_before() -> None:
    expr = " ".join(grown("x_total", "1h", 'a="b"', "up").split())
    assert expr == (
        "max without (instance, pod) ( "
        'increase(x_total{a="b"}[1h]) > 0 or ( x_total{a="b"} > 0 unless x_total{a="b"} offset 1h '
        "and on (job, instance) up offset 1h ) )"
    )
