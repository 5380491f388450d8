"""The times of single requests, before and after, for the gate's intervals: bounded random samples.

A request's replay is compared with its own original (or its own baseline), so what makes a request slow
in both cancels. Sketches cannot tell which belong together, so pairs are kept while a run lasts.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field, replace

ROUTE_MAX = 20_000
"""Pairs of one route: their p95 is then known to about 2 % for usual times."""
ALL_MAX = 100_000
"""Pairs of all requests together."""


@dataclass(slots=True)
class PairSample:
    """At most `size_max` pairs (before_ms, after_ms) of all that were added, each as likely as any other."""

    size_max: int = ROUTE_MAX
    before_ms: array[float] = field(default_factory=lambda: array("f"))
    after_ms: array[float] = field(default_factory=lambda: array("f"))
    seen: int = 0
    """How many pairs were added."""
    stride: int = 1
    """One in this many is kept; a power of two."""

    def __len__(self) -> int:
        return len(self.before_ms)

    def add(self, before_ms: float, after_ms: float, chance: Callable[[], float] = random.random) -> None:
        """`chance` gives 0 to 1."""
        self.seen += 1
        if self.stride > 1 and chance() * self.stride >= 1:
            return
        self.before_ms.append(before_ms)
        self.after_ms.append(after_ms)
        if len(self.before_ms) > self.size_max:
            self._halve(chance)

    def thinned(self, chance: Callable[[], float] = random.random) -> PairSample:
        """A copy with about half of the pairs, chosen at random."""
        copy = replace(self)
        copy._halve(chance)
        return copy

    def _halve(self, chance: Callable[[], float]) -> None:
        """Keeps about half of the pairs, chosen at random."""
        kept = [number for number in range(len(self.before_ms)) if chance() < 0.5]
        self.before_ms = array("f", [self.before_ms[number] for number in kept])
        self.after_ms = array("f", [self.after_ms[number] for number in kept])
        self.stride *= 2


@dataclass(slots=True)
class Pairs:
    """The samples of each route, and of all requests together."""

    routes: dict[str, PairSample] = field(default_factory=dict)
    all: PairSample = field(default_factory=lambda: PairSample(ALL_MAX))

    def add(self, route: str, before_ms: float, after_ms: float) -> None:
        """Adds one request."""
        self.routes.setdefault(route, PairSample()).add(before_ms, after_ms)
        self.all.add(before_ms, after_ms)

    def of(self, route: str) -> PairSample:
        """The sample of a route; of all requests together for the empty one. Empty for an unknown one."""
        return self.routes.get(route, PairSample()) if route else self.all
