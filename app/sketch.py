"""A mergeable sketch of latencies: counts in logarithmic buckets, 1 % relative error.

The bucket of a value is an integer, so that a distribution is a hash `bucket -> count` and two
of them are merged by adding counts: that is what Redis does by HINCRBY, atomically and in any
order. The mapping is DDSketch's (Masson, Rim, Lee: "DDSketch", VLDB 2019, section 2.1): bucket i
holds (gamma^(i-1), gamma^i], and its middle is within 1 % of every value in it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

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


def middle_ms(index: int) -> float:
    """The value in ms that stands for all of a bucket."""
    if index <= 0:
        return 0.0
    return float(2 * GAMMA ** (index + _SHIFT) / (GAMMA + 1))


def upper_ms(index: int) -> float:
    """The largest value in ms that a bucket holds."""
    return SMALLEST_MS if index <= 0 else float(GAMMA ** (index + _SHIFT))


def quantile(buckets: Mapping[int, int], share: float) -> float | None:
    """The value in ms below which `share` (0 to 1) of the values lie, within 1 %; None if empty.

    The rank is floor(share * (n - 1)), as in DDSketch: share 1 gives the bucket of the maximum.
    """
    total = sum(buckets.values())
    if total <= 0:
        return None
    return at_rank(buckets, math.floor(share * (total - 1)))


def at_rank(buckets: Mapping[int, int], rank: int) -> float:
    """The value in ms of rank 0, 1, ... in ascending order, within 1 %; the largest beyond the last.

    `buckets` must not be empty.
    """
    passed = 0
    for index in sorted(buckets):
        passed += buckets[index]
        if passed > rank:
            return middle_ms(index)
    return middle_ms(max(buckets))


def merge(into: dict[int, int], other: Mapping[int, int]) -> None:
    """Adds the counts of `other`; the result is the sketch of both sets of values."""
    for index, count in other.items():
        into[index] = into.get(index, 0) + count
