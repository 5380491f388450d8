"""How fast the metrics worker counts, beside a loop that only reads: `python -m bench.metrics`.

From the same topic of a million messages, for each log: (a) a bare reader that only decodes the
JSON, (b) the worker, as one, two and four processes of its group. The ratios count, not the
figures: workers, Redis and the broker share the machine's cores.

Two mixes: the demo's 16 routes of a busy site, and 200 routes of uneven traffic, 33 requests/s, so
that a batch of 20,000 spans 600 seconds. On the Redis log, a sender's frames are also timed while one
worker catches up.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import redis

from app.log import open_log
from app.log.redis.stream import META, STREAM
from app.settings import Settings
from app.store import keys
from drain.receivers.ingest import values_of
from drain.receivers.logplex import parse
from servers.kafka_broker import KafkaBroker
from servers.logplex_client import octets
from servers.messages import router_line, router_syslog
from servers.redis_server import RedisServer
from servers.traffic import Traffic

FRAME_LINES = 100
FRAMES_MADE = 500
"""Different frames; the topic repeats them, each time as a frame of its own."""

ROUTES = 200
LOG_KEYS = keys.log("").encode()


STAMP = b'"timestamp":"'

WORKERS = (1, 2, 4)
LOG_MAX_MB = "4000"


@dataclass(frozen=True, slots=True)
class Mix:
    """What the topic holds."""

    name: str
    requests_s: float
    """By the lines' own clock: how much time a batch spans."""
    frames: list[list[bytes]]
    """Values as the drain writes them."""


@dataclass(frozen=True, slots=True)
class RedisCost:
    """What Redis had to do for a message: commands, bytes received, CPU microseconds."""

    commands: float
    bytes: float
    cpu_us: float


def main(argv: Sequence[str]) -> int:
    """Prints a table for each log; exit code 0."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.metrics",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n  python -m bench.metrics\n  python -m bench.metrics --messages 200000 --no-kafka",
    )
    parser.add_argument("--messages", type=int, default=1_000_000, help="in the topic (default 1000000)")
    parser.add_argument("--no-kafka", action="store_true", help="leave out what needs a broker")
    args = parser.parse_args(argv)
    print(f"python {sys.version.split()[0]}, {os.cpu_count()} cores, {args.messages:,} messages\n")
    for mix in (_busy(), _wide()):
        print(f"{mix.name}:\n")
        with RedisServer() as server:
            environ = {"REDIS_URL": server.url, "REDIS_LOG_MAX_MB": LOG_MAX_MB}
            _measure("redis", environ, mix, args.messages)
            _measure_appends(environ, mix, args.messages)
            if not args.no_kafka:
                _flush(server.url)
                with KafkaBroker() as broker:
                    environ = {"REDIS_URL": server.url, "KAFKA_URL": broker.url, "KAFKA_CLIENT": "confluent"}
                    _run_release(environ)
                    _fill(environ, mix, args.messages)
                    for client in ("kafka-python", "confluent"):
                        _measure(client, {**environ, "KAFKA_CLIENT": client}, mix, args.messages, broker)
    return 0


def _busy() -> Mix:
    traffic = Traffic(1)
    now_s = time.time()
    frames = [_values(list(traffic.lines(FRAME_LINES, now_s))) for _ in range(FRAMES_MADE)]
    return Mix("16 routes, 1,000 requests/s", 1_000, frames)


def _wide() -> Mix:
    """Route n gets 1/n of what the first one gets; service times are log-normal."""
    chance = random.Random(1)
    weights = [1 / (n + 1) for n in range(ROUTES)]

    def line() -> bytes:
        return router_syslog(
            router_line(
                f"/area{chance.choices(range(ROUTES), weights)[0]}/items/{chance.randrange(256)}",
                status=chance.choices((200, 304, 404, 500), (90, 5, 4, 1))[0],
                service_ms=round(chance.lognormvariate(3.5, 1)),
                connect_ms=chance.randrange(4),
                bytes=7_301,
                request_id=str(uuid.UUID(int=chance.getrandbits(128))),
                dyno=f"web.{chance.randrange(1, 9)}",
            ),
            time.time(),
        )

    frames = [_values([line() for _ in range(FRAME_LINES)]) for _ in range(FRAMES_MADE)]
    return Mix("200 routes of uneven traffic, 33 requests/s", 20_000 / 600, frames)


def _values(lines: list[bytes]) -> list[bytes]:
    values, _ = values_of(parse(octets(lines), "frame", "shop"))
    return values


def _fill(environ: dict[str, str], mix: Mix, messages: int) -> None:
    writer = open_log(Settings.load(environ)).writer()
    step_s = FRAME_LINES / mix.requests_s
    first_s = time.time() - messages / mix.requests_s
    started = time.monotonic()
    for number in range(messages // FRAME_LINES):
        frame_id = str(uuid.uuid4())
        values = _renewed(mix.frames[number % FRAMES_MADE], frame_id, first_s + number * step_s)
        writer.append(frame_id, values, 4.0)
    took = time.monotonic() - started
    writer.close()
    print(f"written by one thread in frames of {FRAME_LINES}: {messages / took:,.0f} messages/s\n")


def _renewed(values: list[bytes], frame_id: str, at_s: float) -> list[bytes]:
    """The same lines as another frame of another time."""
    second = datetime.fromtimestamp(at_s, UTC).isoformat()[:19].encode()
    own_id = b'"id":"%b.' % frame_id.encode()
    renewed = []
    for value in values:
        at = value.index(STAMP) + len(STAMP)
        renewed.append(value[:at] + second + value[at + 19 :].replace(b'"id":"frame.', own_id))
    return renewed


def _measure(
    log: str,
    environ: dict[str, str],
    mix: Mix,
    messages: int,
    broker: KafkaBroker | None = None,
) -> None:
    client = redis.Redis.from_url(environ["REDIS_URL"])
    heads = (
        f"{'messages/s':>12}{'of (a)':>9}   Redis, a message: {'commands':>9}{'bytes in':>10}{'CPU us':>8}"
    )
    print(f"{log:26}{heads}")
    if broker is None:
        _fill(environ, mix, messages)
    bare = _bare(log, environ, messages)
    print(f"{'(a) bare reader':26}{bare:12,.0f}{1:9.0%}")
    for workers in WORKERS:
        _forget(client, broker)
        rate, cost = _counted(client, environ, workers, messages)
        name = f"(b) {workers} worker{'s' if workers > 1 else ''}"
        costs = f"{cost.commands:8.2f}{cost.bytes:10.0f}{cost.cpu_us:8.1f}"
        print(f"{name:26}{rate:12,.0f}{rate / bare:9.0%}{'':21}{costs}")
    print(f"memory of the figures: {_figures_bytes(client) / 1e6:.1f} MB\n")
    client.close()


def _measure_appends(environ: dict[str, str], mix: Mix, messages: int) -> None:
    """A sender's frames, twenty a second, while one worker catches up with all of the topic."""
    client = redis.Redis.from_url(environ["REDIS_URL"])
    _forget(client, None)
    writer = open_log(Settings.load(environ)).writer()
    taken_ms = []
    with _running(environ, 1):
        _wait_for(client, 1)
        number = 0
        while int(client.hget(keys.group("metrics"), "messages") or 0) < messages * 0.95:
            values = _renewed(mix.frames[number % FRAMES_MADE], str(uuid.uuid4()), time.time())
            started = time.monotonic()
            writer.append(str(uuid.uuid4()), values, 4.0)
            taken_ms.append((time.monotonic() - started) * 1_000)
            number += 1
            time.sleep(0.05)
    writer.close()
    taken_ms.sort()
    p50, p99 = (taken_ms[int(len(taken_ms) * share)] for share in (0.5, 0.99))
    print(
        f"appends while one worker catches up: {len(taken_ms)} frames, "
        f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, most {taken_ms[-1]:.1f} ms\n"
    )
    client.close()


def _bare(log: str, environ: dict[str, str], messages: int) -> float:
    command = [sys.executable, "-m", "bench.bare_reader", log, "--messages", str(messages)]
    done = subprocess.run(
        command, env={**os.environ, **environ}, stdout=subprocess.PIPE, text=True, check=True, timeout=600
    )
    return float(done.stdout)


def _counted(
    client: redis.Redis, environ: dict[str, str], workers: int, messages: int
) -> tuple[float, RedisCost]:
    """(messages/s between the first tenth and all, what Redis had to do for a message)."""
    with _running(environ, workers):
        first, first_s = _wait_for(client, messages // 10)
        before: Any = client.info()
        last, last_s = _wait_for(client, messages)
        after: Any = client.info()
    counted = last - first

    def per_message(*names: str) -> float:
        return sum(float(after[name]) - float(before[name]) for name in names) / counted

    cost = RedisCost(
        per_message("total_commands_processed"),
        per_message("total_net_input_bytes"),
        per_message("used_cpu_user", "used_cpu_sys") * 1e6,
    )
    return counted / (last_s - first_s), cost


def _wait_for(client: redis.Redis, wanted: int) -> tuple[int, float]:
    """(messages counted by now, when that was), once it is as many as wanted."""
    deadline = time.monotonic() + 600
    while True:
        counted = int(client.hget(keys.group("metrics"), "messages") or 0)
        now_s = time.monotonic()
        if counted >= wanted:
            return counted, now_s
        if now_s > deadline:
            raise TimeoutError(f"only {counted:,} of {wanted:,} messages were counted")
        time.sleep(0.05)


@contextlib.contextmanager
def _running(environ: dict[str, str], workers: int) -> Iterator[None]:
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "consumers.metrics"],
            env={**os.environ, **environ},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(workers)
    ]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)


def _forget(client: redis.Redis, broker: KafkaBroker | None) -> None:
    """All figures and positions go; the log stays."""
    for key in list(client.scan_iter(count=1_000)):
        if not key.startswith(LOG_KEYS):
            client.unlink(key)
    if broker is None:
        for group in ("metrics", "bare"):
            client.xgroup_destroy(STREAM, group)
            client.hdel(META, f"read:{group}", f"lost:{group}")
        return
    admin = broker.admin()
    try:
        admin.delete_groups(["metrics", "bare"])
    finally:
        admin.close()


def _figures_bytes(client: redis.Redis) -> int:
    figures = [key for key in client.scan_iter(count=1_000) if not key.startswith(LOG_KEYS)]
    return sum(int(client.memory_usage(key, samples=0) or 0) for key in figures)


def _flush(url: str) -> None:
    client = redis.Redis.from_url(url)
    client.flushall()
    client.close()


def _run_release(environ: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, "-m", "app", "release"],
        env={**os.environ, **environ},
        check=True,
        stdout=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
