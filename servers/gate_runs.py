"""Simulated runs of ten routes, one of them slower, and what the gate says of them: for tests and benches."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from app.store.run_figures import RunFigures
from app.store.run_result import Milliseconds, Pace, RunResult
from consumers.replay.choice.coverage import coverage_of
from consumers.replay.gate.judge import Evidence, judge
from consumers.replay.gate.thresholds import parse_threshold
from consumers.replay.pairs import Pairs

ROUTES = 10
CHANGES = (0.0, 0.1, 0.2, 0.3, 0.5)
THRESHOLD = "p95>+20%"
SLOW = "/0"
"""The route that changes."""

Times = Callable[[random.Random], tuple[float, float]]
"""The times of one request in ms, before and after, where nothing has changed."""


def log_normal(shared: float) -> Times:
    """Median 100 ms, sigma 0.5. `shared`: how much of the variance is the request's own, both times."""
    own, other = math.sqrt(shared), math.sqrt(1 - shared)

    def times(rng: random.Random) -> tuple[float, float]:
        common = rng.gauss(0, 1)
        before, after = (math.exp(0.5 * (own * common + other * rng.gauss(0, 1))) for _ in range(2))
        return 100 * before, 100 * after

    return times


def bimodal(shared: float, misses: float = 0.3) -> Times:
    """A cache: hits at 20 ms, misses at 200 ms, sigma 0.3 each. `shared`: how often a request that missed
    before is one that misses again, beyond chance."""

    def times(rng: random.Random) -> tuple[float, float]:
        missed = rng.random() < misses

        def one() -> float:
            is_miss = missed if rng.random() < shared else rng.random() < misses
            return (200 if is_miss else 20) * math.exp(rng.gauss(0, 0.3))

        return one(), one()

    return times


SHAPES: dict[str, Times] = {
    "log-normal, independent": log_normal(0.0),
    "log-normal, same request": log_normal(0.8),
    "bimodal, independent": bimodal(0.0),
    "bimodal, same request": bimodal(0.8),
}


@dataclass(slots=True)
class Outcomes:
    """What came of the runs with one shape, number of samples and change."""

    verdicts: Counter[str] = field(default_factory=Counter)
    judged: Counter[str] = field(default_factory=Counter)
    """The verdicts of the runs in which the changed route was judged."""
    covered: int = 0
    """Runs in which the interval of the changed route held the truth."""
    halves: list[float] = field(default_factory=list)
    """Half the width of its interval."""

    def add(self, result: RunResult, change: float) -> None:
        found = next(one for one in result.findings if one.route == SLOW and one.threshold == THRESHOLD)
        self.verdicts[result.verdict] += 1
        if found.state != "not-judged":
            self.judged[result.verdict] += 1
        if found.low is not None and found.high is not None:
            self.covered += found.low <= change <= found.high
            self.halves.append((found.high - found.low) / 2)

    @property
    def runs(self) -> int:
        return self.verdicts.total()


def simulated(
    times: Times, samples: int, changes: Sequence[float], rng: random.Random, routes: int = ROUTES
) -> Iterator[RunResult]:
    """A run for each change, of `routes` routes with so many samples each; the times before are in whole ms,
    as a router logs them. All of them see the same requests."""
    requests = [[times(rng) for _ in range(samples)] for _ in range(routes)]
    for change in changes:
        figures, pairs = RunFigures(), Pairs()
        for number, found in enumerate(requests):
            route, factor = f"/{number}", 1 + change if not number else 1.0
            row = figures.of(route)
            row.sent = row.kinds["answered"] = row.statuses[200, 200] = samples
            for before_ms, after_ms in found:
                pairs.add(route, round(before_ms), after_ms * factor)
        evidence = Evidence(figures, pairs, coverage_of(figures), kept_pace())
        yield judge(evidence, [parse_threshold(THRESHOLD)])


def kept_pace() -> Pace:
    """Of a run that went as fast as it was asked to."""
    late = Milliseconds(1.0, 2.0, 3.0, 5.0)
    return Pace("1x", 1.0, 1.0, None, 10.0, 1.0, 600.0, late, "", "", 4, 16)


def outcomes(
    shape: str, samples: int, runs: int, changes: Sequence[float] = CHANGES, routes: int = ROUTES
) -> dict[float, Outcomes]:
    """By change. The same runs each time."""
    found = {change: Outcomes() for change in changes}
    for run in range(runs):
        rng = random.Random(f"{shape} {samples} {run}")
        for change, result in zip(
            changes, simulated(SHAPES[shape], samples, changes, rng, routes), strict=True
        ):
            found[change].add(result, change)
    return found


def judged_from(shape: str, runs: int, share: float = 0.9) -> int | None:
    """From how many samples an unchanged route is judged in so large a share of runs."""
    for samples in range(100, 2_001, 25):
        found = outcomes(shape, samples, runs, changes=(0.0,), routes=1)[0.0]
        if found.judged.total() >= share * runs:
            return samples
    return None
