"""Reads the figures of all time: the hashes that never expire, the talk's among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import redis

from app.store import keys
from app.store.queries.windows import Counts, Sums

Longest = tuple[float | None, float | None]
"""Exact maxima of service and connect in ms."""


def all_time_requests(store: redis.Redis, app: str, digests: Sequence[str]) -> Counts:
    """Digest -> requests."""
    pipeline = store.pipeline(transaction=False)
    for digest in digests:
        pipeline.hget(keys.extended_key(app, digest, "mix"), "count")
    answers = cast(list[bytes | None], pipeline.execute())
    return {digest: int(answer or 0) for digest, answer in zip(digests, answers, strict=True)}


def all_time(store: redis.Redis, app: str, digests: Sequence[str]) -> dict[str, tuple[Sums, Longest]]:
    """Digest -> its sums and maxima; one round trip. The row `all` has the statuses of all routes."""
    pipeline = store.pipeline(transaction=False)
    for digest in digests:
        pipeline.hgetall(keys.extended_key(app, digest, "mix"))
        pipeline.hgetall(keys.extended_key(app, digest, "service"))
        pipeline.hgetall(keys.extended_key(app, digest, "connect"))
        pipeline.hgetall(keys.legacy_key(app, digest, "statuses"))
    answers = iter(cast(list[dict[bytes, bytes]], pipeline.execute()))
    found = {}
    for digest in digests:
        mix, service, connect, statuses = (_text(next(answers)) for _ in range(4))
        sums = Sums(
            requests=int(mix.get("count", 0)),
            bytes=int(mix.get("bytes", 0)),
            statuses=_counts(statuses),
            methods={name[2:]: int(count) for name, count in mix.items() if name.startswith("m:")},
            codes={name[2:]: int(count) for name, count in mix.items() if name.startswith("c:")},
            service={int(index): int(count) for index, count in service.items()},
            connect={int(index): int(count) for index, count in connect.items()},
        )
        found[digest] = (sums, (_number(mix, "max_service"), _number(mix, "max_connect")))
    if keys.ALL_ROUTES in found:
        found[keys.ALL_ROUTES][0].statuses = _all_statuses(store, app)
    return found


def _all_statuses(store: redis.Redis, app: str) -> Counts:
    """The talk's hashes know no row of all routes: it is the sum over them."""
    digests = cast(list[bytes], store.hvals(keys.routes(app)))
    pipeline = store.pipeline(transaction=False)
    for digest in digests:
        pipeline.hgetall(keys.legacy_key(app, digest.decode("ascii", "replace"), "statuses"))
    total: Counts = {}
    for answer in cast(list[dict[bytes, bytes]], pipeline.execute()):
        for status, count in _counts(_text(answer)).items():
            total[status] = total.get(status, 0) + count
    return total


def _text(answer: dict[bytes, bytes]) -> dict[str, str]:
    return {name.decode("utf-8", "replace"): value.decode() for name, value in answer.items()}


def _counts(found: dict[str, str]) -> Counts:
    return {name: int(count) for name, count in found.items()}


def _number(found: dict[str, str], name: str) -> float | None:
    return float(found[name]) if name in found else None
