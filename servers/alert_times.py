"""Usual times of service of simulated routes, in the buckets of sketches: for alert_traffic.py. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from statistics import NormalDist

from app.sketch import bucket
from app.store.schema import Buckets
from servers.alert_shapes import STUCK_MS, RouteShape

SAMPLES = 100
SHARE_STEP = 0.01
"""What is rarer than this is added to the next bucket, but for the slowest hundredth."""


def usual_times(routes: Sequence[RouteShape]) -> dict[int | None, list[tuple[int, float]]]:
    """Of each route by its number, and of all (None): buckets, and which share of requests lies up to it."""
    found: dict[int | None, list[tuple[int, float]]] = {}
    together: dict[int, float] = {}
    normal = NormalDist()
    for number, route in enumerate(routes):
        own: dict[int, float] = {}
        for at in range(SAMPLES):
            deviation = normal.inv_cdf((at + 0.5) / SAMPLES)
            index = bucket_of(route.median_ms * math.exp(route.sigma * deviation))
            own[index] = own.get(index, 0) + 1
            together[index] = together.get(index, 0) + route.per_s
        found[number] = _shares(own)
    found[None] = _shares(together)
    return found


def _shares(weights: dict[int, float]) -> list[tuple[int, float]]:
    indexes, total = sorted(weights), sum(weights.values())
    passed = accumulate(weights[index] / total for index in indexes)
    found: list[tuple[int, float]] = []
    for index, share in zip(indexes, passed, strict=True):
        if not found or share - found[-1][1] >= SHARE_STEP or share > 1 - SHARE_STEP:
            found.append((index, share))
    return found


def spread(usual: Sequence[tuple[int, float]], requests: int) -> Buckets:
    """So many requests with the usual latencies."""
    found: Buckets = {}
    before = 0
    for index, share in usual:
        passed = int(share * requests + 0.5)
        if passed > before:
            found[index] = passed - before
            before = passed
    return found


def bucket_of(time_ms: float) -> int:
    """The bucket of a time, STUCK_MS at most."""
    return _BUCKETS[min(STUCK_MS, int(time_ms + 0.5))]


_BUCKETS = [bucket(time_ms) for time_ms in range(STUCK_MS + 1)]
