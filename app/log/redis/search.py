"""Finds the wanted messages in packed frames: many frames at once, and nearly all without decoding them.

The drain writes a frame as an array whose every element begins with MESSAGE_START. Where there are as many of
these as the entry says it has messages, they tell the messages apart. Whatever looks different is decoded and
judged one by one: that costs more, and loses nothing.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import lz4.frame
import orjson

from app.errors import BadMessage
from app.log.interface import Scanned
from app.log.redis.stream import unpack
from app.log.scan import MESSAGE_START, REPLACED, Patterns, is_wanted, received_between
from app.message import RouterMessage, checked

log = logging.getLogger(__name__)

SKEW_MS = 10_000
"""Redis names an entry up to the drain's time limit after a line came, by a clock of its own."""

ORDER_EVERY = 64
"""After so many searches it is measured again how rare the patterns are."""

DENSE = 4
"""One message of so many."""

_FRAME_START = b"[" + MESSAGE_START

_ESCAPED_PAIR = re.compile(rb"\\[^AZ]", re.DOTALL)
_UNBOUNDED = re.compile(rb"[*+$]|(?<!\[)\^|\{\d*,\}|\\[AZ]|\(\?(?!:)")
"""In a pattern's source: a repeat without an end, or something that may look beyond what it matches."""


class PackedFrame(NamedTuple):
    """An entry of the stream."""

    entry_id: bytes
    frame_id: bytes
    messages: int
    """As many as the entry says it has."""
    packed: bytes


def written_ms(entry_id: bytes) -> int:
    """When an entry was written, Unix ms by Redis's clock: its id begins with it."""
    return int(entry_id.partition(b"-")[0])


class FrameSearch:
    """Searches for what was received from `from_ms` on and before `until_ms` and matches each pattern."""

    def __init__(self, from_ms: int, until_ms: int, patterns: Patterns) -> None:
        import re2  # Here, because only searches need it, and it is a large library.

        self._from_ms = from_ms
        self._until_ms = until_ms
        self._patterns = list(patterns)
        """The first one is searched in many messages at once, if it is one that can be."""
        self._is_dense = False
        """Whether the first pattern matches so many messages that each is better looked at by itself."""
        self._searches = 0
        # `re` takes three times as long to pass over the many `\"`.
        self._escapes: Any = re2.compile(rb"\\[u/]")

    def search(self, frames: Sequence[PackedFrame]) -> Scanned:
        """The wanted messages of these frames, in their order."""
        if not self._patterns:
            return self._everything(frames)
        messages: list[RouterMessage] = []
        plain: list[bytes] = []
        packed: list[bytes] = []
        read = 0
        is_inside = bool(frames) and self._is_inside(frames[0]) and self._is_inside(frames[-1])
        for frame in frames:
            data = _plain_frame(frame)
            if data:
                inside = (
                    frame.messages if is_inside else received_between(data, self._from_ms, self._until_ms)
                )
                read += inside
                if inside:
                    plain.append(data)
                    packed.append(frame.packed)
                continue
            messages += self._in_plain(plain, packed)
            plain, packed = [], []
            decoded = self._inside(frame.packed)
            read += len(decoded)
            messages += [found for found in decoded if is_wanted(found, self._patterns)]
        messages += self._in_plain(plain, packed)
        return Scanned(messages, read)

    def _everything(self, frames: Sequence[PackedFrame]) -> Scanned:
        """Without patterns: all that was received within the times."""
        try:
            data = b",".join([lz4.frame.decompress(frame.packed)[1:-1] for frame in frames])
            decoded = [checked(value) for value in orjson.loads(b"[%b]" % data)]
        except (RuntimeError, orjson.JSONDecodeError, BadMessage):  # One of them: which, is found one by one.
            inside = [found for frame in frames for found in self._inside(frame.packed)]
        else:
            inside = [found for found in decoded if self._from_ms <= found["received_at"] < self._until_ms]
        return Scanned(inside, len(inside))

    def _is_inside(self, frame: PackedFrame) -> bool:
        """Whether all of it is within the times, as far from their ends as it was written."""
        return self._from_ms + SKEW_MS <= written_ms(frame.entry_id) < self._until_ms - SKEW_MS

    def _inside(self, packed: bytes) -> list[RouterMessage]:
        """A frame's messages within the times, decoded; logs what in it is no message."""
        messages, bad = unpack(packed)
        for value in bad:
            log.warning("skipped an entry that is not a message: %s", value.reason)
        return [found for found in messages if self._from_ms <= found["received_at"] < self._until_ms]

    def _in_plain(self, frames: list[bytes], packed: list[bytes]) -> list[RouterMessage]:
        """The wanted messages of frames that look as the drain writes them; `packed`: these, as they came."""
        if not frames:
            return []
        data = b",".join([frame[1:-1] for frame in frames])
        messages: list[RouterMessage] = []
        for start, end, is_judged in self._places(data):
            try:
                message = checked(orjson.loads(data[start:end]))
            except orjson.JSONDecodeError:  # What looked like two messages is one that holds another.
                inside = [found for one in packed for found in self._inside(one)]
                return [found for found in inside if is_wanted(found, self._patterns)]
            except BadMessage as fault:
                log.warning("skipped a value that is not a message: %s", fault)
                continue
            if self._from_ms <= message["received_at"] < self._until_ms and (
                is_judged or is_wanted(message, self._patterns)
            ):
                messages.append(message)
        return messages

    def _places(self, data: bytes) -> list[tuple[int, int, bool]]:
        """Where messages may be wanted: (start, end, whether their bytes were judged), in order."""
        if self._searches % ORDER_EVERY == 0:
            self._patterns.sort(key=lambda pattern: _matches(pattern, data))
            self._is_dense = _matches(self._patterns[0], data) * DENSE > data.count(MESSAGE_START)
        self._searches += 1
        unjudged = {start: _end(data, start) for start in self._unjudged(data)}
        judged = {start: end for start, end in self._matching(data) if start not in unjudged}
        return sorted(
            [(start, end, True) for start, end in judged.items()]
            + [(start, end, False) for start, end in unjudged.items()]
        )

    def _unjudged(self, data: bytes) -> Iterator[int]:
        """Where messages begin whose bytes do not say whether they match."""
        for hit in self._escapes.finditer(data):
            yield _start(data, hit.start())
        if not data.isascii():
            at = data.find(REPLACED)
            while at >= 0:
                yield _start(data, at)
                at = data.find(REPLACED, at + 1)

    def _matching(self, data: bytes) -> Iterator[tuple[int, int]]:
        """(start, end) of the messages whose bytes match each pattern."""
        first, others = self._patterns[0], self._patterns[1:]
        if self._is_dense:
            for start, end in _all(data):
                message = data[start:end]
                if first.search(message) and all(other.search(message) for other in others):
                    yield start, end
            return
        at = data.find(MESSAGE_START)
        while at >= 0 and (hit := first.search(data, at)):
            start = _start(data, hit.start())
            end = _end(data, start)
            message = data[start:end]
            # A match may go on into the next message, and hide one that ends within this.
            if (hit.end() <= end or first.search(message)) and all(other.search(message) for other in others):
                yield start, end
            at = data.find(MESSAGE_START, end)


def _all(data: bytes) -> Iterator[tuple[int, int]]:
    """(start, end) of each message."""
    starts = [found.start() for found in _MESSAGE.finditer(data)]
    return zip(starts, [*(start - 1 for start in starts[1:]), len(data)], strict=True)


_MESSAGE = re.compile(re.escape(MESSAGE_START))


def _plain_frame(frame: PackedFrame) -> bytes:
    """The frame's bytes if they look as the drain writes them, else nothing."""
    try:
        data: bytes = lz4.frame.decompress(frame.packed)
    except RuntimeError:
        return b""
    looks_plain = data.startswith(_FRAME_START) and data.count(MESSAGE_START) == frame.messages
    return data if looks_plain else b""


def _start(data: bytes, at: int) -> int:
    """Where the message begins that has the byte at `at`, or that is the last before it."""
    return data.rfind(MESSAGE_START, 0, at + len(MESSAGE_START))


def _end(data: bytes, start: int) -> int:
    """Where the message ends that begins at `start`: before the comma that comes before the next."""
    following = data.find(MESSAGE_START, start + 1)
    return following - 1 if following >= 0 else len(data)


def _is_bounded(pattern: re.Pattern[bytes]) -> bool:
    """Whether the pattern matches a few bytes, whatever is around them."""
    return not _UNBOUNDED.search(_ESCAPED_PAIR.sub(b"", pattern.pattern))


def _matches(pattern: re.Pattern[bytes], data: bytes) -> float:
    """How often the pattern matches; infinity where it cannot be searched in many messages at once."""
    return sum(1 for _ in pattern.finditer(data)) if _is_bounded(pattern) else float("inf")
