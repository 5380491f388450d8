"""The live worker, `python -m consumers.replay`, as the Procfile starts it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from threading import Event

import pytest
import redis

from app.errors import LogUnavailable
from app.log import Batch, open_log
from app.log.redis.stream import STREAM
from app.settings import Settings
from app.store import keys, replay
from app.store.run_figures import RunFigures
from consumers.replay.live import LiveReplay
from consumers.replay.sending.senders import QUEUE_MAX
from servers.processes import Process, Processes, wait_until
from servers.redis_server import RedisServer
from tests.consumers.replay.router_2_paths import ALL, REENCODED
from tests.consumers.replay.samples import append, line, never, router_2_line
from tests.support.stored import text_hash
from tests.support.target import RecordingTarget, answer, answer_strictly


def settings(redis_url: str) -> Settings:
    return Settings.load({"REDIS_URL": redis_url})


def environ(redis_url: str, target: RecordingTarget, **more: str) -> dict[str, str]:
    return {"REDIS_URL": redis_url, "REPLAY_HOST": target.url, **more}


def ended(process: Process) -> int:
    return process.popen.wait(20)


def test_without_a_target_it_ends_with_a_clear_error(redis_url: str) -> None:
    with Processes({"REDIS_URL": redis_url}) as processes:
        process = processes.start("replay")
        assert ended(process) == 2
        assert "REPLAY_HOST is unset" in process.output
        assert "Traceback" not in process.output


def test_a_new_group_starts_with_what_comes_from_now_on(redis_url: str, redis_client: redis.Redis) -> None:
    append(settings(redis_url), [line("/before")])
    with RecordingTarget() as target, Processes(environ(redis_url, target, REPLAY_SPEED="max")) as processes:
        process = processes.start_worker("replay")
        wait_until(lambda: bool(redis_client.hget("tailrace:log:router:meta", "read:replay")), "the group")
        append(settings(redis_url), [line("/after?x=%2F"), line("/post", method="POST")])
        wait_until(lambda: len(target.seen) == 1, "the request")
        assert process.terminate(10) == 0
        assert target.targets() == [b"/after?x=%2F"]
    live = replay.live(redis_client)
    assert live is not None
    assert live.figures.sent == 1
    assert live.figures.skipped == {"method": 1}
    assert live.figures.routes["/after"].statuses == {(200, 200): 1}


def test_lines_of_router_2_arrive_as_the_client_sent_them_at_a_strict_target(
    redis_url: str, redis_client: redis.Redis
) -> None:
    more = {"REPLAY_SPEED": "max", "REPLAY_CONCURRENCY": "1", "REPLAY_FORWARDED": "1"}
    with RecordingTarget(answer_strictly()) as target:
        with Processes(environ(redis_url, target, **more)) as processes:
            process = processes.start_worker("replay")
            wait_until(
                lambda: bool(redis_client.hget("tailrace:log:router:meta", "read:replay")), "the group"
            )
            lines = [router_2_line(logged) for logged, _ in ALL]
            append(settings(redis_url), [*lines, router_2_line("/cable", status=101)])
            wait_until(lambda: len(target.seen) == len(ALL), "the requests")
            assert process.terminate(10) == 0
        assert target.targets() == [sent.encode() for _, sent in ALL]
        assert {seen.headers["x-forwarded-proto"] for seen in target.seen} == {"https"}
    live = replay.live(redis_client)
    assert live is not None
    assert (live.figures.reencoded, live.figures.skipped) == (REENCODED, {"connection": 1})
    assert live.figures.total().statuses == {(200, 200): len(ALL)}


def test_other_methods_go_only_when_asked_for_and_with_a_warning(
    redis_url: str, redis_client: redis.Redis
) -> None:
    with RecordingTarget() as target:
        more = {"REPLAY_SPEED": "max", "REPLAY_METHODS": "GET,POST"}
        with Processes(environ(redis_url, target, **more)) as processes:
            process = processes.start_worker("replay")
            wait_until(
                lambda: bool(redis_client.hget("tailrace:log:router:meta", "read:replay")), "the group"
            )
            append(settings(redis_url), [line("/post", method="POST"), line("/head", method="HEAD")])
            wait_until(lambda: len(target.seen) == 1, "the request")
            assert process.terminate(10) == 0
            assert "POST requests are sent with EMPTY bodies" in process.output
        assert [(seen.method, seen.body) for seen in target.seen] == [("POST", b"")]


def test_the_base_path_of_the_target_comes_before_each_path(
    redis_url: str, redis_client: redis.Redis
) -> None:
    with RecordingTarget() as target:
        more = {"REPLAY_SPEED": "max", "REPLAY_HOST": f"{target.url}/base/"}
        with Processes({**environ(redis_url, target), **more}) as processes:
            process = processes.start_worker("replay")
            wait_until(
                lambda: bool(redis_client.hget("tailrace:log:router:meta", "read:replay")), "the group"
            )
            append(settings(redis_url), [line("/a%2Fb?x=1")])
            wait_until(lambda: len(target.seen) == 1, "the request")
            assert process.terminate(10) == 0
        assert target.targets() == [b"/base/a%2Fb?x=1"]
        live = replay.live(redis_client)
        assert live is not None
        assert live.info["target"] == f"{target.url}/base"


def test_the_host_of_the_lines_is_refused_as_a_target(redis_url: str, redis_client: redis.Redis) -> None:
    redis_client.hset("tailrace:all:hosts", "127.0.0.1", 5)
    with RecordingTarget() as target:
        with Processes(environ(redis_url, target)) as processes:
            process = processes.start("replay")
            assert ended(process) == 2
            assert "REPLAY_ALLOW_SAME_HOST" in process.output
        assert target.seen == []


def test_the_loop_ends_after_one_round(redis_url: str, redis_client: redis.Redis) -> None:
    """The target's own drain points back here: what was replayed is logged, and goes no further."""
    with RecordingTarget() as target:
        with Processes(environ(redis_url, target, REPLAY_SPEED="max")) as processes:
            process = processes.start_worker("replay")
            wait_until(
                lambda: bool(redis_client.hget("tailrace:log:router:meta", "read:replay")), "the group"
            )
            append(settings(redis_url), [line(f"/{number}") for number in range(20)])
            for _ in range(3):
                wait_until(lambda: len(target.seen) == 20, "one round")
                append(settings(redis_url), logged(target))
            wait_until(lambda: _skipped(redis_client, "replayed") == 60, "three rounds left out")
            assert process.terminate(10) == 0
        assert len(target.seen) == 20


def logged(target: RecordingTarget) -> list[str]:
    """What the target's router logs of the requests that it got."""
    return [line(seen.target.decode(), request_id=seen.headers["x-request-id"]) for seen in target.seen]


def totals(client: redis.Redis) -> dict[str, str]:
    return text_hash(client, "tailrace:group:metrics")


@pytest.mark.parametrize("key", ["", "k" * 32])
def test_what_was_replayed_is_not_counted_but_a_forged_mark_is(
    redis_url: str, redis_client: redis.Redis, key: str
) -> None:
    forged = [line("/forged", request_id="replay-" + "a" * 20) for _ in range(3)]
    with RecordingTarget() as target:
        more = {"REPLAY_SPEED": "max", "REPLAY_KEY": key}
        with Processes(environ(redis_url, target, **more)) as processes:
            for name in ("metrics", "replay"):
                processes.start_worker(name)
            wait_until(
                lambda: bool(redis_client.hget("tailrace:log:router:meta", "read:replay")), "the group"
            )
            append(settings(redis_url), [*forged, *(line(f"/{number}") for number in range(20))])
            wait_until(lambda: len(target.seen) == 20, "the replay")
            append(settings(redis_url), logged(target))
            wait_until(lambda: totals(redis_client).get("messages") == "43", "all of them")
            wait_until(lambda: _skipped(redis_client, "replayed") == 20, "the replay's own")
        assert len(target.seen) == 20
    assert totals(redis_client) == {"messages": "43", "replayed": "20", "forged_marks": "3"}
    assert text_hash(redis_client, "tailrace:apps") == {"": "23"}
    assert _skipped(redis_client, "forged-mark") == 3
    assert bool(redis_client.exists(keys.REPLAY_KEY)) is not bool(key)


def test_an_installation_with_the_same_key_does_not_count_what_another_replays(
    redis_url: str, redis_client: redis.Redis, old_redis_server: RedisServer
) -> None:
    """One replays, and the other counts the target's traffic."""
    with RecordingTarget() as target:
        chosen = {"REPLAY_SPEED": "max", "REPLAY_KEY": "k" * 32}
        live = LiveReplay(
            Settings.load(environ(redis_url, target, **chosen)),
            redis_client,
            lambda line: line.path,
            never,
            Event(),
        )
        live.handle(batch_of(redis_url, redis_client, [line("/a"), line("/b")]), lambda: None)
        live.finish()
        lines = logged(target)
    with redis.Redis.from_url(old_redis_server.url) as elsewhere:
        for key, counted in (("k" * 32, "forged_marks"), ("", "replayed"), ("j" * 32, "replayed")):
            elsewhere.flushall()
            with Processes({"REDIS_URL": old_redis_server.url, "REPLAY_KEY": key}) as processes:
                append(settings(old_redis_server.url), lines)
                processes.start_worker("metrics")
                wait_until(lambda: totals(elsewhere).get("messages") == "2", "both")
            assert counted not in totals(elsewhere)
            assert bool(elsewhere.exists("tailrace:apps")) is (counted == "replayed")


def _skipped(client: redis.Redis, reason: str) -> int:
    live = replay.live(client)
    return live.figures.skipped[reason] if live else 0


@pytest.mark.parametrize("delivery", ["at-most-once", "at-least-once"])
def test_a_crash_never_doubles_or_never_loses_as_it_was_chosen(
    redis_url: str, redis_client: redis.Redis, delivery: str
) -> None:
    paths = {b"/%d" % number for number in range(60)}
    with RecordingTarget(answer(delay_s=0.05)) as target:
        more = {"REPLAY_SPEED": "max", "REPLAY_CONCURRENCY": "2", "REPLAY_DELIVERY": delivery}
        with Processes(environ(redis_url, target, **more)) as processes:
            first = processes.start_worker("replay")
            wait_until(
                lambda: bool(redis_client.hget("tailrace:log:router:meta", "read:replay")), "the group"
            )
            append(settings(redis_url), [line(path.decode()) for path in sorted(paths)])
            wait_until(lambda: len(target.seen) >= 10, "some requests")
            os.kill(first.pid, signal.SIGKILL)
            first.popen.wait(5)
            time.sleep(0.3)
            # Its lease is its sign of life; here nobody waits 15 s for it to run out.
            for key in redis_client.scan_iter("tailrace:log:router:lease:replay:*"):
                redis_client.delete(key)
            second = processes.start_worker("replay")
            if delivery == "at-least-once":
                wait_until(lambda: set(target.targets()) == paths, "all of them")
            else:
                wait_until(lambda: bool(redis_client.exists("tailrace:workers")), "the second worker")
                time.sleep(1.0)
            assert second.terminate(10) == 0
        seen = target.targets()
    if delivery == "at-least-once":
        assert set(seen) == paths
    else:
        assert len(seen) == len(set(seen)) < len(paths)


def batch_of(redis_url: str, client: redis.Redis, lines: list[str], away_s: int = 0) -> Batch:
    """Lines as a worker of the group reads them, `away_s` after they came."""
    with contextlib.closing(
        open_log(settings(redis_url)).reader("replay", "earliest", rewind_to_store=False)
    ) as reader:
        append(settings(redis_url), lines, time.time() - away_s)
        batch = reader.poll(1.0, 1_000)
    assert batch is not None
    client.set(batch.lease, "1")  # Closing gave it up.
    for message in batch.messages:
        message["received_at"] -= away_s * 1_000
    return batch


def test_a_batch_that_comes_again_goes_on_where_it_was(redis_url: str, redis_client: redis.Redis) -> None:
    batch = batch_of(redis_url, redis_client, [line(f"/{number}") for number in range(10)])
    away = iter([True, True, False])

    def keepalive() -> None:
        if next(away, False):
            raise LogUnavailable("Redis does not answer")

    with RecordingTarget(answer(delay_s=0.4)) as target:
        chosen = environ(
            redis_url, target, REPLAY_SPEED="max", REPLAY_CONCURRENCY="1", REPLAY_DELIVERY="at-least-once"
        )
        live = LiveReplay(Settings.load(chosen), redis_client, lambda line: line.path, never, Event())
        for _ in range(2):
            with pytest.raises(LogUnavailable):
                live.handle(batch, keepalive)
        live.handle(batch, keepalive)
        live.finish()
        assert target.targets() == [b"/%d" % number for number in range(10)]
    assert redis_client.xpending(STREAM, "replay")["pending"] == 0


def test_a_slow_target_gets_what_is_not_too_late_and_the_rest_is_counted(
    redis_url: str, redis_client: redis.Redis
) -> None:
    batch = batch_of(redis_url, redis_client, [line(f"/{number}") for number in range(60)])
    with RecordingTarget(answer(delay_s=0.1)) as target:
        chosen = environ(redis_url, target, REPLAY_CONCURRENCY="2", REPLAY_MAX_LATE_MS="500")
        live = LiveReplay(Settings.load(chosen), redis_client, lambda line: line.path, never, Event())
        live.handle(batch, lambda: None)
        live.finish()
        sent = len(target.seen)
    found = replay.live(redis_client)
    assert found is not None
    assert found.figures.sent == sent < 20
    assert found.figures.skipped == {"late": 60 - sent}


@pytest.mark.parametrize("speed", ["1", "10", "max"])
@pytest.mark.parametrize("delivery", ["at-most-once", "at-least-once"])
def test_a_backlog_is_left_out_as_late_unless_nothing_may_be_lost(
    redis_url: str, redis_client: redis.Redis, delivery: str, speed: str
) -> None:
    """What came while the worker was away; `at-least-once` is for those who want all of it."""
    backlog = batch_of(redis_url, redis_client, [line(f"/{number}") for number in range(20)], away_s=60)
    fresh = batch_of(redis_url, redis_client, [line("/fresh")])
    with RecordingTarget() as target:
        chosen = environ(redis_url, target, REPLAY_SPEED=speed, REPLAY_DELIVERY=delivery)
        live = LiveReplay(Settings.load(chosen), redis_client, lambda line: line.path, never, Event())
        started_s = time.monotonic()
        live.handle(backlog, lambda: None)
        live.handle(fresh, lambda: None)
        wait_until(lambda: b"/fresh" in target.targets(), "the fresh one", timeout_s=10)
        assert time.monotonic() - started_s < 5
        live.finish()
        assert len(target.seen) == (21 if delivery == "at-least-once" else 1)
    found = replay.live(redis_client)
    assert found is not None
    assert found.figures.skipped["late"] == (0 if delivery == "at-least-once" else 20)


def test_another_target_begins_a_comparison_of_its_own(redis_url: str, redis_client: redis.Redis) -> None:
    def replayed(target: RecordingTarget, path: str) -> RunFigures:
        batch = batch_of(redis_url, redis_client, [line(path) for _ in range(5)])
        live = LiveReplay(
            Settings.load(environ(redis_url, target, REPLAY_SPEED="max")),
            redis_client,
            lambda line: line.path,
            never,
            Event(),
        )
        live.handle(batch, lambda: None)
        live.finish()
        found = replay.live(redis_client)
        assert found is not None
        assert found.info["target"] == target.url
        return found.figures

    with RecordingTarget(answer(200)) as one, RecordingTarget(answer(500)) as other:
        assert replayed(one, "/a").sent == 5
        assert replayed(one, "/a").sent == 10
        figures = replayed(other, "/b")
        assert {route: found.statuses for route, found in figures.routes.items()} == {"/b": {(200, 500): 5}}


def test_slower_than_life_is_refused(redis_url: str) -> None:
    with RecordingTarget() as target, Processes(environ(redis_url, target, REPLAY_SPEED="0.5")) as processes:
        process = processes.start("replay")
        assert ended(process) == 2
        assert "REPLAY_SPEED must be 1 or more here" in process.output


def test_a_full_queue_does_not_keep_the_worker_from_ending(redis_url: str, redis_client: redis.Redis) -> None:
    lines = [line(f"/{number}") for number in range(QUEUE_MAX + 500)]
    batch = batch_of(redis_url, redis_client, lines)
    stop, signs = Event(), []

    def keepalive() -> None:
        signs.append(time.monotonic())
        stop.set()

    with RecordingTarget(answer(delay_s=20)) as target:
        chosen = environ(redis_url, target, REPLAY_SPEED="max", REPLAY_CONCURRENCY="1")
        live = LiveReplay(Settings.load(chosen), redis_client, lambda line: line.path, never, stop)
        started_s = time.monotonic()
        live.handle(batch, keepalive)
        live.finish()
        assert time.monotonic() - started_s < 15  # 6 s on an idle machine; the target needs 20.
    assert len(signs) == 1
    found = replay.live(redis_client)
    assert found is not None
    assert sum(found.figures.skipped.values()) == len(lines)
