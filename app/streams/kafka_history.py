"""Reads a window of the kept topic by time, in about the order in which the drain received it.

Partitions are read side by side and merged by `received_at`: a message is handed out once every
partition has been read at least as far. One that runs ahead is paused, so memory is bounded.
"""

from __future__ import annotations

import heapq
import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from app.errors import BadMessage
from app.message import RouterMessage, decode
from app.streams.kafka import Consumer

log = logging.getLogger(__name__)

CHUNK = 2_000
AHEAD = 20_000
"""Messages that a partition may be ahead of the slowest before it is paused."""

SKEW_MS = 10_000
"""Kafka's timestamp is set when a message is sent, up to the drain's time limit after it came."""


class SeekableConsumer(Consumer, Protocol):
    """A consumer on all partitions, outside of any group."""

    def offsets_at(self, partitions: Iterable[int], time_ms: int) -> dict[int, int | None]: ...

    def pause(self, partitions: Iterable[int]) -> None: ...

    def resume(self, partitions: Iterable[int]) -> None: ...


class KafkaHistory:
    """The past of the topic."""

    def __init__(self, consumer: SeekableConsumer) -> None:
        self._consumer = consumer

    def read(self, from_ms: int, until_ms: int) -> Iterator[list[RouterMessage]]:
        consumer = self._consumer
        spans = self._spans(from_ms, until_ms)
        consumer.poll(0, 1)
        for partition, (first, _) in spans.items():
            consumer.seek(partition, first)
        consumer.pause(consumer.assigned() - spans.keys())
        at = {partition: from_ms for partition in spans}
        left = {partition: 0 for partition in spans}
        paused: set[int] = set()
        seen: set[str] = set()
        heap: list[tuple[int, int, RouterMessage]] = []
        order = 0
        chunk: list[RouterMessage] = []
        while at or heap:
            if at:
                for partition, records in consumer.poll(1.0, CHUNK).items():
                    if partition not in at:
                        continue
                    for offset, value in records:
                        message = _inside(value, from_ms, until_ms)
                        if message is not None and message["id"] not in seen:
                            seen.add(message["id"])
                            order += 1
                            heapq.heappush(heap, (message["received_at"], order, message))
                            left[partition] += 1
                            at[partition] = max(at[partition], message["received_at"])
                        if offset + 1 >= spans[partition][1]:
                            at.pop(partition, None)
                            consumer.pause([partition])
                            break
            safe_ms = min(at.values()) if at else until_ms
            while heap and (heap[0][0] < safe_ms or not at):
                chunk.append(heapq.heappop(heap)[2])
                if len(chunk) >= CHUNK:
                    yield chunk
                    chunk = []
            if len(seen) > 50 * CHUNK and not heap:
                seen.clear()
            self._balance(at, heap, paused, safe_ms)
        if chunk:
            yield chunk

    def _balance(
        self, at: Mapping[int, int], heap: list[tuple[int, int, RouterMessage]], paused: set[int], safe_ms: int
    ) -> None:
        """Pauses partitions that are ahead while the heap is large; resumes them when it shrinks."""
        if len(heap) > AHEAD:
            ahead = {partition for partition, time_ms in at.items() if time_ms > safe_ms} - paused
            if ahead:
                self._consumer.pause(ahead)
                paused |= ahead
        elif paused and len(heap) < AHEAD // 2:
            self._consumer.resume(paused & at.keys())
            paused.clear()

    def _spans(self, from_ms: int, until_ms: int) -> dict[int, tuple[int, int]]:
        """(first, end) offsets of each partition that has something in the window."""
        consumer = self._consumer
        partitions = consumer.assigned()
        firsts = consumer.offsets_at(partitions, from_ms)
        ends = consumer.end_offsets(partitions)
        lasts = consumer.offsets_at(partitions, until_ms + SKEW_MS)
        spans = {}
        for partition in partitions:
            first, last = firsts.get(partition), lasts.get(partition)
            end = ends[partition] if last is None else last
            if first is not None and first < end:
                spans[partition] = (first, end)
        return spans

    def estimate(self, from_ms: int, until_ms: int) -> int:
        return sum(end - first for first, end in self._spans(from_ms, until_ms).values())

    def close(self) -> None:
        self._consumer.close()


def _inside(value: bytes, from_ms: int, until_ms: int) -> RouterMessage | None:
    try:
        message = decode(value)
        return message if from_ms <= message["received_at"] < until_ms else None
    except (BadMessage, KeyError) as fault:
        log.warning("skipped a value that is no message: %s", fault)
        return None
