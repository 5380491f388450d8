"""The smallest Redis plans allow 20 connections in all: one of each process stays within that."""

from __future__ import annotations

import threading
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import redis

from app.alerts.redis.lease import holder
from servers.logplex_client import LogplexClient
from servers.messages import router_line, router_syslog
from servers.ports import free_port
from servers.processes import Processes, wait_until
from tests.support.target import RecordingTarget

PLAN = 20
"""Heroku Key-Value Store mini (Heroku Dev Center, "Heroku Key-Value Store Technical Characterization")."""

SENDERS = 40
"""More at once than both gunicorn workers have threads for."""

LINE = router_syslog(router_line("/foo"), 1_795_428_000)


def test_one_of_each_process_fits_the_smallest_plan(redis_url: str, redis_client: redis.Redis) -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with RecordingTarget() as target:
        environ = {
            "REDIS_URL": redis_url,
            "REPLAY_HOST": target.url,
            "WEB_CONCURRENCY": "2",
            "DRAIN_USER": "u",
            "DRAIN_PASSWORD": "p",
        }
        others = connections_to(redis_client)  # Of tests that ran before, in this very process.
        with Processes(environ) as processes:
            processes.start_web(port)
            processes.start_worker("metrics")
            processes.start_worker("replay")
            processes.start("alerts").wait_for_output("running: process=alerts")
            wait_until(lambda: holder(redis_client).startswith("alerts."), "alerts", 40)
            most = most_connections(redis_client, others, lambda: load(base))
            wait_until(lambda: bool(target.seen), "replayed request")
    assert 4 <= most <= PLAN


def load(base: str) -> None:
    """Frames, the page's questions and readiness checks, all at the same time. Under so many some
    are refused, which is not asked about here."""
    with ThreadPoolExecutor(SENDERS) as pool:
        for _ in range(SENDERS):
            pool.submit(send_frames, base)
            pool.submit(look, base)


def send_frames(base: str) -> None:
    client = LogplexClient(base.replace("http://", "http://u:p@") + "/logs")
    for _ in range(5):
        client.deliver([LINE] * 20)
    client.close()


def look(base: str) -> None:
    login = {"Authorization": f"Basic {b64encode(b'u:p').decode()}"}
    for path in ("/ready", "/api/routes", "/metrics", "/ready", "/api/breakdown?window=5m"):
        with urllib.request.urlopen(urllib.request.Request(base + path, headers=login), timeout=20) as answer:
            assert answer.status == 200


def connections_to(client: redis.Redis) -> set[str]:
    return {found["id"] for found in client.client_list() if found["name"] == "tailrace"}


def most_connections(client: redis.Redis, others: set[str], work: Callable[[], None]) -> int:
    """The most of Tailrace's connections but `others` that were open at once while `work` ran.

    One counts that two looks in a row have seen: where a busy Redis is asked, it may list a connection
    that was closed at the other end beside the one that took its place.
    """
    done = threading.Event()
    seen: list[int] = []

    def count() -> None:
        before: set[str] = set()
        while not done.is_set():
            now = connections_to(client) - others
            seen.append(len(now & before))
            before = now
            time.sleep(0.01)

    counter = threading.Thread(target=count)
    counter.start()
    try:
        work()
    finally:
        done.set()
        counter.join()
    return max(seen)
