"""Reads a window of the stream by time: the ids of its entries are times."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterator, Sequence
from threading import Event

import redis

from app.backoff import Outage
from app.errors import LogUnavailable
from app.log.follow import in_background
from app.log.interface import Reach, Scanned
from app.log.redis.ranges import RangeReader
from app.log.redis.search import SKEW_MS, FrameSearch, PackedFrame, written_ms
from app.log.redis.stream import STREAM, Entry, entry_ms, log_counts, range_of, unpack
from app.log.seen import Seen
from app.message import RECEIVED_MAX_MS, RouterMessage
from app.redis_client import why_refused

log = logging.getLogger(__name__)

CHUNK_ENTRIES = 20

WAIT_S = 0.5
"""For the next entry, where `follow` has given all that there are."""

FRAMES_REMEMBERED = 50_000
"""So that `follow` gives none twice that it reads again after an outage: SKEW_MS at 5,000 frames a second."""


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
        search = FrameSearch(from_ms, until_ms, patterns)
        first, end = str(max(0, from_ms - SKEW_MS)), str(max(0, until_ms + SKEW_MS))
        with contextlib.closing(RangeReader(self._client)) as reader:
            if newest_first:
                yield from self._scan_back(reader, search, first, end)
                return
            last = b""
            for frames in reader.read("XRANGE", first, end):
                if last:
                    frames = self._new_frames(last, frames)
                if frames:
                    last = frames[-1].entry_id
                    yield search.search(frames)

    def _scan_back(self, reader: RangeReader, search: FrameSearch, first: str, end: str) -> Iterator[Scanned]:
        oldest = reader.first_id(first, end)
        last = b""
        for frames in reader.read("XREVRANGE", end, first):
            frames = frames[1:] if last and frames[:1] and frames[0].entry_id == last else frames
            if frames:
                last = frames[-1].entry_id
                found = search.search(frames[::-1])
                yield Scanned(found.messages[::-1], found.read)
        self.was_overtaken |= bool(oldest) and last != oldest

    def _new_frames(self, last: bytes, frames: list[PackedFrame]) -> list[PackedFrame]:
        """What comes after the entry that was read last; notes where the bound has overtaken it."""
        if frames and frames[0].entry_id == last:
            return frames[1:]
        self.was_overtaken = True
        return frames

    def follow(self, from_ms: int, patterns: Sequence[re.Pattern[bytes]] = ()) -> Iterator[Scanned]:
        """See `SearchableHistory.follow`."""
        return in_background(
            lambda stop: self._follow(stop, FrameSearch(from_ms, RECEIVED_MAX_MS, patterns), from_ms)
        )

    def _follow(self, stop: Event, search: FrameSearch, from_ms: int) -> Iterator[Scanned]:
        """Reads on after the last entry. After an outage it goes back by SKEW_MS: a sender repeats what Redis
        had not kept, and a replica that took over may give entries earlier ids than those that were lost."""
        outage = Outage(log, stop)
        seen: Seen[bytes] = Seen(FRAMES_REMEMBERED)
        first_ms = max(0, from_ms - SKEW_MS)
        last = b""
        while not stop.is_set():
            start = str(first_ms)
            if last:
                start = str(max(first_ms, written_ms(last) - SKEW_MS))
            try:
                with contextlib.closing(RangeReader(self._client, reconnects=False)) as reader:
                    if last and not reader.first_id("-", last.decode()):
                        self.was_overtaken = True
                    for frames in self._endless(reader, start, stop):
                        outage.resolved()
                        if frames:
                            yield search.search([frame for frame in frames if seen.is_new(frame.frame_id)])
                            last = frames[-1].entry_id
            except LogUnavailable as fault:
                outage.wait(fault)

    def _endless(self, reader: RangeReader, start: str, stop: Event) -> Iterator[list[PackedFrame]]:
        """The entries from `start` on, then those that come; nothing where none has come for a while."""
        last = b""
        after = str(int(start) - 1) if int(start) else "0"
        while not stop.is_set():
            for frames in reader.read("XRANGE", last.decode() or start, "+"):
                if last:
                    frames = self._new_frames(last, frames)
                if frames:
                    last = frames[-1].entry_id
                    yield frames
            reader.wait(last.decode() or after, WAIT_S)
            yield []

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
