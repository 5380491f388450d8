"""A run in Redis while it is running: what the page shows, whatever Redis does."""

from __future__ import annotations

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.store import replay
from app.store.run_figures import RunFigures
from consumers.replay.run_recorder import RETRY_AFTER_S, WRITE_EVERY_S, RunRecorder
from servers.ports import free_port
from servers.processes import wait_until
from servers.redis_server import RedisServer
from tests.support.stopping import stopped


class Clock:
    """A clock that is moved by hand."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def counted(times: int) -> RunFigures:
    figures = RunFigures()
    for _ in range(times):
        figures.of("/a").add("answered", 500, 20.0, 200, 10.0)
        figures.skipped["method"] += 1
        figures.late_ms[3] += 1
    return figures


class Counting:
    """What a window counts between two writes."""

    def __init__(self) -> None:
        self.new = RunFigures()

    def take(self) -> RunFigures:
        taken, self.new = self.new, RunFigures()
        return taken


def begun(store: redis.Redis) -> tuple[RunRecorder, Counting, Clock]:
    counting, clock = Counting(), Clock()
    run = replay.Run("r", {"target": "http://new.example.com"}, RunFigures())
    return RunRecorder(store, run, counting.take, clock), counting, clock


def stored(store: redis.Redis) -> replay.Run:
    found = replay.run(store, "r")
    assert found is not None
    return found


def test_a_run_is_written_while_it_is_running_and_at_its_end(redis_client: redis.Redis) -> None:
    kept, counting, clock = begun(redis_client)
    counting.new = counted(3)
    kept.flush_if_due(0.1)
    assert replay.run(redis_client, "r") is None  # Not yet.
    clock.now_s += WRITE_EVERY_S
    kept.flush_if_due(0.25)
    assert stored(redis_client).figures == counted(3)
    assert stored(redis_client).info["state"] == "running"
    assert stored(redis_client).info["progress"] == "0.25"
    counting.new = counted(4)
    whole = kept.finish("finished")
    assert whole.figures == stored(redis_client).figures == counted(7)
    assert stored(redis_client).info["state"] == "finished"
    assert stored(redis_client).info["progress"] == "1.00"


def test_an_interrupted_run_keeps_its_progress(redis_client: redis.Redis) -> None:
    kept, counting, clock = begun(redis_client)
    counting.new = counted(1)
    clock.now_s += WRITE_EVERY_S
    kept.flush_if_due(0.4)
    kept.finish("interrupted")
    assert stored(redis_client).info["progress"] == "0.40"


def test_a_run_without_requests_is_not_kept(redis_client: redis.Redis) -> None:
    kept, _, _ = begun(redis_client)
    kept.finish("refused")
    assert replay.run(redis_client, "r") is None


def test_a_write_whose_reply_was_lost_counts_once() -> None:
    with RedisServer() as server, redis.Redis.from_url(server.url) as patient:
        impatient = redis.Redis.from_url(server.url, socket_timeout=0.2, retry=Retry(NoBackoff(), 0))
        kept, counting, clock = begun(impatient)
        impatient.ping()
        counting.new = counted(3)
        clock.now_s += WRITE_EVERY_S
        with stopped(server.pid):
            kept.flush_if_due(0.5)
        assert not kept.is_in_redis
        wait_until(lambda: replay.run(patient, "r") is not None, "the write, which was done all the same")
        assert stored(patient).figures == counted(3)
        counting.new = counted(2)
        clock.now_s += WRITE_EVERY_S
        kept.flush_if_due(0.6)
        assert stored(patient).figures == counted(3)  # Too early to try again.
        clock.now_s += RETRY_AFTER_S
        kept.flush_if_due(0.7)
        assert kept.is_in_redis
        assert stored(patient).figures == counted(5)
        impatient.close()


def test_without_redis_the_run_is_complete_all_the_same() -> None:
    nobody = redis.Redis(port=free_port(), retry=Retry(NoBackoff(), 0))
    kept, counting, clock = begun(nobody)
    for _ in range(3):
        counting.new = counted(2)
        clock.now_s += RETRY_AFTER_S
        kept.flush_if_due(0.5)
    assert kept.finish("finished").figures == counted(6)
    assert not kept.is_in_redis


def test_a_resumed_run_goes_on_from_its_progress_and_replaces_what_redis_has(
    redis_client: redis.Redis,
) -> None:
    replay.record(redis_client, "r", counted(3), {"state": "interrupted", "progress": "0.40"})
    earlier = stored(redis_client)
    earlier.figures.skipped["method"] -= 2  # Two of them are sent now.
    counting, clock = Counting(), Clock()
    kept = RunRecorder(redis_client, earlier, counting.take, clock, is_resumed=True)
    counting.new = counted(1)
    clock.now_s += WRITE_EVERY_S
    kept.flush_if_due(0.5)
    assert stored(redis_client).info["progress"] == "0.70"
    assert stored(redis_client).figures.skipped == {"method": 2}
    assert stored(redis_client).figures.sent == 4
    counting.new = counted(1)
    kept.finish("interrupted")
    assert stored(redis_client).info["progress"] == "0.70"
    assert stored(redis_client).figures.sent == 5
