"""The lease: one process at a time judges and sends. A process that lost it can write nothing any more."""

from __future__ import annotations

import redis

LEASE_S = 10


def acquire(store: redis.Redis, holder: str) -> bool:
    """Takes or renews the lease for LEASE_S; False: another process has it. Raises redis.RedisError."""
    raise NotImplementedError


def release(store: redis.Redis, holder: str) -> None:
    """Gives it back, if this holder has it."""
    raise NotImplementedError


def holder(store: redis.Redis) -> str:
    """Who has it; empty: nobody."""
    raise NotImplementedError
