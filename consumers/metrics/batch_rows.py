"""From the encoded lines of a batch to what each route, app and time window gets: rows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from app.store.bounds import PATHS_MAX
from app.store.keys import WINDOWS
from app.store.rows import Added, Row, WindowCounts
from app.store.schema import LAST_SEEN, Counts
from consumers.metrics.encode import Cell, EncodedBatch
from consumers.metrics.samples import Samples

CELL_S = WINDOWS[0][0]

FUTURE_MS = 3_600_000
"""A message that is further ahead of its arrival than this has a broken clock: its arrival counts instead."""

LineNumbers = list[int]
LinesByStart = dict[int, LineNumbers]
"""Where some lines are in the batch, by the start of their 10 seconds in Unix s."""
AppRoute = tuple[str, str]
Source = tuple[str, str, str]
"""App, the row of all apps together in which its lines count, and its own one."""


def route_rows(
    places: Mapping[Source, LinesByStart],
    paths: Mapping[Source, Counts],
    batch: EncodedBatch,
    samples: Samples,
    now_s: int,
) -> list[Row]:
    """For each app, and for all apps together, a row for each route and one for all of its routes.

    Lines without an app's name are in the rows of all apps alone; named ones in both. Rows that get the
    same, as those of an app do that alone has a route, are one for all apps together and that app, in this
    order. `samples`: by app and row.
    """
    sources: dict[tuple[str, str], list[Source]] = {}
    for source in places:
        app, row_of_all, own_row = source
        for scope, row in {"": row_of_all, app: own_row}.items():
            for name in (row, ""):
                sources.setdefault((scope, name), []).append(source)
    apps: dict[tuple[str, tuple[Source, ...]], list[str]] = {}
    for (scope, name), some in sources.items():
        apps.setdefault((name, tuple(some)), []).append(scope)
    counted = {
        source: {start: batch.count(some) for start, some in starts.items()}
        for source, starts in places.items()
    }
    rows = []
    for (name, group), scopes in apps.items():
        added = _added([counted[source] for source in group], batch, now_s)
        if name:
            added.paths = _most_frequent(name, [paths[source] for source in group if source in paths])
        rows.append(Row(tuple(scopes), name, added, samples.get((scopes[-1], name), ())))
    return rows


def _most_frequent(row: str, paths: Sequence[Counts]) -> Counts:
    """The most frequent paths of a row that stands for many; none of a route's own row."""
    counts: Counts = {}
    for some in paths:
        for path, count in some.items():
            if path != row:
                counts[path] = counts.get(path, 0) + count
    if len(counts) <= PATHS_MAX:
        return counts
    return dict(sorted(counts.items(), key=lambda item: -item[1])[:PATHS_MAX])


def _added(sources: Sequence[Mapping[int, Cell]], batch: EncodedBatch, now_s: int) -> Added:
    """What the cells of these sources, by their start, add to a row."""
    cells = sources[0]
    if len(sources) > 1:
        cells = _joined(chain.from_iterable(source.items() for source in sources), batch)
    windows: list[WindowCounts] = []
    newest_s = max(cells)
    for length_s, kept_s in WINDOWS:
        # Each kind of window is a whole number of the one before.
        if length_s != CELL_S:
            cells = _joined(((start // length_s * length_s, cell) for start, cell in cells.items()), batch)
        windows += [
            (length_s, start, cell.counts)
            for start, cell in sorted(cells.items())
            if start + length_s + kept_s > now_s
        ]
    added = batch.totals(batch.sum(list(cells.values())))
    added.windows = windows
    added.maxima[LAST_SEEN] = newest_s
    return added


def _joined(cells: Iterable[tuple[int, Cell]], batch: EncodedBatch) -> dict[int, Cell]:
    """The sums of the cells that have the same start."""
    by_start: dict[int, list[Cell]] = {}
    for start, cell in cells:
        by_start.setdefault(start, []).append(cell)
    return {start: batch.sum(some) for start, some in by_start.items()}
