"""What a reader takes of names that an older version let grow without a bound."""

from __future__ import annotations

import random

from app.store.bounds import OTHER, most_counted


def test_few_names_stay_as_they_are() -> None:
    assert most_counted({"H12": 3, "H10": 1}) == {"H12": 3, "H10": 1}


def test_of_many_names_the_most_frequent_stay_and_no_count_is_lost() -> None:
    rng = random.Random(1)
    counts = {f"Z{at}": rng.randint(1, 50) for at in range(5_000)} | {"H12": 1_000, OTHER: 7}
    found = most_counted(counts, 100)
    assert len(found) <= 101
    assert found["H12"] == 1_000
    assert sum(found.values()) == sum(counts.values())
    assert min(count for name, count in found.items() if name != OTHER) >= 49
