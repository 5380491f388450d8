"""Which lines of a batch are samples: of each row and chunk of time the slowest, and the latest that failed.

One pass over the times of a batch, which are whole numbers by now, finds both: lines that failed are raised
above all times for it. What a sample says is read from the few lines that are chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from heapq import heappush, heapreplace, nlargest
from itertools import chain, compress
from operator import itemgetter
from time import gmtime, strftime
from typing import Any

from app import outcomes
from app.message import RouterMessage
from app.router_line import RouterLine, timestamp_ms
from app.store.keys import SAMPLES, WINDOWS, samples_chunk
from app.store.samples import FAILED_MAX, NO_TIME, SLOWEST_MAX, SampleChunk, Triples, pack
from app.store.schema import SERVICE, STATUSES, Field
from consumers.metrics.encode import EncodedBatch, Unusual

CELL_S = WINDOWS[0][0]
FINE_S = SAMPLES[0][0]
OLDEST_S = max(length_s + kept_s for length_s, kept_s in SAMPLES)

FAILED = 1 << 50
"""Above all times in microseconds, which are at most 10^12."""

AppRow = tuple[str, str]
"""An app ("" for lines without a name) and a row of its table; "" for all of its routes together."""

Samples = Mapping[AppRow, Sequence[SampleChunk]]

Cell = tuple[int, Sequence[int]]
"""The start of 10 seconds in Unix s, and the places of some of its lines in the batch."""

Sample = tuple[int, int, str]
"""(Unix ms, microseconds or NO_TIME, text): see app/store/samples.py."""

Chosen = tuple[list[Sample], list[Sample]]
"""The slowest, and the latest that failed."""

_slowness: itemgetter[Any] = itemgetter(1, 0)
_lateness: itemgetter[Any] = itemgetter(0)
_failed = lru_cache(maxsize=4096)(outcomes.failed)


class Sampler:
    """Chooses among the lines of one batch."""

    def __init__(
        self,
        lines: Sequence[RouterLine],
        messages: Sequence[RouterMessage],
        unusual: Unusual,
        batch: EncodedBatch,
        now_s: int,
    ) -> None:
        """`messages`: those that the lines came in. `now_s` (Unix s) decides which chunks are still kept."""
        self._lines = lines
        self._messages = messages
        self._unusual = unusual
        self._now_s = now_s
        service_us = next((us for sketch, us, _ in batch.times if sketch is SERVICE), [])
        self._scores = list(service_us)
        for place in self._failing(batch.columns.get(STATUSES.name, [])):
            self._scores[place] += FAILED

    def samples(self, rows: Iterable[tuple[str, str, Mapping[int, Sequence[int]]]]) -> Samples:
        """Of each app and row, and of all rows of an app together. `rows`: (app, row, places of lines by the
        start of their 10 seconds); a row may come more than once."""
        found: dict[AppRow, list[SampleChunk]] = {}
        by_app: dict[str, list[tuple[int, Chosen]]] = {}
        for (app, row), by_chunk in self._cells(rows).items():
            chosen = {start: self._chosen(cells) for start, cells in by_chunk.items()}
            by_app.setdefault(app, []).extend(chosen.items())
            found[app, row] = self._chunks(chosen)
        for app, of_rows in by_app.items():
            found[app, ""] = self._chunks(_joined(of_rows))
        return found

    def _failing(self, statuses: Sequence[Field | None]) -> set[int]:
        """The places of lines that failed."""
        # Of a line that is not unusual, the status alone decides.
        failing = {field for field in set(statuses) if field and outcomes.failed(str(field)[1:], "info", "")}
        found = set(compress(range(len(statuses)), map(failing.__contains__, statuses))) if failing else set()
        for place in self._unusual:
            line = self._lines[place]
            if _failed(line.status, line.at, line.code):
                found.add(place)
            else:
                found.discard(place)
        return found

    def _cells(
        self, rows: Iterable[tuple[str, str, Mapping[int, Sequence[int]]]]
    ) -> dict[AppRow, dict[int, list[Cell]]]:
        """The cells of each row, by the shortest chunk that they lie in."""
        found: dict[AppRow, dict[int, list[Cell]]] = {}
        oldest_s = self._now_s - OLDEST_S
        for app, row, starts in rows:
            by_chunk = found.setdefault((app, row), {})
            for cell in starts.items():
                start = cell[0]
                if start > oldest_s:
                    by_chunk.setdefault(start - start % FINE_S, []).append(cell)
        return found

    def _chosen(self, cells: Sequence[Cell]) -> Chosen:
        scores = self._scores
        slowest: list[tuple[int, int, int]] = []
        failed: dict[int, list[int]] = {}
        least = 0
        for start, places in cells:
            for place in places:
                score = scores[place]
                if score > least:
                    if score >= FAILED:
                        failed.setdefault(start, []).append(place)
                        score -= FAILED
                        if score <= least:
                            continue
                    if len(slowest) < SLOWEST_MAX:
                        heappush(slowest, (score, place, start))
                        if len(slowest) < SLOWEST_MAX:
                            continue
                    else:
                        heapreplace(slowest, (score, place, start))
                    least = slowest[0][0]
        found = [self._sample(place, start) for _, place, start in slowest]
        return _first(found, _slowness, SLOWEST_MAX), self._latest(failed) if failed else []

    def _latest(self, failed: Mapping[int, list[int]]) -> list[Sample]:
        found: list[tuple[int, int]] = []
        for start in sorted(failed, reverse=True):
            found += [(start, place) for place in self._latest_of_cell(start, failed[start])]
            if len(found) >= FAILED_MAX:
                break
        return _first([self._sample(place, start) for start, place in found], _lateness, FAILED_MAX)

    def _latest_of_cell(self, start: int, places: list[int]) -> list[int]:
        if len(places) <= FAILED_MAX:
            return places
        stamps = {place: self._messages[place]["timestamp"] for place in places}
        beginning = _beginning(start)
        if all(stamp.startswith(beginning) and stamp.endswith(_UTC) for stamp in stamps.values()):
            # In the usual form, timestamps sort like the times they name; an invalid one counts as the start.
            latest = nlargest(FAILED_MAX, places, key=stamps.__getitem__)
            if all(timestamp_ms(stamps[place]) is not None for place in latest):
                return latest
        return nlargest(FAILED_MAX, places, key=lambda place: self._at_ms(place, start))

    def _at_ms(self, place: int, start: int) -> int:
        """When a line was written; it lies in its cell. Where its clock is broken, when it was received, as
        its cell is."""
        message = self._messages[place]
        stamp = message["timestamp"]
        is_usual = stamp[:18] == _beginning(start) and stamp.endswith(_UTC)
        if is_usual and len(stamp) == _USUAL_CHARS and stamp[19] == ".":
            digits = stamp[18] + stamp[20:26]
            if digits.isascii() and digits.isdecimal():
                return start * 1000 + int(digits[:4])
        own_ms = timestamp_ms(stamp)
        if own_ms is not None and own_ms // 1000 // CELL_S * CELL_S == start:
            return own_ms
        return start * 1000 if is_usual else message["received_at"]

    def _sample(self, place: int, start: int) -> Sample:
        line = self._lines[place]
        service_us = self._scores[place] % FAILED
        if not service_us and (self._unusual.get(place) or SERVICE.read(line.service) is None):
            service_us = NO_TIME
        text = pack(line.connect, line.dyno, line.method, line.status, line.code, line.request_id)
        return self._at_ms(place, start), service_us, text

    def _chunks(self, chosen: Mapping[int, Chosen]) -> list[SampleChunk]:
        """What was chosen in each shortest chunk, as chunks of all lengths."""
        chunks: list[SampleChunk] = []
        for length_s, kept_s in SAMPLES:
            if length_s != FINE_S:
                chosen = _joined((start - start % length_s, some) for start, some in chosen.items())
            for start, (slowest, failed) in chosen.items():
                expires_at_s = start + length_s + kept_s
                if expires_at_s > self._now_s and (slowest or failed):
                    name = samples_chunk(length_s, start)
                    chunks.append((name, expires_at_s, _triples(slowest, start), _triples(failed, start)))
        return chunks


def _joined(some: Iterable[tuple[int, Chosen]]) -> dict[int, Chosen]:
    """The samples of those that have the same start."""
    by_start: dict[int, list[Chosen]] = {}
    for start, chosen in some:
        by_start.setdefault(start, []).append(chosen)
    return {
        start: (
            _first(chain.from_iterable([slowest for slowest, _ in several]), _slowness, SLOWEST_MAX),
            _first(chain.from_iterable([failed for _, failed in several]), _lateness, FAILED_MAX),
        )
        if len(several) > 1
        else several[0]
        for start, several in by_start.items()
    }


def _first(samples: Iterable[Sample], key: itemgetter[Any], most: int) -> list[Sample]:
    """Those with the largest keys, the largest first."""
    return sorted(samples, key=key, reverse=True)[:most]


def _triples(samples: list[Sample], chunk_start: int) -> Triples:
    found: Triples = []
    for at_ms, service_us, text in samples:
        found += (at_ms - chunk_start * 1000, service_us, text)
    return found


_UTC = "+00:00"
_USUAL_CHARS = len("2026-01-02T03:04:05.123456+00:00")


@lru_cache(maxsize=4096)
def _beginning(start: int) -> str:
    """Of the usual timestamps in the 10 seconds from this Unix s on."""
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(start))[:18]
