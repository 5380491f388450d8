"""What simulated apps are like, and what may happen to them: for alert_traffic.py."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

BIN_S = 10
DAY_BINS = 86_400 // BIN_S
STUCK_MS = 30_000
"""Where Heroku's router gives up (H12)."""

Fault = tuple[str, str]
"""Status and the router's code of a request that was not answered by a 2xx."""

FAILED: Fault = ("500", "")
TIMED_OUT: Fault = ("503", "H12")
BOOTING: Fault = ("503", "H10")
NOT_FOUND: Fault = ("404", "")
ABORTED: Fault = ("499", "H27")


@dataclass(frozen=True, slots=True)
class RouteShape:
    """A route and its usual traffic."""

    route: str
    per_s: float
    """By day; three a day are 0.000035."""
    median_ms: float = 60.0
    sigma: float = 0.6


@dataclass(frozen=True, slots=True)
class AppShape:
    """An app and its usual traffic."""

    name: str
    routes: tuple[RouteShape, ...]
    rhythm: Callable[[int], float]
    """Second of the simulation -> share of the rate by day; it begins on a Monday at 0:00."""
    failing: float = 0.001
    dynos: int = 2
    deploys_a_week: float = 3.0
    crawlers_a_day: float = 0.0
    swing: float = 0.12
    memory: tuple[float, float] = (0.45, 0.8)
    """Share of the quota after a restart, and a day later."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What is different in an app for a while."""

    app: str
    from_s: int
    to_s: int
    routes: frozenset[int] | None = None
    """Numbers of the routes that it is about; None: all."""
    failing: float = 0.0
    """Share of their requests that fail beside the usual ones."""
    fault: Fault = FAILED
    slower: float = 1.0
    stuck: float = 0.0
    """Share of the requests that take STUCK_MS, and succeed."""
    rate: float = 1.0
    added_per_s: float = 0.0
    """Requests for nothing that exists, of the last route."""

    @property
    def bins(self) -> range:
        return range(max(0, self.from_s // BIN_S), max(0, math.ceil(self.to_s / BIN_S)))
