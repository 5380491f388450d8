"""The rows of dynos and hosts: what a batch adds to each, in the scope of its own app alone. Pure.

A dyno or host has the windows of a route with a few of its fields: requests, failures, aborts, and the
buckets of service. Failures are counted as such (schema.ADDED): there are no statuses to find them in.

Each line is of a dyno and of a host. Lines of the same pair are counted once, and pairs are added up, because
few pairs make up nearly all traffic.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import chain
from typing import Any

from app.store.bounds import OTHER
from app.store.keys import NAME_WINDOWS
from app.store.name_totals import totals
from app.store.rows import Added, Name, Row, WindowCounts
from app.store.schema import NAME_TOTALS_HASH, REQUESTS, Field
from consumers.metrics.encode import EncodedBatch
from consumers.metrics.name_tables import AdmittedNames, NameTable, WantedNames, WantedTable

LINES_A_PAIR = 8
"""Where pairs have fewer lines than this on average, counting each kind by itself is less to do."""

Places = list[int]
"""Where some lines are in the batch."""
Cell = dict[Field, int]
"""What some lines count for as a window."""
Names = dict[str, dict[int, Cell]]
"""Dyno or host -> its cells by the start of their 10 seconds, Unix s."""


def name_rows(
    places: Mapping[tuple[str, str, str], Mapping[int, Places]],
    batch: EncodedBatch,
    admit: Callable[[WantedNames], AdmittedNames],
    now_s: int,
) -> list[Row]:
    """The rows. `places`: the lines by source, an app first, and start; `admit`: which names get a row, the
    others are together; it may raise RedisError. `now_s` (Unix s) decides which windows are kept."""
    kinds, columns = [figure.name for figure, _ in batch.names], [column for _, column in batch.names]
    counted_as = _counted_as(batch)
    tables: dict[NameTable, Names] = {}
    for app, starts in _by_app(places).items():
        for start, some in starts.items():
            for kind, cells in zip(kinds, _cells(some, columns, counted_as), strict=True):
                for name, cell in cells.items():
                    tables.setdefault((app, kind), {}).setdefault(name, {})[start] = cell
    admitted = admit({table: _wanted(names) for table, names in tables.items()})
    return [
        _row(app, kind, name, cells, now_s)
        for (app, kind), names in tables.items()
        for name, cells in _with_others(names, admitted[app, kind]).items()
    ]


def _counted_as(batch: EncodedBatch) -> list[Any]:
    """What each line counts for beside a request: its field of service, or a pair of it and its outcome."""
    counted_as: list[Any] = list(batch.service)
    for place, outcome in batch.outcomes.items():
        counted_as[place] = (counted_as[place], outcome)
    return counted_as


def _by_app(places: Mapping[tuple[str, str, str], Mapping[int, Places]]) -> dict[str, dict[int, Places]]:
    by_app: dict[str, dict[int, Places]] = {}
    for (app, _, _), starts in places.items():
        into = by_app.setdefault(app, {})
        for start, some in starts.items():
            if start in into:
                into[start] += some
            else:
                into[start] = some[:]
    return by_app


def _cells(
    places: Places, columns: Sequence[Sequence[str]], counted_as: Sequence[Any]
) -> list[dict[str, Cell]]:
    """For each column: the cells of these lines by their name in it, but of those that say none."""
    groups: defaultdict[tuple[str, ...], Places] = defaultdict(list)
    names = zip(*[map(column.__getitem__, places) for column in columns], strict=True)
    for group, place in zip(names, places, strict=True):
        groups[group].append(place)
    are_few = len(groups) * LINES_A_PAIR <= len(places)
    counted = {group: _cell(some, counted_as) for group, some in groups.items()} if are_few else {}
    found = []
    for at in range(len(columns)):
        by_name: dict[str, list[tuple[str, ...]]] = {}
        for group in groups:
            by_name.setdefault(group[at], []).append(group)
        by_name.pop("", None)
        found.append(
            {
                name: _sum([counted[group] for group in some])
                if are_few
                else _cell(list(chain.from_iterable(map(groups.__getitem__, some))), counted_as)
                for name, some in by_name.items()
            }
        )
    return found


def _cell(places: Places, counted_as: Sequence[Any]) -> Cell:
    counts: Any = Counter(map(counted_as.__getitem__, places))
    for field in [field for field in counts if isinstance(field, tuple)]:
        number = counts.pop(field)
        for part in field:
            counts[part] += number
    counts.pop(None, None)
    counts[REQUESTS.code] = len(places)
    return counts  # type: ignore[no-any-return]


def _sum(cells: Collection[Cell]) -> Cell:
    """A lone cell stands for itself."""
    first, *others = cells
    if not others:
        return first
    counts = dict(first)
    for cell in others:
        for name, number in cell.items():
            counts[name] = counts.get(name, 0) + number
    return counts


def _wanted(names: Names) -> WantedTable:
    lines = {name: sum(cell[REQUESTS.code] for cell in cells.values()) for name, cells in names.items()}
    return WantedTable(lines, max(map(max, names.values())))


def _with_others(names: Names, admitted: Collection[str]) -> Names:
    """The names, those that are not admitted together."""
    if names.keys() <= set(admitted):
        return names
    kept = {name: cells for name, cells in names.items() if name in admitted and name != OTHER}
    others: dict[int, list[Cell]] = {}
    for name, cells in names.items():
        if name not in kept:
            for start, cell in cells.items():
                others.setdefault(start, []).append(cell)
    return {**kept, OTHER: {start: _sum(cells) for start, cells in others.items()}}


def _row(app: str, kind: str, name: str, cells: dict[int, Cell], now_s: int) -> Row:
    last_s = max(cells)
    windows: list[WindowCounts] = []
    for length_s, kept_s in NAME_WINDOWS:
        # Each kind of window is a whole number of the one before.
        by_start: dict[int, list[Cell]] = {}
        for start, cell in cells.items():
            by_start.setdefault(start // length_s * length_s, []).append(cell)
        cells = {start: _sum(some) for start, some in by_start.items()}
        windows += [
            (length_s, start, cell)
            for start, cell in sorted(cells.items())
            if start + length_s + kept_s > now_s
        ]
    added = Added(counts={NAME_TOTALS_HASH: totals(_sum(cells.values()))}, windows=windows)
    return Row((app,), "", added, Name(kind, name, last_s))
