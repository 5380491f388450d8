"""Reads time windows from Redis, summed up there: a few round trips, whatever the span.

Summing a window takes Redis 10 to 20 microseconds, in which it does nothing else; so a large read
goes as many small calls in one pipeline, and other clients' commands come between.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
import redis

from app.store import keys
from app.store.queries.spans import Plan, Window, finer
from app.store.settle import read_lua

WINDOWS_PER_CALL = 250

_SUM = read_lua("queries/sum_windows.lua")

Counts = dict[str, int]


@dataclass(slots=True)
class Sums:
    """Requests of some windows of one route, added up."""

    requests: int = 0
    bytes: int = 0
    statuses: Counts = field(default_factory=dict)
    methods: Counts = field(default_factory=dict)
    codes: Counts = field(default_factory=dict)
    service: dict[int, int] = field(default_factory=dict)
    """Sketch: bucket -> count, as in app/sketch.py."""
    connect: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class RouteSums:
    """One route in a span: all of it, and its requests in each bin of the plan."""

    whole: Sums
    requests_per_bin: list[int]
    running_requests: int
    first: Window
    """The first window that holds anything."""


def sums_of(fields: dict[str, int]) -> Sums:
    """The fields of window hashes, told apart as app/store/keys.py says."""
    sums = Sums()
    for name, value in fields.items():
        count = int(value)
        first = name[:1]
        if first.isdecimal():
            sums.service[int(name)] = count
        elif first == "-":
            sums.connect[-1 - int(name)] = count
        elif name == "n":
            sums.requests = count
        elif name == "b":
            sums.bytes = count
        elif first == "s":
            sums.statuses[name[1:]] = count
        elif first == "m":
            sums.methods[name[1:]] = count
        elif first == "c":
            sums.codes[name[1:]] = count
    return sums


def route_sums(store: redis.Redis, app: str, digests: Sequence[str], plan: Plan) -> dict[str, RouteSums]:
    """Digest -> its sums; routes without a request in the span are left out. One round trip, or two."""
    bins = [_names(part.windows) for part in plan.bins] + [_names(plan.running)]
    prefixes = [_prefix(app, digest) for digest in digests]
    step = max(1, WINDOWS_PER_CALL // plan.windows)
    calls = [(prefixes[at : at + step], bins, "rows") for at in range(0, len(prefixes), step)]
    answers = (row for rows in _call(store, calls) for row in rows)
    found = {}
    for digest, answer in zip(digests, answers, strict=True):
        if answer:
            row = _json(answer)
            *whole_bins, running = map(int, row["bins"])
            length_s, start_s = map(int, row["first"].split(":"))
            found[digest] = RouteSums(sums_of(row["sums"]), whole_bins, running, (length_s, start_s))
    return found


def first_request_s(store: redis.Redis, app: str, first: Window) -> int:
    """When the window `first` saw its first request, as far as shorter windows are still kept."""
    while shorter := finer(first):
        pipeline = store.pipeline(transaction=False)
        for length_s, start_s in shorter:
            pipeline.exists(keys.window(app, keys.ALL_ROUTES, length_s, start_s))
        there = [window for window, exists in zip(shorter, pipeline.execute(), strict=True) if exists]
        if not there:
            break
        first = there[0]
    return first[1]


def bin_sums(store: redis.Redis, app: str, digest: str, plan: Plan) -> list[Sums]:
    """The sums of each bin of the plan, and last those of what is still running."""
    bins = [_names(part.windows) for part in plan.bins] + [_names(plan.running)]
    calls = [([_prefix(app, digest)], chunk, "bins") for chunk in _chunks(bins)]
    return [sums_of(_json(answer)) for rows in _call(store, calls) for answer in rows]


def losses(store: redis.Redis, since_s: int, now_s: int) -> Counts:
    """App -> messages that its sender said were lost, in the minutes from `since_s` on."""
    minutes = [f"60:{at}" for at in range(since_s // 60 * 60, now_s + 1, 60)]
    calls = [([f"{keys.LOSSES}:"], [minutes], "bins")]
    return {
        app: int(count) for rows in _call(store, calls) for row in rows for app, count in _json(row).items()
    }


def _prefix(app: str, digest: str) -> str:
    return keys.window(app, digest, 0, 0).removesuffix("0:0")


def _names(windows: Sequence[Window]) -> list[str]:
    return [f"{length_s}:{start_s}" for length_s, start_s in windows]


def _chunks(bins: list[list[str]]) -> Iterator[list[list[str]]]:
    """The bins, in order, in lists of about WINDOWS_PER_CALL names."""
    chunk: list[list[str]] = []
    names = 0
    for part in bins:
        if chunk and names + len(part) > WINDOWS_PER_CALL:
            yield chunk
            chunk, names = [], 0
        chunk.append(part)
        names += len(part)
    if chunk:
        yield chunk


def _call(store: redis.Redis, calls: Sequence[tuple[Any, ...]]) -> list[list[bytes]]:
    if not calls:
        return []
    script = store.register_script(_SUM)
    pipeline = store.pipeline(transaction=False)
    for prefixes, bins, what in calls:
        script(args=[orjson.dumps(prefixes), orjson.dumps(bins), what], client=pipeline)
    return cast(list[list[bytes]], pipeline.execute())


def _json(answer: bytes) -> dict[str, Any]:
    # A name of a method may hold any bytes; figures are worth more than its spelling.
    found = orjson.loads(answer.decode("utf-8", "replace"))
    return cast(dict[str, Any], found)
