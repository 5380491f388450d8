"""Events as Redis keeps them: once each, the newest ones, in three tables of bounded size for each app.

An app's own events are in `releases` (what makes or explains a release) and `actions` (an autoscaler or a bot
may act every minute, and must not displace releases), those of its dynos in `dynos`.

A row of a table stands for one event, or for all alike within a *slot* of time: what repeats endlessly
(Heroku logs R14 about every 21 s for each dyno) takes a bounded number of rows. A row is

    <base ms> <times> <JSON of the event, without its time and without what is empty>

`base ms` is where its slot begins, Unix ms. `times` are the moments of the events, in ms from there: the
first EVENT_TIMES that differ, then `+<how many more>:<the last of all>` if there are more, such as
`0,21000,42000+3:599000`. A moment that is listed already changes nothing: the same message in two frames is
one event. (Among those beyond the first EVENT_TIMES of a slot it counts again.)

The id of a row is a digest of what makes it one: kind, dyno, slot and text. Its *rank* in the sorted set, in
Unix microseconds, lies within its slot and follows from the id: no two rows share one, or nearly, so "the
lowest rank goes first" leaves the same rows in whatever order they came. A table that is full has a *floor*:
what ranks no higher is not kept. The hash says so in fields beside the rows: `bytes` that the rows take,
`floor`, and `lost_ms`, when the newest event happened that was not kept because there were many.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from app.platform.facts import Event, Kind
from app.store.bounds import DYNO_MAX_CHARS, EVENT_NAMES_MAX_BYTES, EVENT_TEXT_MAX_BYTES, EVENTS_KEPT_S
from app.store.grouping import grouped
from app.store.platform_rows import Part
from app.store.samples import safe

RELEASES, ACTIONS, DYNOS = "releases", "actions", "dynos"
TABLES = (RELEASES, ACTIONS, DYNOS)

_OF_RELEASES: tuple[Kind, ...] = ("release", "deploy", "rollback", "config", "add-on", "command")

_TABLE_OF: Mapping[Kind, str] = {
    **dict.fromkeys(_OF_RELEASES, RELEASES),
    **dict.fromkeys(("scale", "build", "other"), ACTIONS),
}

SLOT_MAX_MS = 600_000

_SLOT_MS: Mapping[Kind, int] = {
    **dict.fromkeys(_OF_RELEASES, 1),
    **dict.fromkeys(("error", "idle"), SLOT_MAX_MS),
}
_SLOT_OF_OTHERS_MS = 60_000
"""A dyno that crashes again and again changes its state every few minutes on Heroku, and what is logged every
second takes a row a minute."""

EVENT_TIMES = 8
"""Moments that a row lists. A dyno starts far less often in a minute, so its starts are all known exactly."""

PART_UNITS = 60
ROW_UNITS = 40
"""What some rows of a table cost in the atomic step, and each of them: see rows.ROW_UNITS."""

ROWS_A_PART = 20

ROW_BYTES = 250
"""What a row takes in Redis beside its JSON, in a sorted set and in a hash: 180 with one moment, 250 with all
that it may list."""

META = ("bytes", "floor", "lost_ms")
"""Fields of the hash that are no rows. An id has 11 characters."""

_NUMBER_MAX = 2**31
_WORD_MAX_BYTES = 64
_NAME_MAX_BYTES = 200
_USER_MAX_BYTES = 254


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A row of a table."""

    event: Event
    """At the first of its moments."""
    times_ms: tuple[int, ...]
    """The first moments, Unix ms."""
    further: int
    """How many more there were."""
    last_ms: int

    @property
    def count(self) -> int:
        return len(self.times_ms) + self.further


@dataclass(slots=True)
class _Slot:
    """What a batch adds to a row."""

    id: str
    rank_us: int
    base_ms: int
    facts: str
    times: set[int] = field(default_factory=set)

    def row(self) -> str:
        """As Redis has it."""
        times = sorted(self.times)
        listed = ",".join(map(str, times[:EVENT_TIMES]))
        further = len(times) - EVENT_TIMES
        if further > 0:
            listed += f"+{further}:{times[-1]}"
        return f"{self.base_ms} {listed} {self.facts}"


def table_of(event: Event) -> str:
    """The table in which it is kept. An unknown sentence (`other`) may be of the app or of a dyno."""
    return DYNOS if event.dyno else _TABLE_OF.get(event.kind, DYNOS)


def is_folded(kind: Kind) -> bool:
    """Whether events of this kind repeat for long, so that a row stands for all alike of SLOT_MAX_MS."""
    return _SLOT_MS.get(kind) == SLOT_MAX_MS


def event_parts(events: Iterable[Event], now_s: int) -> Iterator[Part]:
    """The events of one app as the script takes them: [table, oldest rank that is kept, Unix s when the table
    expires, ids, ranks, rows]. What is older than EVENTS_KEPT_S is left out."""
    oldest_ms = (now_s - EVENTS_KEPT_S) * 1000
    tables: dict[str, dict[str, _Slot]] = {}
    for event in events:
        if event.at_ms >= oldest_ms:
            _add(tables.setdefault(table_of(event), {}), event)
    for table, slots in tables.items():
        for some in grouped(slots.values(), lambda slot: 1, ROWS_A_PART):
            ids, ranks, rows = zip(*((slot.id, slot.rank_us, slot.row()) for slot in some), strict=True)
            told = (table, oldest_ms * 1000, now_s + EVENTS_KEPT_S, ids, ranks, rows)
            yield Part(told, PART_UNITS + ROW_UNITS * len(some))


def _add(slots: dict[str, _Slot], event: Event) -> None:
    slot_ms = _SLOT_MS.get(event.kind, _SLOT_OF_OTHERS_MS)
    base_ms = event.at_ms // slot_ms * slot_ms
    digest = _digest(event, base_ms)
    identity = urlsafe_b64encode(digest[:8])[:11].decode()
    slot = slots.get(identity)
    if slot is None:
        rank_us = base_ms * 1000 + int.from_bytes(digest[8:16], "big") % (slot_ms * 1000)
        slot = slots[identity] = _Slot(identity, rank_us, base_ms, _facts(event))
    slot.times.add(event.at_ms - base_ms)


def _digest(event: Event, base_ms: int) -> bytes:
    told = "\0".join((event.kind, event.dyno, str(base_ms), event.text))
    return hashlib.sha1(told.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()


def _facts(event: Event) -> str:
    """JSON of what happened, without its time: bounded and printable, whatever a sender has invented."""
    facts: dict[str, Any] = {
        "kind": event.kind,
        "text": safe(event.text, EVENT_TEXT_MAX_BYTES),
        "dyno": safe(event.dyno, DYNO_MAX_CHARS),
        "version": _number(event.version),
        "commit": safe(event.commit, _WORD_MAX_BYTES),
        "names": _names(event.names),
        "state": safe(event.state, _WORD_MAX_BYTES),
        "status": None if event.status is None else _number(event.status),
        "code": safe(event.code, _WORD_MAX_BYTES),
        "user": safe(event.user, _USER_MAX_BYTES),
    }
    kept = {name: value for name, value in facts.items() if value or (name == "status" and value == 0)}
    return orjson.dumps(kept).decode()


def _names(names: Sequence[str]) -> list[str]:
    """The first ones, as many as fit."""
    bounded = (safe(name, _NAME_MAX_BYTES) for name in names)
    return next(grouped(bounded, lambda name: len(name.encode()) + 1, EVENT_NAMES_MAX_BYTES), [])


def _number(value: int) -> int | None:
    return value if abs(value) < _NUMBER_MAX else None


def unpack(row: str) -> StoredEvent:
    """What a row says. Raises ValueError for anything else."""
    try:
        base, times, facts = row.split(" ", 2)
        listed, _, further = times.partition("+")
        count, _, last = further.partition(":")
        base_ms = int(base)
        times_ms = tuple(base_ms + int(time) for time in listed.split(","))
        found = {name: value for name, value in orjson.loads(facts).items() if name in _FIELDS}
        found.setdefault("text", "")
        found["names"] = tuple(found.get("names", ()))
        event = Event(at_ms=times_ms[0], **found)
    except (TypeError, AttributeError) as fault:
        raise ValueError(f"not an event: {row[:80]!r}") from fault
    return StoredEvent(event, times_ms, int(count or 0), base_ms + int(last) if last else times_ms[-1])


_FIELDS = frozenset(Event.__dataclass_fields__) - {"at_ms"}
