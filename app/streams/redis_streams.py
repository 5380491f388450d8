"""The message log on Redis Streams: one server for log and metrics, nothing else to run.

An entry of the stream holds one frame: `f` its id, `n` the number of messages, `v` a JSON array of
them, packed by LZ4 (log lines shrink to about a quarter). One script call writes a frame whole and
only once, so readers never meet a duplicate. Consumers live by a lease: whoever lets it run out
has its entries taken over, and can no longer settle them (see app/store/settle.lua).
"""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import lz4.frame
import orjson
import redis

from app.errors import BadMessage, LogUnavailable, NotDurable
from app.message import RouterMessage, checked
from app.streams.interface import TOPIC, Appended, BadValue, Batch, Claim, Lag

log = logging.getLogger(__name__)

STREAM = f"tailrace:log:{TOPIC}"
META = f"{STREAM}:meta"
FRAMES_REMEMBERED = 20_000
"""Frame ids kept per generation, of two: a frame is known again while at least this many newer
ones have come. Logplex gives up a frame within about 15 s; 20,000 ids are about 2 MB of Redis."""

SHARE_OF_MAXMEMORY = 0.4
LEASE_MS = 15_000
TAKE_OVER_EVERY_S = 5.0

_HERE = Path(__file__).parent
_APPEND = (_HERE / "append.lua").read_text("utf-8")
_TAKE_OVER = (_HERE / "take_over.lua").read_text("utf-8")

Entry = tuple[bytes, dict[bytes, bytes] | None]


def pack(values: Sequence[bytes]) -> bytes:
    """The messages of one frame as they are kept in an entry."""
    return cast(bytes, lz4.frame.compress(b"[" + b",".join(values) + b"]"))


def unpack(packed: bytes) -> list[RouterMessage]:
    """The messages of one entry. Raises BadMessage where it is none of ours."""
    try:
        found = orjson.loads(lz4.frame.decompress(packed))
    except (RuntimeError, orjson.JSONDecodeError) as fault:
        raise BadMessage(f"not a packed frame: {fault}") from None
    if not isinstance(found, list):
        raise BadMessage("not a packed frame: no list in it")
    return [checked(message) for message in found]


class RedisWriter:
    """Appends frames to the stream, each once."""

    def __init__(self, client: redis.Redis, max_bytes: int) -> None:
        self._client = client
        self._max_bytes = max_bytes
        self._append = client.register_script(_APPEND)
        self._bound: int | None = None

    def append(self, frame_id: str, values: Sequence[bytes], timeout_s: float) -> Appended:
        """See `Writer.append`. The time limit is the client's own; `timeout_s` does not exceed it."""
        packed = pack(values)
        try:
            written = self._append(
                keys=[STREAM, META, f"{STREAM}:frames:new", f"{STREAM}:frames:old"],
                args=[frame_id, len(values), len(packed) + 128, packed, self._limit(), FRAMES_REMEMBERED],
            )
        except redis.RedisError as fault:
            raise NotDurable(f"Redis has not taken the frame: {_said(fault)}") from fault
        return Appended(int(written), duplicate=not written)

    def _limit(self) -> int:
        """The bound in bytes; asked for once, for Redis's own limit rarely changes."""
        if self._bound is None:
            info = self._client.info("memory")
            most = int(info.get("maxmemory") or 0)
            self._bound = min(self._max_bytes, int(most * SHARE_OF_MAXMEMORY)) if most else self._max_bytes
        return self._bound

    def check(self, timeout_s: float) -> None:
        try:
            self._client.ping()
        except redis.RedisError as fault:
            raise NotDurable(f"Redis does not answer: {_said(fault)}") from fault

    def close(self) -> None:
        self._client.close()


def _said(fault: Exception) -> str:
    """The kind of a fault and its first words; never an address with a password."""
    return f"{type(fault).__name__}: {str(fault).partition(chr(10))[0][:120]}"


class RedisReader:
    """One member of a consumer group of the stream."""

    def __init__(self, client: redis.Redis, group: str, start: str) -> None:
        self._client = client
        self._group = group
        self._start = "$" if start == "latest" else "0"
        self._consumer = f"{os.uname().nodename}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._lease_prefix = f"{STREAM}:lease:{group}:"
        self._take_over = client.register_script(_TAKE_OVER)
        self._joined = False
        self._had_joined = False
        self._pending_first = False
        self._next_take_over_s = 0.0
        self._messages_per_entry = 100.0

    def poll(self, timeout_s: float, max_messages: int) -> Batch | None:
        try:
            return self._poll(timeout_s, max_messages)
        except redis.ResponseError as fault:
            if "NOGROUP" not in str(fault):
                raise LogUnavailable(f"Redis refuses to give messages: {_said(fault)}") from fault
            self._joined = False  # Redis was cleared: the next poll makes the group anew.
            return None
        except redis.RedisError as fault:
            raise LogUnavailable(f"Redis does not give messages: {_said(fault)}") from fault

    def _poll(self, timeout_s: float, max_messages: int) -> Batch | None:
        now = time.monotonic()
        if not self._joined or now >= self._next_take_over_s:
            self._join()
            self._next_take_over_s = now + TAKE_OVER_EVERY_S
        count = max(1, int(max_messages / self._messages_per_entry))
        if self._pending_first:
            batch = self._read("0", count, None)
            if batch:
                return batch
            self._pending_first = False
        return self._read(">", count, max(1, int(timeout_s * 1000)))

    def _join(self) -> None:
        """Takes the lease, makes the group where it is missing, takes over what the dead left."""
        answer = self._take_over(
            keys=[STREAM, META],
            args=[self._group, self._consumer, self._start, self._lease_prefix, LEASE_MS],
        )
        if answer == b"created" and self._had_joined:
            log.warning("Redis was cleared: the log and the counts start over. group=%s", self._group)
        self._joined = self._had_joined = self._pending_first = True

    def _read(self, after: str, count: int, block_ms: int | None) -> Batch | None:
        answer = self._client.xreadgroup(
            self._group, self._consumer, {STREAM: after}, count=count, block=block_ms
        )
        entries = _entries(answer)
        if not entries:
            return None
        batch = Batch(messages=[], claim={})
        for _, fields in entries:
            packed = (fields or {}).get(b"v", b"")
            try:
                batch.messages += unpack(packed)
            except BadMessage as fault:
                batch.bad.append(BadValue(packed, str(fault)))
        self._messages_per_entry = max(1.0, len(batch.messages) / len(entries))
        batch.claim = self._claim(entries)
        return batch

    def _claim(self, entries: list[Entry]) -> Claim:
        return {
            "kind": "entries",
            "stream": STREAM,
            "meta": META,
            "group": self._group,
            "consumer": self._consumer,
            "lease": self._lease_prefix + self._consumer,
            "lease_ms": LEASE_MS,
            "ids": [entry_id.decode() for entry_id, _ in entries],
            "messages": sum(int((fields or {}).get(b"n", 1)) for _, fields in entries),
        }

    def settled(self, batch: Batch) -> None:
        """Nothing to do: the acknowledgement was part of the step."""

    def rejected(self, batch: Batch) -> None:
        self._joined = False

    def heartbeat(self) -> None:
        try:
            self._client.pexpire(self._lease_prefix + self._consumer, LEASE_MS)
        except redis.RedisError as fault:
            raise LogUnavailable(f"Redis does not answer: {_said(fault)}") from fault

    def lag(self) -> Lag:
        try:
            counts = _counts(self._client)
        except redis.RedisError as fault:
            raise LogUnavailable(f"Redis does not answer: {_said(fault)}") from fault
        return Lag(group_lag(counts, self._group), whole_group=True)

    def close(self) -> None:
        try:
            self._client.delete(self._lease_prefix + self._consumer)
        except redis.RedisError:
            log.info("Redis was gone at the end: the lease runs out by itself. group=%s", self._group)
        self._client.close()


def _entries(answer: Any) -> list[Entry]:
    """The entries of one stream in what XREADGROUP answers: a list, or a dict with RESP3."""
    if not answer:
        return []
    if isinstance(answer, dict):
        found = answer.get(STREAM.encode()) or answer.get(STREAM) or []
        return cast(list[Entry], found[0] if found and isinstance(found[0], list) else found)
    return cast(list[Entry], answer[0][1])


def _counts(client: redis.Redis) -> dict[str, int]:
    found = cast(dict[bytes, bytes], client.hgetall(META))
    return {name.decode(): int(value) for name, value in found.items()}


def group_lag(counts: dict[str, int], group: str) -> int:
    """Messages that a group has still to read, from the log's own counts."""
    behind = counts.get("added", 0) - counts.get(f"read:{group}", 0) - counts.get(f"lost:{group}", 0)
    return max(0, behind)


class RedisHistory:
    """Reads a window of the stream by time: the ids of its entries are times."""

    CHUNK_ENTRIES = 20

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def read(self, from_ms: int, until_ms: int) -> Iterator[list[RouterMessage]]:
        # The drain reads a line up to a few seconds before Redis names the entry.
        start, end = str(from_ms), str(until_ms + 10_000)
        while True:
            answer = self._client.xrange(STREAM, start, end, count=self.CHUNK_ENTRIES)
            entries = cast(list[Entry], answer)
            if not entries:
                return
            messages = []
            for _, fields in entries:
                try:
                    messages += unpack((fields or {}).get(b"v", b""))
                except BadMessage as fault:
                    log.warning("skipped an entry that is no frame: %s", fault)
            inside = [found for found in messages if from_ms <= found["received_at"] < until_ms]
            if inside:
                yield inside
            start = "(" + entries[-1][0].decode()

    def estimate(self, from_ms: int, until_ms: int) -> int:
        """From the share of the kept time that the window covers, taking a steady rate."""
        first = cast(list[Entry], self._client.xrange(STREAM, count=1))
        last = cast(list[Entry], self._client.xrevrange(STREAM, count=1))
        if not first:
            return 0
        oldest, newest = (int(entry[0][0].split(b"-")[0]) for entry in (first, last))
        covered = min(until_ms, newest + 1) - max(from_ms, oldest)
        kept = _counts(self._client).get("kept", 0)
        return max(0, round(kept * min(1.0, covered / max(1, newest + 1 - oldest))))

    def close(self) -> None:
        self._client.close()
