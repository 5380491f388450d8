"""Rows, what a batch adds to a route, and their form on the way to Redis: portions of bounded cost.

A portion is `<units> <length of the JSON> <JSON><windows>`, bytes. The JSON is a list of rows:

    scopes   what stands before the keys of each app that gets this row, `app:<name>:` or empty
    route    or null: all routes together
    digest   of the route
    counts   hash -> [fields, what to add to each]
    bounded  hash -> the same, of which Redis keeps NAMES_MAX names
    times    hash of the talk -> [sum in microseconds, how many]
    maxima   field -> the largest value so far, ms or Unix s
    paths    may be missing: [[path, ...], [count, ...]] of a row that stands for many paths
    kind     of a dyno's or host's row alone: `dynos` or `hosts`
    name     of that dyno or host
    last_s   when the newest window of that row began, Unix s
    chunks   [name, when it expires (Unix s), [number of each window], [bytes of each window]]
    samples  may be missing: [one of the scopes, chunks of samples]; see samples.py
    events, gauges  of a platform row alone: see platform_rows.py

Hashes are named as in schema.py. A row has either no `counts`, `bounded`, `times` and `maxima`, or all
of them. The windows, one after the other, are MessagePack just as Redis stores them (see keys.chunk):
where there is nothing to add them to, the script stores these bytes.

Portions outlive a worker in the journal, so a later version must be able to read them. While an earlier
version is still running, it adds those of this one: it passes over a part of a row that it does not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain
from operator import itemgetter
from typing import Any

import orjson

from app.store.grouping import grouped
from app.store.keys import ALL_ROUTES, CHUNK_S, NAME_WINDOWS, STAYS_S, chunk, digest, name_digest, scope
from app.store.platform_rows import PlatformRow, platform_pieces
from app.store.samples import SampleChunk, sample_units
from app.store.schema import Counts, Field
from app.store.settle import read_lua

ROWS_LUA = "".join(map(read_lua, ("name_rows.lua", "event_rows.lua", "gauge_rows.lua", "rows.lua")))
"""What adds portions to the figures, for the scripts that do."""

WindowCounts = tuple[int, int, Mapping[Field, int]]
"""(length in seconds, start in Unix seconds, counts); see schema.py."""

_Piece = tuple[dict[str, Any], list[bytes], int]
"""A row or a part of one, its packed windows, and what they cost in units."""

ROW_UNITS = 40
"""What a row costs before its fields, in units: one unit is about what one field of a hash costs."""

WINDOW_UNITS = 60
"""What a window costs beside the fields that it gets: it is read and written whole."""

PORTION_UNITS = 1_000
"""Rows are added in portions of about this cost, some milliseconds: no portion is ever split."""

PACKED_VALUES_MAX = 20_000
"""Names and numbers remembered as packed."""

_NAME_STAYS_S = dict(NAME_WINDOWS)


@dataclass(slots=True)
class Added:
    """What a batch adds to a row, by the names of schema.py."""

    counts: dict[str, Counts] = field(default_factory=dict)
    """Hash -> field -> count."""
    bounded: dict[str, Counts] = field(default_factory=dict)
    """The same, for hashes in which the number of names is bounded."""
    times: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Hash of the talk -> (sum in microseconds, how many)."""
    maxima: dict[str, float] = field(default_factory=dict)
    """Field -> the largest value: ms, or Unix s for LAST_SEEN."""
    paths: Counts = field(default_factory=dict)
    """Of a row that stands for many paths: the most frequent ones."""
    windows: list[WindowCounts] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Name:
    """A dyno or host; `kind`: `dynos` or `hosts`; `last_s`: when its newest window began, Unix s."""

    kind: str
    name: str
    last_s: int


@dataclass(slots=True)
class Row:
    """One route of one app, or of several that get the same; "": all apps, or all routes, together."""

    apps: tuple[str, ...]
    route: str
    added: Added
    samples: Sequence[SampleChunk] = ()
    """Single requests of the last of these apps alone: another copy for all apps would take as much again."""
    name: Name | None = None
    """Of a row that is of no route but of a dyno or host."""


def portions(rows: Iterable[Row], platform: Iterable[PlatformRow] = ()) -> Iterator[bytes]:
    """The rows as the scripts take them."""
    pieces = chain(
        chain.from_iterable(map(_sampled_pieces, chain.from_iterable(map(_split_by_app, rows)))),
        chain.from_iterable(map(platform_pieces, platform)),
    )
    return map(_portion, grouped(pieces, itemgetter(2), PORTION_UNITS))


def _split_by_app(row: Row) -> list[Row]:
    """A row whose totals alone cost a portion is one for each of its apps: they can't be split."""
    if len(row.apps) * _units(row.added) <= PORTION_UNITS:
        return [row]
    return [Row((app,), row.route, row.added, row.samples if app == row.apps[-1] else ()) for app in row.apps]


def _units(added: Added) -> int:
    """What the totals of a row cost, in one app."""
    return ROW_UNITS + sum(map(len, (*added.counts.values(), *added.bounded.values(), added.paths)))


def _portion(pieces: Sequence[_Piece]) -> bytes:
    rows, windows, units = zip(*pieces, strict=True)
    encoded = orjson.dumps(rows)
    return b"%d %d %b%b" % (sum(units), len(encoded), encoded, b"".join(chain.from_iterable(windows)))


def _sampled_pieces(row: Row) -> Iterator[_Piece]:
    """As `_pieces`; its samples are in the last piece, and in as many more as they need."""
    *pieces, (told, windows, units) = _pieces(row)
    yield from pieces
    if row.samples:
        own = scope(row.apps[-1])
        chunks: list[SampleChunk] = []
        for sampled in row.samples:
            cost = sample_units(sampled)
            if units + cost > PORTION_UNITS:
                yield told | {"samples": (own, chunks)}, windows, units
                told, windows, units = _names(row, [own]) | {"chunks": []}, [], ROW_UNITS
                chunks = []
            chunks.append(sampled)
            units += cost
        told = told | {"samples": (own, chunks)}
    yield told, windows, units


def _names(row: Row, scopes: list[str]) -> dict[str, Any]:
    names: dict[str, Any] = {
        "scopes": scopes,
        "route": row.route or None,
        "digest": digest(row.route) if row.route else ALL_ROUTES,
    }
    if row.name:
        names |= {"digest": name_digest(row.name.kind, row.name.name), **asdict(row.name)}
    return names


def _pieces(row: Row) -> Iterator[_Piece]:
    """The row, its windows, and what they cost in units; a row with many windows in several pieces."""
    added = row.added
    names = _names(row, [scope(app) for app in row.apps])
    totals: dict[str, Any] = {
        "counts": {name: _fields(counts) for name, counts in added.counts.items()},
        "bounded": {name: _fields(counts) for name, counts in added.bounded.items()},
        "times": added.times,
        "maxima": added.maxima,
    }
    if added.paths:
        totals["paths"] = _fields(added.paths)
    times = len(row.apps)
    units = times * _units(added)
    stays_s = _NAME_STAYS_S if row.name else STAYS_S
    windows = _Windows(stays_s)
    for window in added.windows:
        window_units = times * (WINDOW_UNITS + len(window[2]))
        if units + window_units > PORTION_UNITS and (windows.packed or totals):
            yield {**names, **totals, "chunks": windows.chunks}, windows.packed, units
            windows, totals, units = _Windows(stays_s), {}, times * ROW_UNITS
        windows.add(window)
        units += window_units
    yield {**names, **totals, "chunks": windows.chunks}, windows.packed, units


class _Windows:
    """Windows of one piece: those of a chunk together, and in the order in which the script meets them."""

    def __init__(self, stays_s: Mapping[int, int]) -> None:
        self._stays_s = stays_s
        self.chunks: list[tuple[str, int, list[int], list[int]]] = []
        self.packed: list[bytes] = []

    def add(self, window: WindowCounts) -> None:
        length_s, start_s, counts = window
        name, number = chunk(length_s, start_s)
        if not self.chunks or self.chunks[-1][0] != name:
            expires_at_s = start_s - number * length_s + CHUNK_S[length_s] + self._stays_s[length_s]
            self.chunks.append((name, expires_at_s, [], []))
        packed = pack(counts)
        _, _, numbers, sizes = self.chunks[-1]
        numbers.append(number)
        sizes.append(len(packed))
        self.packed.append(packed)


def _fields(counts: Counts) -> tuple[list[str], list[int]]:
    """As the script takes them: fields, and what to add to each."""
    return list(counts), list(counts.values())


# --- MessagePack ---------------------------------------------------------------------------


def pack(counts: Mapping[Field, int]) -> bytes:
    """A map of names or whole numbers to whole numbers, in MessagePack (github.com/msgpack/msgpack,
    spec.md), each value in its shortest form, as Redis's own cmsgpack writes it."""
    size = len(counts)
    head = b"%c" % (0x80 | size) if size < 16 else b"\xde" + size.to_bytes(2, "big")
    return head + b"".join(map(_PACKED.__getitem__, chain.from_iterable(counts.items())))


class _Packed(dict[Field, bytes]):
    """Name or number -> MessagePack, made when first asked for."""

    def __missing__(self, value: Field) -> bytes:
        if len(self) >= PACKED_VALUES_MAX:
            self.clear()
        packed = self[value] = _text(value.encode()) if isinstance(value, str) else _integer(value)
        return packed


def _text(value: bytes) -> bytes:
    size = len(value)
    if size < 32:
        return b"%c%b" % (0xA0 | size, value)
    return (b"\xd9%c" % size if size < 256 else b"\xda" + size.to_bytes(2, "big")) + value


def _integer(value: int) -> bytes:
    if -32 <= value < 128:
        return b"%c" % (value & 0xFF)
    for power in range(4):
        size = 1 << power
        if 0 <= value < 1 << 8 * size:
            return b"%c" % (0xCC + power) + value.to_bytes(size, "big")
        if -1 << 8 * size - 1 <= value < 0:
            return b"%c" % (0xD0 + power) + value.to_bytes(size, "big", signed=True)
    raise OverflowError(f"{value} has more than 64 bits")


_PACKED = _Packed()
