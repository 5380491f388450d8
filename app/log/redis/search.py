"""Finds the wanted messages in packed frames: many frames at once, and nearly all without decoding them.

The drain writes a frame as an array whose every element begins with MESSAGE_START. One writer writes a frame,
so its first message shows how all of it is written. Where something is found, there must be as many of these
as the entry says it has messages, because they tell the messages apart. Whatever looks different is decoded
and judged one by one: that costs more, and loses nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple

import lz4.frame
import orjson

from app.errors import BadMessage
from app.log.interface import Scanned
from app.log.redis.places import Place, PlaceSearch
from app.log.redis.stream import unpack
from app.log.scan import MESSAGE_START, Patterns, is_wanted, received_between
from app.message import RouterMessage, checked

log = logging.getLogger(__name__)

SKEW_MS = 10_000
"""Redis names an entry up to the drain's time limit after a line came, by a clock of its own."""

_FRAME_START = b"[" + MESSAGE_START


class PackedFrame(NamedTuple):
    """An entry of the stream."""

    entry_id: bytes
    frame_id: bytes
    messages: int
    """As many router lines as the entry says it has."""
    packed: bytes
    other_bytes: int = 0
    """What else is in the entry, and is not searched: what the platform itself says."""


def written_ms(entry_id: bytes) -> int:
    """When an entry was written, Unix ms by Redis's clock: its id begins with it."""
    return int(entry_id.partition(b"-")[0])


class FrameSearch:
    """Searches for what was received from `from_ms` on and before `until_ms` and matches each pattern."""

    def __init__(self, from_ms: int, until_ms: int, patterns: Patterns) -> None:
        self._from_ms = from_ms
        self._until_ms = until_ms
        self._patterns = patterns
        self._places = PlaceSearch(patterns) if patterns else None

    def search(self, frames: Sequence[PackedFrame]) -> Scanned:
        """The wanted messages of these frames, in their order."""
        frames = [frame for frame in frames if frame.messages or not frame.other_bytes]
        if self._places is None:
            return self._everything(frames)
        messages: list[RouterMessage] = []
        plain: list[tuple[PackedFrame, bytes]] = []
        read = 0
        is_inside = bool(frames) and self._is_inside(frames[0]) and self._is_inside(frames[-1])
        for frame in frames:
            data = _plain_frame(frame)
            if data:
                inside = frame.messages
                if not is_inside:
                    inside = received_between(data, self._from_ms, self._until_ms)
                if inside:
                    plain.append((frame, data))
                read += inside
                continue
            messages += self._in_plain(self._places, plain)
            plain = []
            decoded = self._inside(frame.packed)
            read += len(decoded)
            messages += [found for found in decoded if is_wanted(found, self._patterns)]
        messages += self._in_plain(self._places, plain)
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

    def _in_plain(
        self, search: PlaceSearch, frames: Sequence[tuple[PackedFrame, bytes]]
    ) -> list[RouterMessage]:
        """The wanted messages of frames, with their bytes, that look as the drain writes them."""
        if not frames:
            return []
        data = b",".join([unpacked[1:-1] for _, unpacked in frames])
        places = search.places(data)
        if not places:
            return []
        if all(unpacked.count(MESSAGE_START) == frame.messages for frame, unpacked in frames):
            try:
                return self._at(places, data)
            except orjson.JSONDecodeError:  # One of them is written in another way.
                pass
        inside = [found for frame, _ in frames for found in self._inside(frame.packed)]
        return [found for found in inside if is_wanted(found, self._patterns)]

    def _at(self, places: Sequence[Place], data: bytes) -> list[RouterMessage]:
        """The wanted messages at these places. Raises orjson.JSONDecodeError."""
        messages: list[RouterMessage] = []
        for start, end, is_judged in places:
            try:
                message = checked(orjson.loads(data[start:end]))
            except BadMessage as fault:
                log.warning("skipped a value that is not a message: %s", fault)
                continue
            if self._from_ms <= message["received_at"] < self._until_ms and (
                is_judged or is_wanted(message, self._patterns)
            ):
                messages.append(message)
        return messages


def _plain_frame(frame: PackedFrame) -> bytes:
    """The frame's bytes if they begin as the drain writes them, else nothing."""
    try:
        data: bytes = lz4.frame.decompress(frame.packed)
    except RuntimeError:
        return b""
    return data if data.startswith(_FRAME_START) else b""
