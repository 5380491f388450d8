"""The dead letters: what could not be processed, kept with the reason until someone decides.

A bounded stream in Redis. An entry has `kind` (`body`: the broken rest of a request; `line`: a
frame that is no syslog line; `message`: a value of the topic), `source`, `reason`, and `value`,
the bytes in base64. `tailrace:counts` counts all that ever came, in the field `dead_letters`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import redis

DEAD_LETTERS = "tailrace:dead-letters"
DEAD_LETTERS_MAX = 10_000
VALUE_MAX_BYTES = 65_536
"""Longer values are cut: the reason counts, and a flood must not fill Redis."""

Kind = Literal["body", "line", "message"]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One entry; `id` is that of the stream, its first part a Unix time in ms."""

    id: str
    kind: str
    source: str
    reason: str
    value: bytes
    bytes_before_cut: int
    app: str

    @property
    def is_whole(self) -> bool:
        return len(self.value) == self.bytes_before_cut

    @property
    def time_ms(self) -> int:
        return int(self.id.partition("-")[0])


def dead_letter(kind: Kind, source: str, reason: str, value: bytes, app: str = "") -> list[str]:
    """Names and values of a new entry, as XADD takes them."""
    kept = base64.b64encode(value[:VALUE_MAX_BYTES]).decode()
    return [
        *("kind", kind),
        *("source", source),
        *("reason", reason[:500]),
        *("value", kept),
        *("bytes", str(len(value))),
        *("app", app),
    ]


def add(store: redis.Redis, letters: Sequence[list[str]]) -> None:
    """Adds entries made by `dead_letter`. Raises redis.RedisError when they are not kept."""
    pipeline = store.pipeline(transaction=True)
    for letter in letters:
        fields = dict(zip(letter[::2], letter[1::2], strict=True))
        pipeline.xadd(DEAD_LETTERS, cast(Any, fields), maxlen=DEAD_LETTERS_MAX, approximate=True)
    pipeline.hincrby("tailrace:counts", "dead_letters", len(letters))
    pipeline.execute()


def read(store: redis.Redis, first_id: str = "-", last_id: str = "+") -> Iterator[DeadLetter]:
    """All entries from one id to another, oldest first."""
    start = first_id
    while True:
        found = cast(
            list[tuple[bytes, dict[bytes, bytes]]], store.xrange(DEAD_LETTERS, start, last_id, count=200)
        )
        for entry_id, fields in found:
            text = {name.decode(): value.decode("utf-8", "replace") for name, value in fields.items()}
            yield DeadLetter(
                id=entry_id.decode(),
                kind=text.get("kind", ""),
                source=text.get("source", ""),
                reason=text.get("reason", ""),
                value=base64.b64decode(text.get("value", "")),
                bytes_before_cut=int(text.get("bytes", "0")),
                app=text.get("app", ""),
            )
        if not found:
            return
        start = "(" + found[-1][0].decode()


def count(store: redis.Redis) -> int:
    """Entries kept now."""
    return store.xlen(DEAD_LETTERS)


def drop(store: redis.Redis, ids: Sequence[str]) -> int:
    """Removes entries; how many there were."""
    return store.xdel(DEAD_LETTERS, *ids) if ids else 0
