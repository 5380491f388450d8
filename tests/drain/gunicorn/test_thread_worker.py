"""Slow, silent and greedy clients hold up nobody: one `web` process, 4 places, odd connections."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis

from app.log.redis.stream import META
from drain.gunicorn.thread_worker import HEADER_MAX_BYTES, READ_S
from servers.processes import wait_until
from servers.redis_server import RedisServer
from tests.drain.bodies import ROUTER_SENT
from tests.drain.prometheus_text import figure
from tests.drain.serving import Web, serving
from tests.support.stopping import stopped

PLACES = 4
AT_ONCE_S = 3.0
HEAD = b"POST /logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/logplex-1\r\n"


@pytest.fixture(scope="module")
def web(redis_server: RedisServer) -> Iterator[Web]:
    """One process with few places."""
    with serving(REDIS_URL=redis_server.url, WEB_THREADS=str(PLACES)) as found:
        yield found


def in_flight(web: Web) -> float:
    return figure(web.ask("GET", "/metrics", headers=web.login).body, "in_flight")


@contextlib.contextmanager
def connections(web: Web, count: int, first: bytes = b"") -> Iterator[list[socket.socket]]:
    """Many at once, each having sent `first`."""
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(web.connect()) for _ in range(count)]
        for connection in opened:
            if first:
                connection.sendall(first)
        yield opened


def assert_others_are_served(web: Web) -> None:
    """Health and a frame, while something odd goes on."""
    for _ in range(3):
        assert web.health_s() < AT_ONCE_S
    started = time.monotonic()
    assert web.post().status == 202
    assert time.monotonic() - started < AT_ONCE_S


def answer_of(connection: socket.socket) -> bytes:
    """All that comes until the server closes."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65_536):
            parts.append(part)
    return b"".join(parts)


def test_a_hundred_silent_connections_hold_up_nobody(web: Web) -> None:
    with connections(web, 100):
        assert_others_are_served(web)


def test_a_hundred_unfinished_headers_hold_up_nobody(web: Web) -> None:
    with connections(web, 100, b"POST /logs HTTP/1.1\r\nHost: x\r\n") as slow:
        for byte in b"X-Slow: yes":
            for connection in slow:
                connection.sendall(bytes([byte]))
            assert web.health_s() < AT_ONCE_S
        assert_others_are_served(web)


def test_a_slow_header_is_served_once_it_is_whole(web: Web) -> None:
    request = HEAD + b"Content-Length: %d\r\n\r\n" % len(ROUTER_SENT) + ROUTER_SENT
    with web.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(request), 5):
            connection.sendall(request[at : at + 5])
            time.sleep(0.002)
        assert connection.recv(100).startswith(b"HTTP/1.1 202 ")


def test_a_second_request_may_come_in_pieces_too(web: Web) -> None:
    request = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    with web.connect() as connection:
        for _ in range(3):
            for part in (request[:1], request[1:20], request[20:-1], request[-1:]):
                connection.sendall(part)
                time.sleep(0.02)
            assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_requests_sent_ahead_are_answered_in_order(web: Web) -> None:
    with web.connect() as connection:
        requests = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" * 4
        connection.sendall(requests + b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        statuses = [line for line in answer_of(connection).splitlines() if line.startswith(b"HTTP/1.1")]
    assert statuses == [b"HTTP/1.1 200 OK"] * 4 + [b"HTTP/1.1 404 NOT FOUND"]


def test_a_header_without_end_is_refused(web: Web) -> None:
    with web.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * (2 * HEADER_MAX_BYTES))
        assert answer_of(connection).startswith(b"HTTP/1.1 431 ")
    assert_others_are_served(web)


def test_a_connection_that_ends_within_its_header_is_forgotten(web: Web) -> None:
    with connections(web, 50, b"POST /logs HT"):
        pass
    assert_others_are_served(web)


def test_a_body_that_comes_byte_by_byte_is_cut_off_with_503_and_others_are_served(web: Web) -> None:
    started = time.monotonic()
    with connections(web, PLACES - 1, HEAD + b"Content-Length: 1000\r\n\r\n") as slow:
        while time.monotonic() - started < READ_S - 1:
            for connection in slow:
                connection.sendall(b"1")
            assert web.health_s() < AT_ONCE_S
            time.sleep(0.2)
        assert web.post().status == 202
        for connection in slow:
            answer = answer_of(connection)
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"Retry-After: 1\r\n" in answer
    assert READ_S - 1 < time.monotonic() - started < READ_S + 3


def test_over_capacity_it_says_503_at_once_and_health_still_answers(web: Web) -> None:
    wait_until(lambda: in_flight(web) == 0, "end of what went before")
    with connections(web, PLACES, HEAD + b"Content-Length: 1000\r\n\r\n1") as slow:
        # Not by a POST: it could take the last place before a slow one does, which is then sent away.
        wait_until(lambda: in_flight(web) == PLACES, "full house")
        with ThreadPoolExecutor(8) as senders:

            def timed(number: int) -> tuple[int, str, float]:
                started = time.monotonic()
                answer = web.post()
                return answer.status, answer.headers.get("retry-after", ""), time.monotonic() - started

            found = list(senders.map(timed, range(50)))
        assert {(status, retry) for status, retry, _ in found} == {(503, "1")}
        assert max(seconds for _, _, seconds in found) < AT_ONCE_S
        assert web.health_s() < AT_ONCE_S
        for connection in slow:
            connection.sendall(b"0")
            connection.close()
    wait_until(lambda: web.post().status == 202, "free place")


def test_a_hundred_slow_bodies_hold_up_no_health_check(web: Web) -> None:
    with connections(web, 100, HEAD + b"Content-Length: 1000\r\n\r\n1"):
        for _ in range(5):
            assert web.health_s() < AT_ONCE_S
    wait_until(lambda: web.post().status == 202, "free place")


def test_clients_that_do_not_close_after_their_answer_hold_up_nobody(web: Web) -> None:
    request = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with connections(web, 20, request):
        assert_others_are_served(web)


def test_a_hung_log_holds_its_places_and_no_others(redis_client: redis.Redis) -> None:
    with (
        RedisServer() as server,
        serving(REDIS_URL=server.url, WEB_THREADS=str(PLACES)) as web,
        stopped(server.pid),
        ThreadPoolExecutor(20) as senders,
    ):
        answers = senders.map(lambda _: web.post().status, range(20))
        for _ in range(5):
            assert web.health_s() < AT_ONCE_S
        assert set(answers) == {503}


def test_a_reader_that_takes_no_answer_holds_up_nobody(web: Web) -> None:
    """It asks again and again and reads nothing, until no more fits in between."""
    with socket.socket() as greedy:
        greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        greedy.connect(("127.0.0.1", web.port))
        greedy.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 1000)
        for _ in range(5):
            assert_others_are_served(web)


def test_an_idle_connection_does_not_hold_up_the_end(redis_server: RedisServer) -> None:
    with serving(REDIS_URL=redis_server.url) as web, connections(web, 3), connections(web, 3, b"GET / HT"):
        assert web.health_s() < AT_ONCE_S
        started = time.monotonic()
        assert web.process.terminate() == 0
        assert time.monotonic() - started < 8


def peak_bytes(pid: int) -> int:
    """The most memory that a process ever had resident."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def test_memory_stays_bounded_whatever_comes_in(redis_url: str, redis_client: redis.Redis) -> None:
    """The worst bodies that fit the default limit, more at once than there are places."""
    worst = [
        b"1 x" * 349_525,
        b"23 <1>1 t h a router - \xff\n" * 37_000,
        b"22 <1>1 t h a router - x\n" * 40_000,
        b"9" * 1_048_576,
    ]
    with serving(REDIS_URL=redis_url, WEB_THREADS=str(PLACES)) as web:
        pid = web.process.pid
        (worker,) = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split())
        assert web.post().status == 202
        before = peak_bytes(worker)
        with ThreadPoolExecutor(8) as senders:
            answers = list(senders.map(lambda number: web.post(worst[number % 4]).status, range(16)))
        assert 202 in answers
        assert set(answers) <= {202, 400, 503}
        assert peak_bytes(worker) - before < PLACES * 100_000_000
        assert web.post().status == 202
    assert redis_client.hexists(META, "added")
