"""From messages to rows: what one batch adds to each route, app and time window. Pure.

Messages are parsed once and grouped by app, route and 10 seconds. Lines are encoded for the whole batch at
once and then counted in cells (encode.py); the longer windows and the totals are sums of cells.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from app.loop_guard import MARK
from app.message import BadValue, RouterMessage, encode
from app.router_line import RouterLine, parse, timestamp_ms
from app.store.apply import Changes
from app.store.bounds import OTHER
from app.store.keys import WINDOWS
from app.store.rows import Added, Row, WindowCounts
from app.store.schema import Counts
from consumers.current_message import Cursor
from consumers.metrics.encode import Cell, EncodedBatch, Encoder

CELL_S = WINDOWS[0][0]
FUTURE_MS = 3_600_000
"""A line that is further ahead of its arrival than this has a broken clock: its arrival counts instead."""

CACHED_TIMES = 50_000

LineNumbers = list[int]
Source = tuple[str, str]
"""App and route."""
LinesBySource = dict[Source, dict[int, LineNumbers]]
"""Where the lines of each source are in the batch, by the start of their 10 seconds in Unix s."""


class NameAdmission(Protocol):
    """Decides which names get a row or field of their own; see admission.py. May raise RedisError."""

    def routes(self, wanted: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
        """App (empty: all apps together) -> its routes among the wanted that have a row."""

    def apps(self, names: Iterable[str]) -> set[str]: ...

    def codes(self, names: Iterable[str]) -> set[str]: ...


@dataclass(slots=True)
class _Lines:
    """The lines of a batch that count, and those that do not."""

    lines: list[RouterLine]
    places: LinesBySource
    totals: Counts
    bad: list[BadValue]


class Aggregator:
    """Turns batches into changes; between batches it keeps only caches."""

    def __init__(
        self,
        route_of: Callable[[RouterLine], str],
        names: NameAdmission,
        cursor: Cursor | None = None,
        is_replayed: Callable[[str], bool] = lambda request_id: False,
    ) -> None:
        """`cursor`: where to note which message is being processed. `is_replayed`: whether a marked request
        id is validly signed (app/loop_guard.py); it may raise RedisError."""
        self._route_of = route_of
        self._names = names
        self._cursor = [0] if cursor is None else cursor
        self._is_replayed = is_replayed
        self._starts: dict[str, int] = {}
        self._encoder = Encoder()

    def changes(self, messages: Sequence[RouterMessage], now_s: int) -> Changes:
        """The rows of these messages. `now_s` (Unix s) decides which windows are still kept."""
        found = self._group_lines(messages)
        places = self._with_known_apps(found.places)
        routes = self._names.routes(_routes_by_app(places))
        places = _merged(places, lambda app, route: (app, _admitted(routes, app, route)))
        codes = self._names.codes({line.code for line in found.lines if line.code})
        batch = self._encoder.encode(found.lines, codes)
        apps: Counts = {}
        for (app, _), starts in places.items():
            apps[app] = apps.get(app, 0) + sum(map(len, starts.values()))
        return Changes(
            rows=_rows(places, batch, routes, now_s), apps=apps, totals=found.totals, bad=found.bad
        )

    def _with_known_apps(self, places: LinesBySource) -> LinesBySource:
        apps = {app for app, _ in places}
        known = self._names.apps(apps)
        if apps <= known:
            return places
        return _merged(places, lambda app, route: (app if app in known else OTHER, route))

    def _group_lines(self, messages: Sequence[RouterMessage]) -> _Lines:
        lines: list[RouterLine] = []
        places: LinesBySource = {}
        bad: list[BadValue] = []
        without_path = replayed = forged_marks = 0
        route_of, starts, cursor = self._route_of, self._starts, self._cursor
        for cursor[0], message in enumerate(messages, 1):
            line = parse(message["msg"])
            if line is None:
                bad.append(BadValue(encode(message), "a router line without any key=value pair"))
                continue
            if not line.path:
                without_path += 1
                continue
            if line.request_id.startswith(MARK):
                if self._is_replayed(line.request_id):
                    replayed += 1
                    continue
                forged_marks += 1
            route = route_of(line)
            if not route:
                without_path += 1
                continue
            timestamp, received_ms = message["timestamp"], message["received_at"]
            # Heroku's clock is UTC, so the first 18 characters name the ten seconds.
            start = starts.get(timestamp[:18]) if timestamp.endswith("+00:00") else None
            if start is None:
                start = self._start(timestamp)
            if start is None or start * 1000 > received_ms + FUTURE_MS:
                start = received_ms // 1000 // CELL_S * CELL_S
            source = (message["app"], route)
            if source not in places:
                places[source] = {start: [len(lines)]}
            elif start not in places[source]:
                places[source][start] = [len(lines)]
            else:
                places[source][start].append(len(lines))
            lines.append(line)
        cursor[0] = 0
        totals = {
            "messages": len(messages),
            "without_path": without_path,
            "replayed": replayed,
            "forged_marks": forged_marks,
        }
        return _Lines(lines, places, {name: count for name, count in totals.items() if count}, bad)

    def _start(self, timestamp: str) -> int | None:
        """The start of the 10 seconds (Unix s) that a timestamp lies in; None where it is none."""
        is_usual = timestamp.endswith("+00:00") and timestamp[10:11] == "T"
        # The usual form by its first 18 characters alone, so that the cache changes no result.
        found_ms = timestamp_ms(timestamp[:18] + "0+00:00" if is_usual else timestamp)
        if found_ms is None:
            return None
        start = found_ms // 1000 // CELL_S * CELL_S
        if is_usual:
            if len(self._starts) >= CACHED_TIMES:
                self._starts.clear()
            self._starts[timestamp[:18]] = start
        return start


def _routes_by_app(places: LinesBySource) -> dict[str, dict[str, None]]:
    """App -> its routes in order of arrival; those of all apps together under the empty name."""
    routes: dict[str, dict[str, None]] = {"": {}}
    for app, route in places:
        routes.setdefault(app, {})[route] = routes[""][route] = None
    return routes


def _admitted(routes: Mapping[str, Collection[str]], app: str, route: str) -> str:
    """`(other)` for a route that has no row anywhere: its lines are counted together at once."""
    return route if route in routes[app] or route in routes[""] else OTHER


def _merged(places: LinesBySource, name: Callable[[str, str], Source]) -> LinesBySource:
    """The places under the app and route that `name` gives for theirs."""
    merged: LinesBySource = {}
    for (app, route), starts in places.items():
        into = merged.setdefault(name(app, route), {})
        for start, some in starts.items():
            into.setdefault(start, []).extend(some)
    return merged


# --- rows ----------------------------------------------------------------------------------


def _rows(
    places: LinesBySource, batch: EncodedBatch, routes: Mapping[str, Collection[str]], now_s: int
) -> list[Row]:
    """For each app, and for all apps together, a row for each route and one for all of its routes.

    Lines without an app's name are in the rows of all apps alone; named ones in both. Rows that get the
    same, as those of an app do that alone has a route, are one for several apps.
    """
    sources: dict[Source, list[Source]] = {}
    for app, route in places:
        for scope in dict.fromkeys(("", app)):
            own = route if route in routes[scope] else OTHER
            for name in (own, ""):
                sources.setdefault((scope, name), []).append((app, route))
    apps: dict[tuple[str, tuple[Source, ...]], list[str]] = {}
    for (scope, name), some in sources.items():
        apps.setdefault((name, tuple(some)), []).append(scope)
    counted = {
        source: {start: batch.count(some) for start, some in starts.items()}
        for source, starts in places.items()
    }
    return [
        Row(tuple(scopes), name, _added([counted[source] for source in some], batch, now_s))
        for (name, some), scopes in apps.items()
    ]


def _added(sources: Sequence[Mapping[int, Cell]], batch: EncodedBatch, now_s: int) -> Added:
    """What the cells of these sources, by their start, add to a row."""
    cells = sources[0]
    if len(sources) > 1:
        cells = _joined(chain.from_iterable(source.items() for source in sources), batch)
    windows: list[WindowCounts] = []
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
    return added


def _joined(cells: Iterable[tuple[int, Cell]], batch: EncodedBatch) -> dict[int, Cell]:
    """The sums of the cells that have the same start."""
    by_start: dict[int, list[Cell]] = {}
    for start, cell in cells:
        by_start.setdefault(start, []).append(cell)
    return {start: batch.sum(some) for start, some in by_start.items()}
