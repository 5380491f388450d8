"""Encodes the lines of a whole batch as fields of windows and totals, by the rows of schema.py.

It works column by column: few values make up nearly all traffic, so each is read and encoded once and then
looked up. Counting is then adding up fields, without knowing what the figures mean. Rare figures are read
from the few lines that are unusual, one by one; the others cost nothing for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from app import outcomes
from app.router_line import RouterLine
from app.sketch import bucket
from app.store.bounds import NAMES_SENT_MAX, OTHER
from app.store.rows import Added
from app.store.schema import (
    ABORTED,
    ADDED,
    CONNECTION,
    COUNTS,
    NAMES,
    SKETCHES,
    TOTAL_NAMES,
    Count,
    Counts,
    Field,
    Names,
    Sketch,
    total_of_field,
)

CACHED_VALUES = 50_000
"""Values of one column that are remembered."""

Value = TypeVar("Value")
Time = tuple[Field | None, int, float]
"""(field of its bucket, microseconds, ms); (None, 0, 0.0) where a line says none."""

NO_TIME: Time = (None, 0, 0.0)

Unusual = Mapping[int, bool]
"""Places of the lines that rare figures are read from -> whether the line is of a connection. Of the others,
`at` is `info`, there is no code, the status is not 499, and the times are those of a request."""
NOTHING_UNUSUAL: Unusual = MappingProxyType({})


class _Cache(dict[Any, Value], Generic[Value]):
    """Text of a column (for several columns, a tuple of them) -> what it was read as."""

    def __init__(self, read: Callable[[Any], Value]) -> None:
        self._read = read

    def __missing__(self, text: Any) -> Value:
        if len(self) >= CACHED_VALUES:
            self.clear()
        value = self[text] = self._read(text)
        return value

    def all(self, column: Iterable[Any]) -> list[Value]:
        return list(map(self.__getitem__, column))


class _Times(_Cache[Time]):
    """Reads the times of one sketch, and knows which texts are neither empty nor a time."""

    def __init__(self, sketch: Sketch) -> None:
        super().__init__(partial(_time, sketch))
        self._unreadable: set[str] = set()

    def __missing__(self, text: str) -> Time:
        value = super().__missing__(text)
        if text and value is NO_TIME:
            self._unreadable.add(text)
        return value

    def unreadable(self, column: Iterable[str]) -> int:
        """How many of this column's texts, which `all` has just read, say no time."""
        if not self._unreadable:
            return 0
        count = sum(map(self._unreadable.__contains__, column))
        if len(self._unreadable) >= CACHED_VALUES:
            self.clear()
            self._unreadable.clear()
        return count


FIELDS_A_LINE = 4
"""Counting a line again costs about as much as adding up this many fields of cells."""


@dataclass(slots=True)
class Cell:
    """Some lines: their places in the batch, and what they count for as a window."""

    places: list[int]
    counts: dict[Field, int]


@dataclass(slots=True)
class EncodedBatch:
    """The lines of a batch, encoded; each list has one entry a line."""

    fields: list[tuple[Field | None, ...]]
    """Of names, sketches and rare counts in a window; None: a line says none."""
    amounts: list[tuple[Count, list[int]]]
    names: list[tuple[Names, list[str]]]
    """Of figures that no window has."""
    times: list[tuple[Sketch, list[int], list[float]]]
    """Microseconds and ms."""
    service: Sequence[Field | None] = ()
    """The field of its service time in a window; None: a line says none, or is of a connection."""
    outcomes: Mapping[int, Field] = field(default_factory=dict)
    """Places of the lines that failed or whose client went away -> the field that counts them."""
    unreadable_times: int = 0
    """Values that are neither empty nor a time: their lines count without it."""

    def count(self, places: list[int]) -> Cell:
        """The cell of the lines at these places."""
        counts: Any = Counter(chain.from_iterable(map(self.fields.__getitem__, places)))
        counts.pop(None, None)
        for count, amounts in self.amounts:
            amount = sum(map(amounts.__getitem__, places)) if count.columns else len(places)
            if amount or count.keeps_zero:
                counts[count.code] = amount
        return Cell(places, counts)

    def sum(self, cells: Sequence[Cell]) -> Cell:
        """The cell of all their lines, added up or counted anew, whichever is less to do. A lone cell
        stands for itself."""
        if len(cells) == 1:
            return cells[0]
        places = list(chain.from_iterable([cell.places for cell in cells]))
        if sum([len(cell.counts) for cell in cells]) > FIELDS_A_LINE * len(places):
            return self.count(places)
        counts = dict(cells[0].counts)
        for cell in cells[1:]:
            for name, number in cell.counts.items():
                counts[name] = counts.get(name, 0) + number
        return Cell(places, counts)

    def totals(self, cell: Cell) -> Added:
        """What the cell adds to the totals; no windows."""
        added, places = Added(), cell.places
        for name, number in cell.counts.items():
            hash_name, field = _TOTAL_PLACES[name]
            added.counts.setdefault(hash_name, {})[field] = number
        for sketch, microseconds, milliseconds in self.times:
            if measured := sum(added.counts.get(sketch.hash, {}).values()):
                added.maxima[sketch.maximum] = max(map(milliseconds.__getitem__, places))
                if sketch.sums:
                    added.times[sketch.sums] = (sum(map(microseconds.__getitem__, places)), measured)
        for figure, column in self.names:
            counts = Counter(map(column.__getitem__, places))
            counts.pop("", None)
            if figure.is_bounded:
                added.bounded[figure.hash] = _first(counts, NAMES_SENT_MAX)
            else:
                hashed = added.counts.setdefault(figure.hash, {})
                hashed |= {figure.prefix + name: number for name, number in counts.items()}
        return added


class Encoder:
    """Encodes batches; keeps what it has read from one to the next."""

    def __init__(self) -> None:
        self._amounts = [
            (figure, _Cache(partial(_amount, figure))) for figure in COUNTS if not figure.is_rare
        ]
        self._fields = [(figure, _Cache(partial(_name_field, figure))) for figure in NAMES]
        self._times = [(figure, _Times(figure)) for figure in SKETCHES if not figure.is_rare]
        self._names = [(figure, _Cache(figure.read)) for figure in TOTAL_NAMES]
        self._lifetimes = [(figure, _Cache(partial(_time, figure))) for figure in SKETCHES if figure.is_rare]
        self._rare = _Cache(_rare_fields)

    def encode(
        self, lines: Sequence[RouterLine], admitted: Collection[str], unusual: Unusual = NOTHING_UNUSUAL
    ) -> EncodedBatch:
        """The lines; `admitted`: names of the figures that are admitted a batch at a time."""
        connections = [place for place, is_connection in unusual.items() if is_connection]
        columns = dict(zip(RouterLine._fields, zip(*lines, strict=True), strict=False))

        def column(name: str) -> Sequence[str]:
            return columns.get(name, ())

        fields: list[list[Any]] = []
        for names, field_of in self._fields:
            texts = column(names.column)
            if names.is_admitted:
                texts = [text if not text or text in admitted else OTHER for text in texts]
            fields.append(field_of.all(texts))
        times = []
        service: Sequence[Field | None] = ()
        unreadable_times = 0
        for sketch, time_of in self._times:
            texts = _without(connections, column(sketch.column))
            found = time_of.all(texts)
            unreadable_times += time_of.unreadable(texts)
            fields.append([index for index, _, _ in found])
            if sketch.name == "service":
                service = fields[-1]
            times.append((sketch, [us for _, us, _ in found], [ms for _, _, ms in found]))
        by_line: list[tuple[Field | None, ...]] = list(zip(*fields, strict=True))
        for place, is_connection in unusual.items():
            line = lines[place]
            by_line[place] += self._rare[line.status, line.at, line.code, is_connection]
        for sketch, lifetime_of in self._lifetimes if connections else ():
            us, ms = [0] * len(lines), [0.0] * len(lines)
            for place in connections:
                index, us[place], ms[place] = lifetime_of[lines[place].service]
                by_line[place] += (index,)
            times.append((sketch, us, ms))
        return EncodedBatch(
            fields=by_line,
            amounts=[(count, amount_of.all(_texts(count, columns))) for count, amount_of in self._amounts],
            names=[(names, name_of.all(column(names.column))) for names, name_of in self._names],
            times=times,
            service=service,
            outcomes=self._outcomes(column("status"), lines, unusual),
            unreadable_times=unreadable_times,
        )

    @staticmethod
    def _outcomes(statuses: Sequence[str], lines: Sequence[RouterLine], unusual: Unusual) -> dict[int, Field]:
        """As EncodedBatch has them."""
        found: dict[int, Field] = {}
        for status in set(statuses):
            if outcomes.failed(status, "info", ""):
                found |= dict.fromkeys(_places_of(status, statuses), ADDED.code)
        for place in unusual:
            line = lines[place]
            outcome = line.status, line.at, line.code
            if outcomes.aborted(*outcome):
                found[place] = ABORTED.code
            elif outcomes.failed(*outcome):
                found[place] = ADDED.code
            else:
                found.pop(place, None)
        return found


def _places_of(text: str, column: Sequence[str]) -> Iterator[int]:
    """Where a text stands in a column in which it is rare."""
    at = -1
    with suppress(ValueError):
        while True:
            at = column.index(text, at + 1)
            yield at


def _without(connections: Sequence[int], texts: Sequence[str]) -> Sequence[str]:
    """The texts of a column, empty for connections."""
    if not connections:
        return texts
    kept = list(texts)
    for place in connections:
        kept[place] = ""
    return kept


def _rare_fields(said: tuple[str, str, str, bool]) -> tuple[Field, ...]:
    """The fields of rare counts of a line, each as often as it counts."""
    status, at, code, is_connection = said
    columns = {"status": status, "at": at, "code": code, CONNECTION: "1" if is_connection else ""}
    fields: list[Field] = []
    for count in COUNTS:
        if count.is_rare:
            fields += [count.code] * count.read(*[columns[name] for name in count.columns])
    return tuple(fields)


def _texts(count: Count, columns: Mapping[str, Sequence[str]]) -> Iterable[Any]:
    """What a count reads of each line: a text, or a tuple where it reads several columns."""
    some = [columns.get(name, ()) for name in count.columns]
    return some[0] if len(some) == 1 else zip(*some, strict=True)


def _amount(count: Count, texts: Any) -> int:
    return count.read(texts) if len(count.columns) == 1 else count.read(*texts)


def _name_field(names: Names, text: str) -> Field | None:
    name = names.read(text)
    return f"{names.code}{name}" if name else None


def _time(sketch: Sketch, text: str) -> Time:
    value_ms = sketch.read(text)
    if value_ms is None:
        return NO_TIME
    return sketch.field(bucket(value_ms)), round(value_ms * 1000), value_ms


def _first(counts: Mapping[str, int], names_max: int) -> Counts:
    """The first so many names; further ones together."""
    if len(counts) <= names_max:
        return dict(counts)
    kept: Counts = {}
    for name, count in counts.items():
        known = name if len(kept) < names_max else OTHER
        kept[known] = kept.get(known, 0) + count
    return kept


_TOTAL_PLACES = _Cache(total_of_field)
