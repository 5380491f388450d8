"""A release over the whole path: its events are known once each, and `compare` names the route that it made
slower, and no other."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable

import pytest
import redis

from app.store import queries
from servers.kafka_broker import KafkaBroker
from servers.logplex_client import LogplexClient
from servers.ports import free_port
from servers.processes import ROOT, Process, Processes, wait_until
from servers.redis_server import RedisServer
from tests.end_to_end.scripted_release import (
    APP,
    LEAKING_DYNO,
    ROUTES,
    SECONDS,
    SLOW_ROUTE,
    VERSION,
    Script,
    scripted_release,
)

pytestmark = pytest.mark.slow

TRIES_S = 60.0
"""A frame is tried again for so long while the drain is down; Logplex would give up much earlier."""


class Sender:
    """Delivers all frames in their order, each until it is accepted."""

    def __init__(self, script: Script, url: str) -> None:
        self._script = script
        self._url = url
        self.sent = 0
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def _send(self) -> None:
        client = LogplexClient(f"{self._url}?app={APP}")
        for frame_id, lines in self._script.frames:
            until_s = time.monotonic() + TRIES_S
            while not client.deliver(lines, frame_id).accepted:
                if time.monotonic() > until_s:
                    return
                time.sleep(0.1)
            self.sent += 1
        client.close()

    def wait_for(self, share: float) -> None:
        """Returns once so much is sent."""
        wanted = share * len(self._script.frames)
        wait_until(lambda: self.sent >= wanted or not self._thread.is_alive(), "delivery", 120)
        assert self.sent >= wanted

    def join(self) -> None:
        self._thread.join(TRIES_S)
        assert self.sent == len(self._script.frames)


def deliver_through_kills(script: Script, processes: Processes) -> Process:
    """Returns the last drain."""
    port = free_port()
    web = processes.start_web(port)
    worker = processes.start_worker("metrics")
    sender = Sender(script, f"http://127.0.0.1:{port}/logs")
    for number in range(4):
        sender.wait_for((number + 1) * 0.2)
        if number % 2:
            web.kill()
            web = processes.start_web(port)
        worker.kill()
        worker = processes.start_worker("metrics")
    sender.join()
    return web


def events_of(store: redis.Redis) -> queries.Events:
    return queries.events(store, APP, None, time.time())


def told(found: queries.Events) -> Counter[tuple[str, str, str]]:
    """(kind, dyno, text) of all events that are part of no release."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for row in found.rows:
        counts[row.kind, row.dyno, row.text] += row.count
    return counts


def check(script: Script, store: redis.Redis, environ: dict[str, str]) -> None:
    def counted() -> int:
        return int(store.hget("tailrace:group:metrics", "messages") or 0)

    wait_until(lambda: counted() >= script.requests, "count of all requests", 120)
    kinds = script.kinds()
    wait_until(lambda: told(events_of(store)).total() >= kinds.total(), "events", 60)
    found = events_of(store)
    assert told(found) == kinds
    assert list(reversed(found.releases)) == script.expected.releases
    assert counted() == script.requests
    check_dynos(store)
    check_comparison(environ)


def check_dynos(store: redis.Redis) -> None:
    """The dyno that leaks is over its memory, and no other."""
    rows = queries.dynos_table(store, APP, queries.Span(SECONDS), time.time()).rows
    assert {row.name for row in rows} == {"web.1", "web.2", "web.3", "web.4"}
    assert {row.name for row in rows if row.runtime.r14} == {LEAKING_DYNO}
    shares = {row.name: row.runtime.memory_share or 0 for row in rows}
    assert shares[LEAKING_DYNO] > 1 > max(share for name, share in shares.items() if name != LEAKING_DYNO)
    assert all(row.runtime.state == "up" for row in rows)


def check_comparison(environ: dict[str, str]) -> None:
    command = [sys.executable, "-m", "app", "compare", "--app", APP, "--release", f"v{VERSION}", "--json"]
    run = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60)
    assert run.returncode == 1, run.stdout + run.stderr
    found = json.loads(run.stdout)
    assert found["verdict"] == "failed"
    words = {row["route"]: row["word"] for row in found["comparison"]["routes"]}
    assert set(words) == set(ROUTES)
    assert [route for route, word in words.items() if word == "worse"] == [SLOW_ROUTE]
    assert [route for route, word in words.items() if word == "better"] == []
    (slow,) = [row for row in found["comparison"]["routes"] if row["route"] == SLOW_ROUTE]
    changes = {one["figure"]: one for one in slow["figures"]}
    assert 0.2 < changes["p50"]["change"] < 0.5
    assert found["comparison"]["release"]["version"] == VERSION


@pytest.fixture
def script() -> Script:
    return scripted_release(time.time())


def run_with(environ: dict[str, str], script: Script, prepare: Callable[[Processes], None]) -> None:
    with Processes({**environ, "DRAIN_AUTH": "none"}) as processes:
        prepare(processes)
        deliver_through_kills(script, processes)
        with redis.Redis.from_url(environ["REDIS_URL"]) as store:
            check(script, store, processes.environ)


def test_a_release_on_redis_streams_through_kills(script: Script) -> None:
    with RedisServer() as server:
        run_with({"REDIS_URL": server.url}, script, lambda processes: None)


@pytest.mark.kafka
def test_a_release_on_kafka_through_kills(script: Script, kafka_broker: KafkaBroker) -> None:
    def create_topics(processes: Processes) -> None:
        assert processes.start("release").popen.wait(60) == 0

    with RedisServer() as server:
        environ = {
            "REDIS_URL": server.url,
            "KAFKA_URL": kafka_broker.url,
            "KAFKA_PREFIX": f"releases-{uuid.uuid4().hex[:8]}.",
        }
        run_with(environ, script, create_topics)
