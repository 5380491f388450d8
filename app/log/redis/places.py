"""Finds in the JSON of many messages, joined by commas, the few that may be wanted: without decoding any."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from app.log.patterns import is_bounded, is_never_escaped, literal_of
from app.log.scan import MESSAGE_START, REPLACED, Patterns

ORDER_EVERY = 64
"""After so many searches it is measured again how rare the patterns are."""

DENSE = 4
"""Where more than one message of so many matches, each is better looked at by itself."""

_MESSAGE = re.compile(re.escape(MESSAGE_START))


class Place(NamedTuple):
    """Where a message is."""

    start: int
    end: int
    is_judged: bool
    """False: its bytes do not say whether it matches."""


class PlaceSearch:
    """Searches for messages that match each pattern; there is at least one pattern."""

    def __init__(self, patterns: Patterns) -> None:
        self._patterns = list(patterns)
        """The rarest first; it alone is searched in all of the bytes."""
        self._is_dense = False
        self._searches = 0
        self._escapes: Any = None
        if not all(map(is_never_escaped, patterns)):
            import re2  # Here, because few need it, and it is a large library.

            # `re` takes three times as long to pass over the many `\"`.
            self._escapes = re2.compile(rb"\\[u/]")

    def places(self, data: bytes) -> list[Place]:
        """Where messages may be wanted, in order."""
        if self._searches % ORDER_EVERY == 0:
            self._measure(data)
        self._searches += 1
        unjudged = set(self._unjudged(data)) if self._escapes else set()
        found = [Place(start, end, True) for start, end in self._matching(data) if start not in unjudged]
        found += [Place(start, _end(data, start), False) for start in unjudged]
        return sorted(found)

    def _measure(self, data: bytes) -> None:
        self._patterns.sort(key=lambda pattern: _matches(pattern, data))
        self._is_dense = _matches(self._patterns[0], data) * DENSE > data.count(MESSAGE_START)

    def _unjudged(self, data: bytes) -> Iterator[int]:
        """Where messages begin that are escaped as the drain does not, or whose line was no UTF-8."""
        for hit in self._escapes.finditer(data):
            yield _start(data, hit.start())
        if not data.isascii():
            at = data.find(REPLACED)
            while at >= 0:
                yield _start(data, at)
                at = data.find(REPLACED, at + 1)

    def _matching(self, data: bytes) -> Iterator[tuple[int, int]]:
        """(start, end) of the messages whose bytes match each pattern."""
        candidates = _all(data) if self._is_dense else _around(self._patterns[0], data)
        for start, end in candidates:
            message = data[start:end]
            if all(pattern.search(message) for pattern in self._patterns):
                yield start, end


def _all(data: bytes) -> Iterator[tuple[int, int]]:
    """(start, end) of each message."""
    starts = [found.start() for found in _MESSAGE.finditer(data)]
    return zip(starts, [*(start - 1 for start in starts[1:]), len(data)], strict=True)


def _around(pattern: re.Pattern[bytes], data: bytes) -> Iterator[tuple[int, int]]:
    """(start, end) of each message in which the pattern begins to match. All that match are among them: a
    bounded pattern matches there whatever stands before and behind."""
    literal = literal_of(pattern)
    at = data.find(MESSAGE_START)
    while at >= 0:
        if literal is not None:
            at = data.find(literal, at)
        else:
            hit = pattern.search(data, at)
            at = hit.start() if hit else -1
        if at < 0:
            return
        start = _start(data, at)
        end = _end(data, start)
        yield start, end
        at = data.find(MESSAGE_START, end)


def _start(data: bytes, at: int) -> int:
    """Where the message begins that has the byte at `at`, or that is the last before it."""
    return data.rfind(MESSAGE_START, 0, at + len(MESSAGE_START))


def _end(data: bytes, start: int) -> int:
    """Where the message ends that begins at `start`: before the comma that comes before the next."""
    following = data.find(MESSAGE_START, start + 1)
    return following - 1 if following >= 0 else len(data)


def _matches(pattern: re.Pattern[bytes], data: bytes) -> float:
    """How often the pattern matches; infinity where it cannot be searched in many messages at once."""
    return sum(1 for _ in pattern.finditer(data)) if is_bounded(pattern) else float("inf")
