"""A mergeable sketch of latencies: counts in logarithmic buckets, 1 % relative error.

The bucket of a value is an integer, so that a distribution is a hash `bucket -> count` and two
of them are merged by adding counts: that is what Redis does by HINCRBY, atomically and in any
order. The mapping is DDSketch's (Masson, Rim, Lee: "DDSketch", VLDB 2019, section 2.1): bucket i
holds (gamma^(i-1), gamma^i], and its middle is within 1 % of every value in it.
"""

from __future__ import annotations

import functools
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence

RELATIVE_ERROR = 0.01
GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
SMALLEST_MS = 0.01
"""Values up to this count as 0 ms: bucket 0. The router's own resolution is 1 ms."""

_LOG_GAMMA = math.log(GAMMA)
_SHIFT = math.floor(math.log(SMALLEST_MS) / _LOG_GAMMA)
LARGEST_BUCKET = 1500
"""About 10^11 ms; larger values share it, so that a hash has a bounded number of fields."""


def bucket(value_ms: float) -> int:
    """The bucket of a value in ms: 0 to LARGEST_BUCKET, ascending with the value."""
    if value_ms <= SMALLEST_MS:
        return 0
    index = math.ceil(math.log(value_ms) / _LOG_GAMMA) - _SHIFT
    return min(max(index, 1), LARGEST_BUCKET)


@functools.lru_cache(maxsize=LARGEST_BUCKET + 1)
def middle_ms(index: int) -> float:
    """The value in ms that stands for all of a bucket."""
    if index <= 0:
        return 0.0
    return float(2 * GAMMA ** (index + _SHIFT) / (GAMMA + 1))


def up_to(buckets: Mapping[int, int], edges_ms: Sequence[float]) -> list[int]:
    """How many values are at most each edge and above the one before; last, those above all edges.

    The middle of a bucket may lie 1 % above the values in it: 10 ms belongs to "up to 10 ms".
    """
    reach_ms = [edge_ms * (1 + RELATIVE_ERROR) for edge_ms in edges_ms]
    counts = [0] * (len(edges_ms) + 1)
    for index, count in buckets.items():
        counts[bisect_left(reach_ms, middle_ms(index))] += count
    return counts


def merged(parts: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """The values of all of them together."""
    found: dict[int, int] = {}
    for part in parts:
        for index, count in part.items():
            found[index] = found.get(index, 0) + count
    return found


def above(buckets: Mapping[int, int], edge_ms: float) -> int:
    """The last of `up_to` with this edge alone: how many values are above it. Several times as fast."""
    last = _last_up_to(edge_ms)
    return sum(count for index, count in buckets.items() if index > last)


@functools.lru_cache(maxsize=4_096)
def _last_up_to(edge_ms: float) -> int:
    """The last bucket whose values are at most this."""
    reach_ms = edge_ms * (1 + RELATIVE_ERROR)
    return bisect_right(range(LARGEST_BUCKET + 1), reach_ms, key=middle_ms) - 1


def at_ranks(buckets: Mapping[int, int], ranks: Sequence[int]) -> list[float]:
    """The values in ms of ranks 0, 1, ... in ascending order, within 1 %; the largest beyond the last.

    `ranks` must ascend, and `buckets` not be empty.
    """
    values: list[float] = []
    index = passed = 0
    ascending = iter(sorted(buckets.items()))
    for rank in ranks:
        while passed <= rank and (found := next(ascending, None)):
            index, count = found
            passed += count
        values.append(middle_ms(index))
    return values


def percentile(buckets: Mapping[int, int], share: float) -> float:
    """The value in ms of rank floor(share * (n - 1)), as in DDSketch; `buckets` must not be empty."""
    return at_rank(buckets, math.floor(share * (sum(buckets.values()) - 1)))


def at_rank(buckets: Mapping[int, int], rank: int) -> float:
    """The value in ms of one rank."""
    return at_ranks(buckets, [rank])[0]
