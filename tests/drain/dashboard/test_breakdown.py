"""GET /api/breakdown: a route by dyno, method, status and code, read from the log within bounds."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from app.log import open_log
from app.log.redis.stream import META
from app.loop_guard import LoopGuard
from app.message import RouterMessage, message_id
from app.redis_client import connect
from app.search.filters import RequestFilter
from app.search.search import RequestSearch
from app.settings import Settings
from app.store.keys import digest
from drain.dashboard import blueprint
from drain.dashboard import breakdown as module
from drain.dashboard.endpoint import ScanBusy, Source
from servers.figures import SeenRequest
from servers.messages import router_message
from tests.consumers.metrics.tables import HealingWorker
from tests.support.logged import write_log

PRODUCTS = digest("/products/:id")


class Logged:
    """Requests in the log and in the figures, as both have them."""

    def __init__(self, store: redis.Redis, url: str, **settings: Any) -> None:
        self.settings = Settings(redis_url=url, **settings)
        self.store = store
        self.log = open_log(self.settings)
        self._messages: list[RouterMessage] = []

    def add(self, requests: list[SeenRequest], request_id: str = "") -> None:
        messages: list[RouterMessage] = []
        for seen in requests:
            number = len(self._messages) + len(messages)
            line = seen.line().replace("request_id=0", f"request_id={request_id or number}")
            messages.append(router_message(line, seen.at_s, id=message_id("f", number), app=seen.app))
        self._messages += messages
        HealingWorker(self.store).count(messages)

    def source(self) -> Source:
        write_log(self.store, self._messages)
        return Source(self.store, self.settings, self.log)

    def client(self) -> FlaskClient:
        self.source()
        app = Flask("dashboard", static_folder=None)
        app.register_blueprint(blueprint(self.settings, self.log, self.store))
        return app.test_client()


@pytest.fixture
def logged(redis_client: redis.Redis, redis_url: str) -> Logged:
    return Logged(redis_client, redis_url)


def groups(found: dict[str, Any], by: str) -> dict[str, tuple[int, int]]:
    return {group["name"]: (group["count"], group["errors"]) for group in found["groups"][by]}


def incident(now_s: float, app: str = "shop") -> list[SeenRequest]:
    fine = [
        SeenRequest(now_s - 200 + age, f"/products/{age}", dyno=f"web.{1 + age % 2}", app=app)
        for age in range(20)
    ]
    bad = SeenRequest(now_s - 100, "/products/7", status="503", code="H12", service_ms=30_000, app=app)
    return [
        *fine,
        *[SeenRequest(now_s - 100, "/products/7", status="500", dyno="web.3", method="POST", app=app)] * 5,
        bad,
        *[SeenRequest(now_s - 90, "/cart", app=app)] * 3,
    ]


def test_a_route_is_broken_down_by_dyno_method_status_and_code(logged: Logged) -> None:
    now_s = time.time()
    logged.add(incident(now_s))
    logged.add(incident(now_s, app="blog"))
    answer = logged.client().get(f"/api/breakdown?app=shop&route={PRODUCTS}&window=5m")
    found = answer.get_json()
    assert answer.status_code == 200
    assert (found["requests"], found["lines_read"], found["is_whole"]) == (26, 58, True)
    assert found["read_from_s"] == found["from_s"] == found["to_s"] - 300
    assert groups(found, "dyno") == {"web.1": (11, 1), "web.2": (10, 0), "web.3": (5, 5)}
    assert groups(found, "method") == {"GET": (21, 1), "POST": (5, 5)}
    assert groups(found, "status") == {"200": (20, 0), "500": (5, 5), "503": (1, 1)}
    assert groups(found, "code") == {"": (25, 5), "H12": (1, 1)}
    (timeout,) = [group for group in found["groups"]["status"] if group["name"] == "503"]
    assert timeout["p95"] == pytest.approx(30_000, rel=0.01)
    assert timeout["time_share"] > 0.9
    everything = logged.client().get("/api/breakdown?app=shop&window=5m").get_json()
    assert (everything["requests"], everything["digest"]) == (29, "all")
    of_all = logged.client().get("/api/breakdown?window=all").get_json()
    assert of_all["requests"] == 58
    assert of_all["is_whole"]


def test_only_what_was_logged_in_the_span_counts(logged: Logged) -> None:
    now_s = time.time()
    logged.add(incident(now_s))
    begin, end = int(now_s - 105), int(now_s - 95)
    found = logged.client().get(f"/api/breakdown?route={PRODUCTS}&from={begin}&to={end}").get_json()
    assert (found["from_s"], found["to_s"], found["is_whole"]) == (begin, end, True)
    assert groups(found, "status") == {"500": (5, 5), "503": (1, 1)}
    # Redis keeps the latest failed requests of ten minutes; the log has those of any moment.
    assert [one["status"] for one in found["failed"]].count("500") == 5
    assert found["slowest"][0]["code"] == "H12"
    assert all(begin * 1000 <= one["at_ms"] < end * 1000 for one in found["slowest"] + found["failed"])


def test_its_figures_are_those_of_the_route(logged: Logged) -> None:
    now_s = time.time()
    logged.add(incident(now_s))
    own = logged.client().get(f"/api/routes/{PRODUCTS}?window=5m").get_json()["figures"]
    found = logged.client().get(f"/api/breakdown?route={PRODUCTS}&window=5m").get_json()
    assert found["requests"] == own["count"]
    for by in found["groups"]:
        assert sum(count for count, _ in groups(found, by).values()) == own["count"]
        assert sum(errors for _, errors in groups(found, by).values()) == own["errors"]


def test_what_a_replay_has_sent_is_left_out_as_in_the_figures(
    redis_client: redis.Redis, redis_url: str
) -> None:
    logged = Logged(redis_client, redis_url, replay_key="k" * 32)
    mark = LoopGuard(lambda: b"k" * 32).mark("8601b555-6a83-4c12-8269-97c8e32cdb22")
    now_s = time.time()
    logged.add([SeenRequest(now_s - 60, "/cart")])
    logged.add([SeenRequest(now_s - 60, "/cart")], request_id=mark)
    found = logged.client().get("/api/breakdown?window=5m").get_json()
    assert (found["lines_read"], found["requests"]) == (2, 1)


def test_an_unknown_route_is_404_and_an_empty_log_is_no_error(logged: Logged) -> None:
    client = logged.client()
    assert client.get(f"/api/breakdown?route={'0' * 64}").status_code == 404
    found = client.get("/api/breakdown?window=all").get_json()
    assert (found["requests"], found["lines_read"]) == (0, 0)
    assert client.get("/api/breakdown?window=1h&rout=all").status_code == 400


def test_beyond_its_lines_it_has_the_newest_part_and_says_from_when(
    logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = time.time()
    for age in range(1_500, 0, -10):
        logged.add([SeenRequest(now_s - age, "/cart", dyno="old" if age > 700 else "new")] * 10)
    monkeypatch.setattr(module, "LINES_MAX", 800)
    found = logged.client().get("/api/breakdown?window=1h").get_json()
    assert not found["is_whole"]
    assert found["from_s"] < found["read_from_s"] < found["to_s"]
    # Everything since then is there: 10 requests every 10 s.
    since = now_s - found["read_from_s"]
    assert found["requests"] == pytest.approx(since, abs=11)
    assert 0 < found["requests"] <= 1_000
    assert groups(found, "dyno")["new"][0] > groups(found, "dyno").get("old", (0, 0))[0]


def test_beyond_its_time_it_ends_too(logged: Logged, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = time.time()
    for age in range(3_000, 0, -20):
        logged.add([SeenRequest(now_s - age, "/cart")])
    monkeypatch.setattr(module, "SECONDS_MAX", 0.0)
    found = logged.client().get("/api/breakdown?window=1h").get_json()
    assert not found["is_whole"]
    assert found["requests"] < 150


def test_what_the_log_has_dropped_is_not_called_whole(logged: Logged, redis_client: redis.Redis) -> None:
    now_s = time.time()
    logged.add([SeenRequest(now_s - age, "/cart") for age in range(1_000, 0, -10)])
    client = logged.client()
    found = client.get("/api/breakdown?window=1h").get_json()
    assert found["is_whole"], "nothing was received before"
    redis_client.hset(META, "trimmed", 5)
    found = client.get("/api/breakdown?window=24h").get_json()
    assert not found["is_whole"]
    assert found["read_from_s"] == pytest.approx(now_s - 1_000, abs=2)
    assert found["requests"] == 100


def test_one_scan_at_a_time_and_others_are_told_to_come_again(
    logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged.add(incident(time.time()))
    source = logged.source()
    monkeypatch.setattr(module, "BUSY_WAIT_S", 0.05)
    with source.scan_lock, pytest.raises(ScanBusy):
        module.breakdown(source, "", "all", None, time.time())
    found = module.breakdown(source, "", "all", None, time.time())
    assert found is not None
    assert found.requests == 29
    monkeypatch.setattr(logged, "source", lambda: source)
    client = logged.client()
    gate, entered = threading.Event(), threading.Event()
    run = module._Scan.run

    def slow(self: Any, history: Any, from_ms: int) -> int | None:
        entered.set()
        gate.wait(10)
        return run(self, history, from_ms)

    monkeypatch.setattr(module._Scan, "run", slow)
    answers: list[int] = []
    thread = threading.Thread(
        target=lambda: answers.append(client.get("/api/breakdown?window=1h").status_code)
    )
    thread.start()
    assert entered.wait(10)
    busy = client.get("/api/breakdown?window=24h")
    gate.set()
    thread.join()
    assert answers == [200]
    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "2")
    assert busy.get_json() == {"error": "the log is being read for another request", "reason": "busy"}


def test_it_reads_over_the_pages_connections_and_leaves_them_open(
    redis_client: redis.Redis, redis_url: str
) -> None:
    store = connect(Settings(redis_url=redis_url), connections=1, timeout_s=2)
    logged = Logged(store, redis_url)
    logged.add(incident(time.time()))
    client = logged.client()
    before = {one["id"] for one in redis_client.client_list()}
    for window in ("5m", "1h"):
        assert client.get(f"/api/breakdown?window={window}").get_json()["requests"] == 29
    assert {one["id"] for one in redis_client.client_list()} == before
    store.close()


def test_a_log_that_is_unreachable_is_503_without_its_address(client_without_redis: FlaskClient) -> None:
    answer = client_without_redis.get("/api/breakdown?window=5m")
    assert answer.status_code == 503
    assert "SECRET" not in answer.text
    assert answer.headers["Retry-After"] == "2"


def test_it_rests_for_as_long_as_it_works(logged: Logged) -> None:
    """A scan must leave the process's other threads, the drain's, at least half of its time."""
    now_s = time.time()
    for age in range(300, 0, -1):
        logged.add([SeenRequest(now_s - age, "/cart")] * 3)
    clock = iter(range(10_000))
    rests: list[float] = []
    logged.source()
    search = RequestSearch(RequestFilter(), lambda line: "/cart", from_ms=0, until_ms=int(now_s * 1000))
    scan = module._Scan(search, lambda found: True, lambda: next(clock) * 0.001, rests.append)
    scan.run(logged.log.history(), int(now_s - 400) * 1000)
    assert scan.requests == 900
    assert rests
    assert all(rest == pytest.approx(0.001) for rest in rests)
