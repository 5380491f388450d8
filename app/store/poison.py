"""Poison messages: how often a worker of each consumer group hung or died on a message."""

from __future__ import annotations

from collections.abc import Sequence

import redis

from app.store import keys, replies

POISON_AFTER = 2
"""Once may be the machine's fault."""

KEPT_S = 86_400
NAMES_MAX = 1_000
"""Each costs a worker some seconds, so there are never many; but nothing may grow without bound."""

_COUNT = """
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[2]) then redis.call('DEL', KEYS[1]) end
redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
redis.call('EXPIRE', KEYS[1], ARGV[3])
"""


def count_failure(store: redis.Redis, group: str, name: str) -> None:
    """Counts one more worker that failed on this message. Raises redis.RedisError."""
    store.eval(_COUNT, 1, keys.poison_counts(group), name, str(NAMES_MAX), str(KEPT_S))


def poison_keys(store: redis.Redis, group: str) -> frozenset[str]:
    """Keys of the messages that must not be tried again. Raises redis.RedisError."""
    counts = replies.counts(store.hgetall(keys.poison_counts(group)))
    return frozenset(name for name, count in counts.items() if count >= POISON_AFTER)


def forget_failures(store: redis.Redis, group: str, names: Sequence[str]) -> None:
    """Removes the counts of messages that are dealt with. Raises redis.RedisError."""
    store.hdel(keys.poison_counts(group), *names)
