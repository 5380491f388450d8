"""Connections that send no request shut nobody out: half headers, idle connections, no free files."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import shlex
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drain.gunicorn.open_files import OTHER_FILES
from drain.gunicorn.thread_worker import HEADER_MAX_BYTES, READ_S
from servers.ports import free_port
from servers.processes import ROOT, Processes, answers, procfile, wait_until
from servers.redis_server import RedisServer
from tests.drain.bodies import ROUTER_SENT
from tests.drain.serving import PASSWORD, USER, Web, basic, serving

AT_ONCE_S = 3.0
HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
POST = (
    b"POST /logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/logplex-1\r\n"
    b"Authorization: %s\r\nContent-Length: %d\r\n\r\n"
) % (basic(USER, PASSWORD).encode(), len(ROUTER_SENT))
LOGIN = {"DRAIN_USER": USER, "DRAIN_PASSWORD": PASSWORD}
CONNECTIONS = 24
"""As many as one process may have in some of these tests."""


@pytest.fixture(scope="module")
def web(redis_server: RedisServer) -> Iterator[Web]:
    """One process with few threads."""
    with serving(REDIS_URL=redis_server.url, WEB_THREADS="4", **LOGIN) as found:
        yield found


@contextlib.contextmanager
def started(command: list[str], redis_url: str, **environ: str) -> Iterator[Web]:
    """A `web` that is started in another way."""
    port = free_port()
    settings = {"REDIS_URL": redis_url, "WEB_CONCURRENCY": "1", "PORT": str(port), **LOGIN, **environ}
    with Processes(settings) as processes:
        process = processes.start_command("web", command, ROOT)
        process.wait_until(lambda: answers(f"http://127.0.0.1:{port}/health"), "answer")
        yield Web(process, port, {"Authorization": basic(USER, PASSWORD)})


def limited(open_files: int) -> list[str]:
    """The Procfile's command under `ulimit -n`."""
    return ["bash", "-c", f"ulimit -n {open_files}; exec {procfile()['web']}"]


@pytest.fixture(scope="module")
def small_web(redis_server: RedisServer) -> Iterator[Web]:
    """One process that may have few connections."""
    with started(limited(CONNECTIONS + OTHER_FILES), redis_server.url, WEB_THREADS="4") as found:
        yield found


def workers(web: Web) -> list[int]:
    """The process ids of gunicorn's workers."""
    pid = web.process.pid
    return [int(found) for found in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


def held(stack: contextlib.ExitStack, web: Web, count: int, first: bytes) -> list[socket.socket]:
    """Connections that have sent `first`; those that were closed meanwhile, too."""
    found = []
    for _ in range(count):
        connection = stack.enter_context(web.connect())
        if first:
            with contextlib.suppress(OSError):
                connection.sendall(first)
        found.append(connection)
    return found


def answer(connection: socket.socket) -> bytes:
    """One whole answer; less, or nothing, where the connection is closed."""
    found = b""
    with contextlib.suppress(OSError):
        while part := connection.recv(4096):
            found += part
            head, end, body = found.partition(b"\r\n\r\n")
            length = re.search(rb"\r\nContent-Length: (\d+)", head)
            if end and len(body) >= int(length[1] if length else 0):
                break
    return found


def told(connection: socket.socket, request: bytes) -> bytes:
    """The answer; nothing where the connection is closed."""
    with contextlib.suppress(OSError):
        connection.sendall(request)
        return answer(connection)
    return b""


def is_open(connection: socket.socket) -> bool:
    """False once the server has closed."""
    connection.setblocking(False)
    try:
        while connection.recv(4096):
            pass
        return False
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        connection.settimeout(20)


def assert_served(web: Web) -> None:
    """Health and frames on new connections."""
    for _ in range(5):
        started_s = time.monotonic()
        assert web.ask("GET", "/health", timeout_s=4).status == 200
        assert web.post(timeout_s=4).status == 202
        assert time.monotonic() - started_s < AT_ONCE_S


def test_half_headers_behind_a_request_hold_no_thread(web: Web) -> None:
    with contextlib.ExitStack() as stack:
        slow = held(stack, web, 200, HEALTH + b"GET /health HTTP/1.1\r\nHost: x\r\nX-A: ")
        assert_served(web)
        for connection in slow:
            connection.sendall(b"more")
        assert_served(web)


@pytest.mark.parametrize("cut", [1, 17, len(HEALTH) - 1])
def test_a_header_behind_a_request_may_come_in_two_parts(web: Web, cut: int) -> None:
    with web.connect() as connection:
        for _ in range(3):
            connection.sendall(HEALTH + HEALTH[:cut])
            assert answer(connection).startswith(b"HTTP/1.1 200 ")
            time.sleep(0.05)
            connection.sendall(HEALTH[cut:])
            assert answer(connection).startswith(b"HTTP/1.1 200 ")


def test_half_bodies_behind_a_request_are_cut_off_as_others_are(web: Web) -> None:
    with web.connect() as connection:
        started_s = time.monotonic()
        connection.sendall(HEALTH + POST + ROUTER_SENT[:-1])
        with connection.makefile("rb") as file:
            whole = file.read()
        assert whole.count(b"HTTP/1.1 ") == 2
        assert b"HTTP/1.1 503 " in whole
        assert READ_S - 1 < time.monotonic() - started_s < READ_S + 3


def test_a_connection_that_ends_in_a_half_header_behind_a_request_is_forgotten(web: Web) -> None:
    with contextlib.ExitStack() as stack:
        for connection in held(stack, web, 50, HEALTH + b"GET / HT"):
            connection.shutdown(socket.SHUT_WR)
        assert_served(web)


@pytest.mark.parametrize("before", [b"", HEALTH], ids=["first", "second"])
def test_a_header_too_long_is_refused_wherever_its_parts_are(web: Web, before: bytes) -> None:
    with web.connect() as connection:
        connection.sendall(before + b"GET / HTTP/1.1\r\nX: ")
        time.sleep(0.05)
        with contextlib.suppress(OSError):
            connection.sendall(b"x" * HEADER_MAX_BYTES)
        with connection.makefile("rb") as file:
            assert file.read().rpartition(b"HTTP/1.1 ")[2].startswith(b"431 ")


@pytest.mark.parametrize("before", [b"", HEALTH], ids=["first", "second"])
@pytest.mark.parametrize(
    "header", [b"GET /health HTTP/1.1\nHost: x\n\n", b"GET /health HTTP/1.1\r\nHost: x\n\n"]
)
def test_a_header_with_line_feeds_alone_is_refused_at_once(web: Web, before: bytes, header: bytes) -> None:
    started_s = time.monotonic()
    with web.connect() as connection:
        connection.sendall(before + header)
        with connection.makefile("rb") as file:
            assert file.read().rpartition(b"HTTP/1.1 ")[2].startswith(b"400 ")
    assert time.monotonic() - started_s < AT_ONCE_S


@pytest.mark.parametrize(
    "first",
    [b"", b"GET /health HT", HEALTH, HEALTH + b"GET ", POST.replace(b"Basic ", b"Basic x") + ROUTER_SENT],
    ids=["silent", "half header", "answered", "answered, half header", "without login"],
)
def test_idle_connections_make_room_for_new_ones(small_web: Web, first: bytes) -> None:
    with contextlib.ExitStack() as stack:
        idle = held(stack, small_web, 4 * CONNECTIONS, first)
        assert_served(small_web)
        assert sum(map(is_open, idle)) < CONNECTIONS


def test_a_sender_s_connection_and_one_with_a_request_under_way_are_kept(small_web: Web) -> None:
    with contextlib.ExitStack() as stack:
        sender = stack.enter_context(small_web.connect())
        assert told(sender, POST + ROUTER_SENT).startswith(b"HTTP/1.1 202 ")
        under_way = stack.enter_context(small_web.connect())
        under_way.sendall(POST + ROUTER_SENT[:-1])
        first, *_ = held(stack, small_web, 1, HEALTH)
        assert answer(first).startswith(b"HTTP/1.1 200 ")
        for _ in range(3):
            held(stack, small_web, CONNECTIONS, HEALTH)
        # Room is made as new ones come in, which a full backlog takes a moment for.
        wait_until(lambda: not is_open(first), "room")
        assert told(under_way, ROUTER_SENT[-1:]).startswith(b"HTTP/1.1 202 ")
        assert told(sender, POST + ROUTER_SENT).startswith(b"HTTP/1.1 202 ")


def test_where_all_are_senders_the_longest_idle_one_makes_room(small_web: Web) -> None:
    with contextlib.ExitStack() as stack:
        senders = []
        for _ in range(CONNECTIONS + 5):
            connection = stack.enter_context(small_web.connect())
            assert told(connection, POST + ROUTER_SENT).startswith(b"HTTP/1.1 202 ")
            senders.append(connection)
        assert told(senders[0], HEALTH) == b""
        assert told(senders[-1], POST + ROUTER_SENT).startswith(b"HTTP/1.1 202 ")


def test_a_worker_without_free_files_goes_on_and_says_so(redis_server: RedisServer) -> None:
    with started(shlex.split(procfile()["web"]), redis_server.url) as web, contextlib.ExitStack() as stack:
        assert_served(web)
        (worker,) = workers(web)
        idle = held(stack, web, 20, HEALTH)
        assert answer(idle[-1])
        used = max(int(path.name) for path in Path(f"/proc/{worker}/fd").iterdir()) + 1
        _, hard = resource.prlimit(worker, resource.RLIMIT_NOFILE)
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (used, hard))
        held(stack, web, 40, HEALTH)
        assert_served(web)
        assert workers(web) == [worker]
        (line,) = [line for line in web.process.output.splitlines() if "no room for" in line]
        assert "Too many open files" in line
        assert "Raise the limit of open files" in line
        assert "Traceback" not in web.process.output


def test_a_small_limit_of_open_files_is_said_and_ends_no_worker(redis_server: RedisServer) -> None:
    with started(limited(64), redis_server.url) as web, contextlib.ExitStack() as stack:
        before = workers(web)
        held(stack, web, 300, b"")
        held(stack, web, 300, HEALTH)
        assert_served(web)
        assert workers(web) == before
        assert "the limit of open files is 64, so each of 1 processes holds at most 24" in web.process.output
        assert web.process.output.count("Booting worker") == 1
        assert "Traceback" not in web.process.output


def test_a_soft_limit_is_raised_as_far_as_the_hard_one_allows(redis_server: RedisServer) -> None:
    command = ["bash", "-c", f"ulimit -Sn 64; ulimit -Hn 2000; exec {procfile()['web']}"]
    with started(command, redis_server.url) as web:
        (worker,) = workers(web)
        assert resource.prlimit(worker, resource.RLIMIT_NOFILE) == (1040, 2000)
        assert "limit of open files" not in web.process.output


def test_only_a_sender_s_connection_is_kept_for_long(redis_server: RedisServer) -> None:
    script = (
        "import sys, drain.gunicorn.thread_worker as worker; worker.OTHERS_KEEPALIVE_S = 1.0; "
        "from gunicorn.app.wsgiapp import run; sys.argv = ['gunicorn', *sys.argv[1:]]; sys.exit(run())"
    )
    command = [sys.executable, "-c", script, *shlex.split(procfile()["web"])[1:]]
    with started(command, redis_server.url) as web, contextlib.ExitStack() as stack:

        def asked(*requests: bytes) -> socket.socket:
            connection = stack.enter_context(web.connect())
            for request in requests:
                assert told(connection, request).startswith(b"HTTP/1.1 ")
            return connection

        stranger = POST.replace(b"Basic ", b"Basic x") + ROUTER_SENT
        bad = POST.replace(b"Content-Length: ", b"X: ").replace(
            b"\r\n\r\n", b"\r\nContent-Length: 1\r\n\r\n0"
        )
        senders = [asked(POST + ROUTER_SENT), asked(HEALTH, POST + ROUTER_SENT, HEALTH)]
        others = [asked(HEALTH), asked(stranger), asked(bad), asked(HEALTH, HEALTH)]
        wait_until(lambda: not any(map(is_open, others)), "end of the others", timeout_s=10)
        assert all(map(is_open, senders))
        for sender in senders:
            assert told(sender, POST + ROUTER_SENT).startswith(b"HTTP/1.1 202 ")


def test_requests_that_are_no_http_write_one_line_a_second(web: Web) -> None:
    before = len(web.process.output.splitlines())
    started_s = time.monotonic()
    for _ in range(100):
        with web.connect() as connection:
            assert told(connection, b"<%s>\r\n\r\n" % (b"x" * 4000)).startswith(b"HTTP/1.1 400 ")
    lines = web.process.output.splitlines()[before:]
    assert 1 <= len(lines) <= time.monotonic() - started_s + 2
    assert max(map(len, lines)) < 600
    assert os.path.exists(f"/proc/{workers(web)[0]}")
