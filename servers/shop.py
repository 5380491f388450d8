"""An invented shop: its routes, and how it answers a request.

The traffic logs these answers as the original's, and the target of the replay gives them again: what
a request is answered depends on its id alone, which a replay sends along (app/loop_guard.py).
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from statistics import NormalDist

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Route:
    """How often a route is asked for, how slow it is (log-normal: median and spread), how it fails."""

    method: str
    path: str
    """With placeholders; see `Traffic`."""
    weight: int
    median_ms: float
    spread: float = 0.5
    statuses: tuple[tuple[int, float], ...] = ()
    """(status, share of requests) of what is not 200."""
    failure_share: float = 0.001
    """Requests that end with one of the router's own H-codes."""


ROUTES = (
    Route("GET", "/", 18, 35),
    Route("GET", "/products", 14, 60),
    Route("GET", "/products/{id}", 24, 45, 0.5, ((404, 0.025), (500, 0.0005))),
    Route("GET", "/products/{id}/reviews?page={page}", 8, 90, 0.6, ((404, 0.01),)),
    Route("GET", "/search?q={word}&sort=price", 9, 140, 0.6, ((500, 0.002),), 0.002),
    Route("GET", "/cart", 6, 30),
    Route("POST", "/cart/items", 5, 55, 0.5, ((302, 0.9), (422, 0.02))),
    Route("DELETE", "/cart/items/{id}", 1, 40, 0.5, ((302, 0.97), (404, 0.01))),
    Route("POST", "/checkout", 2, 320, 0.5, ((302, 0.94), (422, 0.03), (500, 0.004)), 0.006),
    Route("GET", "/orders/{uuid}", 3, 70, 0.5, ((302, 0.05), (404, 0.01))),
    Route("GET", "/api/v1/stock/{id}.json", 7, 25, 0.3, ((404, 0.01),)),
    Route("GET", "/assets/app-9f86d081884c7d65.css", 4, 12, 0.2, ((304, 0.3),), 0.0),
    Route("GET", "/tags/{tag}", 2, 50, 0.5, ((404, 0.01),)),
    Route("HEAD", "/health", 3, 10, 0.2, (), 0.0),
    Route("PUT", "/account/avatar", 1, 600, 0.5, ((422, 0.02),), 0.005),
    Route("GET", "/admin/reports/{date}", 1, 900, 0.6, ((403, 0.02), (500, 0.003)), 0.005),
    Route("GET", "/{scanned}", 1, 15, 0.3, ((404, 1.0),), 0.0),
)
WEBSOCKET = "/cable"
"""No route of `ROUTES`, because its answer has no time: a connection is logged once it ends."""

FAILURE_SHARE = sum(route.weight * route.failure_share for route in ROUTES) / sum(
    route.weight for route in ROUTES
)
"""Of all requests."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the shop answers, and how long it takes."""

    status: int
    service_ms: float


def answer(route: Route, request_id: int) -> Answer:
    """The answer to a request; its id is a random UUID as a number."""
    # The lowest and the highest 32 bits: those between hold the UUID's version.
    chance = (request_id & 0xFFFF_FFFF) / 2**32
    quantile = ((request_id >> 96) + 0.5) / 2**32
    found = 200
    for status, share in route.statuses:
        if chance < share:
            found = status
            break
        chance -= share
    # exp(spread * z): how far from the median.
    return Answer(found, route.median_ms * 2.718281828459045 ** (route.spread * _NORMAL.inv_cdf(quantile)))


@functools.cache
def _patterns() -> tuple[tuple[re.Pattern[str], Route], ...]:
    return tuple(
        (re.compile("[^/?&]+".join(map(re.escape, re.split(r"\{\w+\}", route.path)))), route)
        for route in ROUTES
    )


def route_of(method: str, target: str) -> Route | None:
    """The route of a request; None for one that the shop does not have."""
    return next(
        (route for pattern, route in _patterns() if route.method == method and pattern.fullmatch(target)),
        None,
    )
