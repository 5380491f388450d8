"""Faults under load: whatever dies, a frame that got a 2xx is counted exactly once.

Each frame has a route of its own, so that Redis says how often each frame was counted. The client
does as Logplex does: in order, three tries, the same frame id.
"""

from __future__ import annotations

import hashlib
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from demo.redis_server import RedisServer
from tests.support.kafka_broker import KafkaBroker
from tests.support.logplex_client import Delivery, LogplexClient
from tests.support.ports import free_port
from tests.support.processes import Process, Processes, wait_until
from tests.support.stored import text_hash

LINES = 20
CLIENTS = 3
LINE = (
    b'<158>1 2026-11-23T10:00:00.123456+00:00 host heroku router - at=info method=GET path="%s" '
    b'host=shop.example.com request_id=8601b555-6a83-4c12-8269-97c8e32cdb22 fwd="204.204.204.204" '
    b"dyno=web.1 connect=1ms service=18ms status=200 bytes=13\n"
)

pytestmark = pytest.mark.slow


class Load:
    """Clients that deliver frame after frame until they are told to stop."""

    def __init__(self, port: int) -> None:
        self.deliveries: list[tuple[str, Delivery]] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._deliver, args=(port, name)) for name in range(CLIENTS)]

    def _deliver(self, port: int, name: int) -> None:
        client = LogplexClient(f"http://u:p@127.0.0.1:{port}/logs")
        number = 0
        while not self._stop.is_set():
            path = f"/frame/{name}/{number}"
            number += 1
            self.deliveries.append((path, client.deliver([LINE % path.encode()] * LINES)))
        client.close()

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *fault: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


def settings(server: RedisServer) -> dict[str, str]:
    return {
        "REDIS_URL": server.url,
        "DRAIN_USER": "u",
        "DRAIN_PASSWORD": "p",
        "ROUTE_TEMPLATES": "raw",
        "ROUTES_MAX": "100000",
    }


def counts(server: RedisServer) -> dict[str, int]:
    """Route -> times counted."""
    client = redis.Redis.from_url(server.url)
    routes = list(text_hash(client, "routes"))
    pipeline = client.pipeline(transaction=False)
    for route in routes:
        pipeline.hget(f"{hashlib.sha256(route.encode()).hexdigest()}::statuses", "200")
    found = {route: int(count or 0) for route, count in zip(routes, pipeline.execute(), strict=True)}
    client.close()
    return found


def check(load: Load, server: RedisServer, least_accepted: int) -> None:
    """Accepted frames are counted exactly once; dropped ones at most once."""
    accepted = {path for path, delivery in load.deliveries if delivery.accepted}
    assert len(accepted) >= least_accepted

    def missing() -> set[str]:
        try:
            found = counts(server)
        except redis.RedisError:
            return accepted
        return {path for path in accepted if found.get(path, 0) < LINES}

    wait_until(lambda: not missing(), "count of every accepted frame", 90)
    found = counts(server)
    assert {path: found[path] for path in accepted if found[path] != LINES} == {}
    assert {path: count for path, count in found.items() if count > LINES} == {}


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
        before = sum(delivery.accepted for _, delivery in load.deliveries)
        wait_until(
            lambda: sum(delivery.accepted for _, delivery in load.deliveries) >= before + 30,
            "load after the fault",
            60,
        )
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
@pytest.mark.parametrize("client", ["kafka-python", "confluent"])
def test_the_broker_killed_and_started_again_under_load(
    own_redis: RedisServer, kafka_broker: KafkaBroker, client: str
) -> None:
    environ = {
        **settings(own_redis),
        "KAFKA_URL": kafka_broker.url,
        "KAFKA_CLIENT": client,
        "KAFKA_PREFIX": f"faults-{uuid.uuid4().hex[:8]}.",
    }

    def fault(web: Process) -> None:
        os.kill(gunicorn_workers(web)[0], signal.SIGKILL)
        kafka_broker.kill()
        time.sleep(1.0)
        kafka_broker.start()
        own_redis.restart()

    with Processes(environ) as processes:
        assert processes.start("release").popen.wait(30) == 0
        run(processes, own_redis, fault, 40)
