"""Which of some names Redis has as fields of its hashes, asked in commands of bounded size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import redis

from app.store import replies

NAMES_AT_ONCE = 1_000
CACHED_NAMES = 100_000
"""Names that a worker caches; beyond that, its cache starts over."""


def names_there(store: redis.Redis, wanted: Mapping[str, Sequence[str]]) -> dict[str, tuple[int, set[str]]]:
    """Key of a hash -> how many fields it has, and which of the wanted are among them; one round trip.
    Raises redis.RedisError."""
    pipeline = store.pipeline(transaction=False)
    for key, names in wanted.items():
        pipeline.hlen(key)
        for at in range(0, len(names), NAMES_AT_ONCE):
            pipeline.hmget(key, [field_of(name) for name in names[at : at + NAMES_AT_ONCE]])
    answers = iter(pipeline.execute())
    found = {}
    for key, names in wanted.items():
        size = replies.number(next(answers))
        there: set[str] = set()
        for at in range(0, len(names), NAMES_AT_ONCE):
            there.update(replies.present(names[at : at + NAMES_AT_ONCE], next(answers)))
        found[key] = (size, there)
    return found


def field_of(name: str) -> bytes:
    """The name as a field; bytes that are not UTF-8 come as surrogates (PEP 383)."""
    return name.encode("utf-8", "surrogateescape")
