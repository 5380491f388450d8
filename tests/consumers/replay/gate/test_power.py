"""What the gate's verdicts are worth: a fast version of bench/gate.py, always with the same chances."""

from __future__ import annotations

import pytest

from servers.gate_runs import SHAPES, outcomes

RUNS = 20
NEAR_THE_BOUND = {
    "log-normal, independent": 700,
    "log-normal, same request": 400,
    "bimodal, independent": 500,
    "bimodal, same request": 450,
}
"""As many samples of each route as make most of them judged, but no more: the hardest place."""


def test_all_shapes_of_times_are_looked_at() -> None:
    assert set(NEAR_THE_BOUND) == set(SHAPES)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_gate_opens_for_an_unchanged_target_and_not_for_a_slower_route(shape: str) -> None:
    found = outcomes(shape, NEAR_THE_BOUND[shape], RUNS, changes=(0.0, 0.3, 0.5))
    unchanged, slower, slowest = found[0.0], found[0.3], found[0.5]
    assert unchanged.verdicts["failed"] == 0
    assert unchanged.verdicts["inconclusive"] <= 0.15 * RUNS  # The goal is 0.1, of more runs.
    assert unchanged.judged.total() >= 0.7 * RUNS
    assert slower.judged["passed"] <= 1
    assert slowest.judged["failed"] >= 0.9 * slowest.judged.total()
    assert slowest.verdicts["passed"] <= 0.1 * RUNS


@pytest.mark.parametrize("shape", SHAPES)
def test_the_interval_holds_the_truth(shape: str) -> None:
    found = outcomes(shape, NEAR_THE_BOUND[shape], 120, changes=(0.0, 0.3), routes=1)
    for one in found.values():
        assert len(one.halves) == one.runs == 120
        assert one.covered >= 0.9 * 120  # 0.95 but for chance: two standard deviations are 0.04.


def test_the_same_requests_compared_take_fewer_samples() -> None:
    """What makes a request slow both times cancels."""
    halves = {
        shape: sorted(outcomes(shape, 600, 20, changes=(0.0,), routes=1)[0.0].halves)[10] for shape in SHAPES
    }
    assert halves["log-normal, same request"] < 0.8 * halves["log-normal, independent"]


def test_few_samples_of_an_unchanged_target_do_not_fail_it() -> None:
    for shape in SHAPES:
        found = outcomes(shape, 60, RUNS, changes=(0.0,))[0.0]
        assert found.verdicts["failed"] <= 1
