"""What is noise and what is a change, from counts alone; and the counts as Redis keeps them."""

from __future__ import annotations

import random
from collections import Counter

import pytest
import redis

from app.store import replay
from app.store.body_figures import KEYS_MAX, OTHER_KEYS, BodyFigures
from app.store.run_figures import RunFigures


def noted(*requests: tuple[set[str], set[str]]) -> BodyFigures:
    figures = BodyFigures()
    for differing, noise in requests:
        figures.note(differing, noise)
    return figures


def drawn(seed: int, requests: int, noise_share: float, changed_share: float) -> BodyFigures:
    """A key that is noise in `noise_share` of the answers, of a target that changes it in `changed_share`."""
    rng = random.Random(seed)
    figures = BodyFigures()
    for _ in range(requests):
        first, again, candidate = (rng.randrange(1, 1_000) * (rng.random() < noise_share) for _ in range(3))
        candidate = -1 if rng.random() < changed_share else candidate
        figures.note(
            {"body.at"} if candidate not in (first, again) and first == again else set(),
            {"body.at"} if again not in (first, candidate) and first == candidate else set(),
            {"body.at"} if first != again else set(),
        )
    return figures


def test_a_key_without_noise_counts_in_full() -> None:
    figures = noted(*[({"body.price", "body.total"}, set())] * 3, *[(set(), set())] * 7)
    assert (figures.compared, figures.changed) == (10, 3)
    assert figures.keys == {"body.price": 3, "body.total": 3}


@pytest.mark.parametrize("noise_share", [0.002, 0.02, 0.2, 0.5, 0.98])
def test_an_unchanged_target_is_never_beyond_the_noise(noise_share: float) -> None:
    """A single request of 500 may be: where the noise is so rare that it was not seen in the baseline."""
    changed = [drawn(seed, 500, noise_share, 0).changed for seed in range(100)]
    assert sum(count > 1 for count in changed) <= (0 if noise_share > 0.01 else 10)
    assert max(changed) <= 3


@pytest.mark.parametrize(("noise_share", "changed_share"), [(0.02, 0.1), (0.2, 0.4), (0.5, 0.8)])
def test_a_change_of_a_key_that_is_also_noise_is_found(noise_share: float, changed_share: float) -> None:
    for seed in range(50):
        figures = drawn(seed, 1_000, noise_share, changed_share)
        # It can be told where the baseline's two answers are the same.
        same = (1 - noise_share) ** 2
        assert figures.changed == pytest.approx(1_000 * changed_share * same, rel=0.45)


def test_noise_of_one_key_does_not_hide_a_change_of_another() -> None:
    noise = [({"body.at"}, set()), (set(), {"body.at"})] * 50
    figures = noted(*noise, *[({"body.price"}, set())] * 20, *[(set(), set())] * 80)
    assert figures.keys == {"body.price": 20}
    assert figures.changed == 20


def test_noise_is_judged_on_each_route_by_itself() -> None:
    figures = RunFigures()
    figures.of("/noisy").bodies = noted(*[({"body.at"}, set()), (set(), {"body.at"})] * 100)
    figures.of("/changed").bodies = noted(*[({"body.at"}, set())] * 15)
    total = figures.total().bodies
    assert (total.compared, total.changed, total.noisy) == (215, 15, 100)
    assert total.keys == {"body.at": 15}


def test_the_number_of_keys_is_limited_and_the_rest_is_counted() -> None:
    figures = BodyFigures()
    for number in range(3 * KEYS_MAX):
        figures.merge(noted(({f"body.k{number}"}, set())))
        figures.merge(noted((set(), {f"body.k{number}"})))
    assert len(figures.differing_keys) == KEYS_MAX + 1
    assert figures.differing_keys[OTHER_KEYS] == figures.noise_keys[OTHER_KEYS] == 2 * KEYS_MAX


def test_figures_are_the_same_when_they_come_back_from_redis(redis_client: redis.Redis) -> None:
    parts = [
        noted(({"body.price"}, set()), (set(), {"body.at"}), ({"body.at"}, set())),
        noted(({"status", "body.é\\x1b"}, set())),
    ]
    parts[1].cut = 1
    parts[1].uncompared = Counter({"busy": 2, "method": 1})
    whole = RunFigures()
    for part in parts:
        figures = RunFigures()
        figures.of("/a").bodies = part
        whole.merge(figures)
        replay.record(redis_client, "r1", figures, {"target": "http://x"})
    kept = replay.run(redis_client, "r1")
    assert kept is not None
    assert kept.figures.routes["/a"].bodies == whole.routes["/a"].bodies
    assert kept.figures.routes["/a"].bodies.changed == 2  # `body.at` is noise.
    assert kept.figures.total().bodies.uncompared == {"busy": 2, "method": 1}
    replay.record(redis_client, "r1", whole, {"target": "http://x"}, replaces_run=True)
    replaced = replay.run(redis_client, "r1")
    assert replaced is not None
    assert replaced.figures.routes["/a"].bodies == whole.routes["/a"].bodies
