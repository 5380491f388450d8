"""The demo's invented lines."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from servers.traffic import Traffic

START_S = 1_800_000_000
HOUR_S = 3_600


def loss_notices(traffic: Traffic, lines_a_second: int, seconds: int) -> Iterator[int]:
    """The seconds in which one comes."""
    for second in range(seconds):
        if any(b" logplex - Error L10 " in line for line in traffic.lines(lines_a_second, START_S + second)):
            yield second


@pytest.mark.parametrize("lines_a_second", [1, 3])
def test_a_loss_notice_comes_every_few_minutes_at_any_rate(lines_a_second: int) -> None:
    seconds = list(loss_notices(Traffic(1), lines_a_second, HOUR_S))
    assert 8 <= len(seconds) <= 24
    assert seconds[0] >= 120
    assert min(later - earlier for earlier, later in itertools.pairwise(seconds)) >= 120


def test_the_same_seed_gives_the_same_lines() -> None:
    first, second = (
        [line for second in range(900) for line in traffic.lines(2, START_S + second)]
        for traffic in (Traffic(7), Traffic(7))
    )
    assert first == second
    assert first != list(Traffic(8).lines(2, START_S))
