"""Requests of any time in a Redis log. Its entries are named by time, so they are written under old names."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import redis

from app.log.redis.stream import META, STREAM, pack
from app.message import RouterMessage, encode


def write_log(store: redis.Redis, messages: Sequence[RouterMessage]) -> None:
    """A frame for each second, in place of what the log had, as the drain writes them."""
    ordered = sorted(messages, key=lambda message: message["received_at"])
    pipeline = store.pipeline(transaction=False)
    pipeline.delete(STREAM)
    for second, some in itertools.groupby(ordered, lambda message: message["received_at"] // 1000):
        values = [encode(message) for message in some]
        fields = {"f": f"second-{second}", "n": len(values), "v": pack(values)}
        pipeline.xadd(STREAM, fields, id=f"{second * 1000 + 999}-0")  # type: ignore[arg-type]
    pipeline.hset(META, mapping={"added": len(ordered), "kept": len(ordered)})
    pipeline.execute()
