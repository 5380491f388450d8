"""Which message a worker has in hand: kept in memory that outlives the worker.

The guard (guard.py) reads it to see whether the worker still gets on, and the worker's successor to
know which message its predecessor ended with. Python itself cannot tell: while `re`, or any other C
code, works on a message, nothing else in that process runs.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Sequence
from typing import Protocol

import orjson

SIZE_BYTES = 4 << 20
"""Takes the ids of 90,000 messages from Logplex, which is four times the largest batch; what is not
written costs nothing."""

NAME_MAX_CHARS = 64
_NUMBER, _BATCHES, _LENGTH = range(3)
_HEADER_BYTES = 24


class Place(Protocol):
    """Where a handler writes which message of its batch it works on: `place[0] = number`, from 1, and 0
    as soon as it works on none. Waiting belongs to no message."""

    def __setitem__(self, index: int, value: int, /) -> None: ...


class Hand:
    """One worker's; shared with the processes that are forked after it was made."""

    __slots__ = ("_memory", "place")

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, SIZE_BYTES)
        self.place = memoryview(self._memory)[:_HEADER_BYTES].cast("Q")

    def take(self, ids: Sequence[str], lease: str = "") -> None:
        """Says which batch comes next: the ids of its messages, and the key of the lease on it."""
        self.drop()
        data = orjson.dumps([lease, *ids])
        if len(data) > SIZE_BYTES - _HEADER_BYTES:
            data = orjson.dumps([lease, *map(name_of, ids)])[: SIZE_BYTES - _HEADER_BYTES]
        self._memory[_HEADER_BYTES : _HEADER_BYTES + len(data)] = data
        self.place[_LENGTH] = len(data)
        self.place[_BATCHES] += 1

    def drop(self) -> None:
        """No message is in hand any more."""
        self.place[_NUMBER] = 0

    @property
    def is_empty(self) -> bool:
        return self.place[_NUMBER] == 0

    @property
    def beat(self) -> tuple[int, int]:
        """What changes with every message."""
        return self.place[_BATCHES], self.place[_NUMBER]

    def held(self) -> tuple[str, str]:
        """(name of the message in hand, key of the lease on it); empty where it is not known."""
        number, length = self.place[_NUMBER], self.place[_LENGTH]
        try:
            lease, *ids = orjson.loads(self._memory[_HEADER_BYTES : _HEADER_BYTES + length])
            return (name_of(ids[number - 1]) if number else "", lease)
        except (orjson.JSONDecodeError, IndexError, ValueError):  # Nothing yet, or too long to be kept.
            return "", ""


def name_of(message_id: str) -> str:
    """What a message is counted by: its id, or the digest of one that is too long for a name."""
    if len(message_id) <= NAME_MAX_CHARS:
        return message_id
    return hashlib.sha256(message_id.encode("utf-8", "surrogatepass")).hexdigest()
