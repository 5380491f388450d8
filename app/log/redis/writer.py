"""Appends frames to the log on Redis Streams: each once, within the bound, as safe as was asked for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import redis

from app.errors import NotDurable, first_words
from app.formatting import plural
from app.log.interface import Appended, Beside
from app.log.redis.bound import Bound
from app.log.redis.hold import Hold, Item
from app.log.redis.stream import FRAMES, META, PROBE, STREAM, pack
from app.script_connection import ScriptConnection
from app.store import keys, replies

APPEND_LUA = (Path(__file__).parent / "append.lua").read_text("utf-8")

CONNECTIONS = 3
"""To Redis, a process, that append frames. One more asks whether Redis takes writes and what it may
hold, so that no frame waits for that; small plans allow 20 in all, docs/scaling.md has the sum. What
waits for replicas or the disk has a further one (hold.py)."""

WAIT_S = 2.0
"""For a free connection: half of what Logplex's patience leaves, so that there is time for the answer."""

FRAMES_REMEMBERED = 20_000
"""Frame ids kept per generation, of two: a frame is known again while at least this many newer
ones have come. Logplex gives up a frame within about 15 s; 20,000 ids are about 2 MB of Redis."""

STOPPED_AFTER_MS = 600_000
"""A group that gives no sign of life for so long no longer keeps its unread messages in the log."""


def open_hold(client: redis.Redis, replicas: int, *, fsync: bool) -> Hold | None:
    """What waits as REDIS_LOG_REPLICAS and REDIS_LOG_FSYNC ask; None where neither is set."""
    if not replicas and not fsync:
        return None
    return Hold(client, replicas, fsync=fsync, keys=(META, *FRAMES, *keys.FRAME_EVENTS))


class RedisWriter:
    """Appends frames to the stream, each once."""

    def __init__(self, client: redis.Redis, max_bytes: int, hold: Hold | None = None) -> None:
        """`client`: whose server and login the writer's own connections have. `hold` makes each frame
        wait until it is safer than in Redis's memory."""
        self._client = client
        self._line = ScriptConnection(client, APPEND_LUA, CONNECTIONS, WAIT_S)
        self._questions = ScriptConnection(client, "", 1, WAIT_S)
        self.bound = Bound(self._questions, max_bytes)
        self._hold = hold

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
            written = self._line.run(
                keys=[STREAM, META, *FRAMES],
                args=[
                    frame_id,
                    len(values),
                    size,
                    packed,
                    self.bound.bytes(),
                    FRAMES_REMEMBERED,
                    STOPPED_AFTER_MS,
                ],
                timeout_s=deadline_s - time.monotonic(),
            )
        except redis.RedisError as fault:
            raise NotDurable(f"Redis did not accept the frame: {first_words(fault)}") from fault
        if isinstance(written, list):
            group, waiting = replies.text(written[0]), replies.number(written[1])
            raise NotDurable(
                f"the log is full and group {group} has {plural(waiting, 'message')} to read: "
                "start more workers or raise REDIS_LOG_MAX_MB"
            )
        return Appended(int(written), duplicate=not written)

    def check(self, timeout_s: float) -> None:
        deadline_s = time.monotonic() + timeout_s
        try:
            # A write, because a Redis that is full answers every PING.
            self._questions.command("SET", PROBE, 1, "EX", 60, timeout_s=timeout_s)
        except redis.ResponseError as fault:
            raise NotDurable(f"Redis accepts no writes: {first_words(fault)}") from fault
        except redis.RedisError as fault:
            raise NotDurable(f"Redis does not answer: {first_words(fault)}") from fault
        if self._hold:
            self._hold.wait([("key", PROBE.encode())], deadline_s - time.monotonic())

    def close(self) -> None:
        self.bound.close()
        self._line.close()
        self._questions.close()
        if self._hold:
            self._hold.close()
        self._client.close()
