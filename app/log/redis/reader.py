"""Reads the stream as a member of a consumer group.

The writer writes each frame as a whole and only once, so readers never see a duplicate. Each consumer has a
lease: if it expires, others take over its entries, and the consumer can no longer settle them
(app/store/settle.lua).
"""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections import deque
from pathlib import Path

import redis

from app.errors import LogUnavailable, first_words
from app.formatting import plural
from app.log.interface import Batch, Lag
from app.log.redis.stream import (
    META,
    STREAM,
    Entry,
    entries_of,
    group_lag,
    log_counts,
    message_count,
    packed_size_bytes,
    unpack,
    unpacked_size_bytes,
)
from app.message import BadValue, RouterMessage
from app.store import keys
from app.store.claims import EntriesClaim, entries_claim
from app.store.settle import ENTRY_IDS_LUA

log = logging.getLogger(__name__)

LEASE_MS = 15_000
TAKE_OVER_EVERY_S = 5.0

_HERE = Path(__file__).parent
_TAKE_OVER = ENTRY_IDS_LUA + (_HERE / "take_over.lua").read_text("utf-8")
_KEEPALIVE = (_HERE / "keepalive.lua").read_text("utf-8")

ENTRIES_AT_ONCE = 512
"""The most entries that a reader buffers."""

READ_BYTES = 8_000_000
"""About what a reader takes before it returns a batch, as packed: 20,000 usual messages have 2.5 MB.
Redis answers nobody else while it sends entries, about 3 ms a MB."""

READ_ENTRIES_AT_FIRST = 4
READ_ENTRIES = 32
"""The most entries in one answer of Redis. Their size is known only afterwards: 240 of 890 kB each kept
Redis busy for 688 ms. So the first answer has few, and each has at most twice as many as the one before,
and no more than would fill READ_BYTES if they were as large as those."""

BATCH_BYTES = 32_000_000
"""Limit of a batch's unpacked size, except for its last entry. 20,000 typical messages have 10 MB; one of 900
kB may be packed into 4 kB, and 512 such entries would take 600 MB of a worker's memory."""


class RedisReader:
    """One member of a consumer group of the stream."""

    def __init__(self, client: redis.Redis, group: str, start: str, *, reads_platform: bool = False) -> None:
        self._client = client
        self._reads_platform = reads_platform
        self._group = group
        self._start = "$" if start == "latest" else "0"
        self._consumer = f"{os.uname().nodename}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._lease = keys.log_lease(STREAM, group) + self._consumer
        self._take_over = client.register_script(_TAKE_OVER)
        self._keepalive = client.register_script(_KEEPALIVE)
        self._joined = False
        self._has_joined_before = False
        self._reads_pending_first = False
        self._next_take_over_s = 0.0
        self._messages_per_entry = 100.0
        self._read_entries = READ_ENTRIES_AT_FIRST
        self._buffered: deque[Entry] = deque()
        """Entries that were read but not yet returned: frames differ in size, batches should not."""

    def poll(self, timeout_s: float, max_messages: int) -> Batch | None:
        try:
            if not self._buffered:
                self._buffered.extend(self._fetch(timeout_s, max_messages))
        except redis.RedisError as fault:
            # An answer that was lost on its way may have held entries: they are ours, and pending.
            self._joined = False
            if "NOGROUP" in str(fault) or "UNBLOCKED" in str(fault):
                return None  # Redis was cleared: the next poll makes the group anew.
            raise LogUnavailable(f"Redis did not return messages: {first_words(fault)}") from fault
        return self._batch(max_messages) if self._buffered else None

    def _fetch(self, timeout_s: float, max_messages: int) -> list[Entry]:
        now = time.monotonic()
        if not self._joined or now >= self._next_take_over_s:
            self._join()
            self._next_take_over_s = now + TAKE_OVER_EVERY_S
        count = min(ENTRIES_AT_ONCE, max(1, int(max_messages / self._messages_per_entry)))
        if self._reads_pending_first:
            entries = self._read("0", count, None)
            if entries:
                return entries
            self._reads_pending_first = not self._joined
        return self._read(">", count, max(1, int(timeout_s * 1000))) if self._joined else []

    def _join(self) -> None:
        """Takes the lease, creates the group if it is missing, takes over the entries of dead readers."""
        found, messages = self._take_over(
            keys=[
                STREAM,
                META,
                keys.log_gone(STREAM, self._group),
                keys.log_settled(STREAM, self._group),
            ],
            args=[self._group, self._consumer, self._start, keys.log_lease(STREAM, self._group), LEASE_MS],
        )
        self._say(found, plural(int(messages), "message"))
        self._joined = self._has_joined_before = self._reads_pending_first = True

    def _say(self, found: bytes, messages: str) -> None:
        """Warns of what take_over.lua has found, where that was not the group."""
        if found == b"created" and self._has_joined_before:
            log.warning("Redis was cleared: the log and the figures start over. group=%s", self._group)
        elif found == b"resumed":
            log.warning(
                "the group was destroyed: it goes on where it was, nothing counts twice. group=%s lost=%s",
                self._group,
                messages,
            )
        elif found == b"forgotten":
            log.warning(
                "the group was destroyed, where it was is not known: up to %s may count twice. group=%s",
                messages,
                self._group,
            )
        elif found == b"removed":
            log.warning(
                "the stream had been removed, and with it %s that the group had not read. group=%s",
                messages,
                self._group,
            )

    def _read(self, after: str, count: int, block_ms: int | None) -> list[Entry]:
        """Up to `count` entries, in answers of bounded size; waits for the first of them alone."""
        entries: list[Entry] = []
        size_bytes = 0
        while len(entries) < count and size_bytes < READ_BYTES:
            asked = min(count - len(entries), self._read_entries)
            some = self._answer(after, asked, None if entries else block_ms)
            entries += some
            size_bytes += self._fit(some)
            if len(some) < asked:
                break
            if after != ">":
                after = some[-1][0]
        return entries

    def _answer(self, after: str, count: int, block_ms: int | None) -> list[Entry]:
        answer = self._client.xreadgroup(
            self._group, self._consumer, {STREAM: after}, count=count, block=block_ms
        )
        entries = entries_of(answer)
        if any(fields is None for _, fields in entries):
            self._joined = False  # The bound has trimmed some: joining anew counts them as lost.
            return []
        return entries

    def _fit(self, entries: list[Entry]) -> int:
        """Chooses how many entries the next answer may have, by what these take: their bytes, as packed."""
        size_bytes = sum(packed_size_bytes(fields) for _, fields in entries)
        if entries:
            fitting = READ_BYTES * len(entries) // max(1, size_bytes)
            self._read_entries = max(1, min(2 * self._read_entries, fitting, READ_ENTRIES))
        return size_bytes

    def _batch(self, max_messages: int) -> Batch:
        messages: list[RouterMessage] = []
        platform: list[RouterMessage] = []
        bad: list[BadValue] = []
        ids: list[str] = []
        size = unpacked_bytes = 0
        while self._buffered and size < max_messages and unpacked_bytes < BATCH_BYTES:
            entry_id, found = self._buffered.popleft()
            fields = found or {}
            parts = [(messages, fields.get(b"v", b""))]
            if self._reads_platform and b"p" in fields:
                parts.append((platform, fields[b"p"]))
            for good, packed in parts:
                unpacked_bytes += unpacked_size_bytes(packed)
                good_ones, bad_ones = unpack(packed)
                good += good_ones
                bad += bad_ones
            ids.append(entry_id)
            size += message_count(fields)
        self._messages_per_entry = max(1.0, size / len(ids))
        return Batch(messages, self._claim(ids, size), bad, platform=platform, lease=self._lease)

    def _claim(self, ids: list[str], messages: int) -> EntriesClaim:
        return entries_claim(
            stream=STREAM,
            meta=META,
            gone=keys.log_gone(STREAM, self._group),
            settled=keys.log_settled(STREAM, self._group),
            group=self._group,
            consumer=self._consumer,
            lease=self._lease,
            lease_ms=LEASE_MS,
            ids=ids,
            messages=messages,
        )

    def settled(self, batch: Batch) -> None:
        """Nothing to do: the acknowledgement was part of the step."""

    def rejected(self, batch: Batch) -> None:
        self._joined = False
        self._buffered.clear()

    def heartbeat(self) -> None:
        try:
            self._keepalive([META, self._lease], [self._group, LEASE_MS])
        except redis.RedisError as fault:
            raise LogUnavailable(f"Redis does not answer: {first_words(fault)}") from fault

    def lag(self) -> Lag:
        try:
            counts = log_counts(self._client)
        except redis.RedisError as fault:
            raise LogUnavailable(f"Redis does not answer: {first_words(fault)}") from fault
        return Lag(group_lag(counts, self._group), whole_group=True)

    def close(self) -> None:
        try:
            self._client.delete(self._lease)
        except redis.RedisError:
            log.info("Redis was unreachable at shutdown: the lease expires by itself. group=%s", self._group)
        self._client.close()
