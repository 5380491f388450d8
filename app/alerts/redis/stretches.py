"""Reads the stretches of rows. Those that reach far back, or ended a while ago, change slowly, and are read
about once a minute, a sixth of the rows at a time; short ones are read each time, so that lines that come
late count."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import redis

from app.alerts.facts import HOUR_S, Row, Stretch
from app.store.queries.spans import cover
from app.store.queries.window_sums import window_sums
from app.store.sums import Sums, without

FRESH_S = 900
"""A stretch that begins so shortly before the moment, and ends there, is read each time."""

STEP_S = 10
GROUPS = 6
"""Of rows: each step reads the long stretches of one of them."""

STALE_S = 120
"""A long stretch is read again at the latest when it is so much behind."""

OLD_S = 600
"""What ended over an hour ago changes only by lines that come late, and is read this often."""

PAST_DRIFT = 20
"""Of moments of the past, a long stretch stands for those around it, as far as this part of its length: few
of its windows change, and thousands of moments are asked for."""

Wanted = Mapping[Row, frozenset[Stretch]]
Span = tuple[int, int]
Found = dict[Row, dict[Stretch, Sums]]


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment, and how long ago it was."""

    at_s: int
    behind_s: int = 0
    """0: it is the newest."""

    def span(self, stretch: Stretch) -> Span | None:
        """As Stretch.span."""
        return stretch.span(self.at_s, self.behind_s)


@dataclass(frozen=True, slots=True)
class _Kept:
    span: Span
    sums: Sums | None
    read_s: int
    """The moment of the reading, Unix s."""


@dataclass(slots=True)
class StretchReader:
    """Remembers long stretches of rows, as many as are wanted."""

    _kept: dict[tuple[Row, Stretch], _Kept] = field(default_factory=dict)

    def read(self, store: redis.Redis, wanted: Wanted, moment: Moment) -> Found:
        """Row -> stretch -> sums; what has no request is left out. Raises redis.RedisError."""
        found: Found = defaultdict(dict)
        # Those of all apps together come first: see `unnamed`.
        groups: dict[tuple[bool, frozenset[Stretch]], list[Row]] = defaultdict(list)
        for row, stretches in wanted.items():
            groups[row[0] != "", self._due(row, stretches, moment)].append(row)
        for (_, due), rows in sorted(groups.items(), key=lambda group: group[0][0]):
            self._read_group(store, rows, due, moment, found)
        for row, stretches in wanted.items():
            for stretch in stretches:
                kept = self._kept.get((row, stretch))
                if kept is not None and kept.sums is not None and moment.span(stretch):
                    found[row].setdefault(stretch, kept.sums)
        return dict(found)

    def keep_only(self, rows: Iterable[Row]) -> None:
        """Forgets all other rows."""
        wanted = set(rows)
        self._kept = {key: kept for key, kept in self._kept.items() if key[0] in wanted}

    def _read_group(
        self,
        store: redis.Redis,
        rows: Sequence[Row],
        stretches: frozenset[Stretch],
        moment: Moment,
        found: Found,
    ) -> None:
        spans = {stretch: span for stretch in stretches if (span := moment.span(stretch))}
        read = window_sums(store, rows, [cover(*span) for span in spans.values()])
        for row in rows:
            some = read.get(row) or [None] * len(spans)
            for (stretch, span), sums in zip(spans.items(), some, strict=True):
                if not _is_short(stretch):
                    self._kept[row, stretch] = _Kept(span, sums, moment.at_s)
                elif sums is not None:
                    found[row][stretch] = sums

    def _due(self, row: Row, stretches: frozenset[Stretch], moment: Moment) -> frozenset[Stretch]:
        """Those that must be read now."""
        turn = moment.at_s // STEP_S % GROUPS == zlib.crc32(row[1].encode()) % GROUPS
        return frozenset(
            stretch
            for stretch in stretches
            if _is_short(stretch) or self._is_due((row, stretch), moment, turn)
        )

    def _is_due(self, key: tuple[Row, Stretch], moment: Moment, turn: bool) -> bool:
        kept, span = self._kept.get(key), moment.span(key[1])
        if kept is None or span is None:
            return True
        drift_s = abs(span[1] - kept.span[1])
        if moment.behind_s:
            return drift_s > (span[1] - span[0]) // PAST_DRIFT
        if not drift_s and key[1].to_s >= HOUR_S:
            turn = turn and moment.at_s - kept.read_s >= OLD_S
        return turn or drift_s > STALE_S


def _is_short(stretch: Stretch) -> bool:
    return stretch.from_s <= FRESH_S and not stretch.to_s


def unnamed(found: Found, named: Mapping[str, Iterable[Row]]) -> None:
    """Makes each row ("", digest), which was read of all apps together, the rest that no named app has.
    `named`: digest -> rows of the named apps, which were read later than these."""
    for digest, rows in named.items():
        total = found.get(("", digest))
        if total:
            rest = {
                stretch: without(sums, (found[row][stretch] for row in rows if stretch in found.get(row, {})))
                for stretch, sums in total.items()
            }
            found["", digest] = {stretch: sums for stretch, sums in rest.items() if sums.requests}
