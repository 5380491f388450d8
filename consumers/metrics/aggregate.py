"""From messages to rows: what one batch adds to each route, app and time window. Pure.

Messages are parsed once and grouped by app, route and 10 seconds. Lines are encoded for the whole batch at
once and then counted in cells (encode.py); the longer windows and the totals are sums of cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from app.connections import SWITCHED, is_switched
from app.loop_guard import MARK
from app.message import BadValue, RouterMessage, encode
from app.outcomes import ABORTED_STATUS
from app.router_line import RouterLine, parse, timestamp_ms
from app.store.apply import Changes
from app.store.bounds import NOT_FOUND_STATUSES, OTHER
from app.store.schema import Counts
from consumers.current_message import Cursor
from consumers.metrics.batch_rows import (
    CELL_S,
    FUTURE_MS,
    AppRoute,
    LineNumbers,
    LinesByStart,
    Source,
    route_rows,
)
from consumers.metrics.encode import Encoder
from consumers.metrics.name_rows import name_rows
from consumers.metrics.name_tables import AdmittedNames, WantedNames
from consumers.metrics.platform.rows import platform_rows
from consumers.metrics.route_rows import Seen
from consumers.metrics.samples import Sampler

UNUSUAL = frozenset({ABORTED_STATUS, SWITCHED})

CACHED_TIMES = 50_000

EXAMPLE_EVERY_S = 3_600
"""A line without a path is kept as an example if the last one is this old: a sender of many must not fill the
dead letters with them."""

Rows = Mapping[str, Mapping[str, str]]
"""App (empty: all apps together) -> route -> the row in which its lines count."""


class NameAdmission(Protocol):
    """Decides which names get a row or field of their own; see admission.py. May raise RedisError."""

    def rows(self, wanted: Mapping[str, Mapping[str, Seen]]) -> Rows: ...

    def apps(self, names: Iterable[str]) -> set[str]: ...

    def codes(self, names: Iterable[str]) -> set[str]: ...

    def names(self, wanted: WantedNames) -> AdmittedNames: ...


@dataclass(slots=True)
class _Lines:
    """The lines of a batch that count, and those that do not."""

    lines: list[RouterLine]
    messages: list[RouterMessage]
    """Those that the lines came in."""
    unusual: dict[int, bool]
    """See encode.py."""
    places: dict[AppRoute, LinesByStart]
    totals: Counts
    bad: list[BadValue]
    without_path: RouterMessage | None
    """The last of those that have none."""


class Aggregator:
    """Turns batches into changes; between batches it keeps only caches, and when an example is due."""

    def __init__(
        self,
        route_of: Callable[[RouterLine], str],
        names: NameAdmission,
        cursor: Cursor | None = None,
        is_replayed: Callable[[str], bool] = lambda request_id: False,
        is_connection: Callable[[RouterLine], bool] = is_switched,
    ) -> None:
        """`cursor`: where to note which message is being processed. `is_replayed`: whether a marked request
        id is validly signed (app/loop_guard.py); it may raise RedisError. `is_connection`: whether a line's
        time is a lifetime, see app/connections.py."""
        self._route_of = route_of
        self._names = names
        self._cursor = [0] if cursor is None else cursor
        self._is_replayed = is_replayed
        self._starts: dict[str, int] = {}
        self._is_connection = is_connection
        self._encoder = Encoder()
        self._example_due_s = 0

    def changes(
        self, messages: Sequence[RouterMessage], now_s: int, platform: Sequence[RouterMessage] = ()
    ) -> Changes:
        """The rows of these messages, and of the platform's. `now_s` (Unix s) decides which windows are
        still kept."""
        found = self._group_lines(messages)
        by_route = self._with_known_apps(found.places)
        rows = self._names.rows(_seen_by_app(by_route, found.lines))
        places, paths = _by_row(by_route, rows)
        codes = self._names.codes({line.code for line in found.lines if line.code})
        batch = self._encoder.encode(found.lines, codes, found.unusual)
        if batch.unreadable_times:
            found.totals["unreadable_times"] = batch.unreadable_times
        apps: Counts = {}
        for (app, _, _), starts in places.items():
            apps[app] = apps.get(app, 0) + sum(map(len, starts.values()))
        sampler = Sampler(found.lines, found.messages, found.unusual, batch, now_s)
        samples = sampler.samples((app, row, starts) for (app, _, row), starts in places.items())
        of_platform, counted = platform_rows(
            platform, self._names.apps, self._cursor, len(messages) + 1, now_s
        )
        found.totals.update(counted)
        for platform_row in of_platform:
            # An app is known by its name here alone, and one of workers without web dynos has no requests.
            apps.setdefault(platform_row.app, 0)
        return Changes(
            rows=route_rows(places, paths, batch, samples, now_s),
            names=name_rows(places, found.lines, found.unusual, batch, self._names.names, now_s),
            apps=apps,
            totals=found.totals,
            bad=found.bad,
            examples=self._examples(found, now_s),
            platform=of_platform,
        )

    def _examples(self, found: _Lines, now_s: int) -> list[BadValue]:
        if found.without_path is None or now_s < self._example_due_s:
            return []
        self._example_due_s = now_s + EXAMPLE_EVERY_S
        reason = "a router line without a path (one an hour is kept, as an example)"
        return [BadValue(encode(found.without_path), reason)]

    def _with_known_apps(self, places: dict[AppRoute, LinesByStart]) -> dict[AppRoute, LinesByStart]:
        apps = {app for app, _ in places}
        known = self._names.apps(apps)
        if apps <= known:
            return places
        merged: dict[AppRoute, LinesByStart] = {}
        for (app, route), starts in places.items():
            _add(merged.setdefault((app if app in known else OTHER, route), {}), starts)
        return merged

    def _group_lines(self, messages: Sequence[RouterMessage]) -> _Lines:
        lines: list[RouterLine] = []
        counted_messages: list[RouterMessage] = []
        unusual: dict[int, bool] = {}
        places: dict[AppRoute, LinesByStart] = {}
        bad: list[BadValue] = []
        without_path = replayed = forged_marks = 0
        pathless: RouterMessage | None = None
        route_of, starts, cursor = self._route_of, self._starts, self._cursor
        is_connection, has_streams = self._is_connection, self._is_connection is not is_switched
        for cursor[0], message in enumerate(messages, 1):
            line = parse(message["msg"])
            if line is None:
                bad.append(BadValue(encode(message), "a router line without any key=value pair"))
                continue
            if not line.path:
                without_path, pathless = without_path + 1, message
                continue
            if line.request_id.startswith(MARK):
                if self._is_replayed(line.request_id):
                    replayed += 1
                    continue
                forged_marks += 1
            route = route_of(line)
            if not route:
                without_path, pathless = without_path + 1, message
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
            # Nearly all lines are none of this; see encode.py.
            if (
                line.at != "info"
                or line.status in UNUSUAL
                or line.code
                or (has_streams and is_connection(line))
            ):
                unusual[len(lines)] = is_connection(line)
            lines.append(line)
            counted_messages.append(message)
        cursor[0] = 0
        totals = {
            "messages": len(messages),
            "without_path": without_path,
            "replayed": replayed,
            "forged_marks": forged_marks,
        }
        counted = {name: count for name, count in totals.items() if count}
        return _Lines(lines, counted_messages, unusual, places, counted, bad, pathless)

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


def _seen_by_app(
    places: Mapping[AppRoute, LinesByStart], lines: Sequence[RouterLine]
) -> dict[str, dict[str, Seen]]:
    """App -> its routes in order of arrival; those of all apps together under the empty name."""
    seen: dict[str, dict[str, Seen]] = {"": {}}
    for (app, route), starts in places.items():
        own = Seen(
            sum(map(len, starts.values())),
            all(lines[at].status in NOT_FOUND_STATUSES for at in chain.from_iterable(starts.values())),
        )
        for some in {app: seen.setdefault(app, {}), "": seen[""]}.values():
            before = some.get(route)
            some[route] = (
                Seen(before.lines + own.lines, before.is_not_found and own.is_not_found) if before else own
            )
    return seen


def _by_row(
    places: Mapping[AppRoute, LinesByStart], rows: Rows
) -> tuple[dict[Source, LinesByStart], dict[Source, Counts]]:
    """The lines by the rows in which they count: those of a crawler's paths are together at once. And where
    a row has another name than the route, how often each route came."""
    sources: dict[Source, LinesByStart] = {}
    paths: dict[Source, Counts] = {}
    for (app, route), starts in places.items():
        source = (app, rows[""][route], rows[app][route])
        _add(sources.setdefault(source, {}), starts)
        if source[1:] != (route, route):
            paths.setdefault(source, {})[route] = sum(map(len, starts.values()))
    return sources, paths


def _add(into: LinesByStart, starts: Mapping[int, LineNumbers]) -> None:
    for start, some in starts.items():
        if start in into:
            into[start].extend(some)
        else:
            into[start] = list(some)
