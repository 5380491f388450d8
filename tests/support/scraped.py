"""A scrape of /metrics in which every family has a series, at a fixed clock."""

from __future__ import annotations

import re
from pathlib import Path

import redis

from app.groups import ALERTS, METRICS, REPLAY
from app.log import open_log
from app.settings import Settings
from app.store import dead_letters, keys
from app.store.frame_events import OTHER_DRAIN, Loss, Report, record_once
from app.store.sender_faults import Tally
from app.store.workers import WorkerStatus, report_status
from drain.dashboard import RouteCollector
from drain.instruments import Instruments
from servers.figures import SeenRequest, fill, fill_facts
from tests.support import told_app
from tests.support.alert_board import fill_alerts
from tests.support.sender_faults import record_faults

NOW_S = 2_209_032_000
"""2040-01-01T12:00:00Z. It lies ahead, because Redis would drop at once what has expired."""

GOLDEN = Path(__file__).parents[1] / "drain" / "monitoring" / "scrape.txt"
"""The text of a scrape, without what differs from one to the next. `python -m tests.support.scraped` prints
it anew: right only where families are added (docs/compatibility.md)."""

REDIS_LIMIT_BYTES = 1_000_000_000
LOG_META = keys.PREFIX + "log:router:meta"


def fill_all(store: redis.Redis, now_s: float = NOW_S) -> None:
    """Something of everything into an empty Redis."""
    requests = [
        *[SeenRequest(now_s, "/a", app="shop")] * 40,
        SeenRequest(now_s, "/b", app="shop", service_ms=30_000, status="503", code="H12", dyno="web.3"),
        SeenRequest(now_s, "/b", app="shop", status="499", code="H27"),
        SeenRequest(now_s, "/cable", app="shop", status="101", service_ms=531_114),
        SeenRequest(now_s, "/a", app="api", status="404", host="api.example.com"),
        SeenRequest(now_s, "/c", status="302", dyno=""),
    ]
    fill(store, requests, now_s)
    fill_facts(store, "shop", told_app.facts(now_s), now_s)
    letters = [dead_letters.dead_letter("line", "drain", "why", b"x")]
    reports = [Report(OTHER_DRAIN, 500), Report("L14", 2)]
    record_once(store, "frame", "shop", [Loss("L10", 12)], letters, int(now_s), reports)
    record_faults(store, {("password", "logplex"): Tally(3, int(now_s), "abc")}, {}, int(now_s))
    store.hset(keys.COUNTS, "dead_letters_dropped", 2)
    store.hset(LOG_META, mapping={"added": 60, "kept": 50, "bytes": 9_000, "trimmed": 10})
    for group in (METRICS, REPLAY, ALERTS):
        at_ms = int(now_s * 1000)
        worker = WorkerStatus(f"{group.name}.h.1", group.name, at_ms, 120, 3.5, True, at_ms)
        report_status(store, worker)
    fill_alerts(store, int(now_s))


def counted() -> Instruments:
    """What a drain counts."""
    found = Instruments()
    found.count_answer(202)
    found.count_answer(503)
    for counter in (found.frames, found.messages, found.router_messages, found.platform_messages):
        counter.inc()
    found.malformed.labels("line").inc()
    found.lost.labels("L10").inc(12)
    found.append_s.observe(0.004)
    return found


def scrape(store: redis.Redis, now_s: float = NOW_S) -> str:
    """The text of /metrics, of a Redis with a limit."""
    collector = RouteCollector(store, 50, open_log(Settings()), clock=lambda: now_s)
    store.config_set("maxmemory", REDIS_LIMIT_BYTES)
    try:
        return counted().text([collector]).decode()
    finally:
        store.config_set("maxmemory", 0)


def lasting(text: str) -> str:
    """Zeros in place of what differs from one scrape of the same figures to the next."""
    moved = r"^(tailrace_drain_\w+_created(?:\{.*\})?|tailrace_(?:dead_letters|redis_memory)_bytes) .*$"
    return re.sub(moved, r"\1 0", text, flags=re.MULTILINE)


def main() -> None:
    """Prints a scrape of a Redis that it starts."""
    from servers.redis_server import RedisServer

    with RedisServer() as server, redis.Redis.from_url(server.url) as store:
        fill_all(store)
        print(end=lasting(scrape(store)))


if __name__ == "__main__":
    main()
