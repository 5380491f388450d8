"""Follows the topic outside of any group: from a time on, each message once, through restarts of brokers."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from threading import Event

from app.backoff import Outage
from app.errors import LogUnavailable
from app.log.interface import Scanned
from app.log.kafka.clients import SeekableConsumer
from app.log.scan import Patterns, received_between, wanted_in
from app.log.seen import Seen
from app.message import RECEIVED_MAX_MS, RouterMessage

log = logging.getLogger(__name__)

SKEW_MS = 10_000
"""Kafka's timestamp is set when a message is sent, up to the drain's time limit after it came."""

POLL_S = 0.5
POLL_MESSAGES = 5_000

PARTITIONS_EVERY_S = 30.0
"""An operator may add partitions."""

MESSAGES_REMEMBERED = 100_000
"""Of those that were given: a retried frame is in the topic twice, close to itself in time."""


class _Truncated(LogUnavailable):
    """The topic has lost its end, as when a copy takes over that was not in sync: offsets are given anew."""


class TopicFollower:
    """Reads on where it is, whatever happens to the brokers."""

    def __init__(
        self,
        consumer: SeekableConsumer,
        from_ms: int,
        patterns: Patterns,
        note_overtaken: Callable[[], None],
    ) -> None:
        """`note_overtaken` is called where the topic has dropped messages before they were read."""
        self._consumer = consumer
        self._from_ms = from_ms
        self._patterns = patterns
        self._note_overtaken = note_overtaken
        self._next: dict[int, int] = {}
        """partition -> offset of the next message."""
        self._latest_ms = from_ms
        self._seen: Seen[str] = Seen(MESSAGES_REMEMBERED)

    def read(self, stop: Event) -> Iterator[Scanned]:
        """What comes until it is told to stop; empty parts where nothing comes."""
        outage = Outage(log, stop)
        is_placed = False
        while not stop.is_set():
            try:
                if self._add_partitions() or not is_placed:
                    self._consumer.read_from(self._next)
                    is_placed = True
                look_again_s = time.monotonic() + PARTITIONS_EVERY_S
                while not stop.is_set() and time.monotonic() < look_again_s:
                    part = self._poll()
                    outage.resolved()
                    yield part
            except _Truncated as fault:
                log.warning("following starts over where the topic is: %s", fault)
                self._next = {}
            except LogUnavailable as fault:
                # The consumer may be past what it has not returned.
                is_placed = False
                outage.wait(fault)

    def _add_partitions(self) -> bool:
        """Whether there are new ones; says where they begin. Raises LogUnavailable."""
        partitions = self._consumer.all_partitions()
        new = [name for name in partitions if name not in self._next]
        if not self._next:
            back_ms = max(self._from_ms, self._latest_ms - SKEW_MS)
            self._next = first_offsets_at(self._consumer, partitions, back_ms)
        elif new:
            self._next |= self._consumer.first_offsets(new)
        return bool(new)

    def _poll(self) -> Scanned:
        messages: list[RouterMessage] = []
        read = 0
        for name, records in self._consumer.poll(POLL_S, POLL_MESSAGES).items():
            first, last = records[0][0], records[-1][0]
            if first < self._next[name]:
                raise _Truncated(f"the topic has lost its end: partition={name}")
            if first > self._next[name]:
                self._note_overtaken()
            for _, value in records:
                read += received_between(value, self._from_ms, RECEIVED_MAX_MS)
                found = wanted_in(value, self._patterns)
                if found and found["received_at"] >= self._from_ms and self._seen.is_new(found["id"]):
                    messages.append(found)
            self._next[name] = last + 1
        self._latest_ms = max([self._latest_ms, *(found["received_at"] for found in messages)])
        return Scanned(messages, read)


def first_offsets_at(consumer: SeekableConsumer, partitions: Sequence[int], time_ms: int) -> dict[int, int]:
    """The first offset at or after a time, for each partition; its end where all is older."""
    # In this order: what comes in between is then after the end.
    ends = consumer.end_offsets(partitions)
    found = consumer.offsets_at(partitions, time_ms)
    return {name: ends[name] if (at := found.get(name)) is None else at for name in partitions}
