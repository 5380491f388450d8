"""Simulated traffic of several apps over weeks, in bins of 10 seconds: for the tests and the bench of alerts.

The rate follows the hour and the day of the week and swings by itself. Requests fail now and then, are
aborted, meet no route. An `Effect` is whatever else happens for a while: a deploy, a crawler, slow minutes,
an outage. Latencies are made only where something is slow: elsewhere a row has its usual ones.
"""

from __future__ import annotations

import math
import random
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from statistics import NormalDist

from app.sketch import merged
from app.store.schema import Buckets
from servers.alert_shapes import (
    ABORTED,
    BIN_S,
    FAILED,
    NOT_FOUND,
    STUCK_MS,
    TIMED_OUT,
    AppShape,
    Effect,
    Fault,
    RouteShape,
)
from servers.alert_times import bucket_of, spread, usual_times

SWING_BINS = 6
"""A swing of the rate is held for a minute."""
SWING_S = 600
SLOW_MIN = 2.0
"""What is less slow than this is taken to be as usual, unless something slower is near."""
EXACT_BINS = 360
"""Of longer stretches only a part of the latencies is made, and counted for all."""


@dataclass(slots=True)
class Faults:
    """How often one kind of fault came, in bins."""

    bins: list[int] = field(default_factory=list)
    total: list[int] = field(default_factory=lambda: [0])

    def count(self, low: int, high: int) -> int:
        return self.total[bisect_left(self.bins, high)] - self.total[bisect_left(self.bins, low)]


@dataclass(slots=True)
class RowTraffic:
    """What is counted of a route, or of all routes of an app."""

    digest: str
    route: str
    total: array[int]
    """Requests before each bin."""
    faults: dict[Fault, Faults]

    def requests(self, low: int, high: int) -> int:
        return self.total[high] - self.total[low]

    def failed_bins(self) -> dict[int, int]:
        """Bin -> requests that failed."""
        found: dict[int, int] = {}
        for (status, _), faults in self.faults.items():
            if status.startswith("5"):
                for at, number in enumerate(faults.bins):
                    found[number] = found.get(number, 0) + faults.total[at + 1] - faults.total[at]
        return found


@dataclass(slots=True)
class AppTraffic:
    """An app over all of the time."""

    shape: AppShape
    all: RowTraffic
    routes: list[RowTraffic]
    slower: dict[int, float]
    """Bin -> how many times as long requests take; the usual ones are left out."""
    stuck: dict[int, tuple[float, frozenset[int] | None]]
    seed: str
    slow_total: array[int]
    """Bins before each that are slow in any way."""
    usual: dict[int | None, list[tuple[int, float]]] = field(default_factory=dict)
    """Of each route, and of all: the buckets of its usual latencies, and which share lies up to each."""

    def is_slow(self, low: int, high: int) -> bool:
        return self.slow_total[high] > self.slow_total[low]

    def times(self, number: int | None, low: int, high: int) -> Buckets:
        """The latencies of a route, or of all, in these bins."""
        if high - low > EXACT_BINS or not self.is_slow(low, high):
            row = self.all if number is None else self.routes[number]
            return spread(self.usual[number], row.requests(low, high))
        return merged(_times(self, number, at) for at in range(low, high))

    def __hash__(self) -> int:
        return id(self)


def simulated(shape: AppShape, effects: Sequence[Effect], bins: int, seed: str) -> AppTraffic:
    """The traffic of an app. The same seed makes the same traffic."""
    rng = random.Random(f"{seed} {shape.name}")
    own = [effect for effect in effects if effect.app == shape.name]
    levels = _levels(shape, own, bins, rng)
    counts = [_counts(route, levels, rng) for route in shape.routes]
    faults: list[dict[Fault, dict[int, int]]] = [{} for _ in shape.routes]
    for effect in own:
        _add_requests(effect, counts, faults, bins, rng)
    totals = [array("I", accumulate(one, initial=0)) for one in counts]
    for number, total in enumerate(totals):
        share = shape.failing * math.exp(rng.gauss(0, 0.3))
        _sprinkle(faults[number].setdefault(FAILED, {}), total, share, rng)
        _sprinkle(faults[number].setdefault(ABORTED, {}), total, 0.003, rng)
        _sprinkle(faults[number].setdefault(TIMED_OUT, {}), total, share / 20, rng)
    for effect in own:
        _add_faults(effect, counts, faults, bins, rng)
    rows = [
        RowTraffic(f"{shape.name}{number}", route.route, totals[number], _packed(faults[number]))
        for number, route in enumerate(shape.routes)
    ]
    together = array("I", map(sum, zip(*totals, strict=True)))
    slower, stuck = _slowness(own, bins)
    flags = (slower.get(number, 1.0) >= SLOW_MIN or number in stuck for number in range(bins))
    return AppTraffic(
        shape,
        RowTraffic("", "", together, _packed(_all_faults(faults))),
        rows,
        slower,
        stuck,
        seed,
        array("I", accumulate(flags, initial=0)),
        usual_times(shape.routes),
    )


# --- how many ---------------------------------------------------------------------------------


def _levels(shape: AppShape, effects: Sequence[Effect], bins: int, rng: random.Random) -> list[float]:
    """The rate of each bin, as a share of that by day."""
    kept = math.exp(-SWING_BINS * BIN_S / SWING_S)
    swing, found = rng.gauss(0, shape.swing), []
    for minute in range(bins // SWING_BINS + 1):
        swing = kept * swing + math.sqrt(1 - kept**2) * rng.gauss(0, shape.swing)
        found += [shape.rhythm(minute * SWING_BINS * BIN_S) * math.exp(swing)] * SWING_BINS
    for effect in effects:
        if effect.rate != 1.0 and effect.routes is None:
            for number in effect.bins:
                if number < bins:
                    found[number] *= effect.rate
    return found[:bins]


def _counts(route: RouteShape, levels: Sequence[float], rng: random.Random) -> list[int]:
    chance, per_bin = rng.random, route.per_s * BIN_S
    return [_poisson(per_bin * level, chance) for level in levels]


def _poisson(mean: float, chance: Callable[[], float]) -> int:
    if mean > 15:
        return max(0, int(mean + math.sqrt(mean) * _NORMALS[int(chance() * NORMALS)] + 0.5))
    if mean < 0.02:
        return int(chance() < mean)
    least, product, found = math.exp(-mean), chance(), 0
    while product > least:
        product *= chance()
        found += 1
    return found


NORMALS = 8_192
_NORMALS = [NormalDist().inv_cdf((number + 0.5) / NORMALS) for number in range(NORMALS)]


# --- what fails -------------------------------------------------------------------------------


def _add_requests(
    effect: Effect,
    counts: list[list[int]],
    faults: list[dict[Fault, dict[int, int]]],
    bins: int,
    rng: random.Random,
) -> None:
    if effect.added_per_s:
        found = faults[-1].setdefault(NOT_FOUND, {})
        for number in effect.bins:
            if number < bins:
                added = _poisson(effect.added_per_s * BIN_S, rng.random)
                counts[-1][number] += added
                found[number] = found.get(number, 0) + added


def _sprinkle(found: dict[int, int], total: Sequence[int], share: float, rng: random.Random) -> None:
    """Adds the usual faults: each request by itself."""
    at, scale = 0, math.log1p(-share)
    while True:
        at += 1 + int(math.log(1 - rng.random()) / scale)
        if at > total[-1]:
            return
        number = bisect_left(total, at) - 1
        found[number] = found.get(number, 0) + 1


def _add_faults(
    effect: Effect,
    counts: Sequence[Sequence[int]],
    faults: list[dict[Fault, dict[int, int]]],
    bins: int,
    rng: random.Random,
) -> None:
    if not effect.failing:
        return
    for number in range(len(counts)) if effect.routes is None else effect.routes:
        found = faults[number].setdefault(effect.fault, {})
        for at in effect.bins:
            if at < bins:
                others = sum(one.get(at, 0) for one in faults[number].values())
                free = max(0, counts[number][at] - others)
                if failed := sum(rng.random() < effect.failing for _ in range(free)):
                    found[at] = found.get(at, 0) + failed


def _packed(faults: dict[Fault, dict[int, int]]) -> dict[Fault, Faults]:
    found = {}
    for fault, counts in faults.items():
        bins = sorted(number for number, count in counts.items() if count)
        found[fault] = Faults(bins, [*accumulate((counts[number] for number in bins), initial=0)])
    return found


def _all_faults(faults: Iterable[dict[Fault, dict[int, int]]]) -> dict[Fault, dict[int, int]]:
    found: dict[Fault, dict[int, int]] = {}
    for one in faults:
        for fault, counts in one.items():
            of_fault = found.setdefault(fault, {})
            for number, count in counts.items():
                of_fault[number] = of_fault.get(number, 0) + count
    return found


# --- how long ---------------------------------------------------------------------------------


def _slowness(
    effects: Iterable[Effect], bins: int
) -> tuple[dict[int, float], dict[int, tuple[float, frozenset[int] | None]]]:
    slower: dict[int, float] = {}
    stuck: dict[int, tuple[float, frozenset[int] | None]] = {}
    for effect in effects:
        for number in effect.bins:
            if number < bins and effect.slower != 1.0:
                slower[number] = slower.get(number, 1.0) * effect.slower
            if number < bins and effect.stuck:
                stuck[number] = (effect.stuck, effect.routes)
    return slower, stuck


@lru_cache(maxsize=20_000)
def _times(app: AppTraffic, number: int | None, at: int) -> Buckets:
    """Of one route, or all, and one bin."""
    if number is None:
        return merged(_times(app, one, at) for one in range(len(app.routes)))
    route = app.shape.routes[number]
    chance = random.Random(f"{app.seed} {app.shape.name} {number} {at}").random
    median_ms = route.median_ms * app.slower.get(at, 1.0)
    stuck, routes = app.stuck.get(at, (0.0, None))
    if routes is not None and number not in routes:
        stuck = 0.0
    found: Buckets = {}
    for _ in range(app.routes[number].requests(at, at + 1)):
        if stuck and chance() < stuck:
            time_ms = STUCK_MS * (0.9 + 0.1 * chance())
        else:
            time_ms = median_ms * math.exp(route.sigma * _NORMALS[int(chance() * NORMALS)])
        index = bucket_of(time_ms)
        found[index] = found.get(index, 0) + 1
    return found


def last_bin(row: RowTraffic, at: int) -> int | None:
    """The newest bin before `at` with a request."""
    return bisect_left(row.total, row.total[at]) - 1 if row.total[at] else None
