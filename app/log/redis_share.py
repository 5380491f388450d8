"""What a stream of the log takes of Redis: of the log that is there, or one that was before Kafka was chosen.

It is beside both logs, because neither imports the other.
"""

from __future__ import annotations

from app.log.interface import TOPIC
from app.log_status import RedisShare
from app.store import keys

STREAM = keys.log(TOPIC)
META = keys.log_meta(STREAM)
FRAMES = keys.log_frames(STREAM)
"""Ids of the frames that came last, in two generations: a retried one is known by them."""


def in_redis(counts: dict[str, int], limit_bytes: int | None) -> RedisShare:
    """By the stream's own counts, which are in META; it keeps account of its bytes."""
    return RedisShare(counts.get("bytes", 0), limit_bytes, keys=(STREAM,), bookkeeping=FRAMES)
