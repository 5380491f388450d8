"""Faults under load: whatever dies, a frame that got a 2xx is counted exactly once.

The client does as Logplex does: in order, three tries, the same frame id.
"""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis

from servers.kafka_broker import KafkaBroker
from servers.logplex_client import LogplexClient
from servers.ports import free_port
from servers.processes import Process, Processes, wait_until
from servers.redis_server import RedisServer
from tests.end_to_end.load import LINE, LINES, Load, check, counts, settings

pytestmark = pytest.mark.slow

CLIENTS = ("kafka-python", "confluent")


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


def gunicorn_workers(web: Process) -> list[int]:
    """Process ids of the children."""
    children = Path(f"/proc/{web.pid}/task/{web.pid}/children").read_text().split()
    return [int(child) for child in children]


def run(
    processes: Processes, server: RedisServer, fault: Callable[[Process], None], least_accepted: int
) -> Load:
    port = free_port()
    web = processes.start_web(port)
    processes.start_worker("metrics")
    with Load(port) as load:
        wait_until(lambda: len(load.deliveries) >= 20, "load")
        fault(web)
        before = load.accepted
        wait_until(lambda: load.accepted >= before + 30, "load after the fault", 60)
    check(load, server, least_accepted)
    return load


def test_a_gunicorn_worker_killed_under_load(own_redis: RedisServer) -> None:
    def fault(web: Process) -> None:
        for _ in range(3):
            os.kill(gunicorn_workers(web)[0], signal.SIGKILL)
            time.sleep(0.7)

    with Processes(settings(own_redis)) as processes:
        load = run(processes, own_redis, fault, 50)
    assert any(len(delivery.answers) > 1 for _, delivery in load.deliveries)


def test_redis_killed_and_started_again_under_load(own_redis: RedisServer) -> None:
    def fault(web: Process) -> None:
        own_redis.kill()
        time.sleep(1.0)
        own_redis.start()

    with Processes(settings(own_redis)) as processes:
        load = run(processes, own_redis, fault, 50)
    assert any("503" in delivery.answers for _, delivery in load.deliveries)


def test_metrics_killed_over_and_over_under_load(own_redis: RedisServer) -> None:
    with Processes(settings(own_redis)) as processes:

        def fault(web: Process) -> None:
            for _ in range(4):
                worker = processes.start_worker("metrics")
                time.sleep(0.3)
                worker.kill()

        run(processes, own_redis, fault, 50)


def test_web_told_to_stop_under_load_loses_no_accepted_frame(own_redis: RedisServer) -> None:
    port = free_port()
    with Processes(settings(own_redis)) as processes:
        web = processes.start_web(port)
        metrics = processes.start_worker("metrics")
        with Load(port) as load:
            wait_until(lambda: len(load.deliveries) >= 20, "load")
            started = time.monotonic()
            assert web.terminate(30) == 0
            assert time.monotonic() - started < 30
        check(load, own_redis, 20)
        started = time.monotonic()
        assert metrics.terminate(15) == 0
        assert time.monotonic() - started < 10


def test_a_frame_sent_again_after_a_cut_connection_counts_once(own_redis: RedisServer) -> None:
    """The drain is stopped dead between the log's acknowledgement and its answer."""
    port = free_port()
    with Processes({**settings(own_redis), "WEB_CONCURRENCY": "1"}) as processes:
        web = processes.start_web(port)
        processes.start_worker("metrics")
        client = redis.Redis.from_url(own_redis.url)
        frame_id, lines = str(uuid.uuid4()), [LINE % b"/cut"] * LINES
        sender = LogplexClient(f"http://u:p@127.0.0.1:{port}/logs")
        answers: list[str] = []
        thread = threading.Thread(target=lambda: answers.append(sender.post(lines, frame_id)))
        # Frozen as soon as the log has the frame: most often the answer is not out yet.
        thread.start()
        wait_until(lambda: bool(client.exists("tailrace:log:router")), "frame in the log")
        [worker] = gunicorn_workers(web)
        os.kill(worker, signal.SIGKILL)
        thread.join(10)
        wait_until(lambda: sender.post(lines, frame_id) == "202", "answer of the next worker")
        assert sender.post(lines, frame_id) == "202"
        wait_until(lambda: counts(own_redis).get("/cut") == LINES, "count of the frame")
        time.sleep(1.0)
        assert counts(own_redis) == {"/cut": LINES}
        client.close()


@pytest.mark.kafka
def test_the_broker_killed_and_started_again_under_load(own_kafka_broker: KafkaBroker) -> None:
    """By both clients at once, each with a Redis of its own; a process of each `web` dies with the broker."""
    with ExitStack() as stack:
        servers = [stack.enter_context(RedisServer()) for _ in CLIENTS]
        webs, loads = [], []
        for server, client in zip(servers, CLIENTS, strict=True):
            environ = {
                **settings(server),
                "KAFKA_URL": own_kafka_broker.url,
                "KAFKA_CLIENT": client,
                "KAFKA_PREFIX": f"faults-{uuid.uuid4().hex[:8]}.",
            }
            processes = stack.enter_context(Processes(environ))
            assert processes.start("release").popen.wait(30) == 0
            port = free_port()
            webs.append(processes.start_web(port))
            processes.start_worker("metrics")
            loads.append(Load(port))
        with ExitStack() as sending:
            for load in loads:
                sending.enter_context(load)
            wait_until(lambda: all(len(load.deliveries) >= 20 for load in loads), "load")
            for web in webs:
                os.kill(gunicorn_workers(web)[0], signal.SIGKILL)
            own_kafka_broker.kill()
            time.sleep(1.0)
            own_kafka_broker.start()
            for server in servers:
                server.restart()
            before = [load.accepted for load in loads]
            wait_until(
                lambda: all(load.accepted >= had + 30 for load, had in zip(loads, before, strict=True)),
                "load after the fault",
                60,
            )
        for load, server in zip(loads, servers, strict=True):
            check(load, server, 40)
