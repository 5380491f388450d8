"""Reads a window of the kept topic by time, in about the order in which the drain received it.

The window is cut into slices of time with a bounded number of messages each; a slice is read from
all partitions, then sorted by `received_at`. (Reading all partitions at once and pausing those
ahead is no way: kafka-python fetches nothing while it holds records of a paused partition.)
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator, Sequence

from app.errors import BadMessage, LogUnavailable
from app.log.follow import in_background
from app.log.interface import Reach, Scanned
from app.log.kafka.clients import SeekableConsumer
from app.log.kafka.follow import SKEW_MS, TopicFollower, first_offsets_at
from app.log.scan import received_between, wanted_in
from app.log.seen import Seen
from app.message import RouterMessage, decode

log = logging.getLogger(__name__)

CHUNK = 2_000
SLICE_MESSAGES = 20_000
SLICE_MIN_MS = 1_000
MESSAGES_REMEMBERED = 100_000
"""So that a scan gives a retried frame once: Logplex gives up on a frame within about 15 s."""

SILENT_S = 30.0
"""A partition that gives nothing for this long, though it has messages, is not there any more."""

Spans = dict[int, tuple[int, int]]
"""partition -> (first offset, offset after the last)."""


class KafkaHistory:
    """The past of the topic."""

    def __init__(self, consumer: SeekableConsumer) -> None:
        self._consumer = consumer
        self._partitions = consumer.all_partitions()
        self.was_overtaken = False

    def reach(self) -> Reach | None:
        """See `History.reach`. Kafka deletes each partition's oldest segments by itself, so the partitions
        reach back to different times."""
        firsts = self._consumer.first_offsets(self._partitions)
        ends = self._consumer.end_offsets(self._partitions)
        spans = {name: (firsts[name], ends[name]) for name in firsts if firsts[name] < ends[name]}
        first_ms = self._first_times_ms(spans)
        last_ms = self._first_times_ms({name: (end - 1, end) for name, (_, end) in spans.items()})
        if not first_ms:
            return None
        dropped = [time_ms for name, time_ms in first_ms.items() if firsts[name] > 0]
        return Reach(
            min(first_ms.values()), max([*first_ms.values(), *last_ms.values()]), max(dropped, default=0)
        )

    def _first_times_ms(self, spans: Spans) -> dict[int, int]:
        """When the first message of each span was received; without spans that hold none."""
        found: dict[int, int] = {}
        left = dict(spans)
        if not left:
            return found
        self._consumer.read_from({name: first for name, (first, _) in spans.items()})
        for name, records in self._records(left):
            for offset, value in records:
                message = _decoded(value) if offset < spans[name][1] else None
                if message is not None:
                    found[name] = message["received_at"]
                    left.pop(name, None)
                    break
        return found

    def read(self, from_ms: int, until_ms: int) -> Iterator[list[RouterMessage]]:
        before: set[str] = set()
        from_ms = max(0, from_ms)
        starts = self._starts(from_ms)
        # The slices lie on Kafka's time, which is later than the drain's by up to SKEW_MS.
        for spans in self._slices(from_ms, starts, until_ms + SKEW_MS, self._starts(until_ms + SKEW_MS)):
            by_id: dict[str, RouterMessage] = {}
            for value in self._values(spans):
                message = _inside(value, from_ms, until_ms)
                # A frame that was retried is there twice, close to itself in time.
                if message is not None and message["id"] not in before:
                    by_id.setdefault(message["id"], message)
            ordered = sorted(by_id.values(), key=lambda message: message["received_at"])
            for at in range(0, len(ordered), CHUNK):
                yield ordered[at : at + CHUNK]
            before = set(by_id)

    def _starts(self, time_ms: int) -> dict[int, int]:
        return first_offsets_at(self._consumer, self._partitions, time_ms)

    def _slices(
        self,
        from_ms: int,
        starts: dict[int, int],
        until_ms: int,
        ends: dict[int, int],
        *,
        newest_first: bool = False,
    ) -> Iterator[Spans]:
        """Halves the time until a slice is small enough, or short."""
        spans = {name: (starts[name], ends[name]) for name in starts if starts[name] < ends[name]}
        if not spans:
            return
        if _size(spans) <= SLICE_MESSAGES or until_ms - from_ms <= SLICE_MIN_MS:
            yield spans
            return
        middle_ms = (from_ms + until_ms) // 2
        middle = self._starts(middle_ms)
        halves = [(from_ms, starts, middle_ms, middle), (middle_ms, middle, until_ms, ends)]
        for half in reversed(halves) if newest_first else halves:
            yield from self._slices(*half, newest_first=newest_first)

    def _values(self, spans: Spans) -> Iterator[bytes]:
        """All values of the spans. Raises LogUnavailable when they do not come."""
        self._consumer.read_from({name: first for name, (first, _) in spans.items()})
        begun: set[int] = set()
        for name, records in self._records(dict(spans)):
            if name not in begun:
                begun.add(name)
                self.was_overtaken |= records[0][0] > spans[name][0]
            yield from (value for offset, value in records if offset < spans[name][1])

    def _records(self, left: Spans) -> Iterator[tuple[int, Sequence[tuple[int, bytes]]]]:
        """(partition, records) of the spans until each has ended, or the caller has removed it from `left`.
        Raises LogUnavailable when they do not come."""
        heard_s = time.monotonic()
        while left:
            fetched = self._consumer.poll(1.0, SLICE_MESSAGES)
            if fetched:
                heard_s = time.monotonic()
            elif time.monotonic() - heard_s > SILENT_S:
                raise LogUnavailable(f"Kafka has returned nothing for {SILENT_S:.0f} s")
            for name, records in fetched.items():
                if name in left:
                    yield name, records
                if name in left and records[-1][0] + 1 >= left[name][1]:
                    del left[name]

    def scan(
        self,
        from_ms: int,
        until_ms: int,
        patterns: Sequence[re.Pattern[bytes]] = (),
        *,
        newest_first: bool = False,
    ) -> Iterator[Scanned]:
        """See `SearchableHistory.scan`: slice by slice, each sorted."""
        seen: Seen[str] = Seen(MESSAGES_REMEMBERED)
        from_ms, end_ms = max(0, from_ms), until_ms + SKEW_MS
        starts, ends = self._starts(from_ms), self._starts(end_ms)
        for spans in self._slices(from_ms, starts, end_ms, ends, newest_first=newest_first):
            messages = []
            read = 0
            for value in self._values(spans):
                read += received_between(value, from_ms, until_ms)
                found = wanted_in(value, patterns)
                if found and from_ms <= found["received_at"] < until_ms and seen.is_new(found["id"]):
                    messages.append(found)
            messages.sort(key=lambda message: message["received_at"], reverse=newest_first)
            yield Scanned(messages, read)

    def follow(self, from_ms: int, patterns: Sequence[re.Pattern[bytes]] = ()) -> Iterator[Scanned]:
        """See `SearchableHistory.follow`. The consumer is its own meanwhile."""

        def note_overtaken() -> None:
            self.was_overtaken = True

        follower = TopicFollower(self._consumer, max(0, from_ms), patterns, note_overtaken)
        return in_background(follower.read)

    def estimate(self, from_ms: int, until_ms: int) -> int:
        starts, ends = self._starts(from_ms), self._starts(until_ms)
        return sum(max(0, ends[name] - starts[name]) for name in starts)

    def close(self) -> None:
        self._consumer.close()


def _size(spans: Spans) -> int:
    return sum(end - first for first, end in spans.values())


def _inside(value: bytes, from_ms: int, until_ms: int) -> RouterMessage | None:
    message = _decoded(value)
    return message if message is not None and from_ms <= message["received_at"] < until_ms else None


def _decoded(value: bytes) -> RouterMessage | None:
    try:
        return decode(value)
    except BadMessage as fault:
        log.warning("skipped a value that is not a message: %s", fault)
        return None
