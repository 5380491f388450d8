"""What found requests have in common: by dyno, route, status, code, method, host or client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from app import outcomes
from app.hosts import comparable
from app.router_line import milliseconds
from app.search.filters import client_address
from app.search.found import FoundRequest
from app.sketch import bucket, percentile
from app.store.bounds import OTHER
from app.store.queries.samples import Sample

GroupBy = Literal["dyno", "route", "status", "code", "method", "host", "ip"]

NAMES_MAX = 5_000
"""Names that are counted at once. Beyond it, those that came least often so far go into `(other)`."""


@dataclass(frozen=True, slots=True)
class Group:
    """The found requests that have one value in common; times in ms, None if nothing was measured."""

    name: str
    """Empty: the requests that have none, such as a dyno."""
    count: int
    errors: int
    p50: float | None
    p95: float | None
    time_share: float
    """Of the service time of all found requests, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A route in a span, broken down by the lines of the kept log; times in Unix seconds."""

    app: str
    digest: str
    from_s: int
    to_s: int
    is_whole: bool
    """Whether all of the span was read; if not, only its newest part, from `read_from_s` on."""
    read_from_s: int
    lines_read: int
    requests: int
    """Of the route, in what was read."""
    groups: dict[str, list[Group]]
    """`dyno`, `method`, `status`, `code` -> its groups, largest first."""
    slowest: list[Sample] = field(default_factory=list)
    """The slowest requests of what was read, slowest first; connections are not among them."""
    failed: list[Sample] = field(default_factory=list)
    """Those that failed last, latest first."""


NAME_OF: Mapping[GroupBy, Callable[[FoundRequest], str]] = {
    "dyno": lambda found: found.line.dyno,
    "route": lambda found: found.route,
    "status": lambda found: found.line.status,
    "code": lambda found: found.line.code,
    "method": lambda found: found.line.method,
    "host": lambda found: comparable(found.line.host),
    "ip": lambda found: client_address(found.line),
}


@dataclass(slots=True)
class _Sums:
    count: int = 0
    errors: int = 0
    service_ms: float = 0.0
    buckets: dict[int, int] = field(default_factory=dict)

    def add(self, other: _Sums) -> None:
        self.count += other.count
        self.errors += other.errors
        self.service_ms += other.service_ms
        for index, count in other.buckets.items():
            self.buckets[index] = self.buckets.get(index, 0) + count


class Groups:
    """Counts requests by one of their values. Connections count, but they have no service time: theirs is a
    lifetime."""

    def __init__(self, by: GroupBy, names_max: int = NAMES_MAX) -> None:
        self._name_of = NAME_OF[by]
        self._names_max = names_max
        self._sums: dict[str, _Sums] = {}

    def add(self, found: FoundRequest) -> None:
        """Counts one request."""
        name = self._name_of(found)
        sums = self._sums.get(name)
        if sums is None:
            if len(self._sums) >= self._names_max:
                self._fold(self._names_max // 2)
            sums = self._sums[name] = _Sums()
        sums.count += 1
        line = found.line
        sums.errors += outcomes.failed(line.status, line.at, line.code)
        measured = None if found.is_connection else _measured(line.service)
        if measured is not None:
            service_ms, index = measured
            sums.service_ms += service_ms
            sums.buckets[index] = sums.buckets.get(index, 0) + 1

    def result(self, most: int | None = None) -> list[Group]:
        """The groups, largest first; beyond `most` of them, the others together as `(other)`, last."""
        if most is not None and len(self._sums) > most:
            self._fold(most)
        total_ms = sum(sums.service_ms for sums in self._sums.values())
        return [_group(name, sums, total_ms) for name, sums in self._ranked()]

    def _ranked(self) -> list[tuple[str, _Sums]]:
        return sorted(self._sums.items(), key=lambda item: (item[0] == OTHER, -item[1].count, item[0]))

    def _fold(self, kept: int) -> None:
        """Adds all but the largest to `(other)`."""
        ranked = [(name, sums) for name, sums in self._ranked() if name != OTHER]
        other = self._sums.get(OTHER) or _Sums()
        for _, sums in ranked[kept:]:
            other.add(sums)
        self._sums = {**dict(ranked[:kept]), OTHER: other}


def _group(name: str, sums: _Sums, total_ms: float) -> Group:
    times = sums.buckets
    return Group(
        name,
        sums.count,
        sums.errors,
        percentile(times, 0.5) if times else None,
        percentile(times, 0.95) if times else None,
        sums.service_ms / total_ms if total_ms else 0.0,
    )


@lru_cache(maxsize=8192)  # a few hundred values make up nearly all traffic
def _measured(raw: str) -> tuple[float, int] | None:
    """A service time in ms, and its bucket."""
    service_ms = milliseconds(raw)
    return None if service_ms is None else (service_ms, bucket(service_ms))
