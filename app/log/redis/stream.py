"""The stream in Redis: its keys, what an entry holds, and the log's own counts.

An entry holds one frame: `f` its id, `n` the number of messages, `v` a JSON array of its router lines, packed
by LZ4 (log lines shrink to about a quarter). Where the platform itself says something in the frame, there are
`p`, an array of that, packed too, and `pn`, how many of `n` these are. So one write, one memory of frames and
one claim serve both. `v` is always there, if empty, and `n` counts both, so that a worker of a version that
knows no `p` passes over it without a fault, and acknowledges as many messages as were counted. append.lua
writes an entry, and names the counts in `META`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import lz4.frame
import orjson
import redis

from app.errors import BadMessage
from app.log.redis_share import FRAMES, META, STREAM
from app.message import BadValue, RouterMessage, checked
from app.store import keys, replies

__all__ = ["FRAMES", "META", "STREAM"]

PROBE = keys.log_probe(STREAM)
"""Written to check whether Redis accepts writes."""

SHARE_OF_MAXMEMORY = 0.4
"""The log never takes more of what Redis may hold."""

Entry = tuple[str, dict[bytes, bytes] | None]
"""(id, fields); None in place of the fields of an entry that was trimmed meanwhile."""


def pack(values: Sequence[bytes]) -> bytes:
    """The messages of one frame as they are kept in an entry."""
    return cast(bytes, lz4.frame.compress(b"[" + b",".join(values) + b"]"))


def unpack(packed: bytes) -> tuple[list[RouterMessage], list[BadValue]]:
    """The messages of one entry, and the values in it that are not messages."""
    try:
        found = orjson.loads(lz4.frame.decompress(packed))
    except (RuntimeError, orjson.JSONDecodeError) as fault:
        return [], [BadValue(packed, f"not a packed frame: {fault}")]
    if not isinstance(found, list):
        return [], [BadValue(packed, "not a packed frame: no list in it")]
    messages: list[RouterMessage] = []
    bad: list[BadValue] = []
    for value in found:
        try:
            messages.append(checked(value))
        except BadMessage as fault:
            bad.append(BadValue(orjson.dumps(value), str(fault)))
    return messages, bad


def unpacked_size_bytes(packed: bytes) -> int:
    """The unpacked size of an entry, as `pack` noted it; 0 if `pack` did not make it."""
    try:
        return int(lz4.frame.get_frame_info(packed)["content_size"])
    except RuntimeError:
        return 0


def packed_size_bytes(fields: dict[bytes, bytes] | None) -> int:
    """How much an entry takes as it is in Redis."""
    return len(fields.get(b"v", b"")) + len(fields.get(b"p", b"")) if fields else 0


def message_count(fields: dict[bytes, bytes]) -> int:
    """Messages in an entry, as the log counts them: those of the platform too."""
    number = fields.get(b"n", b"1")
    return int(number) if number.isdigit() else 1


def entries_of(answer: Any) -> list[Entry]:
    """The entries of the stream in what XREADGROUP answers: a list, or a dict with RESP3."""
    if not answer:
        return []
    if isinstance(answer, dict):
        found = answer.get(STREAM.encode()) or answer.get(STREAM) or []
        return range_of(found[0] if found and isinstance(found[0], list) else found)
    return range_of(answer[0][1])


def range_of(answer: Any) -> list[Entry]:
    """The entries that XRANGE answers."""
    return list(replies.entries(answer))


def entry_ms(entry_id: str) -> int:
    """When an entry was written, Unix ms by Redis's clock: its id begins with it."""
    return int(entry_id.partition("-")[0])


def log_counts(client: redis.Redis) -> dict[str, int]:
    """The log's own counts, as append.lua names them. Raises redis.RedisError."""
    return replies.counts(client.hgetall(META))


def group_lag(counts: dict[str, int], group: str) -> int:
    """Messages that a group has still to read, from the log's own counts."""
    behind = counts.get("added", 0) - counts.get(f"read:{group}", 0) - counts.get(f"lost:{group}", 0)
    return max(0, behind)
