"""Simulated traffic around a release, as the blocks that are compared: for tests and benches.

Requests come in visits, which differ in speed as a whole; the whole app and each route swing by themselves
for minutes; some minutes are slow, or fail; the rate goes up or down with the time of day, and times with
the rate. Routes are requested as often as Zipf's law says, so most are rare. Times are log-normal, whole
milliseconds.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from statistics import NormalDist

from app.comparison.blocks import Block
from app.comparison.compare import Row, compared
from app.comparison.result import RouteComparison
from app.sketch import bucket

CELL_S = 10
SWITCH_OVER_S = 60
LONGEST_MS = 30_000
"""Where Heroku's router gives up (H12)."""
VISIT_S = 60
"""How long a visit takes on average."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """How the traffic of an app varies by itself."""

    routes: int = 10
    per_s: float = 20.0
    span_s: int = 900
    block_s: int = 60
    visit: float = 1.0
    """Requests of a visit, on average."""
    visit_sigma: float = 0.0
    """By how much visits differ in speed, as a sigma of the logarithm."""
    swing_sigma: float = 0.0
    """By how much the whole app swings."""
    own_sigma: float = 0.0
    """By how much each route does."""
    swing_s: float = 120.0
    """For how long: what is left of a swing after so many seconds is 1 / e."""
    slow_minutes: float = 0.0
    """Share of minutes in which everything takes SLOW times as long."""
    bad_minutes: float = 0.0
    """Share of minutes in which a fifth of the requests of one route fail."""
    hourly: float = 0.0
    """By how much the rate grows in an hour; times grow by a third of that."""
    sigma: float = 0.6
    """Of the logarithm of times."""
    errors: float = 0.005


SLOW = 3.0
BAD = 0.2

KINDS: Mapping[str, Traffic] = {
    "independent requests": Traffic(),
    "visits": Traffic(visit=6, visit_sigma=0.4),
    "slow and failing minutes": Traffic(slow_minutes=0.04, bad_minutes=0.04),
    "swings of 2 minutes": Traffic(swing_sigma=0.1, own_sigma=0.1),
    "swings of 5 minutes": Traffic(swing_sigma=0.1, own_sigma=0.1, swing_s=300),
    "all of it": Traffic(
        visit=4,
        visit_sigma=0.3,
        swing_sigma=0.08,
        own_sigma=0.08,
        slow_minutes=0.02,
        bad_minutes=0.02,
        hourly=0.3,
        sigma=0.8,
    ),
}


@dataclass(slots=True)
class _Cells:
    """What is added up of a route, block by block."""

    requests: list[int]
    errors: list[int]
    times: list[dict[int, int]]


def rows(traffic: Traffic, rng: random.Random, slower: Mapping[int, float] | None = None) -> list[Row]:
    """Both spans of all routes; first all together. `slower`: number of a route -> times as slow after."""
    length_s = 2 * traffic.span_s + SWITCH_OVER_S
    swings = [_swing(rng, length_s, traffic.swing_s, traffic.swing_sigma)]
    swings += [_swing(rng, length_s, traffic.swing_s, traffic.own_sigma) for _ in range(traffic.routes)]
    minutes = range(length_s // 60 + 1)
    slow = [rng.random() < traffic.slow_minutes for _ in minutes]
    bad = [rng.randrange(traffic.routes) if rng.random() < traffic.bad_minutes else -1 for _ in minutes]
    bases_ms = [rng.lognormvariate(math.log(80), 0.8) for _ in range(traffic.routes)]
    blocks = 2 * traffic.span_s // traffic.block_s
    cells = [_Cells([0] * blocks, [0] * blocks, [{} for _ in range(blocks)]) for _ in range(traffic.routes)]
    after_s = traffic.span_s + SWITCH_OVER_S
    chance, sigma = rng.random, traffic.sigma
    factors = [
        [
            math.exp(of_app + of_route + traffic.hourly / 3 * cell * CELL_S / 3600)
            * (SLOW if slow[cell * CELL_S // 60] else 1.0)
            for cell, (of_app, of_route) in enumerate(zip(swings[0], swings[route + 1], strict=True))
        ]
        for route in range(traffic.routes)
    ]
    for at_s, route, own in _requests(traffic, rng, length_s):
        if traffic.span_s <= at_s < after_s:
            continue
        is_after = at_s >= after_s
        second = int(at_s)
        time_ms = bases_ms[route] * factors[route][second // CELL_S]
        time_ms *= math.exp(own + sigma * _NORMALS[int(chance() * NORMALS)])
        if is_after and slower:
            time_ms *= slower.get(route, 1.0)
        found = cells[route]
        block = (second - (SWITCH_OVER_S if is_after else 0)) // traffic.block_s
        found.requests[block] += 1
        times = found.times[block]
        index = _BUCKETS[int(time_ms + 0.5)] if time_ms < LONGEST_MS else _BUCKETS[LONGEST_MS]
        times[index] = times.get(index, 0) + 1
        if chance() < (BAD if bad[second // 60] == route else traffic.errors):
            found.errors[block] += 1
    return [_row("", cells, traffic), *(_row(f"/{at}", [one], traffic) for at, one in enumerate(cells))]


_BUCKETS = [bucket(time_ms) for time_ms in range(LONGEST_MS + 1)]
NORMALS = 8_192
_NORMALS = [NormalDist().inv_cdf((number + 0.5) / NORMALS) for number in range(NORMALS)]
"""Of all of which one is picked: as good as random.gauss here, and a third of its time."""
PICKS = 16_384


def _requests(traffic: Traffic, rng: random.Random, length_s: int) -> Iterator[tuple[float, int, float]]:
    """(Second, route, logarithm of how slow its visit is)."""
    weights = list(accumulate(1 / (rank + 1) for rank in range(traffic.routes)))
    picks = [bisect_right(weights, (at + 0.5) / PICKS * weights[-1]) for at in range(PICKS)]
    chance, log = rng.random, math.log
    visit, at_s = traffic.visit, 0.0
    if visit <= 1:
        while True:
            at_s -= log(1 - chance()) / (traffic.per_s * (1 + traffic.hourly * at_s / 3600))
            if at_s >= length_s:
                return
            yield at_s, picks[int(chance() * PICKS)], 0.0
    at_s = -4.0 * VISIT_S
    pause_s = VISIT_S / visit
    while True:
        at_s -= log(1 - chance()) * visit / (traffic.per_s * (1 + traffic.hourly * at_s / 3600))
        if at_s >= length_s:
            return
        own = rng.gauss(0, traffic.visit_sigma)
        # A geometric number of requests, and half of them to the route of the one before.
        when_s, route = at_s, picks[int(chance() * PICKS)]
        for _ in range(1 + int(log(1 - chance()) / log(1 - 1 / visit))):
            if 0 <= when_s < length_s:
                yield when_s, route, own
            when_s -= log(1 - chance()) * pause_s
            if chance() < 0.5:
                route = picks[int(chance() * PICKS)]


def _swing(rng: random.Random, length_s: int, time_s: float, sigma: float) -> list[float]:
    """An Ornstein-Uhlenbeck process, a value a cell."""
    if not sigma:
        return [0.0] * (length_s // CELL_S + 1)
    kept = math.exp(-CELL_S / time_s)
    value = rng.gauss(0, sigma)
    found = []
    for _ in range(length_s // CELL_S + 1):
        found.append(value)
        value = kept * value + math.sqrt(1 - kept**2) * rng.gauss(0, sigma)
    return found


def _row(name: str, cells: list[_Cells], traffic: Traffic) -> Row:
    blocks = []
    for at in range(len(cells[0].requests)):
        times: dict[int, int] = {}
        for one in cells:
            for index, count in one.times[at].items():
                times[index] = times.get(index, 0) + count
        requests = sum(one.requests[at] for one in cells)
        errors = sum(one.errors[at] for one in cells)
        blocks.append(Block(traffic.block_s, requests, errors, 0, times))
    half = len(blocks) // 2
    return Row(name, name or "all", blocks[:half], blocks[half:])


@dataclass(slots=True)
class Outcome:
    """What many simulated releases were called."""

    releases: int = 0
    false_alarms: int = 0
    """Releases with a route, or all together, that is called worse though it did not change."""
    better: int = 0
    """The same of better."""
    changed: int = 0
    """Changed routes,"""
    found: int = 0
    """and how many of them were called worse."""
    wrong_intervals: Counter[str] = field(default_factory=Counter)
    requests: list[int] = field(default_factory=list)
    """Of the changed route in the span before."""


def outcome(traffic: Traffic, releases: int, seed: int, slower: Mapping[int, float] | None = None) -> Outcome:
    """Simulates so many releases and compares them."""
    result = Outcome()
    for number in range(releases):
        rng = random.Random(f"{seed} {number}")
        add(result, compared(rows(traffic, rng, slower)), slower or {})
    return result


def add(result: Outcome, found: list[RouteComparison], slower: Mapping[int, float]) -> None:
    changed = {f"/{number}" for number in slower}
    result.releases += 1
    unchanged = [row for row in found if row.route not in changed and (row.route or not changed)]
    result.false_alarms += any(row.word == "worse" for row in unchanged)
    result.better += any(one.word == "better" for row in unchanged for one in row.figures)
    for row in unchanged:
        for one in row.figures:
            if one.word in ("worse", "better"):
                result.wrong_intervals[f"{one.figure} {one.word}"] += 1
    for row in found:
        if row.route in changed:
            result.changed += 1
            result.found += row.word == "worse"
            result.requests.append(row.requests_before)
