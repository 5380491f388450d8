"""Which speeds a search for the limit tries."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.replay.limit.search import (
    BISECTIONS_MAX,
    BROKEN_MAX,
    CLOSE_ENOUGH,
    DOUBLINGS_MAX,
    STEPS_MAX,
    LimitSearch,
)


def tried(search: LimitSearch, limit: float) -> list[float]:
    """The speeds, of which those up to the limit hold."""
    found = []
    while (speed := search.next_speed()) is not None:
        found.append(speed)
        search.tried(speed, held=speed <= limit)
        assert len(found) <= STEPS_MAX
    return found


def test_the_speed_doubles_until_one_breaks_and_then_closes_in() -> None:
    search = LimitSearch(1.0)
    assert tried(search, 5.0) == [1.0, 2.0, 4.0, 8.0, 5.66, 4.76, 5.19]
    assert (search.held, search.broke) == (4.76, 5.19)


def test_the_first_speed_that_breaks_ends_the_search() -> None:
    search = LimitSearch(4.0)
    assert tried(search, 3.9) == [4.0]
    assert (search.held, search.broke) == (None, 4.0)


def test_a_target_that_holds_everything_is_not_tried_for_ever() -> None:
    search = LimitSearch(0.5)
    assert tried(search, math.inf) == [0.5 * 2**number for number in range(DOUBLINGS_MAX + 1)]
    assert search.broke is None


@pytest.mark.parametrize(("most", "speeds"), [(3.0, [1, 2, 3]), (4.0, [1, 2, 4]), (0.5, [1])])
def test_a_cap_is_the_most_that_is_tried(most: float, speeds: list[float]) -> None:
    assert tried(LimitSearch(1.0, most), math.inf) == speeds


@given(first=st.floats(0.01, 1_000), times=st.floats(1, 2**DOUBLINGS_MAX))
def test_the_limit_is_found_to_a_tenth_in_a_bounded_number_of_steps(first: float, times: float) -> None:
    search = LimitSearch(first)
    limit = first * times
    speeds = tried(search, limit)
    assert search.held is not None
    assert search.held <= limit
    assert len(speeds) <= STEPS_MAX
    if search.broke is not None:
        assert limit < search.broke <= search.held * CLOSE_ENOUGH * 1.01
    assert sum(speed > limit for speed in speeds) <= BROKEN_MAX == 1 + BISECTIONS_MAX
