"""A route in a span by dyno, method, status and code: read from the kept log, because no figure has it.

A scan takes time of a web worker, which is also the drain, so it is bounded: by lines, by time, to one at a
time in a process, and it rests for as long as it works. It reads the newest part first, and what it could
not read it says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from app.connections import open_connection_matcher
from app.log import SearchableHistory
from app.loop_guard import LoopGuard
from app.search.filters import RequestFilter
from app.search.found import FoundRequest
from app.search.groups import Breakdown, GroupBy, Groups
from app.search.picked import Picked
from app.search.rows import read_row_names
from app.search.search import LATE_MS, RequestSearch
from app.store import keys
from app.store.queries import Span
from app.store.queries.routes import known_routes
from app.store.replay_key import ReplayKey
from drain.dashboard.endpoint import ScanBusy, Source

LINES_MAX = 300_000
SECONDS_MAX = 1.0
"""Of a worker's thread, the rests included."""

REST_MAX_S = 0.05
PART_MS = 60_000
"""The newest part of a span that is read by itself; each part before it is twice as long."""

BUSY_WAIT_S = 0.5
GROUPS_SHOWN = 20
PICKED_MAX = 20
"""Single requests of each kind: the slowest, and the latest that failed."""

BY: tuple[GroupBy, ...] = ("dyno", "method", "status", "code")


def breakdown(source: Source, app: str, digest: str, span: Span | None, now_s: float) -> Breakdown | None:
    """A route, or all of an app's together for the digest `all`, in a span (None: all time); None where
    there is no such route.

    Raises ScanBusy where this process is at another one, LogUnavailable and redis.RedisError.
    """
    route = ""
    if digest != keys.ALL_ROUTES:
        digests, _ = known_routes(source.store, app)
        route = next((name for name, known in digests.items() if known == digest), "")
        if not route:
            return None
    to_s = int(now_s) + 1 if span is None or span.until_s is None else min(span.until_s, int(now_s) + 1)
    from_s = 0 if span is None else to_s - span.seconds
    rows = read_row_names(source.store, app, source.settings)
    with _alone(source), closing(source.log.history(source.store)) as history:
        reach = history.reach()
        first_ms = 0 if reach is None else reach.first_ms
        if span is None:
            from_s = first_ms // 1000
        # What the log has dropped is missing; a time in which nothing was received is not.
        dropped_until_s = 0 if reach is None else -(-reach.dropped_until_ms // 1000)
        search = RequestSearch(
            RequestFilter(app=app, route=route),
            rows,
            open_connection_matcher(source.settings),
            from_s * 1000,
            to_s * 1000,
        )
        scan = _Scan(search, _is_counted(source))
        read_from_s = scan.run(history, max(from_s * 1000, min(first_ms, to_s * 1000)))
    read_from_s = max(from_s if read_from_s is None else read_from_s, min(dropped_until_s, to_s))
    return Breakdown(
        app=app,
        digest=digest,
        from_s=from_s,
        to_s=to_s,
        is_whole=read_from_s <= from_s and not history.was_overtaken,
        read_from_s=read_from_s,
        lines_read=search.lines_read,
        requests=scan.requests,
        groups={by: groups.result(GROUPS_SHOWN) for by, groups in scan.groups.items()},
        slowest=scan.picked.slowest,
        failed=scan.picked.failed,
    )


@contextmanager
def _alone(source: Source) -> Iterator[None]:
    if not source.scan_lock.acquire(timeout=BUSY_WAIT_S):
        raise ScanBusy
    try:
        yield
    finally:
        source.scan_lock.release()


def _is_counted(source: Source) -> Callable[[FoundRequest], bool]:
    """Whether the figures count it as well: neither lines without a path nor what a replay has sent."""
    guard = LoopGuard(ReplayKey(source.store, source.settings.replay_key, creates=False))
    return lambda found: bool(found.line.path) and not guard.is_replayed(found.line.request_id)


@dataclass(slots=True)
class _Scan:
    """Counts what a search finds, within the bounds."""

    search: RequestSearch
    is_counted: Callable[[FoundRequest], bool]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    requests: int = 0
    groups: dict[str, Groups] = field(default_factory=lambda: {by: Groups(by) for by in BY})
    picked: Picked = field(default_factory=lambda: Picked(PICKED_MAX))

    def run(self, history: SearchableHistory, from_ms: int) -> int | None:
        """From when on all was read (Unix s); None if all was."""
        ends_s = self.clock() + SECONDS_MAX
        assert self.search.until_ms is not None
        end_ms, length_ms = self.search.until_ms + LATE_MS, PART_MS + LATE_MS
        while end_ms > from_ms:
            start_ms = max(from_ms, end_ms - length_ms)
            oldest_ms = self._part(history, start_ms, end_ms, ends_s)
            if oldest_ms is not None:
                # Lines are received after they were logged: of those that were logged since, none is missing.
                return min(-(-oldest_ms // 1000), self.search.until_ms // 1000)
            end_ms, length_ms = start_ms, length_ms * 2
        return None

    def _part(self, history: SearchableHistory, start_ms: int, end_ms: int, ends_s: float) -> int | None:
        """The time down to which a part was read, by when its lines were received (Unix ms); None: all of
        it."""
        oldest_ms = end_ms
        started_s = self.clock()
        with closing(self.search.part(history, start_ms, end_ms, newest_first=True)) as parts:
            for part in parts:
                for found in part:
                    if self.is_counted(found):
                        self.requests += 1
                        for groups in self.groups.values():
                            groups.add(found)
                        self.picked.add(found)
                oldest_ms = min([oldest_ms, *(found.received_ms for found in part)])
                now_s = self.clock()
                if now_s >= ends_s or self.search.lines_read >= LINES_MAX:
                    return oldest_ms
                # The drain's threads are waiting for this one's turn to end.
                self.sleep(min(now_s - started_s, REST_MAX_S))
                started_s = self.clock()
        return None
