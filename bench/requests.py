"""How fast single requests are found in the kept log on Redis, and what that costs a sender:
`python -m bench.requests`.

(a) One process reads the whole log: the simplest way (XRANGE by redis-py, JSON, parse each line), a scan
without a filter, one with a filter on route and status. (b) It looks for one request id, in the oldest frame,
from the newest on. (c) A sender's frames are timed while nobody scans, and while another process scans the
log over and over. The ratios count, not the figures: scan, Redis and sender share the machine's cores.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence

import lz4.frame
import orjson
import redis

from app.log import open_log
from app.log.redis.stream import STREAM, range_of
from app.message import RECEIVED_MAX_MS, checked
from app.router_line import parse
from app.settings import Settings
from drain.receivers import logplex
from drain.receivers.ingest import values_of
from servers.logplex_client import octets
from servers.messages import router_line, router_syslog
from servers.redis_server import RedisServer
from servers.traffic import Traffic

FRAME_LINES = {100: 300_000, 10: 100_000, 1: 30_000}
"""Lines in a frame -> lines in the log of (a)."""

FRAMES_MADE = 300
"""Different frames; the log repeats them, each time as a frame of its own."""

ROUTE_AND_STATUS = (re.compile(rb"/checkout"), re.compile(rb"status=5\d\d"))
WANTED_ID = "7d8f1c9e-2b64-4a0d-9c57-5e3b1f60a2d4"

SENT_A_SECOND = 100
TURNS = 10
NO_REWRITE = ("--auto-aof-rewrite-percentage", "0")
"""Of the append-only file, which Redis begins whenever it finds it large: it would take one of the cores."""


def main(argv: Sequence[str]) -> int:
    """Prints the tables; exit code 0."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.requests",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n  python -m bench.requests\n  python -m bench.requests --lines 5000000",
    )
    parser.add_argument(
        "--lines", type=int, default=500_000, help="in the log of (b) and (c) (default 500000)"
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement of (c) (default 10)")
    parser.add_argument("--scan-forever", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.scan_forever:
        _scan_forever(_settings(args.scan_forever))
    print(f"python {sys.version.split()[0]}, {os.cpu_count()} cores\n")
    with RedisServer(extra=NO_REWRITE) as server:
        settings = _settings(server.url)
        for frame_lines, lines in FRAME_LINES.items():
            _table_of_scans(settings, frame_lines, lines)
        _find_one(settings, args.lines)
        _time_appends(settings, args.seconds)
    return 0


def _settings(url: str) -> Settings:
    return Settings.load({"REDIS_URL": url, "REDIS_LOG_MAX_MB": "8000"})


def _fill(settings: Settings, frame_lines: int, lines: int) -> None:
    """The log, anew; its first frame has the line with WANTED_ID."""
    client = redis.Redis.from_url(settings.redis_url)
    client.flushall()
    frames = _frames(frame_lines)
    wanted = router_syslog(router_line("/checkout", request_id=WANTED_ID), time.time())
    writer = open_log(settings).writer()
    for number in range(lines // frame_lines):
        values = frames[number % FRAMES_MADE]
        if number == 0:
            values = [*_values([wanted]), *values[1:]]
        writer.append(str(uuid.uuid4()), values, 30.0)
    writer.close()
    used = int(client.memory_usage(STREAM, samples=0) or 0)
    print(f"{lines:,} lines in frames of {frame_lines}: {used / lines:.0f} bytes a line in Redis")
    client.close()


def _frames(frame_lines: int) -> list[list[bytes]]:
    traffic = Traffic(1)
    frames: list[list[bytes]] = []
    values: list[bytes] = []
    while len(frames) < FRAMES_MADE:
        values += _values(list(traffic.lines(100, time.time())))
        while len(values) >= frame_lines:
            frames.append(values[:frame_lines])
            values = values[frame_lines:]
    return frames


def _values(lines: list[bytes]) -> list[bytes]:
    values, _ = values_of(logplex.parse(octets(lines), str(uuid.uuid4()), "shop"))
    return values


def _table_of_scans(settings: Settings, frame_lines: int, lines: int) -> None:
    _fill(settings, frame_lines, lines)
    print(f"{'(a)':40}{'lines/s':>12}{'of simplest':>13}{'lines/CPU s':>14}{'found':>9}")
    ways: tuple[tuple[str, Callable[[], tuple[int, int]]], ...] = (
        ("simplest: XRANGE, JSON, parse, filter", lambda: _simplest(settings)),
        ("scan, all lines decoded", lambda: _scan(settings, ())),
        ("scan, filter on route and status", lambda: _scan(settings, ROUTE_AND_STATUS)),
        ("the same, newest first", lambda: _scan(settings, ROUTE_AND_STATUS, newest_first=True)),
        ("scan, one request id", lambda: _scan(settings, (re.compile(WANTED_ID.encode()),))),
    )
    simplest = 0.0
    for name, way in ways:
        started_s, cpu_s = time.perf_counter(), time.process_time()
        read, found = way()
        took_s, cpu_s = time.perf_counter() - started_s, time.process_time() - cpu_s
        simplest = simplest or read / took_s
        print(
            f"{name:40}{read / took_s:12,.0f}{read / took_s / simplest:13.1f}{read / cpu_s:14,.0f}{found:9,}"
        )
    print()


def _simplest(settings: Settings) -> tuple[int, int]:
    """(lines read, found) as a short script would do it."""
    client = redis.Redis.from_url(settings.redis_url)
    read = found = 0
    start = "-"
    while entries := range_of(client.xrange(STREAM, start, count=100)):
        for _, fields in entries:
            for value in orjson.loads(lz4.frame.decompress((fields or {})[b"v"])):
                line = parse(checked(value)["msg"])
                read += 1
                found += line is not None and "/checkout" in line.path and line.status.startswith("5")
        start = f"({entries[-1][0]}"
    client.close()
    return read, found


def _scan(
    settings: Settings, patterns: Sequence[re.Pattern[bytes]], *, newest_first: bool = False
) -> tuple[int, int]:
    """(lines read, found); found ones are parsed too."""
    read = found = 0
    with contextlib.closing(open_log(settings).history()) as history:
        for part in history.scan(0, RECEIVED_MAX_MS, patterns, newest_first=newest_first):
            read += part.read
            found += sum(parse(message["msg"]) is not None for message in part.messages)
    return read, found


def _find_one(settings: Settings, lines: int) -> None:
    _fill(settings, 100, lines)
    started_s = time.perf_counter()
    with contextlib.closing(open_log(settings).history()) as history:
        read = 0
        for part in history.scan(0, RECEIVED_MAX_MS, [re.compile(WANTED_ID.encode())], newest_first=True):
            read += part.read
            if part.messages:
                break
    print(f"(b) request id in the oldest of {read:,} lines: {time.perf_counter() - started_s:.2f} s\n")


def _time_appends(settings: Settings, seconds: float) -> None:
    """In many turns, so that what else the machine does falls on all of them."""
    frames = _frames(100)
    print(
        f"(c) {SENT_A_SECOND} frames of 100 lines a second{'':8}{'p50 ms':>10}{'p99 ms':>10}{'most ms':>10}"
    )
    with contextlib.ExitStack() as stack:
        usual, nice = (stack.enter_context(_scanner(settings, niceness)) for niceness in (0, 10))
        turns = (("nobody scans", None), ("one scans", usual), ("one scans at nice 10", nice))
        taken: dict[str, list[float]] = {name: [] for name, _ in turns}
        for _ in range(TURNS):
            for name, scanner in turns:
                if scanner:
                    scanner.send_signal(signal.SIGCONT)
                taken[name] += _append_for(settings, frames, seconds / TURNS)
                if scanner:
                    scanner.send_signal(signal.SIGSTOP)
    for name, times_ms in taken.items():
        times_ms.sort()
        p50, p99 = (times_ms[int(len(times_ms) * share)] for share in (0.5, 0.99))
        print(f"{name:42}{p50:10.2f}{p99:10.2f}{times_ms[-1]:10.2f}")


def _append_for(settings: Settings, frames: list[list[bytes]], seconds: float) -> list[float]:
    """How long each frame took, ms."""
    writer = open_log(settings).writer()
    writer.append(str(uuid.uuid4()), frames[0], 4.0)
    times_ms = []
    begin_s = time.perf_counter()
    for number in range(int(seconds * SENT_A_SECOND)):
        time.sleep(max(0.0, begin_s + number / SENT_A_SECOND - time.perf_counter()))
        started_s = time.perf_counter()
        writer.append(str(uuid.uuid4()), frames[number % FRAMES_MADE], 4.0)
        times_ms.append((time.perf_counter() - started_s) * 1_000)
    writer.close()
    return times_ms


@contextlib.contextmanager
def _scanner(settings: Settings, niceness: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process that scans the whole log again and again; it is stopped at first."""
    command = [sys.executable, "-m", "bench.requests", "--scan-forever", settings.redis_url]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()  # It has read the log once.
        os.setpriority(os.PRIO_PROCESS, process.pid, niceness)
        process.send_signal(signal.SIGSTOP)
        yield process
    finally:
        process.kill()
        process.wait(10)


def _scan_forever(settings: Settings) -> None:
    """Until it is killed. Says so once it has begun."""
    _scan(settings, ROUTE_AND_STATUS)
    print("scanning", flush=True)
    while True:
        _scan(settings, ROUTE_AND_STATUS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
