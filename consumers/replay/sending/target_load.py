"""What the load has done to a target's service times: whether it was too much for it. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from consumers.replay.sending.meter import Times

GROUP_MIN = 10
"""Service times that show the target with few or many requests under way, if the run had so many."""

FEW = 8
"""Few requests are under way while they are at most the most, divided by this."""

ROSE_FROM, ROSE_SPREAD = 1.5, 2.0
"""Service times have risen where they are at least the first times as long, and more where they were few: the
second is divided by the root of their number."""

SATURATED_FROM = 0.7
"""An elasticity from which on more senders hardly get more answers."""


@dataclass(frozen=True, slots=True)
class Load:
    """Service times with few requests under way beside those with many, ms; 0 where none is known."""

    calm_ms: float
    busy_ms: float
    has_risen: bool
    """More than chance."""
    elasticity: float
    """How many percent longer an answer took for each percent more requests under way: 0 is a target that
    does not notice them, 1 one that answers no more of them in a second."""


def load_of(by_level: Sequence[Times], under_way_max: int) -> Load:
    """`by_level`: as in PaceMeter."""
    levels = [
        (min(1.5 * 2**number - 0.5, max(1, under_way_max)), times)
        for number, times in enumerate(by_level)
        if times.count
    ]
    few = [(requests, times) for requests, times in levels if requests <= max(1, under_way_max / FEW)]
    calm_requests, calm = _first(few)
    busy_requests, busy = _first(reversed(levels))
    if not busy.count:
        return Load(0.0, 0.0, has_risen=False, elasticity=0.0)
    if not calm.count or busy_requests <= calm_requests:
        return Load(busy.mean_ms, busy.mean_ms, has_risen=False, elasticity=0.0)
    rose = busy.typical_ms / calm.typical_ms
    return Load(
        calm_ms=busy.mean_ms / rose,
        busy_ms=busy.mean_ms,
        has_risen=rose >= ROSE_FROM + ROSE_SPREAD / math.sqrt(calm.count),
        elasticity=math.log(rose) / math.log(busy_requests / calm_requests),
    )


def _first(levels: Iterable[tuple[float, Times]]) -> tuple[float, Times]:
    """The first levels together, as many as have GROUP_MIN times; and how many requests were under way."""
    found, weighted = Times(), 0.0
    for requests, times in levels:
        found.merge(times)
        weighted += requests * times.count
        if found.count >= GROUP_MIN:
            break
    return (weighted / found.count if found.count else 0.0), found
