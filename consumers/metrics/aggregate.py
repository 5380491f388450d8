"""From messages to rows: what one batch adds to each route, app and time window. Pure.

Messages are parsed once and sorted into cells (app, route, 10 seconds); a cell is counted column
by column, and the longer windows and the totals are sums of cells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from app.loop_guard import is_replayed
from app.message import RouterMessage, encode
from app.router_line import RouterLine, milliseconds, parse, timestamp_ms
from app.sketch import bucket
from app.store.apply import Changes, Counts, Row, Times, WindowCounts
from app.store.keys import WINDOWS
from app.streams.interface import BadValue
from consumers.hand import Place

CELL_S = WINDOWS[0][0]
FUTURE_MS = 3_600_000
"""A line further ahead of its own arrival than this has a broken clock: the arrival counts."""

CACHED_TIMES = 50_000

BYTES_MAX_DIGITS = 11
"""Larger sizes are no sizes; and Redis adds up whole numbers of 64 bits."""

METHODS = frozenset(
    [
        *("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY", "PURGE"),
        *("PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH"),
    ]
)
"""Counted by name; others together, for a client may invent as many as it likes."""

CellKey = tuple[str, str, int]
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


class Aggregator:
    """Turns batches into changes; keeps only caches between them."""

    def __init__(self, route_of: Callable[[str], str], place: Place | None = None) -> None:
        """`place`: where to say which message is in hand."""
        self._route_of = route_of
        self._place = [0] if place is None else place
        self._starts: dict[str, int] = {}
        self._times: dict[str, tuple[int, int, float] | None] = {}

    def changes(self, messages: Sequence[RouterMessage], now_s: int) -> Changes:
        """The rows of these messages. `now_s` (Unix s) decides which windows are still kept."""
        cells, totals, bad = self._sort(messages)
        counted = {key: self._count(lines) for key, lines in cells.items()}
        apps: Counts = {}
        for (app, _, _), cell in counted.items():
            apps[app] = apps.get(app, 0) + cell.count
        rows: list[Row] = []
        # Cells without an app's name are in the row of all apps alone; named ones in two.
        rows += self._rows("", counted.items(), now_s)
        for app in apps:
            if app:
                rows += self._rows(
                    app, ((key, cell) for key, cell in counted.items() if key[0] == app), now_s
                )
        return Changes(rows=rows, apps=apps, totals=totals, bad=bad)

    def _sort(
        self, messages: Sequence[RouterMessage]
    ) -> tuple[dict[CellKey, list[RouterLine]], Counts, list[BadValue]]:
        cells: dict[CellKey, list[RouterLine]] = {}
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

    def _count(self, lines: list[RouterLine]) -> Cell:
        columns = RouterLine._make(zip(*lines, strict=True))
        sizes = Counter(columns.bytes)
        return Cell(
            service=self._sum(Counter(columns.service)),
            connect=self._sum(Counter(columns.connect)),
            statuses=_named(columns.status, 3),
            methods=_methods(columns.method),
            codes=_named(columns.code, 8),
            dynos=_named(columns.dyno, 64),
            hosts=_named(columns.host, 255),
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

    def _rows(self, app: str, cells: Iterable[tuple[CellKey, Cell]], now_s: int) -> list[Row]:
        """A row for each route among the cells, and one for all of them (route empty)."""
        by_route: dict[str, dict[int, Cell]] = {}
        for (_, route, start), cell in cells:
            for name in (route, ""):
                windows = by_route.setdefault(name, {})
                windows[start] = _add(windows.get(start), cell)
        return [_row(app, route, windows, now_s) for route, windows in by_route.items()]


def _methods(values: Sequence[str]) -> Counts:
    counts: Counts = {}
    for value, count in Counter(values).items():
        if value:
            name = value if value in METHODS else "(other)"
            counts[name] = counts.get(name, 0) + count
    return counts


def _named(values: Sequence[str], longest: int) -> Counts:
    """Counts of a column's values; empty ones are left out, long ones cut."""
    counts: Counts = {}
    for value, count in Counter(values).items():
        if value:
            counts[value[:longest]] = counts.get(value[:longest], 0) + count
    return counts


def _add(one: Cell | None, other: Cell) -> Cell:
    """The sum of two cells; a lone cell stands for itself, uncopied."""
    if one is None:
        return other
    return Cell(
        service=_add_times(one.service, other.service),
        connect=_add_times(one.connect, other.connect),
        statuses=_add_counts(one.statuses, other.statuses),
        methods=_add_counts(one.methods, other.methods),
        codes=_add_counts(one.codes, other.codes),
        dynos=_add_counts(one.dynos, other.dynos),
        hosts=_add_counts(one.hosts, other.hosts),
        count=one.count + other.count,
        bytes=one.bytes + other.bytes,
    )


def _add_times(one: Times, other: Times) -> Times:
    return Times(
        sum_us=one.sum_us + other.sum_us,
        count=one.count + other.count,
        max_ms=max(one.max_ms, other.max_ms),
        sketch=_add_counts(one.sketch, other.sketch),
    )


def _add_counts(one: dict[Name, int], other: dict[Name, int]) -> dict[Name, int]:
    total = dict(one)
    for name, count in other.items():
        total[name] = total.get(name, 0) + count
    return total


def _row(app: str, route: str, cells: dict[int, Cell], now_s: int) -> Row:
    whole: Cell | None = None
    windows: list[WindowCounts] = []
    for length_s, kept_s in WINDOWS:
        longer: dict[int, Cell] = {}
        for start, cell in cells.items():
            at = start // length_s * length_s
            longer[at] = _add(longer.get(at), cell)
        for start, cell in longer.items():
            if start + length_s + kept_s > now_s:
                windows.append((length_s, start, _window_counts(cell)))
        cells = longer  # Each kind of window is a whole number of the one before.
    for cell in cells.values():
        whole = _add(whole, cell)
    assert whole is not None
    return Row(
        app=app,
        route=route,
        service=whole.service,
        connect=whole.connect,
        statuses=whole.statuses,
        mix={
            "count": whole.count,
            "bytes": whole.bytes,
            **_prefixed("m:", whole.methods),
            **_prefixed("c:", whole.codes),
        },
        dynos=whole.dynos,
        hosts=whole.hosts,
        windows=windows,
    )


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
