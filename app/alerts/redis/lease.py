"""The lease: one process at a time judges and sends. A process that lost it can write nothing any more: each
script that writes looks for its holder's name first, in the same step."""

from __future__ import annotations

from pathlib import Path

import redis

from app.store import replies
from app.store.keys import ALERT_LEASE
from app.store.settle import run_raw

LEASE_S = 15.0
"""Renewed about every two seconds. A process that does not renew it for this long counts as dead."""


def read_script(*names: str) -> str:
    """The text of scripts beside this file, with what is in front of all of them."""
    return "\n".join((Path(__file__).parent / name).read_text("utf-8") for name in ("lease.lua", *names))


_ACQUIRE = read_script("acquire.lua")
_RELEASE = read_script("release.lua")


def acquire(store: redis.Redis, holder: str, lease_s: float = LEASE_S) -> bool:
    """Takes or renews the lease; False: another process has it. A full Redis gives it, too. Raises
    redis.RedisError.

    `holder` must be another one each time a process starts: what an earlier one began and did not end is
    known by its name.
    """
    return bool(run_raw(store, _ACQUIRE, [ALERT_LEASE], [holder, max(1, round(lease_s * 1000))]))


def release(store: redis.Redis, holder: str) -> None:
    """Gives it back, if this holder has it. Raises redis.RedisError."""
    run_raw(store, _RELEASE, [ALERT_LEASE], [holder])


def holder(store: redis.Redis) -> str:
    """Who has it; empty: nobody. Raises redis.RedisError."""
    return replies.text(store.get(ALERT_LEASE))
