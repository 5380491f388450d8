"""Events of an app in a span: what the platform said about releases and dynos, joined."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import chain

import redis

from app.platform.facts import Event, Kind
from app.platform.joined import joined
from app.platform.release import Release
from app.store.event_rows import ACTIONS, DYNOS, RELEASES, SLOT_MAX_MS, TABLES, StoredEvent, is_folded
from app.store.queries.latest_releases import latest_release
from app.store.queries.spans import SPAN_MAX_S, Span
from app.store.queries.stored_events import TableRows, Wanted, apps_with_events, read_tables

ROWS_MAX = 500
RELEASES_MAX = 200

BEFORE_MS = 86_400_000
"""So long before a release may its commands have begun: see app/platform/joined.py."""

BESIDE_MS = 600_000
AFTER_MS = 3_600_000
"""What else is read beyond a span, because it may explain a release in it: its dynos are up within half an
hour, see app/platform/switch_over.py."""

AHEAD_MS = 3_600_000
"""So far ahead of our clock may an event be: consumers/metrics/batch_rows.py."""

REPEATS_MIN = 4
"""So many alike events, none of them more than SLOT_MAX_MS after the one before, are one row: a dyno that
crashes again and again, a bot that builds."""


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event, or several alike that followed one another; see app/platform/facts.py for the fields."""

    id: str
    app: str
    kind: Kind
    at_ms: int
    """The first of them."""
    until_ms: int
    """The last of them."""
    count: int
    text: str
    dyno: str = ""
    version: int = 0
    commit: str = ""
    names: tuple[str, ...] = ()
    state: str = ""
    status: int | None = None
    code: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True)
class Events:
    """The events of an app in a span, newest first; times in Unix seconds. Of all apps together each row says
    whose it is."""

    app: str
    from_s: int
    to_s: int
    releases: list[Release]
    """Newest first. What explains a release is part of it, and not in `rows`."""
    rows: list[EventRow]
    """All other events: builds, scaling, dynos; by `until_ms`."""
    left_out: int = 0
    """Older rows and releases of the span that were omitted because there are many. Of all apps together
    those of each app are older than its others, not than all others."""
    kept_from_ms: int | None = None
    """Before this, events of dynos, or builds and the like, were dropped because there were many, Unix ms;
    None: none of the span was."""
    releases_kept_from_ms: int | None = None
    """The same of releases."""


def events(store: redis.Redis, app: str, span: Span | None, now_s: float) -> Events:
    """The events of one app ("" for all); `span` None: all that is kept."""
    span = span or Span(SPAN_MAX_S)
    now_ms = int(now_s * 1000)
    to_s = int(now_s) if span.until_s is None else span.until_s
    from_ms = (to_s - span.seconds) * 1000
    to_ms = now_ms + AHEAD_MS if span.until_s is None else to_s * 1000
    apps = [app] if app else apps_with_events(store)
    # Of one app all releases are read, so that each knows the next one.
    released = (0, now_ms + AHEAD_MS) if app else (from_ms - BEFORE_MS, to_ms + AFTER_MS)
    around = (from_ms - BESIDE_MS, to_ms + AFTER_MS)
    parts = {RELEASES: released, ACTIONS: around, DYNOS: around}
    tables = read_tables(
        store, [Wanted(some, table, *parts[table], from_ms) for some in apps for table in TABLES]
    )
    releases: list[Release] = []
    rows: list[EventRow] = []
    for some, own in _by_app(tables).items():
        of_app = _Joined(some, own)
        releases += [release for release in of_app.releases if from_ms <= release.at_ms < to_ms]
        rows += of_app.rows(from_ms, to_ms)
    releases.sort(key=lambda release: (release.at_ms, release.version, release.app), reverse=True)
    rows.sort(key=lambda row: (row.until_ms, row.at_ms, row.app, row.id), reverse=True)
    left_out = len(releases[RELEASES_MAX:]) + len(rows[ROWS_MAX:]) + sum(table.left_out for table in tables)
    return Events(
        app,
        from_ms // 1000,
        to_s,
        releases[:RELEASES_MAX],
        rows[:ROWS_MAX],
        left_out,
        _kept_from_ms((table for table in tables if table.table != RELEASES), from_ms),
        _kept_from_ms((table for table in tables if table.table == RELEASES), from_ms),
    )


def find_release(store: redis.Redis, app: str, version: int, now_s: float) -> Release | None:
    """The latest release of this version that is kept; `version` 0: the latest of all. `app` "": of any."""
    latest_ms = int(now_s * 1000) + AHEAD_MS
    last = _with_version(store, app, version, latest_ms) if version else latest_release(store, app)
    if last is None:
        return None
    from_ms, to_ms = last.at_ms - BESIDE_MS, last.at_ms + AFTER_MS
    parts = [Wanted(last.app, table, from_ms, to_ms, from_ms) for table in (ACTIONS, DYNOS)]
    # All of its releases, so that it knows the next one.
    tables = read_tables(store, [Wanted(last.app, RELEASES, 0, latest_ms, 0), *parts])
    explained = _Joined(last.app, tables).releases
    return next(
        (some for some in explained if (some.version, some.at_ms) == (last.version, last.at_ms)), last
    )


def _with_version(store: redis.Redis, app: str, version: int, latest_ms: int) -> Release | None:
    apps = [app] if app else apps_with_events(store)
    tables = read_tables(store, [Wanted(some, RELEASES, 0, latest_ms, 0) for some in apps])
    found = [release for table in tables for release in _Joined(table.app, [table]).releases]
    return max(
        (release for release in found if release.version == version),
        key=lambda release: (release.at_ms, release.app),
        default=None,
    )


def _by_app(tables: Sequence[TableRows]) -> dict[str, list[TableRows]]:
    found: dict[str, list[TableRows]] = {}
    for table in tables:
        if table.rows:
            found.setdefault(table.app, []).append(table)
    return found


def _kept_from_ms(tables: Iterator[TableRows], from_ms: int) -> int | None:
    lost_ms = max((table.lost_ms for table in tables), default=0)
    return lost_ms + 1 if lost_ms >= from_ms else None


@dataclass(slots=True)
class _Alike:
    """Alike events that followed one another."""

    id: str
    event: Event
    """The first."""
    until_ms: int
    count: int


class _Joined:
    """The events of one app, joined."""

    def __init__(self, app: str, tables: Sequence[TableRows]) -> None:
        self._app = app
        self._alike = {
            one.id: one for table in tables for identity, row in table.rows for one in _single(identity, row)
        }
        found = joined([(one.id, one.event) for one in self._alike.values()], app)
        self.releases = found.releases
        self._others = [self._alike[identity] for identity, _ in found.others]

    def rows(self, from_ms: int, to_ms: int) -> Iterator[EventRow]:
        """What is no part of a release: rows with an event from then on, before then."""
        by_kind: dict[Event, list[_Alike]] = {}
        for one in self._others:
            if one.event.at_ms < to_ms and one.until_ms >= from_ms:
                by_kind.setdefault(replace(one.event, at_ms=0), []).append(one)
        for one in chain.from_iterable(map(_repeated, by_kind.values())):
            said = {name: getattr(one.event, name) for name in _SAID}
            yield EventRow(id=one.id, app=self._app, until_ms=one.until_ms, count=one.count, **said)


_SAID = tuple(field.name for field in fields(Event))


def _single(identity: str, row: StoredEvent) -> Iterator[_Alike]:
    """The events that a row stands for. Of a kind that is folded for long, one stands for all: when each
    happened explains nothing."""
    if len(row.times_ms) == 1 or is_folded(row.event.kind):
        yield _Alike(identity, row.event, row.last_ms, row.count)
        return
    *before, last_ms = row.times_ms
    for at_ms in before:
        yield _Alike(f"{identity}.{at_ms}", replace(row.event, at_ms=at_ms), at_ms, 1)
    event = replace(row.event, at_ms=last_ms)
    yield _Alike(f"{identity}.{last_ms}", event, row.last_ms, 1 + row.further)


def _repeated(some: list[_Alike]) -> Iterator[_Alike]:
    """Runs of alike events as one, where they are many; oldest first."""
    some.sort(key=lambda one: (one.event.at_ms, one.id))
    runs: list[list[_Alike]] = []
    until_ms = 0
    for one in some:
        if runs and one.event.at_ms - until_ms <= SLOT_MAX_MS:
            runs[-1].append(one)
        else:
            runs.append([one])
        until_ms = max(until_ms, one.until_ms)
    for run in runs:
        count = sum(one.count for one in run)
        if is_folded(run[0].event.kind) or count >= REPEATS_MIN:
            yield _Alike(run[0].id, run[0].event, max(one.until_ms for one in run), count)
        else:
            yield from run
