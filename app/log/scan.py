"""Scans of a log by its plain `read`: for a log that has no faster way."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence

from app.log.interface import History, Scanned
from app.message import encode

FOLLOW_EVERY_S = 0.5
SETTLED_MS = 1_000


def scan(
    history: History,
    from_ms: int,
    until_ms: int,
    patterns: Sequence[re.Pattern[bytes]],
    newest_first: bool,
) -> Iterator[Scanned]:
    """See `SearchableHistory.scan`."""
    chunks = history.read(from_ms, until_ms)
    for chunk in reversed(list(chunks)) if newest_first else chunks:
        messages = [message for message in chunk if all(some.search(encode(message)) for some in patterns)]
        yield Scanned(messages[::-1] if newest_first else messages, len(chunk))


def follow(history: History, from_ms: int, patterns: Sequence[re.Pattern[bytes]]) -> Iterator[Scanned]:
    """See `SearchableHistory.follow`."""
    while True:
        until_ms = int(time.time() * 1000) - SETTLED_MS
        if until_ms > from_ms:
            yield from scan(history, from_ms, until_ms, patterns, newest_first=False)
            from_ms = until_ms
        yield Scanned([], 0)
        time.sleep(FOLLOW_EVERY_S)
