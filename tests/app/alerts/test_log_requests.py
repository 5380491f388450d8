"""Requests of an alert that are searched for in the log, on real logs."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest
import redis

from app.alerts.log_requests import LogRequests, WantedRequests, filter_of
from app.alerts.measures import Measure
from app.alerts.message import Request
from app.log import open_log
from app.message import RouterMessage, encode
from app.settings import Settings
from servers.kafka_broker import KafkaBroker
from servers.messages import router_line, router_message
from servers.redis_server import RedisServer
from tests.support.logged import write_log
from tests.support.stopping import stopped

NUMBERS = itertools.count()


def seen(at_s: float, path: str = "/a", app: str = "shop", **line: Any) -> RouterMessage:
    number = next(NUMBERS)
    text = router_line(path, request_id=f"id-{number}", **line)
    return router_message(text, at_s, id=f"frame.{number}", app=app)


def wanted(measure: Measure, now_s: float, route: str = "", app: str = "shop") -> WantedRequests:
    return WantedRequests(app, route, measure, int(now_s) - 900, None, 3)


def searcher(store: redis.Redis, url: str, **settings: Any) -> LogRequests:
    found = Settings(redis_url=url, **settings)
    return LogRequests(found, store, open_log(found))


def times(found: Sequence[Request], now_s: float) -> list[int]:
    """How long ago, s."""
    return [round(now_s - request.at_ms / 1000) for request in found]


@pytest.fixture
def now_s() -> float:
    return float(int(time.time()))


@pytest.mark.parametrize(
    ("measure", "ages"),
    [
        (Measure("status", "404"), [10, 20, 30]),
        (Measure("status", "4xx"), [5, 10, 15]),
        (Measure("aborted"), [5, 15, 25]),
        (Measure("code", "H12"), [8, 18, 28]),
        (Measure("codes"), [8, 18, 28]),
        (Measure("status", "503"), [8, 18, 28]),
        (Measure("status", "301"), []),
    ],
)
def test_the_latest_that_are_counted_come_first(
    redis_client: redis.Redis, redis_url: str, now_s: float, measure: Measure, ages: list[int]
) -> None:
    kinds: list[tuple[int, dict[str, Any]]] = [
        (10, {"status": 404}),
        (5, {"status": 499, "code": "H27"}),
        (8, {"status": 503, "code": "H12"}),
        (7, {"status": 200}),
    ]
    messages = [seen(now_s - age - 10 * n, **line) for n in range(40) for age, line in kinds]
    write_log(redis_client, [*messages, *(seen(now_s - 1, app="api", **line) for _, line in kinds)])
    assert times(searcher(redis_client, redis_url)(wanted(measure, now_s)), now_s) == ages


def test_route_app_and_time_are_heeded_and_a_repeated_frame_is_one(
    redis_client: redis.Redis, redis_url: str, now_s: float
) -> None:
    messages = [seen(now_s - n, f"/users/{n}", status=404) for n in range(1, 9)]
    messages += [seen(now_s - n, "/b", status=404) for n in range(1, 9)]
    messages += [seen(now_s - n, "/users/1", app="", status=404) for n in range(1, 3)]
    write_log(redis_client, [*messages, *messages[:8]])
    search = searcher(redis_client, redis_url, route_rules=("/users/:id",))
    status = Measure("status", "404")
    found = search(wanted(status, now_s, "/users/:id"))
    assert [(one.path, one.status, one.dyno) for one in found] == [("/users/:id", "404", "web.1")] * 3
    assert times(found, now_s) == [1, 2, 3]
    assert len({one.request_id for one in found}) == 3
    assert times(search(wanted(status, now_s, app="")), now_s) == [1, 2]
    ended = WantedRequests("shop", "/b", status, int(now_s) - 5, int(now_s) - 3, 3)
    assert times(search(ended), now_s) == [4, 5]


def test_what_a_sender_invents_is_bounded(redis_client: redis.Redis, redis_url: str, now_s: float) -> None:
    line = router_line(
        "/a", status=404, dyno="web.1\x1b[2J", method="BREW", request_id="\u202e" + "x" * 5_000
    )
    write_log(redis_client, [router_message(line, now_s - 1, app="shop")])
    (found,) = searcher(redis_client, redis_url)(wanted(Measure("status", "404"), now_s))
    assert len(found.request_id.encode()) <= 200
    assert found.request_id.isprintable()
    assert found.dyno.isprintable()
    assert found.method == "(other)"


@pytest.mark.kafka
@pytest.mark.parametrize("client", ["kafka-python", "confluent"])
def test_a_log_in_kafka_is_searched_alike(
    redis_client: redis.Redis, redis_url: str, kafka_broker: KafkaBroker, now_s: float, client: str
) -> None:
    more: dict[str, Any] = {"kafka_url": kafka_broker.url, "kafka_client": client}
    search = searcher(redis_client, redis_url, **more, kafka_prefix=f"alerts-{client}.")
    search.message_log.ensure(("metrics",), 30)
    writer = search.message_log.writer()
    for n in range(60, 0, -1):
        values = [seen(now_s - n, status=404 if n % 3 else 200)]
        writer.append(f"frame-{n}", [encode(one) for one in values], 5)
    writer.close()
    search.search_s = 20
    assert times(search(wanted(Measure("status", "404"), now_s)), now_s) == [1, 2, 4]


def test_a_log_that_hangs_or_is_gone_keeps_no_alert_waiting() -> None:
    with RedisServer() as server:
        store = redis.Redis.from_url(server.url)
        pid = int(store.info("server")["process_id"])
        search = searcher(store, server.url)
        search.search_s = 0.3
        one = wanted(Measure("status", "404"), time.time())
        with stopped(pid):
            started_s = time.monotonic()
            assert search(one) == ()
            assert search(one) == ()
            assert time.monotonic() - started_s < 5
            assert [thread.name for thread in threading.enumerate()].count("alert-requests") == 1
        server.stop()
        store.close()
    search = searcher(redis.Redis(port=1), "redis://127.0.0.1:1/0")
    assert search(one) == ()


@pytest.mark.parametrize(
    ("measure", "statuses"),
    [
        (Measure("status", "404"), ((404, 404),)),
        (Measure("status", "40x"), ((400, 409),)),
        (Measure("status", "4xx"), ((400, 499),)),
        (Measure("aborted"), ((499, 499),)),
        (Measure("code", "H27"), ()),
    ],
)
def test_the_log_is_searched_for_nothing_that_cannot_count(
    measure: Measure, statuses: tuple[tuple[int, int], ...]
) -> None:
    assert filter_of(wanted(measure, 0)).statuses == statuses
