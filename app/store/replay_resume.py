"""What a window replay that ended early leaves in Redis, so that it can go on as the same run.

A hash under `pairs` of the run: the caller's fields, bounded by the caller. It expires after a week, and
goes once the run is resumed or finished, or RUNS_MAX later runs have left one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import redis

from app.store import replies
from app.store.keys import REPLAY_RUNS, replay_run

KEPT_S = 7 * 86_400
RUNS_MAX = 3
"""One may take 8 MB."""


def keep(store: redis.Redis, run_id: str, fields: Mapping[bytes, bytes]) -> None:
    """Keeps the fields in place of earlier ones."""
    key = replay_run(run_id, "pairs")
    pipeline = store.pipeline(transaction=True)
    pipeline.delete(key)
    pipeline.hset(key, mapping=cast(Any, dict(fields)))
    pipeline.expire(key, KEPT_S)
    pipeline.execute()
    _drop_oldest(store)


def _drop_oldest(store: redis.Redis) -> None:
    """Deletes what all but the latest runs left. There are at most `replay.RUNS_MAX` runs."""
    keys = [replay_run(name, "pairs") for name in replies.text_list(store.zrevrange(REPLAY_RUNS, 0, -1))]
    pipeline = store.pipeline(transaction=False)
    for key in keys:
        pipeline.exists(key)
    kept = [key for key, exists in zip(keys, pipeline.execute(), strict=True) if exists]
    if len(kept) > RUNS_MAX:
        store.delete(*kept[RUNS_MAX:])


def read(store: redis.Redis, run_id: str, field: bytes) -> bytes | None:
    """One field; None where the run left nothing."""
    return cast("bytes | None", store.hget(replay_run(run_id, "pairs"), field.decode()))


def claim(store: redis.Redis, run_id: str) -> dict[bytes, bytes]:
    """All fields, which are deleted: of two processes that resume the same run, one gets them. Empty where
    there are none. The run's result goes, too, because it is about a part."""
    key = replay_run(run_id, "pairs")
    pipeline = store.pipeline(transaction=True)
    pipeline.hgetall(key)
    pipeline.delete(key, replay_run(run_id, "result"))
    return cast(dict[bytes, bytes], pipeline.execute()[0])


def forget(store: redis.Redis, run_id: str) -> None:
    """Deletes what the run left."""
    store.delete(replay_run(run_id, "pairs"))
