"""The apps of the alerts' simulation, and what is usual: deploys, crawlers, slow minutes, blips, holidays."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from servers.alert_shapes import BOOTING, AppShape, Effect, RouteShape

DAY_S, HOUR_S = 86_400, 3_600
HOLIDAY = 16
"""A Wednesday on which nobody works, and fewer people buy."""


def by_day(low: float, weekend: float, peak_hour: float = 14.0) -> Callable[[int], float]:
    """As people do: `low` at night, more or fewer at weekends."""

    def share(second: int) -> float:
        hour = second % DAY_S / HOUR_S
        wave = (1 + math.cos((hour - peak_hour) / 24 * 2 * math.pi)) / 2
        day = second // DAY_S
        return (low + (1 - low) * math.sqrt(wave**3)) * (weekend if day % 7 >= 5 or day == HOLIDAY else 1.0)

    return share


def office(second: int) -> float:
    """Monday to Friday from 8 to 18, with a break at noon; hardly anything else."""
    day, hour = second // DAY_S, second % DAY_S / HOUR_S
    if day % 7 >= 5 or day == HOLIDAY or not 8 <= hour < 18:
        return 0.002
    return min(1.0, (hour - 7.5) / 1.5, (18.2 - hour) / 1.5) * (0.4 if 12 <= hour < 13 else 1.0)


def nightly(second: int) -> float:
    """An hour from 2 o'clock on; it begins some minutes sooner or later."""
    day, hour = second // DAY_S, second % DAY_S / HOUR_S
    begins = 2 + (day * 37 % 11) / 60
    return 1.0 if begins <= hour < begins + 1 else 0.0


def even(second: int) -> float:
    """Machines, day and night."""
    return 1.0


SHOP = AppShape(
    "shop",
    (
        RouteShape("/", 6.0, 45),
        RouteShape("/products/:id", 7.0, 70),
        RouteShape("/search", 2.5, 140, 0.8),
        RouteShape("/cart", 1.5, 60),
        RouteShape("/checkout", 0.6, 220),
        RouteShape("/login", 0.5, 180),
        RouteShape("/account", 0.4, 90),
        RouteShape("/account/orders/:id", 0.15, 110),
        RouteShape("/categories/:id", 1.2, 80),
        RouteShape("/newsletter", 0.02, 60),
        RouteShape("/returns", 0.01, 150),
        RouteShape("/vouchers/:token", 0.002, 90),
        RouteShape("/legal/terms", 0.0005, 30),
        RouteShape("/feeds/prices.xml", 0.000035, 900),
        RouteShape("(other)", 0.05, 20),
    ),
    by_day(0.12, 1.2),
    failing=0.001,
    dynos=6,
    deploys_a_week=10,
    crawlers_a_day=3,
)
API = AppShape(
    "api",
    (
        RouteShape("/v1/events", 30.0, 12, 0.5),
        RouteShape("/v1/items/:id", 6.0, 35),
        RouteShape("/v1/search", 2.0, 160, 0.9),
        RouteShape("/v1/exports", 0.02, 4_000, 0.7),
        RouteShape("/v1/webhooks", 0.3, 50),
        RouteShape("/v1/status", 0.1, 5, 0.4),
        RouteShape("/v1/keys", 0.001, 60),
        RouteShape("(other)", 0.01, 10),
    ),
    by_day(0.5, 0.8),
    failing=0.003,
    dynos=4,
    deploys_a_week=5,
    memory=(0.55, 0.9),
)
BLOG = AppShape(
    "blog",
    (
        RouteShape("/", 0.25, 60),
        RouteShape("/:slug", 0.4, 90),
        RouteShape("/feed.xml", 0.06, 40),
        RouteShape("/comments", 0.004, 120),
        RouteShape("(other)", 0.02, 15),
    ),
    by_day(0.25, 0.9, 19),
    failing=0.0015,
    dynos=1,
    deploys_a_week=1,
    crawlers_a_day=5,
)
ADMIN = AppShape(
    "admin",
    (
        RouteShape("/orders", 0.03, 150),
        RouteShape("/orders/:id", 0.04, 120),
        RouteShape("/users/:id", 0.01, 110),
        RouteShape("/reports", 0.002, 3_500, 0.8),
        RouteShape("/login", 0.002, 200),
    ),
    office,
    failing=0.003,
    dynos=1,
    deploys_a_week=2,
    swing=0.4,
)
BATCH = AppShape(
    "batch",
    (RouteShape("/import/rows", 5.0, 80), RouteShape("/import/commit", 0.05, 2_000)),
    nightly,
    failing=0.001,
    dynos=1,
    deploys_a_week=0.5,
)
HOOKS = AppShape(
    "hooks",
    (RouteShape("/hooks/:name", 0.03, 90), RouteShape("/health", 0.0167, 4)),
    even,
    failing=0.002,
    dynos=1,
    deploys_a_week=1,
    swing=0.5,
)
APPS = (SHOP, API, BLOG, ADMIN, BATCH, HOOKS)


def noise(app: AppShape, days: int, rng: random.Random) -> list[Effect]:
    """What is usual: nobody should be told."""
    found: list[Effect] = []
    end_s = days * DAY_S
    for at_s in _times(app.deploys_a_week / 7, end_s, rng):
        hour = at_s % DAY_S / HOUR_S
        if at_s // DAY_S % 7 < 5 and 8 <= hour < 19:
            found += deploy(app.name, at_s, rng)
    for _ in range(app.dynos):  # Each dyno restarts once a day; the others go on.
        offset_s = rng.randrange(DAY_S)
        found += [
            Effect(app.name, at_s, at_s + 20, slower=1 + 1.5 / app.dynos)
            for at_s in range(offset_s, end_s, DAY_S + rng.randrange(7_200))
        ]
    for at_s in _times(app.crawlers_a_day, end_s, rng):
        found.append(Effect(app.name, at_s, at_s + rng.randrange(60, 900), added_per_s=rng.uniform(1, 20)))
    for at_s in _times(6, end_s, rng):
        found.append(Effect(app.name, at_s, at_s + rng.randrange(30, 150), slower=rng.uniform(1.5, 3.0)))
    for at_s in _times(2, end_s, rng):
        found.append(blip(app.name, at_s, rng))
    for at_s in _times(1, end_s, rng):  # A query of somebody that takes long.
        found.append(Effect(app.name, at_s, at_s + rng.randrange(20, 120), stuck=0.002))
    return found


def deploy(app: str, at_s: int, rng: random.Random, boots: bool = True) -> list[Effect]:
    """A restart: some requests find no dyno, the first ones of each dyno take long."""
    lasts_s = rng.randrange(4, 16)
    found = [Effect(app, at_s + lasts_s, at_s + lasts_s + 30, slower=rng.uniform(1.5, 4.0))]
    if boots and rng.random() < 0.5:
        found.append(
            Effect(app, at_s, at_s + lasts_s, failing=rng.uniform(0.02, 0.2), fault=BOOTING, slower=2.0)
        )
    return found


def blip(app: str, at_s: int, rng: random.Random) -> Effect:
    """A few failures within some seconds: a database that changes over, a connection that is cut."""
    return Effect(app, at_s, at_s + rng.randrange(5, 20), failing=rng.choice([0.01, 0.03, 0.08]))


def _times(a_day: float, end_s: int, rng: random.Random) -> list[int]:
    found, at_s = [], 0.0
    while a_day:
        at_s += rng.expovariate(a_day / DAY_S)
        if at_s >= end_s:
            break
        found.append(int(at_s))
    return found
