"""Scripts and commands on kept connections: none takes longer than its caller has time."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
import redis

from app.errors import NotDurable
from app.log import open_log
from app.script_connection import ScriptConnection
from app.settings import Settings


@pytest.fixture
def silent_url() -> Iterator[str]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def test_a_script_and_a_command_answer_and_keep_their_connection(redis_client: redis.Redis) -> None:
    connection = ScriptConnection(redis_client, "return redis.call('INCR', KEYS[1])", 1, 2.0)
    assert [connection.run(["n"], [], 2.0) for _ in range(2)] == [1, 2]
    assert connection.command("GET", "n", timeout_s=2.0) == b"2"
    before = redis_client.info("stats")["total_connections_received"]
    for _ in range(5):
        connection.run(["n"], [], 2.0)
    assert redis_client.info("stats")["total_connections_received"] == before
    connection.close()


def test_a_connection_that_was_closed_meanwhile_is_made_anew(redis_client: redis.Redis) -> None:
    connection = ScriptConnection(redis_client, "return 1", 1, 2.0)
    connection.run([], [], 2.0)
    for client in redis_client.client_list():
        if client["cmd"].startswith("eval"):
            redis_client.client_kill_filter(_id=client["id"])
    assert connection.command("ECHO", "here", timeout_s=2.0) == b"here"
    connection.close()


@pytest.mark.parametrize("timeout_s", [0.2, 0.6])
def test_a_writer_whose_redis_is_silent_gives_up_when_its_time_is_over(
    silent_url: str, timeout_s: float
) -> None:
    writer = open_log(Settings(redis_url=silent_url)).writer()
    for ask in (lambda: writer.append("f", [b"{}"], timeout_s), lambda: writer.check(timeout_s)):
        started_s = time.monotonic()
        with pytest.raises(NotDurable):
            ask()
        assert time.monotonic() - started_s < timeout_s + 1.0  # The client's own limit is 2 s.
    writer.close()
