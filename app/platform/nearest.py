"""Pairs what lies next to each other in time. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Sequence


def nearest_pairs(lefts: Sequence[int], rights: Sequence[int], most: int) -> list[tuple[int, int]]:
    """Pairs of (index in `lefts`, index in `rights`) whose numbers differ by `most` or less, the closest pair
    first; each index is in one pair at most. Takes n log n steps, however many are equal."""
    # The closest pair of a left and a right one is always next to each other in the sorted order.
    merged = sorted(
        [
            *((at, 0, index) for index, at in enumerate(lefts)),
            *((at, 1, index) for index, at in enumerate(rights)),
        ]
    )
    before, after = list(range(-1, len(merged) - 1)), list(range(1, len(merged) + 1))
    heap: list[tuple[int, int, int]] = []

    def push(first: int, second: int) -> None:
        if first >= 0 and second < len(merged) and merged[first][1] != merged[second][1]:
            gap = merged[second][0] - merged[first][0]
            if gap <= most:
                heapq.heappush(heap, (gap, first, second))

    for place in range(len(merged) - 1):
        push(place, place + 1)
    is_paired = [False] * len(merged)
    pairs: list[tuple[int, int]] = []
    while heap:
        _, first, second = heapq.heappop(heap)
        if is_paired[first] or is_paired[second]:
            continue
        is_paired[first] = is_paired[second] = True
        left, right = (first, second) if merged[first][1] == 0 else (second, first)
        pairs.append((merged[left][2], merged[right][2]))
        outer, next_one = before[first], after[second]
        if outer >= 0:
            after[outer] = next_one
        if next_one < len(merged):
            before[next_one] = outer
        push(outer, next_one)
    return pairs
