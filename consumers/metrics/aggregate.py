"""From messages to rows: what one batch adds to each route, app and time window. Pure.

Messages are parsed once and sorted into cells (app, route, 10 seconds); a cell is counted column
by column, and the longer windows and the totals are sums of cells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from app.loop_guard import is_replayed
from app.message import BadValue, RouterMessage, encode
from app.router_line import RouterLine, milliseconds, parse, timestamp_ms
from app.sketch import bucket
from app.store.apply import Changes, Counts, Row, Times, WindowCounts
from app.store.bounds import DYNO_MAX_CHARS, HOST_MAX_CHARS, METHODS, NAMES_SENT_MAX, OTHER, STATUS
from app.store.keys import WINDOWS
from consumers.hand import Place

CELL_S = WINDOWS[0][0]
FUTURE_MS = 3_600_000
"""A line further ahead of its own arrival than this has a broken clock: the arrival counts."""

CACHED_TIMES = 50_000

BYTES_MAX_DIGITS = 11
"""Larger sizes are no sizes; and Redis adds up whole numbers of 64 bits."""

CellKey = tuple[str, str, int]
"""App, route, start of the 10 seconds in Unix s."""
Lines = dict[CellKey, list[RouterLine]]
Name = TypeVar("Name", str, int)


@dataclass(slots=True)
class Cell:
    """The counts of some requests; cells of one route can be added."""

    service: Times = field(default_factory=Times)
    connect: Times = field(default_factory=Times)
    statuses: Counts = field(default_factory=dict)
    methods: Counts = field(default_factory=dict)
    codes: Counts = field(default_factory=dict)
    dynos: Counts = field(default_factory=dict)
    hosts: Counts = field(default_factory=dict)
    count: int = 0
    bytes: int = 0


class Names(Protocol):
    """Says which names get a row or a field of their own; see admission.py. Each may raise RedisError."""

    def routes(self, wanted: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
        """App (empty: all apps together) -> its routes among the wanted that have a row."""

    def apps(self, names: Iterable[str]) -> set[str]: ...

    def codes(self, names: Iterable[str]) -> set[str]: ...


class Aggregator:
    """Turns batches into changes; keeps only caches between them."""

    def __init__(self, route_of: Callable[[str], str], names: Names, place: Place | None = None) -> None:
        """`place`: where to say which message is in hand."""
        self._route_of = route_of
        self._names = names
        self._place = [0] if place is None else place
        self._starts: dict[str, int] = {}
        self._times: dict[str, tuple[int, int, float] | None] = {}

    def changes(self, messages: Sequence[RouterMessage], now_s: int) -> Changes:
        """The rows of these messages. `now_s` (Unix s) decides which windows are still kept."""
        lines, totals, bad = self._sort(messages)
        lines = self._with_known_apps(lines)
        routes = self._names.routes(_routes_by_app(lines))
        lines = _merged(lines, lambda app, route: (app, _admitted(routes, app, route)))
        codes = self._names.codes({line.code for some in lines.values() for line in some if line.code})
        cells = {key: self._count(some, codes) for key, some in lines.items()}
        apps: Counts = {}
        for (app, _, _), cell in cells.items():
            apps[app] = apps.get(app, 0) + cell.count
        return Changes(rows=_rows(cells, routes, now_s), apps=apps, totals=totals, bad=bad)

    def _with_known_apps(self, lines: Lines) -> Lines:
        apps = {app for app, _, _ in lines}
        known = self._names.apps(apps)
        if apps <= known:
            return lines
        return _merged(lines, lambda app, route: (app if app in known else OTHER, route))

    def _sort(self, messages: Sequence[RouterMessage]) -> tuple[Lines, Counts, list[BadValue]]:
        cells: Lines = {}
        bad: list[BadValue] = []
        without_path = replayed = 0
        route_of, starts, place = self._route_of, self._starts, self._place
        for place[0], message in enumerate(messages, 1):
            line = parse(message["msg"])
            if line is None:
                bad.append(BadValue(encode(message), "a router line without any key=value pair"))
                continue
            if not line.path:
                without_path += 1
                continue
            if is_replayed(line.request_id):
                replayed += 1
                continue
            route = route_of(line.path.partition("?")[0])
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
            key = (message["app"], route, start)
            lines = cells.get(key)
            if lines is None:
                cells[key] = [line]
            else:
                lines.append(line)
        place[0] = 0
        totals = {"messages": len(messages), "without_path": without_path, "replayed": replayed}
        return cells, {name: count for name, count in totals.items() if count}, bad

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

    def _count(self, lines: list[RouterLine], codes: Collection[str]) -> Cell:
        columns = RouterLine._make(zip(*lines, strict=True))
        sizes = Counter(columns.bytes)
        return Cell(
            service=self._sum(Counter(columns.service)),
            connect=self._sum(Counter(columns.connect)),
            statuses=_folded(columns.status, lambda status: STATUS.fullmatch(status) is not None),
            methods=_folded(columns.method, METHODS.__contains__),
            codes=_folded(columns.code, codes.__contains__),
            dynos=_cut(columns.dyno, DYNO_MAX_CHARS),
            hosts=_cut(columns.host, HOST_MAX_CHARS),
            count=len(lines),
            bytes=sum(
                int(size) * times
                for size, times in sizes.items()
                if size.isdecimal() and len(size) <= BYTES_MAX_DIGITS
            ),
        )

    def _sum(self, values: Counter[str]) -> Times:
        times = Times()
        for raw, count in values.items():
            known = self._time(raw)
            if known is not None:
                value_us, index, value_ms = known
                times.sum_us += value_us * count
                times.count += count
                times.sketch[index] = times.sketch.get(index, 0) + count
                times.max_ms = max(times.max_ms, value_ms)
        return times

    def _time(self, raw: str) -> tuple[int, int, float] | None:
        """(microseconds, bucket, ms) of a value such as `18ms`; None where it says nothing."""
        try:
            return self._times[raw]
        except KeyError:
            value_ms = milliseconds(raw)
            known = None
            if value_ms is not None and value_ms < 1e9:
                known = (round(value_ms * 1000), bucket(value_ms), value_ms)
            if len(self._times) >= CACHED_TIMES:
                self._times.clear()
            self._times[raw] = known
            return known


def _routes_by_app(lines: Lines) -> dict[str, dict[str, None]]:
    """App -> its routes in order of arrival; those of all apps together under the empty name."""
    routes: dict[str, dict[str, None]] = {"": {}}
    for app, route, _ in lines:
        routes.setdefault(app, {})[route] = routes[""][route] = None
    return routes


def _admitted(routes: Mapping[str, Collection[str]], app: str, route: str) -> str:
    """`(other)` for a route that has no row anywhere: its lines are counted together at once."""
    return route if route in routes[app] or route in routes[""] else OTHER


def _merged(lines: Lines, name: Callable[[str, str], tuple[str, str]]) -> Lines:
    """The lines under the app and route that `name` gives for theirs."""
    merged: Lines = {}
    for (app, route, start), some in lines.items():
        key = (*name(app, route), start)
        if key in merged:
            merged[key] += some
        else:
            merged[key] = some
    return merged


def _rows(cells: Mapping[CellKey, Cell], routes: Mapping[str, Collection[str]], now_s: int) -> list[Row]:
    """For each app, and for all apps together, a row for each route and one for all of its routes.

    Cells without an app's name are in the rows of all apps alone; named ones in both.
    """
    rows: dict[tuple[str, str], dict[int, list[Cell]]] = {}
    for (app, route, start), cell in cells.items():
        for scope in {"", app}:
            own = route if route in routes[scope] else OTHER
            for name in (own, ""):
                rows.setdefault((scope, name), {}).setdefault(start, []).append(cell)
    return [_row(app, route, windows, now_s) for (app, route), windows in rows.items()]


def _folded(values: Sequence[str], is_name: Callable[[str], bool]) -> Counts:
    """Counts of a column's values; what is no name counts as `(other)`, empty ones are left out."""
    counts: Counts = {}
    for value, count in Counter(values).items():
        if value:
            name = value if is_name(value) else OTHER
            counts[name] = counts.get(name, 0) + count
    return counts


def _cut(values: Sequence[str], max_chars: int) -> Counts:
    """Counts of a column's values; empty ones are left out, long ones cut."""
    counts: Counts = {}
    for value, count in Counter(values).items():
        if value:
            counts[value[:max_chars]] = counts.get(value[:max_chars], 0) + count
    return counts


def _sum(cells: Sequence[Cell]) -> Cell:
    """The sum of some cells; a lone cell stands for itself, uncopied."""
    if len(cells) == 1:
        return cells[0]
    total = Cell()
    for cell in cells:
        _add_times(total.service, cell.service)
        _add_times(total.connect, cell.connect)
        _add_counts(total.statuses, cell.statuses)
        _add_counts(total.methods, cell.methods)
        _add_counts(total.codes, cell.codes)
        _add_counts(total.dynos, cell.dynos)
        _add_counts(total.hosts, cell.hosts)
        total.count += cell.count
        total.bytes += cell.bytes
    return total


def _add_times(total: Times, other: Times) -> None:
    total.sum_us += other.sum_us
    total.count += other.count
    total.max_ms = max(total.max_ms, other.max_ms)
    _add_counts(total.sketch, other.sketch)


def _add_counts(total: dict[Name, int], other: dict[Name, int]) -> None:
    for name, count in other.items():
        total[name] = total.get(name, 0) + count


def _row(app: str, route: str, parts: Mapping[int, list[Cell]], now_s: int) -> Row:
    windows: list[WindowCounts] = []
    for length_s, kept_s in WINDOWS:
        longer: dict[int, list[Cell]] = {}
        for start, cells in parts.items():
            longer.setdefault(start // length_s * length_s, []).extend(cells)
        sums = {start: _sum(cells) for start, cells in longer.items()}
        for start, cell in sums.items():
            if start + length_s + kept_s > now_s:
                windows.append((length_s, start, _window_counts(cell)))
        # Each kind of window is a whole number of the one before.
        parts = {start: [cell] for start, cell in sums.items()}
    total = _sum([cell for cells in parts.values() for cell in cells])
    return Row(
        app=app,
        route=route,
        service=total.service,
        connect=total.connect,
        statuses=total.statuses,
        mix={
            "count": total.count,
            "bytes": total.bytes,
            **_prefixed("m:", total.methods),
            **_prefixed("c:", total.codes),
        },
        dynos=_first(total.dynos, NAMES_SENT_MAX),
        hosts=_first(total.hosts, NAMES_SENT_MAX),
        windows=windows,
    )


def _first(counts: Counts, names_max: int) -> Counts:
    """The first so many names; further ones together."""
    if len(counts) <= names_max:
        return counts
    kept: Counts = {}
    for name, count in counts.items():
        name = name if len(kept) < names_max else OTHER
        kept[name] = kept.get(name, 0) + count
    return kept


def _window_counts(cell: Cell) -> dict[str | int, int]:
    counts: dict[Any, int] = {"n": cell.count, "b": cell.bytes}
    counts |= _prefixed("s", cell.statuses)
    counts |= _prefixed("m", cell.methods)
    counts |= _prefixed("c", cell.codes)
    counts |= cell.service.sketch
    counts |= {-1 - index: count for index, count in cell.connect.sketch.items()}
    return counts


def _prefixed(prefix: str, counts: Counts) -> Counts:
    return {prefix + name: count for name, count in counts.items()}
