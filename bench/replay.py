"""How fast replay sends, and how well it keeps time: `python -m bench.replay`.

All in one run against the same target on loopback, a small Go server: (a) a loop of
requests.Session.get in 16 threads, (b) the replay's senders in one process, (c) the whole worker,
one, two and four processes of its group on a Redis log, and where they can be built (d) vegeta at
its maximum and (e) goreplay from a file. Then the pace: sent minus due.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import requests

from app.log import open_log
from app.message import encode, message_id
from app.settings import Settings
from consumers.replay.choice.target import Target
from consumers.replay.request import Job, Outcome, Request
from consumers.replay.sending.breaker import Breaker
from consumers.replay.sending.senders import Done, Senders
from servers.messages import router_line, router_message
from servers.ports import free_port
from servers.redis_server import RedisServer

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".cache" / "bench"
THREADS = 16
VEGETA = "github.com/tsenart/vegeta/v12@v12.12.0"
GOREPLAY = "github.com/buger/goreplay@v1.3.2"
PATH = "/users/42/posts?page=7"
REQUEST = Request(
    method="GET",
    path=PATH,
    host="shop.example.com",
    app="",
    route="/users/:id",
    dyno="web.1",
    request_id="",
    message_id="f.0",
    fwd="",
    protocol="https",
    status=200,
    service_ms=5.0,
    at_ms=0,
    received_ms=0,
    is_connection=False,
    is_reencoded=False,
    code="",
)
HEADERS = [("User-Agent", "tailrace-replay"), ("Accept", "*/*"), ("X-Request-Id", "replay-" + "0" * 36)]


def main(argv: Sequence[str]) -> int:
    """Prints two tables; exit code 0, or 1 where the target cannot be built."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.replay",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n  python -m bench.replay\n  python -m bench.replay --seconds 3 --no-peers",
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each measurement (default 5)")
    parser.add_argument("--no-peers", action="store_true", help="leave vegeta and goreplay out")
    args = parser.parse_args(argv)
    if shutil.which("go") is None:
        print("no Go: the target cannot be built", file=sys.stderr)
        return 1
    with _target() as url:
        _throughput(url, args)
        _pace(url)
    return 0


def _throughput(url: str, args: argparse.Namespace) -> None:
    print(f"{'':44}{'requests/s':>11}{'of (a)':>9}{'CPU us/request':>16}")
    base = _row("(a) requests.Session.get, 16 threads", *_requests_loop(url, args.seconds), None)
    _row("(b) replay's senders, 16 threads, 1 process", *_senders(url, args.seconds), base)
    for count in (1, 2, 4):
        _row(f"(c) the worker on a Redis log, {count} process(es)", *_workers(url, count, args.seconds), base)
    if args.no_peers:
        return
    for name, run in (("(d) vegeta, maximum rate", _vegeta), ("(e) goreplay, from a file", _goreplay)):
        try:
            _row(name, *run(url, args.seconds), base)
        except (subprocess.SubprocessError, OSError) as fault:
            print(f"{name:44}  not built here: {type(fault).__name__}")
    print()


def _row(name: str, count: float, seconds: float, cpu_s: float, base: float | None) -> float:
    rate = count / seconds
    ratio = f"{rate / base:9.2f}" if base else f"{1:9.2f}"
    print(f"{name:44}{rate:11,.0f}{ratio}{cpu_s / max(count, 1) * 1e6:16,.0f}", flush=True)
    return rate


@contextlib.contextmanager
def _target() -> Iterator[str]:
    CACHE.mkdir(parents=True, exist_ok=True)
    binary = CACHE / "target"
    subprocess.run(["go", "build", "-o", str(binary), "."], cwd=ROOT / "bench" / "target", check=True)
    port = free_port()
    process = subprocess.Popen([str(binary), "-listen", f"127.0.0.1:{port}"])
    try:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with contextlib.suppress(requests.RequestException):
                requests.get(f"http://127.0.0.1:{port}/", timeout=1)
                break
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _own_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _requests_loop(url: str, seconds: float) -> tuple[float, float, float]:
    stop_at = time.monotonic() + seconds
    counts: list[int] = []

    def loop() -> None:
        count = 0
        with requests.Session() as session:
            while time.monotonic() < stop_at:
                session.get(url + PATH, timeout=5)
                count += 1
        counts.append(count)

    cpu_s, started = _own_cpu_s(), time.monotonic()
    threads = [threading.Thread(target=loop) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts), time.monotonic() - started, _own_cpu_s() - cpu_s


def _senders(url: str, seconds: float) -> tuple[float, float, float]:
    done: list[None] = []

    def note(request: Request, outcome: Outcome, late_ms: float) -> None:
        if outcome.kind == "answered":
            done.append(None)

    target = Target.parse(url)
    senders = Senders(target, THREADS, 5.0, note, lambda request, reason: None, Breaker())
    job = Job(REQUEST, PATH.encode(), [("Host", target.host_header), *HEADERS])
    cpu_s, started = _own_cpu_s(), time.monotonic()
    while time.monotonic() - started < seconds:
        senders.submit(job, 0.0)
    senders.drain(10)
    took = time.monotonic() - started
    senders.close()
    return len(done), took, _own_cpu_s() - cpu_s


def _workers(url: str, count: int, seconds: float) -> tuple[float, float, float]:
    """The Procfile's `replay`, `count` times, with as many requests waiting as they can send."""
    settings_of = {"REPLAY_HOST": url, "REPLAY_SPEED": "max", "REPLAY_MAX_LATE_MS": "86400000"}
    with RedisServer() as server:
        environ = {**os.environ, **settings_of, "REDIS_URL": server.url}
        # The group exists before the log is filled, so that it starts with the first message.
        reader = open_log(Settings(redis_url=server.url)).reader("replay", "earliest", rewind_to_store=False)
        reader.poll(0, 1)
        reader.close()
        _fill(server.url, round(5_000 * seconds))
        answered, cpu_s = _answered(url), _children_cpu_s()
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", "consumers.replay"], cwd=ROOT, env=environ, stderr=subprocess.DEVNULL
            )
            for _ in range(count)
        ]
        try:
            while _answered(url) - answered < 100 * count:
                time.sleep(0.01)
            sent_before, started = _answered(url), time.monotonic()
            wanted = answered + round(5_000 * seconds) * 0.95
            while _answered(url) < wanted and time.monotonic() - started < 4 * seconds:
                time.sleep(0.02)
            sent, took = _answered(url) - sent_before, time.monotonic() - started
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(20)
        # The CPU is of the processes' whole life, so it is shared among all that they sent.
        return sent, took, (_children_cpu_s() - cpu_s) * sent / max(1, _answered(url) - answered)


def _answered(url: str) -> int:
    """Requests that the target has answered so far."""
    return int(requests.get(f"{url}/answered", timeout=5).text)


def _fill(redis_url: str, count: int) -> None:
    writer = open_log(Settings(redis_url=redis_url)).writer()
    for first in range(0, count, 100):
        frame_id = str(uuid.uuid4())
        values = [
            encode(
                router_message(
                    router_line(f"/users/{number}?page=7", request_id=str(uuid.uuid4())),
                    id=message_id(frame_id, number - first),
                )
            )
            for number in range(first, first + 100)
        ]
        writer.append(frame_id, values, 5.0)
    writer.close()


def _built(package: str, name: str) -> str:
    binary = CACHE / name
    if not binary.exists():
        subprocess.run(
            ["go", "install", package],
            env={**os.environ, "GOBIN": str(CACHE)},
            check=True,
            capture_output=True,
            timeout=300,
        )
    return str(binary)


def _vegeta(url: str, seconds: float) -> tuple[float, float, float]:
    binary = _built(VEGETA, "vegeta")
    targets = CACHE / "targets.txt"
    targets.write_text(f"GET {url}{PATH}\n")
    cpu_s = _children_cpu_s()
    attack = [
        *(binary, "attack", "-rate=0", f"-max-workers={THREADS}", f"-duration={seconds}s"),
        f"-targets={targets}",
    ]
    results = CACHE / "results.bin"
    subprocess.run([*attack, f"-output={results}"], check=True, timeout=seconds + 30)
    cpu_s = _children_cpu_s() - cpu_s
    answer = subprocess.run(
        [binary, "report", "-type=json", str(results)], check=True, capture_output=True, text=True
    )
    found = json.loads(answer.stdout)
    return found["requests"], found["duration"] / 1e9, cpu_s


def _goreplay(url: str, seconds: float) -> tuple[float, float, float]:
    binary = _built(GOREPLAY, "goreplay")
    recorded = CACHE / "requests.gor"
    request = f"GET {PATH} HTTP/1.1\r\nHost: x\r\nUser-Agent: gor\r\n\r\n"
    with recorded.open("w") as file:
        for number in range(int(20_000 * seconds)):
            at_ns = 1_700_000_000_000_000_000 + number * 1_000
            file.write(f"1 {number:024x} {at_ns}\n{request}\n\U0001f435\U0001f648\U0001f649\n")
    answered, cpu_s = _answered(url), _children_cpu_s()
    process = subprocess.Popen(
        [
            *(binary, "--input-file", f"{recorded}|100000%", "--output-http", url),
            *("--output-http-workers", str(THREADS), "--exit-after", f"{seconds + 1:.0f}s"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    started = time.monotonic()
    while time.monotonic() - started < seconds and process.poll() is None:
        time.sleep(0.01)
    sent, took = _answered(url) - answered, time.monotonic() - started
    process.wait(30)
    return sent, took, (_children_cpu_s() - cpu_s) * sent / max(1, _answered(url) - answered)


def _lateness(late_ms: list[float]) -> Done:
    """Keeps how late each request was."""

    def note(request: Request, outcome: Outcome, ms: float) -> None:
        late_ms.append(ms)

    return note


def _pace(url: str) -> None:
    print(f"{'sent minus due':24}{'median ms':>11}{'p99 ms':>9}")
    target = Target.parse(url)
    job = Job(REQUEST, PATH.encode(), [("Host", target.host_header), *HEADERS])
    for rate in (50, 200, 500):
        late: list[float] = []
        senders = Senders(target, None, 5.0, _lateness(late), lambda request, reason: None, Breaker())
        start = time.monotonic() + 0.5
        for number in range(rate * 5):
            senders.submit(job, start + number / rate)
        senders.drain(20)
        senders.close()
        late.sort()
        print(f"{rate:4} requests/s         {late[len(late) // 2]:11.2f}{late[int(len(late) * 0.99)]:9.2f}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
