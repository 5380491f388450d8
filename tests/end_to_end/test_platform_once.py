"""What the platform says reaches the figures once, while drain and worker are killed again and again."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import redis

from servers.kafka_broker import KafkaBroker
from servers.logplex_client import LogplexClient
from servers.ports import free_port
from servers.processes import Processes, wait_until
from servers.redis_server import RedisServer
from tests.end_to_end.kills import wait_for_progress
from tests.end_to_end.load import LINE, settings

pytestmark = pytest.mark.slow

CLIENTS = ("kafka-python", "confluent")
FRAMES = 120
ROUTER_LINES = 2
STATE = b"<45>1 2026-11-23T10:00:00.%06d+00:00 host heroku web.%d - State changed from starting to up\n"
RELEASE = b"<45>1 2026-11-23T10:00:00.%06d+00:00 host app api - Release v%d created by user a@example.com\n"


def lines(number: int) -> list[bytes]:
    """Of one frame: every third has no router line."""
    said = [STATE % (number, number % 8 + 1), RELEASE % (number, number)]
    return said if number % 3 == 0 else [LINE % b"/a"] * ROUTER_LINES + said


def deliver_until_accepted(port: int) -> None:
    """All frames, each once more than needed now and then, and as often as `web` does not answer."""
    client = LogplexClient(f"http://u:p@127.0.0.1:{port}/logs")
    for number in range(FRAMES):
        for _ in range(2 if number % 10 == 0 else 1):
            while client.post(lines(number), f"frame-{number}") != "202":
                time.sleep(0.05)
        time.sleep(0.02)
    client.close()


def counted(server: RedisServer) -> tuple[int, int]:
    """(messages of the platform, router lines) that the metrics group has counted."""
    with redis.Redis.from_url(server.url) as store:
        found = store.hmget("tailrace:group:metrics", ["platform_messages", "messages"])
    return int(found[0] or 0), int(found[1] or 0)


def check_through_kills(server: RedisServer, environ: Mapping[str, str]) -> None:
    expected = (2 * FRAMES, ROUTER_LINES * sum(number % 3 != 0 for number in range(FRAMES)))
    with redis.Redis.from_url(server.url) as store:
        store.flushall()
    with Processes({**settings(server), **environ}) as processes:
        assert processes.start("release").popen.wait(60) == 0
        port = free_port()
        web, worker = processes.start_web(port), processes.start_worker("metrics")
        sender = threading.Thread(target=deliver_until_accepted, args=(port,))
        sender.start()
        for _ in range(3):
            wait_for_progress(lambda: counted(server)[0], sender)
            web.kill()
            worker.kill()
            web, worker = processes.start_web(port), processes.start_worker("metrics")
        sender.join(120)
        assert not sender.is_alive()
        wait_until(lambda: min(map(int.__sub__, counted(server), expected)) >= 0, "all of it", 90)
        time.sleep(1)
        assert counted(server) == expected
        for log in (web.output, worker.output):
            assert "Traceback" not in log


def test_once_through_redis_streams(redis_server: RedisServer) -> None:
    check_through_kills(redis_server, {})


@pytest.mark.kafka
def test_once_through_the_two_topics_of_kafka(kafka_broker: KafkaBroker) -> None:
    """By both clients at once: a group mostly waits until the broker gives up a member that was killed."""
    with ExitStack() as stack, ThreadPoolExecutor(len(CLIENTS)) as threads:
        checks = [
            threads.submit(
                check_through_kills,
                stack.enter_context(RedisServer()),
                {
                    "KAFKA_URL": kafka_broker.url,
                    "KAFKA_CLIENT": client,
                    "KAFKA_PREFIX": f"said-{uuid.uuid4().hex[:8]}.",
                },
            )
            for client in CLIENTS
        ]
        for check in checks:
            check.result()
