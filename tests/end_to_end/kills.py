"""Workers that are killed in turn while something is written, and what is counted of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

import redis

from app.errors import NotDurable
from app.store import keys
from servers.local_server import LocalServer
from servers.processes import Process, Processes, wait_until
from servers.redis_server import RedisServer


def until_durable(append: Callable[[], object]) -> None:
    """Appends; again as often as the log is unreachable."""
    while True:
        try:
            append()
            return
        except NotDurable:
            time.sleep(0.2)


def counted(server: RedisServer, what: str = "messages") -> int:
    """What the metrics group has counted; 0 while Redis does not answer."""
    with redis.Redis.from_url(server.url) as store:
        try:
            return int(store.hget(keys.group("metrics"), what) or 0)
        except redis.RedisError:
            return 0


def wait_for_progress(count: Callable[[], int], writing: threading.Thread) -> None:
    """Returns once more is counted than now, or nothing more will come."""
    before = count()
    wait_until(lambda: count() > before or not writing.is_alive(), "progress", 60)


def kill_and_start(server: LocalServer) -> None:
    """Kills it, and starts it again."""
    server.kill()
    server.start()


def kill_in_turn(
    processes: Processes,
    count: Callable[[], int],
    writing: threading.Thread,
    *,
    workers: int = 3,
    kills: int = 5,
    then: Mapping[int, Callable[[], object]],
) -> list[Process]:
    """Starts `workers` of metrics, kills one after the other as the count grows, and starts another for each.
    `then`: what is done after a kill, by its number from 0. The workers that run at the end."""
    running: list[Process] = [processes.start_worker("metrics") for _ in range(workers)]
    for number in range(kills):
        wait_for_progress(count, writing)
        running[number % workers].kill()
        running[number % workers] = processes.start_worker("metrics")
        if number in then:
            then[number]()
    return running
