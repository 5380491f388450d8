"""Finds requests of an alert in the log: those that the figures keep no samples of, because they neither fail
nor are slow (404s, requests that clients aborted), or because others fail more.

The search begins at the newest line and ends with the first few, so where an alert fires it is short. It has
a thread of its own, because a log may take longer to answer than an alert may wait.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from heapq import nlargest
from operator import attrgetter

import redis

from app.alerts.measures import Measure
from app.alerts.message import Request
from app.connections import open_connection_matcher
from app.errors import first_words
from app.log import MessageLog
from app.outcomes import ABORTED_STATUS
from app.router_line import milliseconds
from app.search.filters import RequestFilter
from app.search.found import FoundRequest
from app.search.rows import read_row_names
from app.search.search import RequestSearch
from app.settings import Settings
from app.store.samples import pack, unpack

log = logging.getLogger(__name__)

SEARCH_S = 2.0
"""What was not found by then is left out: a message with fewer requests is better than a late one."""


@dataclass(frozen=True, slots=True)
class WantedRequests:
    """Which requests, and how many at most. Times are Unix seconds."""

    app: str
    """Empty: lines without an app's name."""
    route: str
    """Empty: all."""
    measure: Measure
    from_s: int
    until_s: int | None
    """None: no end."""
    most: int


SearchLog = Callable[[WantedRequests], tuple[Request, ...]]
"""Returns the latest of those that are wanted, the latest first, within SEARCH_S. Raises nothing."""


@dataclass(slots=True)
class LogRequests:
    """A `SearchLog`. One search at a time: where the log is slow, a further one finds nothing."""

    settings: Settings
    store: redis.Redis
    message_log: MessageLog
    search_s: float = SEARCH_S
    _thread: threading.Thread | None = None

    def __call__(self, wanted: WantedRequests) -> tuple[Request, ...]:
        if self._thread is not None and self._thread.is_alive():
            return ()
        search = _Search(self.settings, self.store, self.message_log, wanted)
        self._thread = threading.Thread(target=search.run, name="alert-requests", daemon=True)
        self._thread.start()
        self._thread.join(self.search_s)
        search.is_over.set()
        return search.latest()


@dataclass(slots=True)
class _Search:
    settings: Settings
    store: redis.Redis
    message_log: MessageLog
    wanted: WantedRequests
    is_over: threading.Event = field(default_factory=threading.Event)
    _found: Sequence[FoundRequest] = ()
    """The latest first."""

    def run(self) -> None:
        """Until there are enough, nobody waits any more, or nothing is left to read."""
        try:
            self._read()
        except Exception as fault:
            log.warning("no %s for an alert: %s", "requests of the log", first_words(fault))

    def _read(self) -> None:
        wanted = self.wanted
        search = RequestSearch(
            filter_of(wanted),
            read_row_names(self.store, wanted.app, self.settings),
            open_connection_matcher(self.settings),
            wanted.from_s * 1000,
            None if wanted.until_s is None else wanted.until_s * 1000,
        )
        with (
            closing(self.message_log.history(self.store)) as history,
            closing(search.run(history, newest_first=True)) as parts,
        ):
            for part in parts:
                self._add(part)
                if len(self._found) >= wanted.most or self.is_over.is_set():
                    return

    def _add(self, part: Sequence[FoundRequest]) -> None:
        is_of = self.wanted.measure.is_of
        # A frame that its sender repeats is in the log twice, with the same ids.
        known = {one.message_id: one for one in self._found}
        known |= {
            one.message_id: one
            for one in part
            if one.app == self.wanted.app and is_of(one.line.status, one.line.code)
        }
        self._found = nlargest(self.wanted.most, known.values(), key=attrgetter("at_ms"))

    def latest(self) -> tuple[Request, ...]:
        """What is found until now."""
        return tuple(map(_request, self._found))


def filter_of(wanted: WantedRequests) -> RequestFilter:
    """What the log is searched for; it may find others, too. Pure."""
    measure = wanted.measure
    statuses: tuple[tuple[int, int], ...] = ()
    if measure.kind == "aborted":
        statuses = ((int(ABORTED_STATUS), int(ABORTED_STATUS)),)
    elif measure.kind == "status":
        first = int(measure.which.replace("x", "0"))
        statuses = ((first, first + 10 ** measure.which.count("x") - 1),)
    return RequestFilter(
        app=wanted.app,
        route=wanted.route,
        statuses=statuses,
        code=measure.which if measure.kind == "code" else "",
        only_failed=measure.kind in ("errors", "codes"),
    )


def _request(found: FoundRequest) -> Request:
    line = found.line
    # As a sample says it: bounded, and without what a sender may have invented.
    said = unpack(pack(line.connect, line.dyno, line.method, line.status, line.code, line.request_id))
    return Request(
        request_id=said.request_id,
        at_ms=found.at_ms,
        method=said.method,
        path=found.route,
        status=said.status,
        code=said.code,
        dyno=said.dyno,
        service_ms=None if found.is_connection else milliseconds(line.service),
    )
