"""The figures of some requests, added up: what a window, several windows, or a row's totals say."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from app import outcomes
from app.store.schema import (
    ADDED,
    COUNTS,
    NAMES,
    REMOVED,
    SKETCHES,
    TOTALS_HASH,
    Buckets,
    Count,
    Counts,
    Field,
    Figure,
    Names,
    Sketch,
    figure_of_field,
)

Name = TypeVar("Name", str, int)


@dataclass(slots=True)
class Sums:
    """The figures of some requests, added up, by the figure's name."""

    counts: Counts = field(default_factory=dict)
    names: dict[str, Counts] = field(default_factory=dict)
    sketches: dict[str, Buckets] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        return self.counts.get("requests", 0)

    @property
    def bytes(self) -> int:
        return self.counts.get("bytes", 0)

    @property
    def errors(self) -> int:
        """Requests that failed: see outcomes.py."""
        found = outcomes.by_names(self.statuses, self.codes)
        found += self.counts.get(ADDED.name, 0) - self.counts.get(REMOVED.name, 0)
        return max(0, min(found, self.requests))

    @property
    def statuses(self) -> Counts:
        return self.names.get("statuses", {})

    @property
    def methods(self) -> Counts:
        return self.names.get("methods", {})

    @property
    def codes(self) -> Counts:
        return self.names.get("codes", {})

    @property
    def service(self) -> Buckets:
        return self.sketches.get("service", {})

    @property
    def connect(self) -> Buckets:
        return self.sketches.get("connect", {})

    @property
    def aborted(self) -> int:
        return self.counts.get("aborted", 0)

    @property
    def connections(self) -> int:
        return self.counts.get("connections", 0)

    @property
    def lifetime(self) -> Buckets:
        return self.sketches.get("lifetime", {})


def without(total: Sums, parts: Iterable[Sums]) -> Sums:
    """What is in the total, and in none of its parts. Never below 0: parts that are read later may have
    grown."""
    rest = Sums(
        dict(total.counts),
        {name: dict(counts) for name, counts in total.names.items()},
        {name: dict(buckets) for name, buckets in total.sketches.items()},
    )
    for part in parts:
        _subtract(rest.counts, part.counts)
        for name, counts in part.names.items():
            _subtract(rest.names.get(name, {}), counts)
        for name, buckets in part.sketches.items():
            _subtract(rest.sketches.get(name, {}), buckets)
    return rest


def _subtract(counts: dict[Name, int], part: Mapping[Name, int]) -> None:
    for name, count in part.items():
        left = counts.get(name, 0) - count
        if left > 0:
            counts[name] = left
        else:
            counts.pop(name, None)


def sums_of(window: Mapping[str, float] | Mapping[Field, int]) -> Sums:
    """The figures of a window, or of several added up. A code that is not known is a later version's."""
    counts: Counts = {}
    named: dict[str, dict[str, int]] = {}
    sketches: dict[str, Buckets] = {}
    for field_name, value in window.items():
        is_of, figure, rest = _place(field_name)
        if is_of is Names:
            if figure not in named:
                named[figure] = {}
            named[figure][str(rest)] = int(value)
        elif is_of is Sketch:
            if figure not in sketches:
                sketches[figure] = {}
            sketches[figure][int(rest)] = int(value)
        elif is_of is Count:
            counts[figure] = int(value)
    return Sums(counts, named, sketches)


@functools.lru_cache(maxsize=8_192)
def _place(field_name: Field) -> tuple[type[Figure] | None, str, Field]:
    """What kind of figure a field of a window is of, the figure's name, and the name or bucket in it."""
    figure, rest = figure_of_field(field_name)
    if figure is None:
        return None, "", rest
    return type(figure), figure.name, int(rest) if isinstance(figure, Sketch) else str(rest)


def sums_of_totals(hashes: Mapping[str, Counts]) -> Sums:
    """The figures of a row's totals: hash -> field -> count. What is no count is not in these hashes."""
    sums = Sums()
    for count in COUNTS:
        sums.counts[count.name] = hashes.get(TOTALS_HASH, {}).get(count.total, 0)
    for names in NAMES:
        start = len(names.prefix)
        sums.names[names.name] = {
            field[start:]: number
            for field, number in hashes.get(names.hash, {}).items()
            if field.startswith(names.prefix)
        }
    for sketch in SKETCHES:
        buckets = hashes.get(sketch.hash, {})
        sums.sketches[sketch.name] = {int(index): number for index, number in buckets.items()}
    return sums
