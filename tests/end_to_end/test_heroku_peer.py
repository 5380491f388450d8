"""Frames of Heroku's own encoder of Logplex go to the drain; their lines are found in Redis."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from collections import Counter

import pytest
import redis

from servers.logplex_client import LogplexClient
from servers.ports import free_port
from servers.processes import Processes, wait_until
from tests.peers import build_peer
from tests.support.stored import text_hash


@pytest.mark.go
def test_what_herokus_encoder_writes_is_counted(redis_url: str, redis_client: redis.Redis) -> None:
    peer = build_peer()
    port = free_port()
    environ = {"REDIS_URL": redis_url, "DRAIN_USER": "u", "DRAIN_PASSWORD": "p", "ROUTE_TEMPLATES": "raw"}
    with Processes(environ) as processes:
        processes.start_web(port)
        processes.start_worker("metrics")
        done = subprocess.run(
            [peer, "encode", "-count", "700"], capture_output=True, text=True, timeout=60, check=True
        )
        sent = json.loads(done.stdout)
        client = LogplexClient(f"http://u:p@127.0.0.1:{port}/logs")
        for number, body in enumerate(sent):
            lines = [message["msg"].encode() for message in body["messages"]]
            assert client.post(lines, f"frame-{number}", base64.b64decode(body["body"])) == "202"
        client.close()
        messages = [message for body in sent for message in body["messages"]]
        assert len(messages) == 700
        wait_until(lambda: redis_client.hget("tailrace:group:metrics", "messages") == b"700", "all lines")
    wanted: dict[str, Counter[str]] = {}
    for message in messages:
        wanted.setdefault(message["path"].partition("?")[0], Counter())[str(message["status"])] += 1
    routes = text_hash(redis_client, "routes")
    assert routes == {path: hashlib.sha256(path.encode()).hexdigest() for path in wanted}
    for path, statuses in wanted.items():
        found = text_hash(redis_client, f"{routes[path]}::statuses")
        assert {status: int(count) for status, count in found.items()} == statuses
