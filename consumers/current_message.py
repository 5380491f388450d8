"""Which message a worker is processing, in memory that outlives the worker.

The guard (guard.py) reads it to see whether the worker makes progress, and the worker's successor to learn
which message its predecessor died on. The worker itself cannot tell: while `re` or other C code works on a
message, nothing else in that process runs.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Sequence
from typing import Protocol

import orjson

SIZE_BYTES = 4 << 20
"""Room for the ids of 90,000 messages from Logplex, four times the largest batch; pages that are never
written cost nothing."""

NAME_MAX_CHARS = 64
_NUMBER, _BATCHES, _LENGTH = range(3)
_HEADER_BYTES = 24


class Cursor(Protocol):
    """Where a handler notes which message of its batch it is processing: `cursor[0] = number`, counted
    from 1, those of the platform after all router lines; and 0 while it processes none. Waiting belongs to
    no message."""

    def __setitem__(self, index: int, value: int, /) -> None: ...


class CurrentMessage:
    """One worker's current message; shared with every process forked after it was created."""

    __slots__ = ("_memory", "cursor")

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, SIZE_BYTES)
        self.cursor = memoryview(self._memory)[:_HEADER_BYTES].cast("Q")

    def begin_batch(self, ids: Sequence[str], lease: str = "") -> None:
        """Notes the next batch: the ids of its messages, and the key of its lease."""
        self.clear()
        data = orjson.dumps([lease, *ids])
        if len(data) > SIZE_BYTES - _HEADER_BYTES:
            data = orjson.dumps([lease, *map(message_key, ids)])[: SIZE_BYTES - _HEADER_BYTES]
        self._memory[_HEADER_BYTES : _HEADER_BYTES + len(data)] = data
        self.cursor[_LENGTH] = len(data)
        self.cursor[_BATCHES] += 1

    def clear(self) -> None:
        """Notes that no message is being processed."""
        self.cursor[_NUMBER] = 0

    @property
    def is_empty(self) -> bool:
        return self.cursor[_NUMBER] == 0

    @property
    def progress(self) -> tuple[int, int]:
        """Changes with every message."""
        return self.cursor[_BATCHES], self.cursor[_NUMBER]

    def message_and_lease(self) -> tuple[str, str]:
        """(key of the current message, key of its lease); empty strings if unknown."""
        number, length = self.cursor[_NUMBER], self.cursor[_LENGTH]
        try:
            lease, *ids = orjson.loads(self._memory[_HEADER_BYTES : _HEADER_BYTES + length])
            return (message_key(ids[number - 1]) if number else "", lease)
        except (orjson.JSONDecodeError, IndexError, ValueError):  # Nothing yet, or too long to be kept.
            return "", ""


def message_key(message_id: str) -> str:
    """The name a message is counted under: its id, or a digest if the id is too long."""
    if len(message_id) <= NAME_MAX_CHARS:
        return message_id
    return hashlib.sha256(message_id.encode("utf-8", "surrogatepass")).hexdigest()
