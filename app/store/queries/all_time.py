"""Reads what was counted of all time: the hashes without an end, the talk's among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import redis

from app.store import keys, replies
from app.store.schema import COUNTS, LAST_SEEN, NAMES, SKETCHES, TALK_NAMES, TOTALS_HASH, Counts, hashes_of
from app.store.sums import Sums, sums_of_totals

Maxima = dict[str, float]
"""Sketch -> exact maximum in ms; empty where nothing was measured."""

_MAXIMA = {sketch.maximum: sketch.name for sketch in SKETCHES}
_HASHES = hashes_of((*COUNTS, *NAMES, *SKETCHES))
SUM_TRIES = 5
"""How often the sum over all routes is read again because rows were merged meanwhile."""


def all_time_requests(store: redis.Redis, app: str, digests: Sequence[str]) -> Counts:
    """Digest -> requests."""
    pipeline = store.pipeline(transaction=False)
    for digest in digests:
        pipeline.hget(keys.total(app, digest, TOTALS_HASH), COUNTS[0].total)
    return dict(zip(digests, map(replies.number, pipeline.execute()), strict=True))


@dataclass(frozen=True, slots=True)
class Seen:
    """A row's requests of all time, and when the newest 10 seconds with one began (Unix s)."""

    requests: int
    last_s: int | None
    """None: a version counted it that kept no such time."""

    def is_since(self, at_s: int) -> bool:
        """Whether it may have had requests since then."""
        return self.last_s is None or self.last_s >= at_s


def all_time_seen(store: redis.Redis, rows: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Seen]:
    """(App, digest) -> what is known of it. One round trip."""
    pipeline = store.pipeline(transaction=False)
    for app, digest in rows:
        pipeline.hmget(keys.total(app, digest, TOTALS_HASH), [COUNTS[0].total, LAST_SEEN])
    return {
        row: Seen(replies.number(count), None if last_s is None else replies.number(last_s))
        for row, (count, last_s) in zip(rows, pipeline.execute(), strict=True)
    }


def all_time(store: redis.Redis, app: str, digests: Sequence[str]) -> dict[str, tuple[Sums, Maxima]]:
    """Digest -> its sums and maxima; one round trip. The row `all` has the talk's names of all routes."""
    pipeline = store.pipeline(transaction=False)
    for digest in digests:
        for name in _HASHES:
            pipeline.hgetall(keys.total(app, digest, name))
    answers = iter(pipeline.execute())
    found = {}
    for digest in digests:
        totals = {name: replies.texts(next(answers)) for name in _HASHES}
        maxima = {
            _MAXIMA[field]: float(totals[TOTALS_HASH].pop(field))
            for field in _MAXIMA
            if field in totals[TOTALS_HASH]
        }
        hashes = {name: {field: int(count) for field, count in some.items()} for name, some in totals.items()}
        found[digest] = (sums_of_totals(hashes), maxima)
    if keys.ALL_ROUTES in found:
        found[keys.ALL_ROUTES][0].names.update(_talk_names_of_all(store, app))
    return found


def _talk_names_of_all(store: redis.Redis, app: str) -> dict[str, Counts]:
    """The talk's hashes know no row of all routes: it is the sum over them. Where rows are merged between the
    reads, they are read again: a sum that lacks a row would fall, and counters never fall."""
    for _ in range(SUM_TRIES):
        version = store.hget(keys.ROUTE_VERSIONS, app)
        total = _sum_of_routes(store, app)
        if store.hget(keys.ROUTE_VERSIONS, app) == version:
            break
    return total


def _sum_of_routes(store: redis.Redis, app: str) -> dict[str, Counts]:
    digests = replies.text_list(store.hvals(keys.routes(app)))
    pipeline = store.pipeline(transaction=False)
    for digest in digests:
        for names in TALK_NAMES:
            pipeline.hgetall(keys.total(app, digest, names.hash))
    answers = iter(pipeline.execute())
    total: dict[str, Counts] = {names.name: {} for names in TALK_NAMES}
    for _ in digests:
        for names in TALK_NAMES:
            counts = total[names.name]
            for name, count in replies.counts(next(answers)).items():
                counts[name] = counts.get(name, 0) + count
    return total
