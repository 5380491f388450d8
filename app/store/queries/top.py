"""The busiest routes of all time, and an app as a whole: bounded, for machines that ask often."""

from __future__ import annotations

from dataclasses import dataclass

import redis

from app.store.keys import ALL_ROUTES
from app.store.queries.all_time import all_time, all_time_requests
from app.store.queries.routes import known_routes
from app.store.sums import Sums


@dataclass(frozen=True, slots=True)
class TopRoutes:
    """All-time sums of an app's busiest routes, by name, and of all its requests."""

    app: str
    routes: dict[str, Sums]
    total: Sums


def top_routes(store: redis.Redis, app: str, limit: int) -> TopRoutes:
    """At most `limit` routes of the app ("" for all apps together)."""
    digests, _ = known_routes(store, app)
    counts = all_time_requests(store, app, list(digests.values()))
    names = sorted(digests, key=lambda name: (-counts[digests[name]], name))[:limit]
    found = all_time(store, app, [ALL_ROUTES, *(digests[name] for name in names)])
    return TopRoutes(app, {name: found[digests[name]][0] for name in names}, found[ALL_ROUTES][0])
