"""Router lines encoded by Heroku's own encoder are read by ours, word for word."""

from __future__ import annotations

import base64
import json
import subprocess

import pytest

from app.router_line import milliseconds, parse
from tests.drain.bodies import parsed
from tests.peers import build_peer

pytestmark = pytest.mark.go


def test_what_heroku_s_encoder_writes_is_what_we_read() -> None:
    run = subprocess.run(
        [build_peer(), "encode", "-count", "650"], capture_output=True, check=True, timeout=30
    )
    bodies = json.loads(run.stdout)
    assert [len(body["messages"]) for body in bodies] == [300, 300, 50]
    for body in bodies:
        read = parsed(base64.b64decode(body["body"]))
        assert (read.message_count, read.rejects, read.broken) == (len(body["messages"]), [], None)
        for line, sent in zip(read.messages, body["messages"], strict=True):
            assert line._asdict() == {
                "index": body["messages"].index(sent),
                "prival": sent["prival"],
                "version": sent["version"],
                "timestamp": sent["timestamp"],
                "hostname": sent["hostname"],
                "app_name": sent["app_name"],
                "procid": sent["procid"],
                "msgid": None,
                "structured_data": None,
                "msg": sent["msg"].encode(),
            }
            pairs = parse(line.msg.decode())
            assert pairs is not None
            assert (pairs.method, pairs.path, pairs.status) == (
                sent["method"],
                sent["path"],
                str(sent["status"]),
            )
            assert milliseconds(pairs.connect) == sent["connect_ms"]
            assert milliseconds(pairs.service) == sent["service_ms"]
