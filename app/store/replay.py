"""What replay keeps in Redis: per run and route, the original beside the replayed.

A run is the live worker (`live`) or one window replay. All keys are under `tailrace:replay:` and
expire 30 days after the last write.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import redis

from app.sketch import bucket
from app.store import replies
from app.store.keys import REPLAY_RUNS, digest
from app.store.keys import replay_run as _key

LIVE = "live"
KEPT_S = 30 * 86_400
RUNS_MAX = 200
RUN_PARTS = ("info", "skipped", "late", "routes", "sent")
ROUTE_PARTS = ("counts", "original", "replayed")


@dataclass(slots=True)
class RouteFigures:
    """One route of a run. `statuses`: (original, replayed) -> count; sketches: bucket -> count."""

    sent: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    statuses: Counter[tuple[int, int]] = field(default_factory=Counter)
    original: Counter[int] = field(default_factory=Counter)
    replayed: Counter[int] = field(default_factory=Counter)

    def add(
        self, kind: str, status: int, latency_ms: float, original_status: int, original_ms: float | None
    ) -> None:
        """Notes one request. Latencies count where there is an answer to compare."""
        self.sent += 1
        self.kinds[kind] += 1
        if kind == "answered":
            self.statuses[original_status, status] += 1
            self.replayed[bucket(latency_ms)] += 1
            if original_ms is not None:
                self.original[bucket(original_ms)] += 1

    def merge(self, other: RouteFigures) -> None:
        """Adds what another has counted."""
        self.sent += other.sent
        self.kinds.update(other.kinds)
        self.statuses.update(other.statuses)
        self.original.update(other.original)
        self.replayed.update(other.replayed)


@dataclass(slots=True)
class RunFigures:
    """A run, or what was added to it since the last flush."""

    routes: dict[str, RouteFigures] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)
    late_ms: Counter[int] = field(default_factory=Counter)
    """Sketch of (sent - due) in ms."""
    reencoded: int = 0
    """Of the sent ones, those whose path or query was percent-encoded again."""

    def of(self, route: str) -> RouteFigures:
        return self.routes.setdefault(route, RouteFigures())

    def merge(self, other: RunFigures) -> None:
        """Adds what another has counted."""
        for route, figures in other.routes.items():
            self.of(route).merge(figures)
        self.skipped.update(other.skipped)
        self.late_ms.update(other.late_ms)
        self.reencoded += other.reencoded

    def total(self) -> RouteFigures:
        """All routes together."""
        total = RouteFigures()
        for figures in self.routes.values():
            total.merge(figures)
        return total

    @property
    def sent(self) -> int:
        return sum(route.sent for route in self.routes.values())


def record(
    store: redis.Redis,
    run_id: str,
    figures: RunFigures,
    info: Mapping[str, str],
    *,
    replaces_run: bool = False,
) -> None:
    """Adds figures to a run and sets its info, in one transaction.

    `replaces_run`: the figures replace those in Redis, which must be a part of them.
    """
    pipeline = store.pipeline(transaction=True)
    written = [_key(run_id, part) for part in RUN_PARTS]
    if replaces_run:
        parts = [_key(run_id, digest(route)[:16], name) for route in figures.routes for name in ROUTE_PARTS]
        pipeline.delete(*written, *parts)
    now_s = int(time.time())
    known: dict[Any, Any] = {**info, "updated_at": str(now_s)}
    pipeline.hset(written[0], mapping=known)
    for reason, count in figures.skipped.items():
        pipeline.hincrby(written[1], reason, count)
    for index, count in figures.late_ms.items():
        pipeline.hincrby(written[2], str(index), count)
    if figures.reencoded:
        pipeline.hincrby(written[4], "reencoded", figures.reencoded)
    for route, added in figures.routes.items():
        short = digest(route)[:16]
        pipeline.hset(written[3], route, short)
        counts, original, replayed = (_key(run_id, short, name) for name in ROUTE_PARTS)
        written += [counts, original, replayed]
        pipeline.hincrby(counts, "sent", added.sent)
        for kind, count in added.kinds.items():
            pipeline.hincrby(counts, f"kind:{kind}", count)
        for (before, after), count in added.statuses.items():
            pipeline.hincrby(counts, f"status:{before}:{after}", count)
        for key, sketch in ((original, added.original), (replayed, added.replayed)):
            for index, count in sketch.items():
                pipeline.hincrby(key, str(index), count)
    for key in written:
        pipeline.expire(key, KEPT_S)
    pipeline.zadd(REPLAY_RUNS, {run_id: now_s})
    pipeline.zremrangebyscore(REPLAY_RUNS, 0, now_s - KEPT_S)
    pipeline.zremrangebyrank(REPLAY_RUNS, 0, -RUNS_MAX - 1)
    pipeline.execute()


def begin_live(store: redis.Redis, target: str) -> None:
    """Deletes the live run if it had another target: figures of two targets must not be mixed."""
    found = run(store, LIVE)
    if found is None or found.info.get("target") == target:
        return
    keys = [_key(LIVE, part) for part in RUN_PARTS]
    keys += [_key(LIVE, digest(route)[:16], name) for route in found.figures.routes for name in ROUTE_PARTS]
    store.delete(*keys)


@dataclass(frozen=True, slots=True)
class Run:
    """One run as kept: `info` has `target`, `started_at` and `updated_at` (Unix s), `state` and, for
    a window, `from`, `until`, `progress` (0 to 1) and perhaps `baseline`, a second target whose
    answers then stand in the place of the original's."""

    id: str
    info: dict[str, str]
    figures: RunFigures


def runs(store: redis.Redis) -> list[tuple[str, dict[str, str]]]:
    """(id, info) of the kept runs, the latest first."""
    ids = replies.text_list(store.zrevrange(REPLAY_RUNS, 0, RUNS_MAX - 1))
    pipeline = store.pipeline(transaction=False)
    for run_id in ids:
        pipeline.hgetall(_key(run_id, "info"))
    return [
        (run_id, replies.texts(info)) for run_id, info in zip(ids, pipeline.execute(), strict=True) if info
    ]


def live(store: redis.Redis) -> Run | None:
    """The live worker's run; None where there was none."""
    return run(store, LIVE)


def run(store: redis.Redis, run_id: str) -> Run | None:
    """One run with all its figures; None where it is not kept."""
    pipeline = store.pipeline(transaction=True)
    for part in RUN_PARTS:
        pipeline.hgetall(_key(run_id, part))
    info_reply, skipped, late, named, sent = pipeline.execute()
    info, routes = replies.texts(info_reply), replies.texts(named)
    if not info:
        return None
    figures = RunFigures(
        skipped=Counter(replies.counts(skipped)),
        late_ms=Counter(replies.sketch(late)),
        reencoded=replies.counts(sent).get("reencoded", 0),
    )
    for short in routes.values():
        for part in ROUTE_PARTS:
            pipeline.hgetall(_key(run_id, short, part))
    found = pipeline.execute()
    for number, route in enumerate(routes):
        counts, original, replayed = found[3 * number : 3 * number + 3]
        figures.routes[route] = _route(
            replies.counts(counts), Counter(replies.sketch(original)), Counter(replies.sketch(replayed))
        )
    return Run(run_id, info, figures)


def _route(counts: dict[str, int], original: Counter[int], replayed: Counter[int]) -> RouteFigures:
    figures = RouteFigures(sent=counts.pop("sent", 0), original=original, replayed=replayed)
    for name, count in counts.items():
        what, _, rest = name.partition(":")
        if what == "kind":
            figures.kinds[rest] = count
        else:
            before, _, after = rest.partition(":")
            figures.statuses[int(before), int(after)] = count
    return figures
