"""Samples: of each row and chunk of time a few single requests, the slowest and the latest that failed.

Shorter chunks are kept for an hour, longer ones for a day (keys.SAMPLES). They are kept for the line's own
app alone, "" for lines without an app's name: whoever asks for all apps together reads each app's.

A chunk is a string in Redis: MessagePack of two lists, of the slowest and of the failed, the first one first.
For each request a list has three values:

    ms from the start of the chunk
    service time in microseconds, or NO_TIME
    what else is kept of it, as one text: see `pack`

On its way to Redis (see rows.py) a chunk is [its name, when it expires (Unix s), the slowest, the failed], in
JSON. `add_samples` in rows.lua adds it to what is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from app.router_line import milliseconds
from app.store.bounds import CODE, DYNO_MAX_CHARS, METHODS, OTHER, STATUS
from app.store.schema import MAX_MS

SLOWEST_MAX = 5
FAILED_MAX = 5
"""Most requests of each list."""

ID_MAX_BYTES = 200
"""Heroku's router takes an id of at most so many characters from a client."""

DYNO_MAX_BYTES = DYNO_MAX_CHARS

NO_TIME = -1
"""The service time of a request that has none, or whose time is the lifetime of a connection."""

CHUNK_UNITS = 12
SAMPLE_UNITS = 1
"""What a chunk costs to read and write, and each of its samples: see rows.ROW_UNITS."""

Triples = list[int | str]
"""The three values of each sample, one after the other."""

SampleChunk = tuple[str, int, Triples, Triples]
"""(name, Unix s when it expires, the slowest, the failed)."""


@dataclass(frozen=True, slots=True)
class SampleText:
    """What the text of a sample says."""

    connect_ms: float | None
    dyno: str
    method: str
    status: str
    code: str
    request_id: str


def pack(connect: str, dyno: str, method: str, status: str, code: str, request_id: str) -> str:
    """The text of a sample, from the fields of its line: bounded in bytes, and without control characters or
    surrogates, whatever a sender has invented."""
    return _beginning(connect, dyno, method, status, code) + safe(request_id, ID_MAX_BYTES)


def unpack(text: str) -> SampleText:
    """What `pack` has packed. Raises ValueError for anything else."""
    connect_us, dyno, method, status, code, request_id = text.split(_SEPARATOR)
    return SampleText(int(connect_us) / 1000 if connect_us else None, dyno, method, status, code, request_id)


def safe(text: str, most_bytes: int) -> str:
    """The text as far as it has at most so many bytes in UTF-8, with U+FFFD for what is not printable."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(char if char.isprintable() else "\ufffd" for char in text[:most_bytes])
    return text if len(text) * 4 <= most_bytes else text.encode()[:most_bytes].decode("utf-8", "ignore")


def sample_units(chunk: SampleChunk) -> int:
    """What a chunk costs in the atomic step."""
    return CHUNK_UNITS + SAMPLE_UNITS * (len(chunk[2]) + len(chunk[3])) // 3


_SEPARATOR = "\t"
"""In no safe text."""


@lru_cache(maxsize=4096)  # a few hundred make up nearly all traffic
def _beginning(connect: str, dyno: str, method: str, status: str, code: str) -> str:
    connect_ms = milliseconds(connect)
    return _SEPARATOR.join(
        (
            "" if connect_ms is None or connect_ms >= MAX_MS else str(round(connect_ms * 1000)),
            safe(dyno, DYNO_MAX_BYTES),
            method if method in METHODS or not method else OTHER,
            status if STATUS.fullmatch(status) or not status else OTHER,
            code if CODE.fullmatch(code) or not code else OTHER,
            "",
        )
    )
