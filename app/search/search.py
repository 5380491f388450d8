"""Searches the kept log: from scanned messages to the requests that are wanted."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field

from app.connections import is_switched
from app.errors import LogUnavailable
from app.log import Scanned, SearchableHistory
from app.message import RouterMessage
from app.router_line import RouterLine, parse, timestamp_ms
from app.search.filters import RequestFilter
from app.search.found import FoundRequest

LATE_MS = 120_000
"""How long after the router logged a line the drain may receive it: Logplex keeps it for a moment, and tries
three times. Lines that come later are not found by their time."""

AHEAD_MS = 10_000
"""How far the router's clock may be ahead of the drain's."""

BROKEN_CLOCK_MS = 3_600_000
"""A line that is further ahead of its arrival has a broken clock: its arrival counts, as in the figures."""

Parts = Generator[list[FoundRequest], None, None]
"""What each part of the log has, in turn; often nothing."""

RETRY_S = 1.0
REMEMBERED_IDS = 100_000


@dataclass(slots=True)
class RequestSearch:
    """One search. Times are Unix ms, those at which the router logged a line: `from_ms` on, before
    `until_ms`."""

    wanted: RequestFilter
    route_of: Callable[[RouterLine], str]
    is_connection: Callable[[RouterLine], bool] = is_switched
    from_ms: int = 0
    until_ms: int | None = None
    """None: no end, because the newest lines are wanted, too."""
    lines_read: int = 0
    """Messages looked at until now."""

    def run(self, history: SearchableHistory, *, newest_first: bool) -> Parts:
        """What each part of the log has, as soon as it was read; often nothing. Raises LogUnavailable."""
        yield from self.part(
            history,
            max(0, self.from_ms - AHEAD_MS),
            (int(time.time() * 1000) if self.until_ms is None else self.until_ms) + LATE_MS,
            newest_first=newest_first,
        )

    def part(self, history: SearchableHistory, from_ms: int, until_ms: int, *, newest_first: bool) -> Parts:
        """As `run`, of the messages that the drain received in this time alone."""
        scanned = history.scan(from_ms, until_ms, self.wanted.patterns(), newest_first=newest_first)
        for part in scanned:
            found = self.found_in(part)
            found.sort(key=lambda request: request.at_ms, reverse=newest_first)
            yield found

    def found_in(self, scanned: Scanned) -> list[FoundRequest]:
        """The wanted requests in a part of a scan, in its order."""
        self.lines_read += scanned.read
        return [found for message in scanned.messages if (found := self._found(message)) is not None]

    def _found(self, message: RouterMessage) -> FoundRequest | None:
        line = parse(message["msg"])
        if line is None or not self.wanted.matches(message, line, self.route_of, self.is_connection):
            return None
        received_ms = message["received_at"]
        at_ms = timestamp_ms(message["timestamp"])
        if at_ms is None or at_ms > received_ms + BROKEN_CLOCK_MS:
            at_ms = received_ms
        if at_ms < self.from_ms or (self.until_ms is not None and at_ms >= self.until_ms):
            return None
        return FoundRequest(
            at_ms,
            received_ms,
            message["id"],
            message["app"],
            self.route_of(line),
            line,
            self.is_connection(line),
        )


@dataclass(slots=True)
class Follow:
    """A live tail that no outage of the log ends. `run` yields at least once a second."""

    search: RequestSearch
    on_outage: Callable[[LogUnavailable | None], None]
    """Called once when the log is unreachable, with the reason, and once with None when it is back."""
    sleep: Callable[[float], None] = time.sleep
    _seen: dict[str, None] = field(default_factory=dict)
    """Ids of the last messages that were found, oldest first: after an outage some are read again."""

    def run(self, open_history: Callable[[], SearchableHistory], received_from_ms: int) -> Parts:
        """Each wanted request that the drain received from `received_from_ms` on, once."""
        newest_ms = received_from_ms
        is_out = False
        while True:
            try:
                with closing(open_history()) as history:
                    start_ms = max(received_from_ms, newest_ms - LATE_MS)
                    for scanned in history.follow(start_ms, self.search.wanted.patterns()):
                        if is_out:
                            is_out = False
                            self.on_outage(None)
                        found = [one for one in self.search.found_in(scanned) if self._is_new(one)]
                        newest_ms = max([newest_ms, *(one.received_ms for one in found)])
                        yield found
            except LogUnavailable as fault:
                if not is_out:
                    is_out = True
                    self.on_outage(fault)
                yield []
                self.sleep(RETRY_S)

    def _is_new(self, request: FoundRequest) -> bool:
        if request.message_id in self._seen:
            return False
        if len(self._seen) >= REMEMBERED_IDS:
            del self._seen[next(iter(self._seen))]
        self._seen[request.message_id] = None
        return True
