"""The whole path on real parts, with the Procfile's own commands, on each log."""

from __future__ import annotations

import time
import uuid

import pytest
import redis

from servers.kafka_broker import KafkaBroker
from servers.logplex_client import LogplexClient
from servers.ports import free_port
from servers.processes import Processes, wait_until
from servers.shop import WEBSOCKET
from tests.end_to_end.frames import frames, safe_targets
from tests.end_to_end.rows import give_rows
from tests.support.reference import Reference, differences, hashes_in
from tests.support.target import RecordingTarget

TOKENS = {"shop": "d.11111111-1111-4111-8111-111111111111", "blog": "d.22222222-2222-4222-8222-222222222222"}


def environment(redis_url: str, log: str, request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings of one run; the log is the last thing that differs."""
    environ = {
        "REDIS_URL": redis_url,
        "DRAIN_USER": "logplex",
        "DRAIN_PASSWORD": "secret",
        "DRAIN_TOKENS": ",".join(f"{token}={app}" for app, token in TOKENS.items()),
        "REPLAY_SPEED": "max",
    }
    if log != "redis":
        broker: KafkaBroker = request.getfixturevalue("kafka_broker")
        environ |= {
            "KAFKA_URL": broker.url,
            "KAFKA_CLIENT": log,
            "KAFKA_PREFIX": f"e2e-{uuid.uuid4().hex[:8]}.",
        }
    return environ


def group_is_placed(client: redis.Redis, group: str, log: str) -> bool:
    if log == "redis":
        return bool(client.hexists("tailrace:log:router:meta", f"read:{group}"))
    return client.hlen(f"tailrace:positions:{group}") == 32


@pytest.mark.parametrize(
    "log",
    [
        "redis",
        pytest.param("kafka-python", marks=pytest.mark.kafka),
        pytest.param("confluent", marks=pytest.mark.kafka),
    ],
)
def test_fifty_frames_in_exact_hashes_and_exactly_the_safe_requests_out(
    log: str, redis_url: str, redis_client: redis.Redis, request: pytest.FixtureRequest
) -> None:
    made = frames(50, 20, tuple(TOKENS), is_legacy=True)
    expected = sum(len(frame.messages) for frame in made)
    reference = Reference(time.time(), is_not_found=give_rows(redis_client, made))
    for frame in made:
        reference.add_all(frame.messages)
    port = free_port()
    environ = environment(redis_url, log, request)
    with RecordingTarget() as target, Processes({**environ, "REPLAY_HOST": target.url}) as processes:
        assert processes.start("release").popen.wait(30) == 0
        web = processes.start_web(port)
        metrics = processes.start_worker("metrics")
        replay = processes.start_worker("replay")
        # A new group of replay starts with what comes from now on.
        wait_until(lambda: group_is_placed(redis_client, "replay", log), "place of the group replay", 40)
        clients = {
            app: LogplexClient(f"http://logplex:secret@127.0.0.1:{port}/logs", token)
            for app, token in TOKENS.items()
        }
        without_id = made[9:12]  # A Private Space's drain may send none (vectordotdev/vector, issue 6607).
        # Logplex does not know when its connection was cut; it sends the frame again.
        for frame in (*made, made[7], *without_id):
            frame_id = "" if frame in without_id else frame.id
            assert clients[frame.app].post(frame.lines, frame_id) == "202"

        def counted() -> int:
            return int(redis_client.hget("tailrace:group:metrics", "messages") or 0)

        wait_until(lambda: counted() >= expected, "count of all messages", 60)

        def sent() -> list[bytes]:
            return [path for path in target.targets() if path != WEBSOCKET.encode()]

        wait_until(lambda: len(sent()) >= len(safe_targets(made)), "replay of all safe requests", 60)
        assert [process.terminate(15) for process in (replay, metrics, web)] == [0, 0, 0]
        assert counted() == expected
        assert sorted(sent()) == safe_targets(made)
    assert differences(hashes_in(redis_client), reference.hashes()) == []
