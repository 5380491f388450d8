"""Groups things of uneven size, so that none of many calls to Redis takes long."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def grouped(items: Iterable[Item], weight: Callable[[Item], int], most: int) -> Iterator[list[Item]]:
    """The items in order, in lists of at most `most` in weight; one that is heavier is a list of its own."""
    group: list[Item] = []
    total = 0
    for item in items:
        added = weight(item)
        if group and total + added > most:
            yield group
            group, total = [], 0
        group.append(item)
        total += added
    if group:
        yield group
