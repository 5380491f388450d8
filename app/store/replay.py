"""What replay keeps in Redis: per run and route, the original beside the replayed.

A run is the live worker (`live`) or one window replay. All keys are under `tailrace:replay:` and
expire 30 days after the last write.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import redis

from app.store import replies
from app.store.body_figures import BodyFigures as BodyFigures
from app.store.keys import REPLAY_RUNS, digest
from app.store.keys import replay_run as _key
from app.store.run_figures import RouteFigures, RunFigures
from app.store.run_result import RunResult, from_json, to_json

LIVE = "live"
KEPT_S = 30 * 86_400
RUNS_MAX = 200
RUN_PARTS = ("info", "skipped", "late", "routes", "sent", "uncomparable", "left-out")
"""Hashes of a run. Beside them is `result`, a string, and `pairs`, a hash, while a run can be resumed."""
ROUTE_PARTS = (
    "counts",
    "original",
    "replayed",
    "response",
    "bodies",
    "body-keys",
    "body-noise",
    "body-noisy",
)
BODY_COUNTS = ("compared", "noisy", "cut", "differing", "noise_only")


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
    for reason, count in figures.uncomparable.items():
        pipeline.hincrby(written[5], reason, count)
    if run_id != LIVE:  # It may go on for months, with any number of routes.
        for (reason, route), count in figures.left_out.items():
            pipeline.hincrby(written[6], f"{reason}:{route}", count)
    for route, added in figures.routes.items():
        short = digest(route)[:16]
        pipeline.hset(written[3], route, short)
        for part, values in _as_hashes(added).items():
            key = _key(run_id, short, part)
            written.append(key)
            for name, count in values.items():
                pipeline.hincrby(key, name, count)
    for key in written:
        pipeline.expire(key, KEPT_S)
    pipeline.zadd(REPLAY_RUNS, {run_id: now_s})
    pipeline.zremrangebyscore(REPLAY_RUNS, 0, now_s - KEPT_S)
    pipeline.zremrangebyrank(REPLAY_RUNS, 0, -RUNS_MAX - 1)
    pipeline.execute()


def _as_hashes(figures: RouteFigures) -> dict[str, dict[str, int]]:
    """Part of ROUTE_PARTS -> field -> count, without empty parts."""
    counts = {"sent": figures.sent}
    counts |= {f"kind:{kind}": count for kind, count in figures.kinds.items()}
    counts |= {f"status:{before}:{after}": count for (before, after), count in figures.statuses.items()}
    sketches = {"original": figures.original, "replayed": figures.replayed, "response": figures.response}
    parts = {"counts": counts}
    parts |= {part: {str(index): n for index, n in sketch.items()} for part, sketch in sketches.items()}
    bodies = {name: getattr(figures.bodies, name) for name in BODY_COUNTS}
    bodies |= {f"uncompared:{reason}": count for reason, count in figures.bodies.uncompared.items()}
    parts["bodies"] = {name: count for name, count in bodies.items() if count}
    parts["body-keys"] = dict(figures.bodies.differing_keys)
    parts["body-noise"] = dict(figures.bodies.noise_keys)
    parts["body-noisy"] = dict(figures.bodies.noisy_keys)
    return {part: values for part, values in parts.items() if values}


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
    result: RunResult | None = None
    """Of a window replay that has ended."""


def record_result(store: redis.Redis, run_id: str, result: RunResult) -> None:
    """Keeps the result beside the run's figures, in place of an earlier one."""
    pipeline = store.pipeline(transaction=True)
    pipeline.set(_key(run_id, "result"), to_json(result), ex=KEPT_S)
    pipeline.hset(_key(run_id, "info"), "verdict", result.verdict)
    pipeline.execute()


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
    pipeline.get(_key(run_id, "result"))
    info_reply, skipped, late, named, sent, uncomparable, left_out, result = pipeline.execute()
    info, routes = replies.texts(info_reply), replies.texts(named)
    if not info:
        return None
    figures = RunFigures(
        skipped=Counter(replies.counts(skipped)),
        late_ms=Counter(replies.sketch(late)),
        reencoded=replies.counts(sent).get("reencoded", 0),
        uncomparable=Counter(replies.counts(uncomparable)),
        left_out=Counter(
            {(reason, route): count for (reason, _, route), count in _parted(replies.counts(left_out))}
        ),
    )
    for short in routes.values():
        for part in ROUTE_PARTS:
            pipeline.hgetall(_key(run_id, short, part))
    found = pipeline.execute()
    for number, route in enumerate(routes):
        parts = found[len(ROUTE_PARTS) * number : len(ROUTE_PARTS) * (number + 1)]
        figures.routes[route] = _route(dict(zip(ROUTE_PARTS, parts, strict=True)))
    return Run(run_id, info, figures, from_json(result) if result else None)


def _parted(counts: Mapping[str, int]) -> Iterator[tuple[tuple[str, str, str], int]]:
    return ((name.partition(":"), count) for name, count in counts.items())


def _route(parts: Mapping[str, Any]) -> RouteFigures:
    """From the replies to HGETALL of each part."""
    counts, bodies = replies.counts(parts["counts"]), replies.counts(parts["bodies"])
    figures = RouteFigures(
        sent=counts.pop("sent", 0),
        original=Counter(replies.sketch(parts["original"])),
        replayed=Counter(replies.sketch(parts["replayed"])),
        response=Counter(replies.sketch(parts["response"])),
        bodies=BodyFigures(
            **{name: bodies.get(name, 0) for name in BODY_COUNTS},
            differing_keys=Counter(replies.counts(parts["body-keys"])),
            noise_keys=Counter(replies.counts(parts["body-noise"])),
            noisy_keys=Counter(replies.counts(parts["body-noisy"])),
            uncompared=Counter(
                {
                    name.removeprefix("uncompared:"): count
                    for name, count in bodies.items()
                    if name.startswith("uncompared:")
                }
            ),
        ),
    )
    for name, count in counts.items():
        what, _, rest = name.partition(":")
        if what == "kind":
            figures.kinds[rest] = count
        else:
            before, _, after = rest.partition(":")
            figures.statuses[int(before), int(after)] = count
    return figures
