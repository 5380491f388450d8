"""What a run that ended early leaves in Redis."""

from __future__ import annotations

import time

import redis

from app.store import keys, replay_resume
from app.store.replay import record
from app.store.run_figures import RunFigures


def run(store: redis.Redis, run_id: str, at_s: int = 0) -> None:
    figures = RunFigures()
    figures.of("/a").add("answered", 200, 20.0, 200, 10.0)
    record(store, run_id, figures, {"state": "interrupted"})
    store.zadd(keys.REPLAY_RUNS, {run_id: at_s or int(time.time())})


def test_it_is_there_for_a_week_and_until_somebody_takes_it(redis_client: redis.Redis) -> None:
    run(redis_client, "r")
    replay_resume.keep(redis_client, "r", {b"state": b"old", b"route:/a": b"1"})
    replay_resume.keep(redis_client, "r", {b"state": b"{}", b"all": b"\x00\xff"})
    assert 6 * 86_400 < int(str(redis_client.ttl(keys.replay_run("r", "pairs")))) <= 7 * 86_400
    assert replay_resume.read(redis_client, "r", b"state") == b"{}"
    assert replay_resume.read(redis_client, "r", b"route:/a") is None
    redis_client.set(keys.replay_run("r", "result"), "{}")
    assert replay_resume.claim(redis_client, "r") == {b"state": b"{}", b"all": b"\x00\xff"}
    assert not redis_client.exists(keys.replay_run("r", "result"))  # It is about a part.
    assert replay_resume.claim(redis_client, "r") == {}
    assert replay_resume.read(redis_client, "r", b"state") is None


def test_it_can_be_deleted(redis_client: redis.Redis) -> None:
    replay_resume.keep(redis_client, "r", {b"state": b"{}"})
    replay_resume.forget(redis_client, "r")
    replay_resume.forget(redis_client, "r")
    assert not redis_client.exists(keys.replay_run("r", "pairs"))


def test_only_the_latest_runs_leave_anything(redis_client: redis.Redis) -> None:
    for number in range(replay_resume.RUNS_MAX + 3):
        run(redis_client, f"r{number}", int(time.time()) - 100 + number)
        replay_resume.keep(redis_client, f"r{number}", {b"state": b"{}"})
    left = [
        number
        for number in range(replay_resume.RUNS_MAX + 3)
        if redis_client.exists(keys.replay_run(f"r{number}", "pairs"))
    ]
    assert left == [3, 4, 5]
