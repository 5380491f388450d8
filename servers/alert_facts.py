"""The facts of any moment of simulated traffic, in the form in which they are read from Redis; and when there
is something to judge.

A moment is left out only where no rule could find anything bad: no row with failures in number, nothing slow,
no app that is silent, no memory that is nearly used up. `is_whole` looks at every moment and every row.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from app.alerts.facts import DynoFacts, Facts, Row, Stretch
from app.alerts.judging import FEW_REQUESTS
from app.store.keys import ALL_ROUTES
from app.store.queries.alert import Alert
from app.store.schema import Buckets, Counts
from app.store.sums import Sums
from servers.alert_faults import Fault
from servers.alert_shapes import ABORTED, BIN_S
from servers.alert_traffic import AppTraffic, RowTraffic, last_bin

START_S = 1_699_833_600
"""Monday, 13 November 2023, 0:00."""

WINDOW_BINS = 30
QUARTER_BINS = 90
"""Judged where WINDOW_BINS hold few requests; some of what fails must be in these."""
HITS_MIN = 5
SHARE_MIN = 0.015
CODES_MIN = 4
SILENT_BINS = 12
SPARSE_BINS = 6
"""What lasts (a silence, memory) is looked at once a minute."""
MEMORY_MIN = 0.95

NO_WORKER = Alert("no_worker:metrics", "alarm", "No metrics worker is running", "", "", 1)
REFUSED = Alert("frames_refused:token", "warning", "Frames were refused", "", "", 12)


class LazySums(Sums):
    """Sums whose latencies are made once somebody asks for them."""

    __slots__ = ("_times",)

    def __init__(self, counts: Counts, names: dict[str, Counts], times: Callable[[], Buckets]) -> None:
        super().__init__(counts, names)
        self._times = times

    @property
    def service(self) -> Buckets:
        return self._times()


@dataclass(slots=True)
class RowAt(Mapping[Stretch, Sums]):
    """The stretches of a row before a moment."""

    app: AppTraffic
    number: int | None
    """Of the route; None: all."""
    at: int
    """The bin that begins at the moment."""
    found: dict[Stretch, Sums] = field(default_factory=dict)

    def __getitem__(self, stretch: Stretch) -> Sums:
        if stretch not in self.found:
            self.found[stretch] = self._sums(*bins_of(self.at, stretch))
        return self.found[stretch]

    def __iter__(self) -> Iterator[Stretch]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def _sums(self, low: int, high: int) -> Sums:
        row = self.app.all if self.number is None else self.app.routes[self.number]
        requests = row.requests(low, high)
        statuses: Counts = {}
        codes: Counts = {}
        for (status, code), faults in row.faults.items():
            if count := faults.count(low, high):
                statuses[status] = statuses.get(status, 0) + count
                if code:
                    codes[code] = codes.get(code, 0) + count
        if answered := requests - sum(statuses.values()):
            statuses["200"] = answered
        aborted = row.faults[ABORTED].count(low, high) if ABORTED in row.faults else 0
        return LazySums(
            {"requests": requests, "aborted": aborted},
            {"statuses": statuses, "codes": codes},
            lambda: self.app.times(self.number, low, high),
        )


def bins_of(at: int, stretch: Stretch) -> tuple[int, int]:
    """The bins of a stretch."""
    span = stretch.span(START_S + at * BIN_S)
    assert span is not None, "of the present, everything is kept"
    return max(0, (span[0] - START_S) // BIN_S), max(0, min(at, (span[1] - START_S) // BIN_S))


@dataclass(slots=True)
class World:
    """All apps, and what happens to them."""

    apps: Sequence[AppTraffic]
    faults: Sequence[Fault]
    bins: int
    is_whole: bool = False
    rows: dict[Row, int | None] = field(default_factory=dict)
    marks: dict[str, bytearray] = field(default_factory=dict)
    """App ("": Tailrace itself) -> for each moment, whether there is something to judge."""
    row_marks: dict[Row, bytearray] = field(default_factory=dict)
    memory_offsets: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rng = random.Random("dynos")
        for app in self.apps:
            name = app.shape.name
            self.memory_offsets[name] = [rng.randrange(86_400) for _ in range(app.shape.dynos)]
            marks = self.marks.setdefault(name, bytearray(self.bins + 1))
            for digest, row in [(ALL_ROUTES, app.all), *((one.digest, one) for one in app.routes)]:
                own = self.row_marks.setdefault((name, digest), bytearray(self.bins + 1))
                mark_failures(row, own, self.bins)
                _or(marks, own)
            self._mark_slow(app, marks)
            self._mark_silence(app, marks)
            self._mark_memory(app, marks)
        marks = self.marks.setdefault("", bytearray(self.bins + 1))
        for fault in self.faults:
            if not fault.app:
                _mark(marks, fault.from_s // BIN_S, fault.to_s // BIN_S + 2, self.bins)

    def is_of_interest(self, at: int) -> bool:
        """Whether a rule could find something bad."""
        return self.is_whole or any(marks[at] for marks in self.marks.values())

    def facts(self, at: int, watched: frozenset[str], *, is_past: bool = False) -> Facts:
        """Of the moment at which bin `at` begins. `watched`: apps that are looked at in any case."""
        apps = [
            app
            for app in self.apps
            if self.is_whole or self.marks[app.shape.name][at] or app.shape.name in watched
        ]
        own = [fault for fault in self.faults if not fault.app and fault.from_s <= at * BIN_S < fault.to_s]
        is_stopped = not is_past and any(fault.kind == "no worker" for fault in own)
        return Facts(
            START_S + at * BIN_S,
            incomplete="no metrics worker is running" if is_stopped else "",
            is_past=is_past,
            rows=_Rows({app.shape.name: app for app in apps}, at),
            routes={app.shape.name: self._routes(app, at) for app in apps},
            apps=tuple(app.shape.name for app in apps if app.all.total[at]),
            first_s={app.shape.name: first_s(app) for app in apps if app.all.total[at]},
            last_s={
                app.shape.name: START_S + BIN_S * last
                for app in self.apps
                if (last := last_bin(app.all, at)) is not None
            },
            dynos={} if is_past else {app.shape.name: self._dynos(app, at) for app in apps},
            health=() if is_past else tuple(_health(fault) for fault in own),
        )

    def _routes(self, app: AppTraffic, at: int) -> dict[str, str]:
        """Those in which something could be bad: of what is not slow, the ones with failures."""
        name = app.shape.name
        is_slow = self.is_whole or app.is_slow(max(0, at - WINDOW_BINS), at)
        return {
            row.digest: row.route for row in app.routes if is_slow or self.row_marks[name, row.digest][at]
        }

    def _dynos(self, app: AppTraffic, at: int) -> tuple[DynoFacts, ...]:
        return tuple(
            DynoFacts(f"web.{number + 1}", share, {"R14": events} if events else {})
            for number in range(app.shape.dynos)
            for share, events in [self._memory(app, number, at)]
        )

    def _memory(self, app: AppTraffic, number: int, at: int) -> tuple[float, int]:
        """(Share of the quota, R14 in ten minutes) of a dyno: it grows for a day, then the dyno restarts."""
        name = app.shape.name
        low, high = app.shape.memory
        age = (at * BIN_S + self.memory_offsets[name][number]) % 86_400 / 86_400
        share = low + (high - low) * math.sqrt(age) + 0.02 * math.sin(at / 37 + number)
        events = 0
        for fault in self.faults:
            since_s = at * BIN_S - fault.from_s
            if fault.kind == "memory" and fault.app == name and 0 <= since_s < fault.to_s - fault.from_s:
                share += min(1.0, since_s / 600) * 0.7
        if share > 1:
            events = 30 if share > 1.1 else 6
        return share, events

    def _mark_slow(self, app: AppTraffic, marks: bytearray) -> None:
        for number in range(self.bins):
            if app.is_slow(number, number + 1):
                _mark(marks, number + 1, number + 1 + WINDOW_BINS, self.bins)

    def _mark_silence(self, app: AppTraffic, marks: bytearray) -> None:
        total = app.all.total
        for at in range(SILENT_BINS, self.bins, SPARSE_BINS):
            if total[at] == total[at - SILENT_BINS]:
                marks[at] = 1

    def _mark_memory(self, app: AppTraffic, marks: bytearray) -> None:
        for at in range(0, self.bins, SPARSE_BINS):
            if any(self._memory(app, number, at)[0] > MEMORY_MIN for number in range(app.shape.dynos)):
                marks[at] = 1


@dataclass(slots=True)
class _Rows(Mapping[Row, Mapping[Stretch, Sums]]):
    apps: Mapping[str, AppTraffic]
    at: int
    found: dict[Row, RowAt] = field(default_factory=dict)

    def __getitem__(self, key: Row) -> RowAt:
        if key not in self.found:
            name, digest = key
            number = None if digest == ALL_ROUTES else int(digest.removeprefix(name))
            self.found[key] = RowAt(self.apps[name], number, self.at)
        return self.found[key]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)


def first_s(app: AppTraffic) -> int:
    """When its first request came, to the hour."""
    return START_S + (bisect_left(app.all.total, 1) - 1) // 360 * 3_600


def mark_failures(row: RowTraffic, marks: bytearray, bins: int) -> None:
    """Marks the moments before which so many requests failed that a rule could find it bad."""
    failed = sorted(row.failed_bins().items())
    before = list(accumulate((count for _, count in failed), initial=0))
    first = hits = 0
    codes = _with_codes(row)
    for number, (at, count) in enumerate(failed):
        hits += count
        while failed[first][0] <= at - WINDOW_BINS:
            hits -= failed[first][1]
            first += 1
        requests = max(1, row.requests(max(0, at + 1 - WINDOW_BINS), at + 1))
        minute = max(1, row.requests(max(0, at - 5), at + 1))
        of_minute = sum(some for one, some in failed[max(first, 0) :][:WINDOW_BINS] if at - 5 <= one <= at)
        is_many = hits >= HITS_MIN and max(hits / requests, of_minute / minute) > SHARE_MIN
        if requests < 2 * FEW_REQUESTS and not is_many:
            begins = bisect_left(failed, (at + 1 - QUARTER_BINS, 0))
            of_quarter = before[number + 1] - before[begins]
            quarter = max(1, row.requests(max(0, at + 1 - QUARTER_BINS), at + 1))
            is_many = of_quarter >= HITS_MIN and of_quarter / quarter > SHARE_MIN
        if is_many or sum(codes.get(one, 0) for one in range(at - 5, at + 1)) >= CODES_MIN:
            _mark(marks, at + 1, at + 1 + WINDOW_BINS, bins)


def _with_codes(row: RowTraffic) -> dict[int, int]:
    found: dict[int, int] = {}
    for (status, code), faults in row.faults.items():
        if code and status.startswith("5"):
            for number, at in enumerate(faults.bins):
                found[at] = found.get(at, 0) + faults.total[number + 1] - faults.total[number]
    return found


def _mark(marks: bytearray, low: int, high: int, bins: int) -> None:
    low, high = max(0, low), min(high, bins + 1)
    if low < high:
        marks[low:high] = b"\x01" * (high - low)


def _or(marks: bytearray, others: bytearray) -> None:
    together = int.from_bytes(marks, "little") | int.from_bytes(others, "little")
    marks[:] = together.to_bytes(len(marks), "little")


def _health(fault: Fault) -> Alert:
    if fault.kind == "no worker":
        return NO_WORKER
    if fault.detail == "refused":
        return REFUSED
    return Alert("losses:shop", "warning", "Messages from shop were lost", "", "", 50, "shop")
