"""The dead letters: what could not be processed, kept with the reason until someone decides.

A stream in Redis, bounded in bytes and in number; the oldest go first, and are counted. An entry
has `kind` (`body`: the broken rest of a request; `line`: one message that cannot be read; `message`:
a value of the topic), `source`, `reason`, `app`, `bytes` (of the whole value) and `raw`, the value.
Versions before had `value` instead, in base64: such entries are still read.

The hash `tailrace:counts` counts all that ever came as `dead_letters`, and those that the bound
dropped as `dead_letters_dropped`. See dead_letters.lua for the account of the bytes.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import redis

from app.redis_memory import share_of
from app.store import replies
from app.store.keys import COUNTS, DEAD_LETTERS, DEAD_LETTERS_ACCOUNT
from app.store.settle import read_lua

DEAD_LETTERS_MAX = 10_000
DEAD_LETTERS_MAX_BYTES = 64_000_000
SHARE_OF_MAXMEMORY = 0.05
"""All letters together take no more than the smaller of these two, in bytes. With the log's 40 %,
more than half of Redis is left for the figures, whatever senders do."""

OVERHEAD_BYTES = 256
"""What an entry takes beside its texts, rounded up: the node of the stream it lies in."""

VALUE_MAX_BYTES = 15_000
"""Longer values are cut: the reason is what counts. A line of Heroku's fits whole (longer ones are
split at 10,000 bytes; Dev Center, "Logging"), so it can be requeued; the broken rest of a body may
not fit. An entry of this length fits into 16 KiB, so Redis's allocator wastes little."""

REASON_MAX_CHARACTERS = 500

STEP_LETTERS = 200
STEP_BYTES = 1_000_000
"""Most that one script call adds, and about what it counts or drops: a few ms of Redis's time."""

FIELDS = ("kind", "source", "reason", "app", "bytes", "raw")

NewDeadLetter = tuple[str, str, str, str, str, bytes]
"""The values of FIELDS."""

Kind = Literal["body", "line", "message"]


def _table(constants: dict[str, str | int | float | tuple[str, ...]]) -> str:
    """A Lua table of these constants."""

    def literal(value: str | int | float | tuple[str, ...]) -> str:
        if isinstance(value, tuple):
            return "{" + ", ".join(map(literal, value)) + "}"
        return f"'{value}'" if isinstance(value, str) else str(value)

    return "{" + ", ".join(f"{name} = {literal(value)}" for name, value in constants.items()) + "}"


DEAD_LETTERS_LUA = (
    "local dead_letters = "
    + _table(
        {
            "key": DEAD_LETTERS,
            "account": DEAD_LETTERS_ACCOUNT,
            "counts": COUNTS,
            "most": DEAD_LETTERS_MAX,
            "most_bytes": DEAD_LETTERS_MAX_BYTES,
            "share": SHARE_OF_MAXMEMORY,
            "overhead_bytes": OVERHEAD_BYTES,
            "step_letters": STEP_LETTERS,
            "step_bytes": STEP_BYTES,
            "fields": FIELDS,
        }
    )
    + "\n"
    + read_lua("dead_letters.lua")
)
"""In front of a script that writes letters."""

_ENFORCE = DEAD_LETTERS_LUA + "\nreturn enforce_dead_letters_limit()\n"
_DROP = DEAD_LETTERS_LUA + "\nreturn drop_dead_letters(ARGV)\n"

ENFORCE_CALLS_MAX = 100
AT_ONCE = 50
"""Entries that one command reads, adds or drops: at most 0.8 MB of values (4.4 MB of old ones)."""


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
    def is_complete(self) -> bool:
        return len(self.value) == self.bytes_before_cut

    @property
    def time_ms(self) -> int:
        return int(self.id.partition("-")[0])


def dead_letter(kind: Kind, source: str, reason: str, value: bytes, app: str = "") -> NewDeadLetter:
    """A new entry, its value and reason cut."""
    kept = value[:VALUE_MAX_BYTES]
    return kind, source, reason[:REASON_MAX_CHARACTERS], app, str(len(value)), kept


def arguments(letters: Iterable[NewDeadLetter], total: int) -> list[str | bytes | int]:
    """What `keep_dead_letters` takes of `total` letters: how many are left out, then the others.

    No more than one step's worth is sent; what is left out is counted as dropped.
    """
    sent: list[str | bytes | int] = [0]
    bytes_sent = count = 0
    for letter in islice(letters, STEP_LETTERS):
        bytes_sent += len(letter[-1])
        if bytes_sent > STEP_BYTES:
            break
        sent += letter
        count += 1
    sent[0] = total - count
    return sent


def enforce_limit(store: redis.Redis) -> None:
    """Drops dead letters beyond the limit, oldest first, in short steps.

    Adding one enforces the limit by itself. This is for a Redis full of dead letters from a version without
    the limit, or one whose maxmemory was lowered. Raises redis.RedisError.
    """
    script = store.register_script(_ENFORCE)
    for _ in range(ENFORCE_CALLS_MAX):
        if not script():
            return


def limit_bytes(maxmemory_bytes: int) -> int:
    """The bound of all letters together for a Redis with this maxmemory; 0: it has none."""
    return share_of(maxmemory_bytes, SHARE_OF_MAXMEMORY, DEAD_LETTERS_MAX_BYTES)


def read(store: redis.Redis, first_id: str = "-", last_id: str = "+") -> Iterator[DeadLetter]:
    """All entries from one id to another, oldest first."""
    start = first_id
    while True:
        found = replies.entries(store.xrange(DEAD_LETTERS, start, last_id, count=AT_ONCE))
        for entry_id, fields in found:
            yield _letter(entry_id, fields)
        if not found:
            return
        start = "(" + found[-1][0]


def _letter(entry_id: str, fields: dict[bytes, bytes]) -> DeadLetter:
    raw = fields.get(b"raw")
    value = base64.b64decode(fields.get(b"value", b"")) if raw is None else raw

    def text(name: bytes) -> str:
        return replies.text(fields.get(name))

    return DeadLetter(
        id=entry_id,
        kind=text(b"kind"),
        source=text(b"source"),
        reason=text(b"reason"),
        value=value,
        bytes_before_cut=int(text(b"bytes") or 0),
        app=text(b"app"),
    )


def newest_id(store: redis.Redis) -> str:
    """The id of the newest entry; empty where there is none."""
    found = replies.entries(store.xrevrange(DEAD_LETTERS, count=1))
    return found[0][0] if found else ""


def drop(store: redis.Redis, ids: Iterable[str]) -> int:
    """Removes entries; how many there were."""
    script = store.register_script(_DROP)
    left, dropped = iter(ids), 0
    while some := list(islice(left, AT_ONCE)):
        dropped += int(script(args=some))
    return dropped
