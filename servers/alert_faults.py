"""Incidents of ten kinds for the simulation of alerts: somebody should be told of each."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from servers.alert_shapes import TIMED_OUT, AppShape, Effect
from servers.alert_story import APPS, DAY_S, HOUR_S, deploy

APART_S = 2 * HOUR_S
"""Between two incidents."""
TRIES = 10_000


@dataclass(frozen=True, slots=True)
class Fault:
    """An incident that is made: somebody should be told of it."""

    kind: str
    app: str
    """Empty: Tailrace itself."""
    from_s: int
    to_s: int
    effects: tuple[Effect, ...] = ()
    detail: str = ""


KINDS = (
    "errors",
    "one route",
    "H12",
    "one dyno",
    "p99",
    "silence",
    "release",
    "memory",
    "no worker",
    "intake",
)


def faults(days: int, count: int, rng: random.Random, apps: Sequence[AppShape] = APPS) -> list[Fault]:
    """So many, of all kinds in turn, at random times, hours apart. Raises ValueError where there is no
    room for one, or too little traffic."""
    found: list[Fault] = []
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        for _ in range(TRIES):
            at_s = rng.randrange(2 * HOUR_S, days * DAY_S - 2 * HOUR_S)
            if all(abs(at_s - one.from_s) > APART_S + HOUR_S for one in found) and (
                made := _fault(kind, at_s, rng, apps)
            ):
                found.append(made)
                break
        else:
            raise ValueError(f"no room for another incident of the kind {kind}: simulate more days")
    return sorted(found, key=lambda one: one.from_s)


def _fault(kind: str, at_s: int, rng: random.Random, apps: Sequence[AppShape]) -> Fault | None:
    """None: at that time nothing is going on that could fail."""
    to_s = at_s + rng.randrange(900, 2_400)
    if kind in ("no worker", "intake"):
        return Fault(kind, "", at_s, to_s, detail=rng.choice(["losses", "refused"]))
    app = rng.choice(apps)
    # Of an app that has hardly any traffic, nobody can tell.
    if sum(route.per_s for route in app.routes) * app.rhythm(at_s) < 0.3 and kind != "memory":
        return None
    if kind in ("silence", "release") and app.rhythm(to_s) < 0.5 * app.rhythm(at_s):
        return None
    name = app.name
    if kind == "errors":
        return Fault(kind, name, at_s, to_s, (Effect(name, at_s, to_s, failing=0.2),))
    if kind == "one route":
        busy = [at for at, route in enumerate(app.routes) if route.per_s * app.rhythm(at_s) > 0.1]
        if not busy:
            return None
        routes = frozenset({rng.choice(busy)})
        route = app.routes[min(routes)].route
        return Fault(kind, name, at_s, to_s, (Effect(name, at_s, to_s, routes, failing=1.0),), route)
    if kind == "H12":
        return Fault(
            kind, name, at_s, to_s, (Effect(name, at_s, to_s, failing=0.3, fault=TIMED_OUT, slower=4.0),)
        )
    if kind == "one dyno":
        share = 0.9 / app.dynos
        return Fault(kind, name, at_s, to_s, (Effect(name, at_s, to_s, failing=share),))
    if kind == "p99":
        return Fault(kind, name, at_s, to_s, (Effect(name, at_s, to_s, stuck=0.03),))
    if kind == "silence":
        return Fault(kind, name, at_s, to_s, (Effect(name, at_s, to_s, rate=0.0),))
    if kind == "release":
        effects = (*deploy(name, at_s, rng), Effect(name, at_s + 20, to_s, failing=0.06, slower=1.5))
        return Fault(kind, name, at_s, to_s, effects)
    return Fault(kind, name, at_s, to_s)
