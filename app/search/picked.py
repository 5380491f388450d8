"""Single requests picked out of those that are found: the slowest, and those that failed last."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import count

from app.outcomes import failed
from app.router_line import milliseconds
from app.search.found import FoundRequest
from app.store.queries.samples import Sample

Ranked = list[tuple[float, int, FoundRequest]]
"""A heap, the first to go on top. The number in the middle is another one for each request."""


@dataclass(slots=True)
class Picked:
    """At most `most` requests of each kind."""

    most: int
    _slowest: Ranked = field(default_factory=list)
    _failed: Ranked = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)

    def add(self, found: FoundRequest) -> None:
        """Looks at one more request."""
        line = found.line
        service_ms = None if found.is_connection else milliseconds(line.service)
        if service_ms is not None:
            self._keep(self._slowest, service_ms, found)
        if failed(line.status, line.at, line.code):
            self._keep(self._failed, found.at_ms, found)

    def _keep(self, kept: Ranked, rank: float, found: FoundRequest) -> None:
        if len(kept) < self.most:
            heapq.heappush(kept, (rank, next(self._numbers), found))
        elif rank > kept[0][0]:
            heapq.heapreplace(kept, (rank, next(self._numbers), found))

    @property
    def slowest(self) -> list[Sample]:
        """Slowest first."""
        return [_sample(found) for _, _, found in sorted(self._slowest, reverse=True)]

    @property
    def failed(self) -> list[Sample]:
        """Latest first."""
        return [_sample(found) for _, _, found in sorted(self._failed, reverse=True)]


def _sample(found: FoundRequest) -> Sample:
    line = found.line
    return Sample(
        at_ms=found.at_ms,
        request_id=line.request_id,
        app=found.app,
        dyno=line.dyno,
        method=line.method,
        status=line.status,
        code=line.code,
        service_ms=milliseconds(line.service),
        connect_ms=milliseconds(line.connect),
    )
