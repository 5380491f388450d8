"""Messages that a worker hung or died with: how often each did, for each consumer group."""

from __future__ import annotations

from collections.abc import Sequence

import redis

from app.store import keys, replies

POISON_AFTER = 2
"""Once may be the machine's fault."""

KEPT_S = 86_400
NAMES_MAX = 1_000
"""Each costs a worker some seconds, so there are never many; but nothing is to grow for ever."""

_COUNT = """
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[2]) then redis.call('DEL', KEYS[1]) end
redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
redis.call('EXPIRE', KEYS[1], ARGV[3])
"""


def count_held(store: redis.Redis, group: str, name: str) -> None:
    """Counts one more worker that this message held. Raises redis.RedisError."""
    store.eval(_COUNT, 1, keys.held(group), name, str(NAMES_MAX), str(KEPT_S))


def poison(store: redis.Redis, group: str) -> frozenset[str]:
    """Names of the messages that are not to be tried again. Raises redis.RedisError."""
    counts = replies.counts(store.hgetall(keys.held(group)))
    return frozenset(name for name, count in counts.items() if count >= POISON_AFTER)


def forget_held(store: redis.Redis, group: str, names: Sequence[str]) -> None:
    """For messages that are done with. Raises redis.RedisError."""
    store.hdel(keys.held(group), *names)
