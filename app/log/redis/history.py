"""Reads a window of the stream by time: the ids of its entries are times."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence

import redis

from app.errors import LogUnavailable
from app.log.interface import Reach, Scanned
from app.log.redis.stream import STREAM, Entry, entry_ms, log_counts, range_of, unpack
from app.log.scan import follow, scan
from app.message import RouterMessage
from app.redis_client import why_refused

log = logging.getLogger(__name__)

CHUNK_ENTRIES = 20
SKEW_MS = 10_000
"""Redis names an entry up to the drain's time limit after a line came, by a clock of its own."""


class RedisHistory:
    """The past of the stream."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self.was_overtaken = False

    def reach(self) -> Reach | None:
        """See `History.reach`."""
        first, last = self._entry_at("-"), self._entry_at("+")
        if first is None or last is None:
            return None
        first_ms, last_ms = min(_times_ms(first)), max(_times_ms(last))
        has_dropped = self._counts().get("trimmed", 0) > 0
        return Reach(first_ms, max(first_ms, last_ms), first_ms if has_dropped else 0)

    def _entry_at(self, end: str) -> Entry | None:
        """The first entry (`-`) or the last (`+`)."""
        try:
            if end == "-":
                found = range_of(self._client.xrange(STREAM, count=1))
            else:
                found = range_of(self._client.xrevrange(STREAM, count=1))
        except redis.RedisError as fault:
            raise LogUnavailable(f"Redis did not return the log: {why_refused(fault)}") from fault
        return found[0] if found else None

    def _counts(self) -> dict[str, int]:
        try:
            return log_counts(self._client)
        except redis.RedisError as fault:
            raise LogUnavailable(f"Redis did not return the log: {why_refused(fault)}") from fault

    def read(self, from_ms: int, until_ms: int) -> Iterator[list[RouterMessage]]:
        """See `History.read`. Raises LogUnavailable."""
        start, end = str(max(0, from_ms - SKEW_MS)), str(max(0, until_ms + SKEW_MS))
        last = ""
        while entries := self._after(last, self._range(start, end, CHUNK_ENTRIES)):
            inside: list[RouterMessage] = []
            for _, fields in entries:
                messages, bad = unpack((fields or {}).get(b"v", b""))
                inside += [found for found in messages if from_ms <= found["received_at"] < until_ms]
                for value in bad:
                    log.warning("skipped an entry that is not a message: %s", value.reason)
            if inside:
                yield inside
            # The last one is read once more: where it is gone, some of what follows it may be, too.
            start = last = entries[-1][0]

    def _after(self, last: str, entries: list[Entry]) -> list[Entry]:
        """The entries that come after the one that was read last; notes where the bound has overtaken it."""
        if last and entries[:1] and entries[0][0] == last:
            return entries[1:]
        self.was_overtaken |= bool(last)
        return entries

    def _range(self, start: str, end: str, count: int) -> list[Entry]:
        try:
            return range_of(self._client.xrange(STREAM, start, end, count=count))
        except redis.RedisError as fault:
            raise LogUnavailable(f"Redis did not return the log: {why_refused(fault)}") from fault

    def scan(
        self,
        from_ms: int,
        until_ms: int,
        patterns: Sequence[re.Pattern[bytes]] = (),
        *,
        newest_first: bool = False,
    ) -> Iterator[Scanned]:
        """See `SearchableHistory.scan`."""
        return scan(self, from_ms, until_ms, patterns, newest_first)

    def follow(self, from_ms: int, patterns: Sequence[re.Pattern[bytes]] = ()) -> Iterator[Scanned]:
        """See `SearchableHistory.follow`."""
        return follow(self, from_ms, patterns)

    def estimate(self, from_ms: int, until_ms: int) -> int:
        """From the share of the kept time that the window covers, taking a steady rate."""
        first, last = self._entry_at("-"), self._entry_at("+")
        if first is None:
            return 0
        kept = self._counts().get("kept", 0)
        oldest, newest = (entry_ms(entry[0]) for entry in (first, last or first))
        covered = min(until_ms, newest + 1) - max(from_ms, oldest)
        return max(0, round(kept * min(1.0, covered / max(1, newest + 1 - oldest))))

    def close(self) -> None:
        self._client.close()


def _times_ms(entry: Entry) -> list[int]:
    """When the messages of an entry were received; without any, when it was written."""
    entry_id, fields = entry
    messages, _ = unpack((fields or {}).get(b"v", b""))
    return [message["received_at"] for message in messages] or [entry_ms(entry_id)]
