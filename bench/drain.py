"""How fast the drain is beside an endpoint that does nothing: `python -m bench.drain`.

All in one run on loopback, with the same gunicorn settings and the same bodies of 300 lines:
(a) an empty Flask endpoint, (b) the drain into Redis Streams, (c) into Kafka by kafka-python,
(d) into Kafka by confluent-kafka, (e) a bare loop that only produces the same messages by
kafka-python. The ratios count, not the figures: load, server and log share the machine's cores.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence

from bench.load import LINES, Result, body, post_for
from drain.receivers.ingest import values_of
from drain.receivers.logplex import parse
from servers.kafka_broker import KafkaBroker
from servers.ports import free_port
from servers.redis_server import RedisServer

SHARES = (
    (0.1, 0.01, "10 % router lines, 1 % the platform's"),
    (1.0, 0.0, "all router lines"),
    (0.0, 1.0, "all the platform's"),
)
BODIES = 40


def main(argv: Sequence[str]) -> int:
    """Prints the table; exit code 0."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.drain",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n  python -m bench.drain\n  python -m bench.drain --seconds 3 --no-kafka",
    )
    parser.add_argument("--seconds", type=float, default=8.0, help="length of each measurement (default 8)")
    parser.add_argument("--connections", type=int, default=8, help="connections at once (default 8)")
    parser.add_argument("--no-kafka", action="store_true", help="leave out what needs a broker")
    args = parser.parse_args(argv)
    print(f"python {sys.version.split()[0]}, {os.cpu_count()} cores, {args.connections} connections\n")
    with contextlib.ExitStack() as stack:
        redis_url = stack.enter_context(RedisServer()).url
        kafka_url = "" if args.no_kafka else stack.enter_context(KafkaBroker()).url
        for share, platform_share, title in SHARES:
            _table(title, share, platform_share, args, redis_url, kafka_url)
    return 0


def _table(
    title: str,
    share: float,
    platform_share: float,
    args: argparse.Namespace,
    redis_url: str,
    kafka_url: str,
) -> None:
    bodies = [body(share, seed, platform_share) for seed in range(BODIES)]
    size = sum(map(len, bodies)) // len(bodies)
    print(f"{title} ({LINES} lines, {size:,} bytes a body)")
    columns = (("bodies/s", 10), ("lines/s", 11), ("MB/s", 8), ("p50 ms", 9), ("p99 ms", 9), ("of (a)", 8))
    print(" " * 34 + "".join(f"{name:>{width}}" for name, width in columns) + f"{'failed':>8}")
    runs: list[tuple[str, str, dict[str, str]]] = [
        ("(a) empty Flask endpoint", "bench.empty_endpoint:create_app()", {}),
        ("(b) drain, Redis Streams", "drain:create_app()", {"REDIS_URL": redis_url}),
    ]
    if kafka_url:
        kafka = {"REDIS_URL": redis_url, "KAFKA_URL": kafka_url}
        runs.append(("(c) drain, kafka-python", "drain:create_app()", kafka))
        runs.append(
            ("(d) drain, confluent-kafka", "drain:create_app()", kafka | {"KAFKA_CLIENT": "confluent"})
        )
    first: Result | None = None
    for name, app, environ in runs:
        with _server(app, environ) as url:
            post_for(url, bodies, args.connections, 1.0)
            result = post_for(url, bodies, args.connections, args.seconds)
        first = first or result
        print(_row(name, result, result.bodies_s / first.bodies_s))
    if kafka_url and share:
        messages_s = _bare_producer(bodies, kafka_url, args.seconds)
        per_body = LINES * share
        print(
            f"{'(e) bare kafka-python producer':34}{messages_s / per_body:10,.0f}"
            f"{messages_s / share:11,.0f}   = {messages_s:,.0f} messages/s"
        )
    print()


def _row(name: str, result: Result, ratio: float) -> str:
    return (
        f"{name:34}{result.bodies_s:10,.0f}{result.bodies_s * LINES:11,.0f}"
        f"{result.bytes / result.seconds / 1e6:8.1f}{result.latency_ms(0.5):9.1f}"
        f"{result.latency_ms(0.99):9.1f}{ratio:8.0%}{result.failed:8}"
    )


@contextlib.contextmanager
def _server(app: str, environ: dict[str, str]) -> Iterator[str]:
    """gunicorn with the drain's own settings, serving `app`."""
    port = free_port()
    if "KAFKA_URL" in environ:
        subprocess.run(
            [sys.executable, "-m", "app", "release"],
            env={**os.environ, **environ},
            check=True,
            stdout=subprocess.DEVNULL,
        )
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", "python:drain.gunicorn.config", app],
        env={**os.environ, **environ, "PORT": str(port)},
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}/logs"
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).close()
            return
        except urllib.error.HTTPError:
            return  # The empty endpoint has no /health, and says so.
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _bare_producer(bodies: Sequence[bytes], kafka_url: str, seconds: float) -> float:
    """Messages/s of a loop that does nothing but send what the drain would send, by its key."""
    from kafka import KafkaProducer

    frames = []
    for number, content in enumerate(bodies):
        frame_id = f"8601b555-6a83-4c12-8269-{number:012d}"
        values, _ = values_of(parse(content, frame_id))
        frames.append((frame_id.encode(), values))
    producer = KafkaProducer(
        bootstrap_servers=kafka_url.removeprefix("kafka://"),
        acks="all",
        compression_type="lz4",
        linger_ms=2,
        batch_size=262_144,
    )
    sent = 0
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        for key, values in frames:
            for value in values:
                producer.send("router", value, key)
            sent += len(values)
    producer.flush()
    took = time.monotonic() - started
    producer.close()
    return sent / took


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
