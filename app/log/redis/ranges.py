"""Reads entries of the stream in answers of bounded size, the next of them asked for while one is worked on.

Redis answers nobody else while it sends entries, about 3 ms a MB, and their size is known only afterwards. So
the first answer has few entries, and each has at most twice as many as the one before, and no more than
would fill ANSWER_BYTES if they were as large as those.

It has a connection of its own and takes the answers as they come: redis-py makes a dictionary of each entry,
which takes more time than all else where frames are small.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import redis

from app.errors import LogUnavailable
from app.log.interface import READ_TIMEOUT_S
from app.log.redis.search import PackedFrame
from app.log.redis.stream import STREAM
from app.redis_client import why_refused

ANSWER_BYTES = 256_000
ENTRIES_AT_FIRST = 4
ENTRIES_MAX = 64
"""Even if all are of the largest size, although those before were small, Redis is back in 0.2 s."""

Command = Literal["XRANGE", "XREVRANGE"]


class RangeReader:
    """Reads ranges on a connection that it takes from the client's pool until it is closed. Not thread-safe.
    Methods raise LogUnavailable."""

    def __init__(self, client: redis.Redis, *, reconnects: bool = True) -> None:
        """`reconnects`: goes on where it was if the connection was closed meanwhile, as Redis does with those
        that ask nothing for long (`timeout` in redis.conf)."""
        self._pool = client.connection_pool
        self._connection: Any = None
        self._is_owed = False
        """Whether an answer is on the way."""
        self._reconnects = reconnects
        self._count = ENTRIES_AT_FIRST

    def read(self, command: Command, first: str, end: str) -> Iterator[list[PackedFrame]]:
        """The entries from `first` to `end`, in answers as they come. Each begins with the last entry of the
        one before, if the log still has it."""
        asked = (command, STREAM, first, end, "COUNT", self._count)
        self._send(*asked)
        while True:
            frames = self._frames_of(*asked)
            self._fit(frames)
            if len(frames) < asked[-1]:
                yield frames
                return
            # One at least must be new, or there would be no end.
            asked = (command, STREAM, frames[-1].entry_id.decode(), end, "COUNT", max(2, self._count))
            with contextlib.suppress(LogUnavailable):  # Then it is asked again, when it is needed.
                self._send(*asked)
            yield frames

    def _frames_of(self, *asked: str | int) -> list[PackedFrame]:
        """The answer to this command, which was sent."""
        try:
            return self._frames()
        except LogUnavailable as fault:
            if not self._reconnects or not isinstance(fault.__cause__, redis.ConnectionError):
                raise
        self.close()
        self._send(*asked)
        return self._frames()

    def first_id(self, start: str, end: str) -> bytes:
        """The id of the first entry in a range; empty if there is none."""
        self._send("XRANGE", STREAM, start, end, "COUNT", 1)
        return next((frame.entry_id for frame in self._frames()), b"")

    def wait(self, after: str, timeout_s: float) -> bool:
        """Whether there is an entry after this id; waits for it."""
        block_ms = max(1, int(timeout_s * 1000))
        self._send("XREAD", "COUNT", 1, "BLOCK", block_ms, "STREAMS", STREAM, after)
        return bool(self._answer(timeout_s + READ_TIMEOUT_S))

    def _send(self, *command: object) -> None:
        try:
            if self._connection is None:
                self._connection = self._pool.get_connection()
            packed = b"".join(self._connection.pack_command(*command))
            self._is_owed = True
            self._connection.send_packed_command([packed], check_health=False)
        except redis.RedisError as fault:
            raise LogUnavailable(f"Redis did not return the log: {why_refused(fault)}") from fault

    def _answer(self, timeout_s: float = READ_TIMEOUT_S) -> Any:
        try:
            if self._connection is None:
                raise redis.ConnectionError("there was no connection to ask on")
            answer = self._connection.read_response(timeout=timeout_s)
            self._is_owed = False
            return answer
        except redis.RedisError as fault:
            raise LogUnavailable(f"Redis did not return the log: {why_refused(fault)}") from fault

    def _frames(self) -> list[PackedFrame]:
        return [_frame(entry_id, fields) for entry_id, fields in self._answer() or ()]

    def _fit(self, frames: Sequence[PackedFrame]) -> None:
        """Chooses how many entries the next answer may have."""
        size_bytes = sum([len(frame.packed) + frame.other_bytes for frame in frames])
        fitting = ANSWER_BYTES * len(frames) // max(1, size_bytes)
        self._count = max(1, min(2 * self._count, fitting, ENTRIES_MAX))

    def close(self) -> None:
        """Gives the connection back. What was asked for on it must be nobody else's answer."""
        if self._connection is not None:
            if self._is_owed:
                self._connection.disconnect()
            self._pool.release(self._connection)
            self._connection = None


def _frame(entry_id: bytes, fields: Sequence[bytes]) -> PackedFrame:
    if len(fields) == 6 and fields[::2] == [b"f", b"n", b"v"] and fields[3].isdigit():
        return _new(PackedFrame, (entry_id, fields[1], int(fields[3]), fields[5], 0))
    found = dict(zip(fields[::2], fields[1::2], strict=True))
    frame_id, packed, other_bytes = found.get(b"f", entry_id), found.get(b"v", b""), len(found.get(b"p", b""))
    counts = [found.get(b"n", b"1"), found.get(b"pn", b"0")]
    messages = int(counts[0]) - int(counts[1]) if all(count.isdigit() for count in counts) else 1
    return PackedFrame(entry_id, frame_id, messages, packed, other_bytes)


_new = tuple.__new__  # Half the cost of PackedFrame(...), which is Python code.
