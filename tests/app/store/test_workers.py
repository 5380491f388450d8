"""What workers say of themselves, and what is made of it."""

from __future__ import annotations

from dataclasses import asdict

import orjson
import redis

from app.store.keys import WORKERS
from app.store.workers import (
    FORGOTTEN_AFTER_MS,
    GONE_AFTER_MS,
    GroupStatus,
    WorkerStatus,
    all_workers,
    deregister,
    groups,
    report_status,
)

NOW_MS = 1_800_000_000_000


def status(
    name: str,
    group: str = "metrics",
    age_ms: int = 0,
    lag: int = 0,
    lag_seconds: float = 0.0,
    whole: bool = False,
) -> WorkerStatus:
    return WorkerStatus(name, group, NOW_MS - age_ms, lag, lag_seconds, whole, NOW_MS - 60_000)


def test_what_a_worker_tells_is_read_until_it_signs_off(redis_client: redis.Redis) -> None:
    report_status(redis_client, status("a", lag=5))
    report_status(redis_client, status("a", lag=3))
    report_status(redis_client, status("b"))
    assert sorted(all_workers(redis_client, NOW_MS), key=lambda found: found.id) == [
        status("a", lag=3),
        status("b"),
    ]
    deregister(redis_client, "a")
    assert all_workers(redis_client, NOW_MS) == [status("b")]


def test_a_worker_that_has_been_silent_for_an_hour_is_forgotten(redis_client: redis.Redis) -> None:
    report_status(redis_client, status("old", age_ms=FORGOTTEN_AFTER_MS + 1))
    report_status(redis_client, status("new"))
    assert [found.id for found in all_workers(redis_client, NOW_MS)] == ["new"]
    assert redis_client.hkeys(WORKERS) == [b"new"]


def test_a_status_of_another_version_is_read_as_far_as_it_goes(redis_client: redis.Redis) -> None:
    older = {name: said for name, said in asdict(status("older")).items() if name != "waits"}
    newer = {**asdict(status("newer")), "mood": "good"}
    redis_client.hset(WORKERS, mapping={"older": orjson.dumps(older), "newer": orjson.dumps(newer)})
    found = sorted(all_workers(redis_client, NOW_MS), key=lambda told: told.id)
    assert found == [status("newer"), status("older")]


def test_what_is_no_status_is_passed_over(redis_client: redis.Redis) -> None:
    redis_client.hset(WORKERS, mapping={"x": b'{"id":"x","mood":"good"}', "y": b"not JSON", "z": b"[1]"})
    report_status(redis_client, status("a"))
    assert all_workers(redis_client, NOW_MS) == [status("a")]


def test_lags_of_partitions_are_added_up() -> None:
    found = groups([status("a", lag=5, lag_seconds=2), status("b", lag=7, lag_seconds=1)], NOW_MS)
    assert found == [GroupStatus("metrics", 2, 12, 2, NOW_MS)]


def test_a_lag_of_the_whole_group_is_counted_once() -> None:
    found = groups([status("a", lag=5, whole=True), status("b", lag=7, whole=True)], NOW_MS)
    assert found[0].lag_messages == 7


def test_the_dead_do_not_count_while_one_lives() -> None:
    dead = status("dead", age_ms=GONE_AFTER_MS + 1, lag=1_000, lag_seconds=99)
    assert groups([dead, status("a", lag=5)], NOW_MS) == [GroupStatus("metrics", 1, 5, 0, NOW_MS)]


def test_of_a_group_without_living_workers_the_last_word_counts() -> None:
    older = status("older", age_ms=GONE_AFTER_MS + 9_000, lag=1_000)
    last = status("last", age_ms=GONE_AFTER_MS + 1, lag=5)
    found = groups([older, last], NOW_MS)
    assert found == [GroupStatus("metrics", 0, 5, 0, NOW_MS - GONE_AFTER_MS - 1)]


def test_groups_are_told_apart() -> None:
    found = groups([status("a", "replay", lag=1), status("b", "metrics", lag=2)], NOW_MS)
    assert [(group.group, group.lag_messages) for group in found] == [("metrics", 2), ("replay", 1)]
