"""Appends frames to the log on Redis Streams: each once, within the bound, as safe as was asked for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import redis

from app.errors import NotDurable, first_words
from app.formatting import plural
from app.log.interface import Appended, Beside
from app.log.redis.hold import Hold, Item
from app.log.redis.reader import META, SHARE_OF_MAXMEMORY, STREAM, pack
from app.redis_memory import share_of
from app.script_connection import ScriptConnection
from app.store.frame_events import GUARD_SETS

APPEND_LUA = (Path(__file__).parent / "append.lua").read_text("utf-8")

FRAMES = (f"{STREAM}:frames:new", f"{STREAM}:frames:old")
PROBE = f"{STREAM}:probe"
BOUND_EVERY_S = 60.0
FRAMES_REMEMBERED = 20_000
"""Frame ids kept per generation, of two: a frame is known again while at least this many newer
ones have come. Logplex gives up a frame within about 15 s; 20,000 ids are about 2 MB of Redis."""

STOPPED_AFTER_MS = 600_000
"""A group that gives no sign of life for so long no longer keeps its unread messages in the log."""


def open_hold(client: redis.Redis, replicas: int, *, fsync: bool) -> Hold | None:
    """What waits as REDIS_LOG_REPLICAS and REDIS_LOG_FSYNC ask; None where neither is set."""
    if not replicas and not fsync:
        return None
    return Hold(client, replicas, fsync=fsync, keys=(META, *FRAMES, *GUARD_SETS))


class RedisWriter:
    """Appends frames to the stream, each once."""

    def __init__(
        self, client: redis.Redis, max_bytes: int, line: ScriptConnection, hold: Hold | None = None
    ) -> None:
        """`line` runs append.lua; `client` is for the few other questions. `hold` makes each frame wait
        until it is safer than in Redis's memory."""
        self._client = client
        self._max_bytes = max_bytes
        self._line = line
        self._hold = hold
        self._bound = max_bytes
        self._bound_until_s = float("-inf")

    def append(
        self, frame_id: str, values: Sequence[bytes], timeout_s: float, beside: Beside | None = None
    ) -> Appended:
        """See `Writer.append`. A frame that is in the log already is held like a new one."""
        deadline_s = time.monotonic() + timeout_s
        appended = self._write(frame_id, values, deadline_s) if values else Appended(0)
        guard = beside() if beside else b""
        if self._hold:
            items: list[Item] = [("frame", frame_id.encode())] if values else []
            items += [("guard", guard)] if guard else []
            self._hold.wait(items, deadline_s - time.monotonic())
        return appended

    def _write(self, frame_id: str, values: Sequence[bytes], deadline_s: float) -> Appended:
        packed = pack(values)
        size = len(packed) + 128
        try:
            limit = self._limit()
            written = self._line.run(
                keys=[STREAM, META, *FRAMES],
                args=[frame_id, len(values), size, packed, limit, FRAMES_REMEMBERED, STOPPED_AFTER_MS],
                timeout_s=deadline_s - time.monotonic(),
            )
        except redis.RedisError as fault:
            raise NotDurable(f"Redis did not accept the frame: {first_words(fault)}") from fault
        if isinstance(written, list):
            group, waiting = written[0].decode(), int(written[1])
            raise NotDurable(
                f"the log is full and group {group} has {plural(waiting, 'message')} to read: "
                "start more workers or raise REDIS_LOG_MAX_MB"
            )
        return Appended(int(written), duplicate=not written)

    def _limit(self) -> int:
        """The bound in bytes. Redis's own limit rarely changes, so it is asked for now and then."""
        if time.monotonic() >= self._bound_until_s:
            info = self._client.info("memory")
            most = int(info.get("maxmemory") or 0)
            self._bound = share_of(most, SHARE_OF_MAXMEMORY, self._max_bytes)
            self._bound_until_s = time.monotonic() + BOUND_EVERY_S
        return self._bound

    def check(self, timeout_s: float) -> None:
        try:
            # A write, for a Redis that is full answers every PING.
            self._client.set(PROBE, 1, ex=60)
        except redis.ResponseError as fault:
            raise NotDurable(f"Redis accepts no writes: {first_words(fault)}") from fault
        except redis.RedisError as fault:
            raise NotDurable(f"Redis does not answer: {first_words(fault)}") from fault
        if self._hold:
            self._hold.wait([("key", PROBE.encode())], timeout_s)

    def close(self) -> None:
        self._line.close()
        if self._hold:
            self._hold.close()
        self._client.close()
