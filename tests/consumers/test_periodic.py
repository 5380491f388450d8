"""A process that reads no log: it takes its steps, waits for what fails, is seen in health, and ends."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from threading import Event

import pytest
import redis

from app.errors import LogUnavailable
from app.store.keys import WORKERS
from app.store.workers import WorkerStatus, all_workers
from consumers.periodic import Periodic, Step
from servers.processes import ROOT, Processes, wait_until
from servers.redis_server import RedisServer

TOY = """
import os, sys
import redis
from app import groups
from app.errors import BadSettings
from app.groups import Group
from consumers.run import run_periodic

TOY = Group(name="toy", purpose="counts", reading=None, while_stopped="nothing is counted", while_behind="")

def prepare(settings, store, stop):
    if settings.dashboard_user == "nobody":
        raise BadSettings(["DASHBOARD_USER is nobody"])
    return lambda keepalive: store.incr("toy:steps")

sys.exit(run_periodic(TOY, prepare, 0.1, os.environ))
"""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done every few seconds is done every few tenths."""
    monkeypatch.setattr("consumers.status.STATUS_EVERY_S", 0.2)
    monkeypatch.setattr("consumers.periodic.STATUS_EVERY_S", 0.2)
    monkeypatch.setattr("app.backoff.MAX_DELAY_S", 0.3)


def statuses(store: redis.Redis) -> list[WorkerStatus]:
    return all_workers(store, int(time.time() * 1000))


class Running:
    """The loop in a thread."""

    def __init__(self, store: redis.Redis, step: Step, every_s: float = 0.05) -> None:
        self.stop = Event()
        self.fault: BaseException | None = None
        self.loop = Periodic(group="toy", step=step, every_s=every_s, store=store, stop=self.stop)
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            self.loop.run()
        except Exception as fault:
            self.fault = fault

    def __enter__(self) -> Running:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._thread.join(15)
        assert not self._thread.is_alive()


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A server that the test may stop."""
    with RedisServer() as server:
        yield server


def test_steps_follow_each_other_and_the_process_is_seen_until_it_ends(redis_client: redis.Redis) -> None:
    steps: list[float] = []
    started_s = time.monotonic()
    with Running(redis_client, lambda keepalive: steps.append(time.monotonic())):
        wait_until(lambda: len(steps) >= 3, "steps")
        (status,) = statuses(redis_client)
        assert (status.group, status.waits, status.lag_messages) == ("toy", False, 0)
    assert steps[2] - started_s >= 2 * 0.05
    assert statuses(redis_client) == []


def test_steps_that_were_missed_are_not_caught_up_with(redis_client: redis.Redis) -> None:
    steps: list[float] = []
    started_s = time.monotonic()

    def slow_at_first(keepalive: Callable[[], None]) -> None:
        steps.append(time.monotonic())
        if len(steps) == 1:
            time.sleep(1.0)

    with Running(redis_client, slow_at_first, every_s=0.2):
        wait_until(lambda: len(steps) >= 4, "steps")
    # The second at once, because it is due; the third and fourth each an interval later.
    assert steps[3] - started_s >= 1.0 + 2 * 0.2


@pytest.mark.parametrize(
    "fault", [LogUnavailable("not now"), redis.ConnectionError("gone"), OSError("refused")]
)
def test_what_waiting_may_mend_is_tried_again_and_health_says_that_it_waits(
    redis_client: redis.Redis, caplog: pytest.LogCaptureFixture, fault: Exception
) -> None:
    is_down = Event()
    is_down.set()
    calls: list[bool] = []

    def step(keepalive: Callable[[], None]) -> None:
        calls.append(is_down.is_set())
        if is_down.is_set():
            raise fault

    caplog.set_level("INFO")
    with Running(redis_client, step):
        wait_until(lambda: any(status.waits for status in statuses(redis_client)), "waiting status")
        is_down.clear()
        wait_until(lambda: not all(calls), "step")
        wait_until(lambda: not any(status.waits for status in statuses(redis_client)), "status")
    assert caplog.text.count("waiting: ") == 1
    assert "back after" in caplog.text


def test_a_long_step_that_says_so_is_not_taken_for_dead(redis_client: redis.Redis) -> None:
    def step(keepalive: Callable[[], None]) -> None:
        while not running.stop.wait(0.05):
            keepalive()

    running = Running(redis_client, step)
    with running:
        wait_until(lambda: bool(statuses(redis_client)), "status")
        (first,) = statuses(redis_client)
        wait_until(lambda: statuses(redis_client)[0].at_ms > first.at_ms, "later status")


def test_a_defect_ends_the_process(redis_client: redis.Redis) -> None:
    def step(keepalive: Callable[[], None]) -> None:
        raise RuntimeError("nobody expects this")

    with Running(redis_client, step) as running:
        wait_until(lambda: running.fault is not None, "end")
    assert isinstance(running.fault, RuntimeError)
    assert statuses(redis_client) == []


def test_it_survives_a_redis_that_is_gone_for_a_while(own_redis: RedisServer) -> None:
    store = redis.Redis.from_url(own_redis.url, socket_timeout=2, retry_on_error=[])

    def step(keepalive: Callable[[], None]) -> None:
        store.incr("toy:steps")

    with Running(store, step):
        client = redis.Redis.from_url(own_redis.url)
        wait_until(lambda: bool(client.exists("toy:steps")), "step")
        own_redis.stop()
        time.sleep(0.5)
        own_redis.start()
        client.delete("toy:steps", WORKERS)
        wait_until(lambda: bool(client.exists("toy:steps")), "step after the restart")
        wait_until(lambda: bool(statuses(client)), "status after the restart")


def test_as_a_process_it_steps_until_it_is_told_to_stop(redis_url: str, redis_client: redis.Redis) -> None:
    with Processes({"REDIS_URL": redis_url}) as processes:
        command = [sys.executable, "-c", TOY]
        process = processes.start_command("toy", command, ROOT, DYNO="toy.1")
        wait_until(lambda: int(redis_client.get("toy:steps") or 0) >= 3, "steps")
        assert [status.group for status in statuses(redis_client)] == ["toy"]
        assert process.terminate() == 0
        assert "process=toy.1" in process.output
        assert "stopped: process=toy" in process.output
    assert statuses(redis_client) == []


@pytest.mark.parametrize(
    ("environ", "fault"),
    [
        ({"PORT": "http"}, "PORT must be a whole number"),
        ({"DASHBOARD_USER": "nobody", "DASHBOARD_PASSWORD": "x"}, "DASHBOARD_USER is nobody"),
    ],
)
def test_bad_settings_end_it_with_a_sentence(redis_url: str, environ: dict[str, str], fault: str) -> None:
    with Processes({"REDIS_URL": redis_url, **environ}) as processes:
        process = processes.start_command("toy", [sys.executable, "-c", TOY], ROOT)
        assert process.popen.wait(20) == 2
        assert process.output.count(fault) == 1
        assert "Traceback" not in process.output
