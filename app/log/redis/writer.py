"""Appends frames to the log on Redis Streams: each once, within the size limit, as safe as required."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import redis

from app.errors import NotDurable, first_words
from app.formatting import plural
from app.log.interface import Appended, RecordEvents
from app.log.redis.bound import Bound
from app.log.redis.durability import DurabilityWait, Item
from app.log.redis.stream import FRAMES, META, PROBE, STREAM, pack
from app.script_connection import ScriptConnection
from app.store import keys, replies

APPEND_LUA = (Path(__file__).parent / "append.lua").read_text("utf-8")

CONNECTIONS = 3
"""Connections to Redis per process that append frames. One more checks whether Redis accepts writes and reads
its limit, so that no frame waits for that; small plans allow 20 in all, docs/scaling.md has the sum. What
waits for replicas or the disk has a further one (durability.py)."""

WAIT_S = 2.0
"""For a free connection: half of what Logplex's patience leaves, so that there is time for the answer."""

FRAMES_REMEMBERED = 20_000
"""Frame ids kept in each of two generations: a frame is recognised until at least this many newer ones have
come. Logplex gives up on a frame within about 15 s; 20,000 ids take about 2 MB of Redis."""

STOPPED_AFTER_MS = 600_000
"""After this long without a sign of life, a group no longer keeps its unread messages in the log."""


def open_durability_wait(client: redis.Redis, replicas: int, *, fsync: bool) -> DurabilityWait | None:
    """What waits as REDIS_LOG_REPLICAS and REDIS_LOG_FSYNC ask; None where neither is set."""
    if not replicas and not fsync:
        return None
    return DurabilityWait(client, replicas, fsync=fsync, keys=(META, *FRAMES, *keys.FRAME_EVENTS))


class RedisWriter:
    """Appends frames to the stream, each once."""

    def __init__(self, client: redis.Redis, max_bytes: int, durability: DurabilityWait | None = None) -> None:
        """`client`: whose server and login the writer's own connections have. `durability` makes each frame
        wait until it is safer than in Redis's memory."""
        self._client = client
        self._script = ScriptConnection(client, APPEND_LUA, CONNECTIONS, WAIT_S)
        self._commands = ScriptConnection(client, "", 1, WAIT_S)
        self.bound = Bound(self._commands, max_bytes)
        self._durability = durability

    def append(
        self,
        frame_id: str,
        values: Sequence[bytes],
        timeout_s: float,
        record_events: RecordEvents | None = None,
        platform: Sequence[bytes] = (),
    ) -> Appended:
        """See `Writer.append`. A frame that is in the log already is held like a new one."""
        deadline_s = time.monotonic() + timeout_s
        is_written = bool(values or platform)
        appended = self._write(frame_id, values, platform, deadline_s) if is_written else Appended(0)
        marker = record_events() if record_events else b""
        if self._durability:
            items: list[Item] = [("frame", frame_id.encode())] if is_written else []
            items += [("marker", marker)] if marker else []
            self._durability.wait(items, deadline_s - time.monotonic())
        return appended

    def _write(
        self, frame_id: str, values: Sequence[bytes], platform: Sequence[bytes], deadline_s: float
    ) -> Appended:
        packed = pack(values)
        packed_platform = pack(platform) if platform else b""
        size = len(packed) + len(packed_platform) + 128
        try:
            written = self._script.run(
                keys=[STREAM, META, *FRAMES],
                args=[
                    frame_id,
                    len(values) + len(platform),
                    size,
                    packed,
                    self.bound.bytes(),
                    FRAMES_REMEMBERED,
                    STOPPED_AFTER_MS,
                    *((len(platform), packed_platform) if platform else ()),
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
        if not written:
            return Appended(0, duplicate=True)
        return Appended(len(values), platform=len(platform))

    def check(self, timeout_s: float) -> None:
        deadline_s = time.monotonic() + timeout_s
        try:
            # A write, because a Redis that is full answers every PING.
            self._commands.command("SET", PROBE, 1, "EX", 60, timeout_s=timeout_s)
        except redis.ResponseError as fault:
            raise NotDurable(f"Redis accepts no writes: {first_words(fault)}") from fault
        except redis.RedisError as fault:
            raise NotDurable(f"Redis does not answer: {first_words(fault)}") from fault
        if self._durability:
            self._durability.wait([("key", PROBE.encode())], deadline_s - time.monotonic())

    def close(self) -> None:
        self.bound.close()
        self._script.close()
        self._commands.close()
        if self._durability:
            self._durability.close()
        self._client.close()
