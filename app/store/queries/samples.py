"""Single requests of a route in a span: the slowest, and the latest that failed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from app.store import keys, replies
from app.store.keys import SAMPLES
from app.store.queries.figures import largest_first
from app.store.queries.spans import Span, plan
from app.store.samples import unpack
from app.store.settle import read_lua

KEPT_S = SAMPLES[-1][1]
"""How long samples are kept at least."""

SHOWN_MAX = 20
"""Most requests of each list."""

APPS_READ = 200
"""Of more apps, the busiest are read."""

CHUNKS_PER_CALL = 100
"""Reading a chunk takes Redis some 10 microseconds; other clients' commands come between calls."""

SPARK_BINS = 30

_READ = read_lua("queries/read_samples.lua")


@dataclass(frozen=True, slots=True)
class Sample:
    """One request, as the router logged it. Without its path: the log has it under its id."""

    at_ms: int
    """When it was logged, Unix ms."""
    request_id: str
    app: str
    dyno: str
    method: str
    status: str
    code: str
    service_ms: float | None
    connect_ms: float | None


@dataclass(frozen=True, slots=True)
class Samples:
    """Requests of a route (or of all, for the digest `all`) in a span; times in Unix seconds.

    Of each ten minutes of the last hour, and of each hour of the last day, Redis keeps the five slowest and
    the five that failed last. So the first five are exact for a span of whole hours or ten minutes; of a
    shorter one, they are those of them that lie in it.
    """

    app: str
    digest: str
    from_s: int
    """Where the span begins: at most KEPT_S ago."""
    to_s: int
    slowest: list[Sample]
    """Slowest first, at most SHOWN_MAX. Connections (app/connections.py) are not among them."""
    failed: list[Sample]
    """Latest first, at most SHOWN_MAX."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    app: str
    key: str
    start_s: int


def samples(store: redis.Redis, app: str, digest: str, span: Span | None, now_s: float) -> Samples:
    """The samples of one app, "" for all: of each what it keeps under this route. `span` None: as far back
    as they are kept."""
    span_plan = plan(span or Span(KEPT_S), now_s, SPARK_BINS)
    is_open = span is None or span.until_s is None
    to_s = max(span_plan.end_s, int(now_s) + 1) if is_open else span_plan.end_s
    from_s = min(max(span_plan.start_s, int(now_s) - KEPT_S), to_s)
    slowest: dict[Sample, None] = {}
    failed: dict[Sample, None] = {}
    apps = [app] if app else _apps(store)
    for chunk, found in _read(store, list(_chunks(apps, digest, from_s, to_s, int(now_s)))):
        for kept, some in zip((slowest, failed), found, strict=False):
            in_span = (one for one in _samples(chunk, some) if from_s * 1000 <= one.at_ms < to_s * 1000)
            # The longer chunk of a time has samples of the shorter ones too.
            kept |= dict.fromkeys(in_span)
    return Samples(
        app=app,
        digest=digest,
        from_s=from_s,
        to_s=to_s,
        slowest=sorted(slowest, key=_slowness, reverse=True)[:SHOWN_MAX],
        failed=sorted(failed, key=_lateness, reverse=True)[:SHOWN_MAX],
    )


def _slowness(sample: Sample) -> tuple[float, int, str]:
    return sample.service_ms or 0.0, sample.at_ms, sample.request_id


def _lateness(sample: Sample) -> tuple[int, str]:
    return sample.at_ms, sample.request_id


def _apps(store: redis.Redis) -> list[str]:
    return list(largest_first(replies.counts(store.hgetall(keys.APPS))))[:APPS_READ]


def _chunks(apps: Iterable[str], digest: str, from_s: int, to_s: int, now_s: int) -> Iterator[_Chunk]:
    """Those that may be there, and may have samples of the span."""
    starts = [
        (length_s, start_s)
        for length_s, kept_s in SAMPLES
        for start_s in range(from_s // length_s * length_s, to_s, length_s)
        if start_s + length_s + kept_s > now_s
    ]
    for app in apps:
        for length_s, start_s in starts:
            name = keys.windows(app, digest) + keys.samples_chunk(length_s, start_s)
            yield _Chunk(app, name, start_s)


def _read(store: redis.Redis, chunks: Sequence[_Chunk]) -> Iterator[tuple[_Chunk, list[Any]]]:
    """The chunks with what they hold, in one round trip."""
    script = store.register_script(_READ)
    pipeline = store.pipeline(transaction=False)
    for at in range(0, len(chunks), CHUNKS_PER_CALL):
        script(keys=[chunk.key for chunk in chunks[at : at + CHUNKS_PER_CALL]], client=pipeline)
    answers = (found for answer in pipeline.execute() for found in answer)
    return zip(chunks, answers, strict=True)


def _samples(chunk: _Chunk, values: Any) -> Iterator[Sample]:
    for at in range(0, len(values) - 2 if isinstance(values, list) else 0, 3):
        ms, service_us, text = values[at : at + 3]
        with contextlib.suppress(ValueError, TypeError):  # Something else is under the chunk's name.
            said = unpack(replies.text(text))
            yield Sample(
                at_ms=chunk.start_s * 1000 + ms,
                request_id=said.request_id,
                app=chunk.app,
                dyno=said.dyno,
                method=said.method,
                status=said.status,
                code=said.code,
                service_ms=service_us / 1000 if service_us >= 0 else None,
                connect_ms=said.connect_ms,
            )
