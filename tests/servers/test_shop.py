"""The invented shop: its traffic and the target of its replay agree."""

from __future__ import annotations

import http.client
import statistics
import threading
import time
import uuid
from collections.abc import Iterator

import pytest

from app.loop_guard import LoopGuard
from app.router_line import milliseconds, parse
from servers.shop import ROUTES, answer, route_of
from servers.shop_target import SLOWER, SLOWER_TIMES, Handler, Server, replayed_answer
from servers.traffic import Traffic

GUARD = LoopGuard(lambda: b"a key of the tests")


@pytest.fixture(scope="module")
def lines() -> list[str]:
    traffic = Traffic(3)
    return [traffic.router_line() for _ in range(4_000)]


def test_every_line_is_of_a_route_that_the_target_knows(lines: list[str]) -> None:
    for text in lines:
        line = parse(text)
        assert line is not None
        assert route_of(line.method, line.path) is not None, text


def test_the_target_answers_as_the_original_did_but_searches_are_slower(lines: list[str]) -> None:
    ratios: dict[bool, list[float]] = {True: [], False: []}
    for text in lines:
        line = parse(text)
        assert line is not None
        if line.code:
            continue
        found = replayed_answer(line.method, line.path, GUARD.mark(line.request_id))
        assert str(found.status) == line.status
        service_ms = milliseconds(line.service)
        assert service_ms is not None
        if service_ms > 20:
            ratios[line.path.startswith(SLOWER)].append(found.service_ms / service_ms)
    assert statistics.median(ratios[True]) == pytest.approx(SLOWER_TIMES, rel=0.05)
    assert statistics.median(ratios[False]) == pytest.approx(1, rel=0.05)


def test_the_answers_of_a_route_are_spread_as_it_says() -> None:
    route = next(route for route in ROUTES if route.path == "/products/{id}")
    found = [answer(route, uuid.uuid4().int) for _ in range(4_000)]
    assert statistics.median(one.service_ms for one in found) == pytest.approx(route.median_ms, rel=0.1)
    assert sum(one.status == 404 for one in found) / len(found) == pytest.approx(0.025, abs=0.015)


def test_most_requests_do_well(lines: list[str]) -> None:
    found = [line for line in map(parse, lines) if line is not None]
    errors = sum(line.status >= "500" or bool(line.code) for line in found)
    missing = sum(line.status == "404" for line in found)
    assert 0 < errors / len(found) < 0.01
    assert 0.005 < missing / len(found) < 0.05


@pytest.fixture
def connection() -> Iterator[http.client.HTTPConnection]:
    """To a running target, kept from request to request."""
    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        opened = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=20)
        yield opened
        opened.close()
        server.shutdown()


def test_the_target_speaks_http_whatever_it_answers(connection: http.client.HTTPConnection) -> None:
    seen = set()
    for number in range(60):
        method, path = (("GET", "/assets/app-9f86d081884c7d65.css"), ("HEAD", "/health"))[number % 2]
        connection.request(method, path, headers={"X-Request-Id": GUARD.mark(str(uuid.uuid4()))})
        response = connection.getresponse()
        body = response.read()
        assert bool(body) == (method == "GET" and response.status == 200)
        seen.add(response.status)
    assert seen == {200, 304}
    for path, status in (("/", 200), ("/no-such-thing", 404)):
        connection.request("GET", path)
        response = connection.getresponse()
        assert (response.status, bool(response.read())) == (status, True)


def test_the_target_takes_as_long_as_the_answer_says(connection: http.client.HTTPConnection) -> None:
    identity = str(uuid.UUID(int=0xFFF0_0000 << 96 | 3 << 30))
    wanted = replayed_answer("GET", "/search?q=oak&sort=price", identity)
    assert wanted.service_ms > 1_000
    started_s = time.monotonic()
    connection.request("GET", "/search?q=oak&sort=price", headers={"X-Request-Id": identity})
    connection.getresponse().read()
    assert time.monotonic() - started_s > 0.7 * wanted.service_ms / 1000
