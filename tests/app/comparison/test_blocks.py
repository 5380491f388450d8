"""How much a share varies between blocks, and what requests are worth."""

from __future__ import annotations

import random

import pytest

from app.comparison.blocks import Hits, noise_of

ALPHA = 0.001


def independent(rng: random.Random, blocks: int = 15, share: float = 0.05, count: int = 300) -> Hits:
    return Hits([count] * blocks, [sum(rng.random() < share for _ in range(count)) for _ in range(blocks)])


def test_independent_requests_are_worth_nearly_one_each() -> None:
    rng = random.Random(3)
    effects = [noise_of(independent(rng), independent(rng)).scales[0].effects[0] for _ in range(40)]
    assert all(effect >= 1 for effect in effects)
    assert sum(effects) / len(effects) < 1.4


def test_hits_that_come_in_clusters_are_worth_as_many_as_there_are_clusters() -> None:
    rng = random.Random(4)
    clusters = [sum(rng.random() < 0.05 for _ in range(30)) for _ in range(15)]
    found = Hits([300] * 15, [10 * number for number in clusters])
    assert noise_of(found, found).per_independent(0, ALPHA) > 5


def test_hits_of_a_single_block_are_one_event() -> None:
    quiet, slow = Hits([100] * 15, [0] * 15), Hits([100] * 15, [0] * 7 + [75] + [0] * 7)
    noise = noise_of(quiet, slow)
    assert noise.scales[0].effects[1] == pytest.approx(75 * 15 / 15, rel=0.1)
    assert noise.per_independent(1, ALPHA) > 70


def test_what_swings_for_longer_than_a_block_counts_in_full() -> None:
    swinging = Hits([100] * 15, [2] * 5 + [8] * 5 + [2] * 5)
    single, longer, _ = noise_of(swinging, swinging).scales
    assert longer.effects[0] > 2 * single.effects[0]


def test_many_small_blocks_tell_no_more_than_the_large_ones_among_them() -> None:
    even, uneven = Hits([100] * 10, [5] * 10), Hits([1] * 9 + [991], [0] * 9 + [50])
    assert noise_of(even, even).scales[0].freedom == 18
    assert not noise_of(uneven, uneven).is_known


@pytest.mark.parametrize("blocks", [1, 2])
def test_with_a_block_or_two_the_noise_is_not_known(blocks: int) -> None:
    found = Hits([1_000] * blocks, [50] * blocks)
    assert not noise_of(found, found).is_known


def test_an_empty_span_leaves_the_noise_to_the_other() -> None:
    noise = noise_of(Hits([], []), Hits([100] * 10, [5, 0] * 5))
    assert noise.is_known
    assert noise.scales[0].effects[0] == noise.scales[0].effects[1]
