"""Reads time windows from Redis, summed up there: a few round trips, whatever the span.

Summing a window takes Redis 10 to 20 microseconds (a window full of invented latencies some 200), in
which it does nothing else; so a large read goes as many small calls in one pipeline, and other
clients' commands come between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import redis

from app import outcomes
from app.store import keys, replies
from app.store.grouping import grouped
from app.store.queries.spans import HOUR_S, Bin, SpanPlan, Window, finer, kept_from_s
from app.store.schema import ADDED, CODES, REMOVED, REQUESTS, STATUSES, Counts
from app.store.settle import read_lua
from app.store.sums import Sums, sums_of

WINDOWS_PER_CALL = 250

ERROR_FIELDS = {
    "prefix": f"{STATUSES.code}5",
    "further": {
        **{f"{CODES.code}{code}": 1 for code in outcomes.CODES_BELOW_500},
        ADDED.code: 1,
        REMOVED.code: -1,
    },
}
"""What `Sums.errors` adds up, as fields of a window."""

_SUM = read_lua("queries/sum_windows.lua")


@dataclass(slots=True)
class RouteSums:
    """One route in a span: all of it, and its requests in each bin of the plan."""

    total: Sums
    requests_per_bin: list[int]
    running_requests: int
    first: Window
    """The first window that holds anything."""
    errors_per_bin: list[int] = field(default_factory=list)
    """Empty unless they are asked for."""


def route_sums(store: redis.Redis, app: str, digests: Sequence[str], plan: SpanPlan) -> dict[str, RouteSums]:
    """Digest -> its sums; routes without a request in the span are left out. One round trip, or two."""
    found = row_sums(store, [(app, digest) for digest in digests], plan)
    return {digest: sums for (_, digest), sums in found.items()}


def row_sums(
    store: redis.Redis, rows: Sequence[tuple[str, str]], plan: SpanPlan, *, with_errors: bool = False
) -> dict[tuple[str, str], RouteSums]:
    """(App, digest) -> its sums, read in this order; rows without a request in the span are left out. One
    round trip, or two. `with_errors`: also those of each bin."""
    bins = [by_chunk(part.windows) for part in plan.bins] + [by_chunk(plan.running)]
    prefixes = [keys.windows(app, digest) for app, digest in rows]
    step = max(1, WINDOWS_PER_CALL // plan.windows)
    errors = orjson.dumps(ERROR_FIELDS) if with_errors else b""
    calls = [(prefixes[at : at + step], bins, "rows", errors) for at in range(0, len(prefixes), step)]
    answers = (answer for some in _call(store, calls) for answer in some)
    found = {}
    for row, answer in zip(rows, answers, strict=True):
        if answer:
            content = replies.json_object(answer)
            *whole_bins, running = map(int, content["bins"])
            first = keys.window(*content["first"])
            # Lua knows no empty list, and writes {}.
            errors_per_bin = [max(0, int(count)) for count in content["errors"] or ()][: len(plan.bins)]
            found[row] = RouteSums(sums_of(content["sums"]), whole_bins, running, first, errors_per_bin)
    return found


def first_window(store: redis.Redis, app: str, now_s: float) -> Window | None:
    """The first hour of all that are kept in which the app had a request. One round trip."""
    chunk_s = keys.CHUNK_S[HOUR_S]
    pipeline = store.pipeline(transaction=False)
    names = [
        keys.chunk(HOUR_S, start_s)[0]
        for start_s in range(kept_from_s(HOUR_S, now_s) // chunk_s * chunk_s, int(now_s) + 1, chunk_s)
    ]
    for name in names:
        pipeline.hkeys(keys.windows(app, keys.ALL_ROUTES) + name)
    for name, numbers in zip(names, pipeline.execute(), strict=True):
        if numbers:
            return keys.window(name, min(map(int, numbers)))
    return None


def first_request_s(store: redis.Redis, app: str, first: Window) -> int:
    """When the window `first` saw its first request, as far as shorter windows are still kept."""
    while shorter := finer(first):
        pipeline = store.pipeline(transaction=False)
        for length_s, start_s in shorter:
            name, number = keys.chunk(length_s, start_s)
            pipeline.hexists(keys.windows(app, keys.ALL_ROUTES) + name, str(number))
        there = [window for window, exists in zip(shorter, pipeline.execute(), strict=True) if exists]
        if not there:
            break
        first = there[0]
    return first[1]


def bin_sums(store: redis.Redis, app: str, digest: str, plan: SpanPlan) -> list[Sums]:
    """The sums of each bin of the plan, and last those of what is still running."""
    bins = [part.windows for part in plan.bins] + [plan.running]
    calls = [
        ([keys.windows(app, digest)], [by_chunk(part) for part in some], "bins", b"")
        for some in grouped(bins, len, WINDOWS_PER_CALL)
    ]
    return [sums_of(replies.json_object(answer)) for rows in _call(store, calls) for answer in rows]


def bin_sums_of_rows(
    store: redis.Redis, rows: Sequence[tuple[str, str]], bins: Sequence[Bin]
) -> dict[tuple[str, str], list[Sums]]:
    """(App, digest) -> its sums in each bin. One round trip."""
    together = grouped(bins, lambda part: len(part.windows), WINDOWS_PER_CALL)
    parts = [[by_chunk(part.windows) for part in some] for some in together]
    calls = [([keys.windows(app, digest)], part, "bins", b"") for app, digest in rows for part in parts]
    answers = iter(_call(store, calls))
    return {
        row: [sums_of(replies.json_object(answer)) for _ in parts for answer in next(answers)] for row in rows
    }


def sums_of_minutes(
    store: redis.Redis, key_of: Callable[[int, int], str], since_s: int, now_s: int
) -> Counts:
    """Field -> the sum of its counts in the minutes from `since_s` on. `key_of`: keys.loss_window, say."""
    pipeline = store.pipeline(transaction=False)
    for at_s in range(since_s // 60 * 60, now_s + 1, 60):
        pipeline.hgetall(key_of(60, at_s))
    sums: Counts = {}
    for minute in pipeline.execute():
        for name, count in replies.counts(minute).items():
            sums[name] = sums.get(name, 0) + count
    return sums


def by_chunk(windows: Sequence[Window]) -> list[tuple[str, list[int]]]:
    """The windows, in order, by the chunk that they lie in."""
    chunks: list[tuple[str, list[int]]] = []
    for length_s, start_s in windows:
        name, number = keys.chunk(length_s, start_s)
        if not chunks or chunks[-1][0] != name:
            chunks.append((name, []))
        chunks[-1][1].append(number)
    return chunks


def _call(store: redis.Redis, calls: Sequence[tuple[Any, ...]]) -> list[list[bytes]]:
    if not calls:
        return []
    script = store.register_script(_SUM)
    pipeline = store.pipeline(transaction=False)
    for prefixes, bins, what, errors in calls:
        arguments = [orjson.dumps(prefixes), orjson.dumps(bins), what, REQUESTS.code, errors]
        script(args=arguments, client=pipeline)
    return pipeline.execute()
