"""What Prometheus sees of the drain: right across gunicorn's processes, whichever of them answers."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from drain.instruments import Instruments
from servers.processes import wait_until
from servers.redis_server import RedisServer
from tests.drain.bodies import APP_SENT, L10_SENT, ROUTER_SENT, counted
from tests.drain.prometheus_text import figure
from tests.drain.serving import Web, serving

WORKERS = 2


@pytest.fixture
def web(redis_server: RedisServer, redis_url: str) -> Iterator[Web]:
    """One with two processes."""
    with serving(REDIS_URL=redis_url, WEB_CONCURRENCY=str(WORKERS)) as found:
        yield found


def text(web: Web) -> str:
    answer = web.ask("GET", "/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return answer.body.decode()


def workers(web: Web) -> list[int]:
    """The process ids of gunicorn's workers."""
    pid = web.process.pid
    return [int(found) for found in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


def post_until_both_have_worked(web: Web) -> int:
    """Posts frames, many at once, until each worker has accepted some; how many."""
    posted = 0
    with ThreadPoolExecutor(8) as senders:
        while True:
            batch = [f"frame-{number}" for number in range(posted, posted + 40)]
            for answer in senders.map(lambda frame: web.post(Logplex_Frame_Id=frame), batch):
                assert answer.status == 202
            posted += len(batch)
            folder = counts_folder(web)
            if len(list(folder.glob("counter_*.db"))) == WORKERS:
                return posted
            assert posted < 4000, "the kernel gave all connections to one worker"


def counts_folder(web: Web) -> Path:
    """Where the processes keep their counts: an environment variable that the server makes."""
    for pid in workers(web):
        for variable in Path(f"/proc/{pid}/maps").read_text("utf-8").splitlines():
            if "tailrace-metrics-" in variable:
                return Path(variable.split()[-1]).parent
    raise AssertionError("no worker keeps counts")


def test_counts_are_those_of_all_processes_together(web: Web) -> None:
    posted = post_until_both_have_worked(web)
    for _ in range(10):  # Whichever worker answers.
        found = text(web)
        assert figure(found, "frames_total") == posted
        assert figure(found, "router_lines_total") == posted
        assert figure(found, "answers_total", status="202") == posted
        assert figure(found, "append_seconds_count") == posted
        assert figure(found, "append_seconds_bucket", le="+Inf") == posted
        assert figure(found, "bytes_total") == posted * len(ROUTER_SENT)
        assert figure(found, "in_flight") == 0


def test_counts_outlive_a_killed_process(web: Web) -> None:
    posted = post_until_both_have_worked(web)
    killed = workers(web)[0]
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: killed not in workers(web) and len(workers(web)) == WORKERS, "a new worker")
    assert figure(text(web), "frames_total") == posted
    assert web.post().status == 202
    assert figure(text(web), "frames_total") == posted + 1


def test_a_process_killed_with_requests_under_way_is_not_in_flight_for_ever(web: Web) -> None:
    with web.connect() as slow:
        slow.sendall(
            b"POST /logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/logplex-1\r\n"
            b"Content-Length: 1000\r\n\r\n10 "
        )
        wait_until(lambda: figure(text(web), "in_flight") == 1, "request in flight")
        old = workers(web)
        for pid in old:
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(set(workers(web)) - set(old)) == WORKERS, "new workers")
    wait_until(lambda: figure(text(web), "in_flight") == 0, "none in flight", timeout_s=5)


def test_each_kind_of_event_has_its_figure(web: Web) -> None:
    web.post(ROUTER_SENT * 2 + APP_SENT, Logplex_Frame_Id="a", Logplex_Msg_Count="4")
    web.post(ROUTER_SENT * 2 + APP_SENT, Logplex_Frame_Id="a", Logplex_Msg_Count="4")
    web.post(L10_SENT + counted(b"no syslog") + b"0", Logplex_Frame_Id="b")
    web.post(b"no count")
    web.post(Content_Type="text/plain")
    found = text(web)
    expected = {
        ("frames_total", ""): 3,
        ("lines_total", ""): 8,
        ("router_lines_total", ""): 2,
        ("duplicate_frames_total", ""): 1,
        ("miscounted_total", ""): 2,
        ("lost_messages_total", "code=L10"): 1,
        ("malformed_total", "what=body"): 1,
        ("malformed_total", "what=rest"): 1,
        ("malformed_total", "what=line"): 1,
        ("answers_total", "status=202"): 3,
        ("answers_total", "status=400"): 1,
        ("answers_total", "status=415"): 1,
    }
    for (sample, label), value in expected.items():
        labels = dict([label.split("=")]) if label else {}
        assert figure(found, sample, **labels) == value, sample


def test_what_is_under_way_is_a_figure(web: Web) -> None:
    with web.connect() as slow:
        slow.sendall(
            b"POST /logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/logplex-1\r\n"
            b"Content-Length: %d\r\n\r\n" % len(ROUTER_SENT)
        )
        wait_until(lambda: figure(text(web), "in_flight") == 1, "request in flight")
        slow.sendall(ROUTER_SENT)
        assert slow.recv(100).startswith(b"HTTP/1.1 202 ")
    wait_until(lambda: figure(text(web), "in_flight") == 0, "none in flight")


def test_the_folder_of_counts_goes_with_the_server(redis_url: str) -> None:
    with serving(REDIS_URL=redis_url) as web:
        assert web.post().status == 202
        folder = counts_folder(web)
        assert folder.exists()
        assert web.process.terminate() == 0
        assert not folder.exists()


def test_counting_in_one_process_from_many_threads_loses_nothing() -> None:
    instruments = Instruments()
    start = threading.Barrier(8)

    def count() -> None:
        start.wait()
        for _ in range(500):
            instruments.count_answer(202)
            instruments.count_answer(503)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = instruments.text([])
    assert figure(found, "answers_total", status="202") == 4000
    assert figure(found, "answers_total", status="503") == 4000


def test_the_latency_histogram_reaches_past_what_logplex_waits() -> None:
    instruments = Instruments()
    instruments.append_s.observe(4.2)
    found = instruments.text([])
    assert figure(found, "append_seconds_bucket", le="2.5") == 0
    assert figure(found, "append_seconds_bucket", le="5.0") == 1
