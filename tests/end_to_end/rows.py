"""Which routes of some frames have rows of their own, whatever the order in which workers count them."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable

import redis

from app.store import keys
from app.store.bounds import NOT_FOUND_STATUSES
from app.store.schema import PROMOTED, TOTALS_HASH
from tests.end_to_end.frames import Frame
from tests.support.reference import Reference, pairs_of


def give_rows(store: redis.Redis, made: Iterable[Frame]) -> Callable[[str, str], bool]:
    """Gives a row to each route that is ever answered as one that exists; whether an app's route is another.

    Without that, what a route answered before its first such answer would count in `(not found)`, and which
    line comes first depends on the workers.
    """
    found: dict[str, set[str]] = defaultdict(set)
    reference = Reference(0)
    for frame in made:
        for message in frame.messages:
            pairs = pairs_of(message["msg"])
            if pairs.get("status") not in NOT_FOUND_STATUSES:
                for app in {"", message["app"]}:
                    found[app].add(reference.route_of(pairs))
    for app, routes in found.items():
        for route in routes:
            store.hset(keys.routes(app), route, keys.digest(route))
            # Otherwise it is taken for one of those that do not exist as long as nothing else was counted.
            store.hset(keys.total(app, keys.digest(route), TOTALS_HASH), PROMOTED, int(time.time()))
    return lambda app, route: route not in found[app]
