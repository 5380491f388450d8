"""An app as a whole, and its busiest routes, dynos and hosts of all time: bounded, for machines that ask
often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import redis

from app.store import keys, replies
from app.store.bounds import NAMES_KEPT_S, NAMES_MAX
from app.store.keys import ALL_ROUTES
from app.store.name_totals import NameTotals
from app.store.queries.all_time import all_time, all_time_requests
from app.store.queries.names import AppName, Kind, name_totals
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


def top_names(
    store: redis.Redis, apps: Sequence[str], kind: Kind, limit: int, now_s: float
) -> dict[AppName, NameTotals]:
    """The totals of each app's dynos or hosts that were seen within NAMES_KEPT_S: at most `limit` of them,
    those with the most requests. Two round trips."""
    pipeline = store.pipeline(transaction=False)
    for app in apps:
        pipeline.zrangebyscore(keys.names(app, kind), now_s - NAMES_KEPT_S, "+inf", 0, NAMES_MAX + 1)
    answers = map(replies.text_list, pipeline.execute())
    names = [(app, name) for app, found in zip(apps, answers, strict=True) for name in found]
    totals = name_totals(store, kind, names)
    top: dict[AppName, NameTotals] = {}
    left = dict.fromkeys(apps, limit)
    for row in sorted(names, key=lambda row: (-totals[row].requests, row)):
        if left[row[0]] > 0:
            left[row[0]] -= 1
            top[row] = totals[row]
    return top
