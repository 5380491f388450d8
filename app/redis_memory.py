"""How much of Redis's memory a part may take, and whether Redis is full."""

from __future__ import annotations

import redis


def share_of(maxmemory_bytes: int, share: float, most_bytes: int) -> int:
    """A bound in bytes: `most_bytes`, and no more than a share of Redis's maxmemory (0: it has none)."""
    return min(most_bytes, int(maxmemory_bytes * share)) if maxmemory_bytes else most_bytes


def is_out_of_memory(fault: BaseException | None) -> bool:
    """True if Redis refused a command because it is full.

    Redis 6.2 wraps the error of a command inside a script, so redis-py does not recognise it there.
    """
    return isinstance(fault, redis.exceptions.OutOfMemoryError) or "OOM command not allowed" in str(fault)
