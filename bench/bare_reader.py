"""The least that a reader of the log could do: read, decode the JSON, go on. For bench/metrics.py.

`python -m bench.bare_reader kafka-python|confluent|redis --messages N`, with KAFKA_URL or REDIS_URL
as for Tailrace's own processes; prints messages a second, from the first message on.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import lz4.frame
import orjson
import redis

from app.log.redis.stream import STREAM

GROUP = "bare"
AT_ONCE = 5_000
ENTRIES_AT_ONCE = 50
"""Of 100 messages each."""


def main(argv: Sequence[str]) -> int:
    """Exit code 0; the rate on standard output."""
    parser = argparse.ArgumentParser(prog="python -m bench.bare_reader", description=__doc__)
    parser.add_argument("log", choices=sorted(READERS))
    parser.add_argument("--messages", type=int, required=True, help="how many to read")
    args = parser.parse_args(argv)
    seen = 0
    started: float | None = None
    for count in READERS[args.log]():
        if started is None:
            started = time.monotonic()  # What came before was waiting for the broker.
            continue
        seen += count
        if seen >= args.messages * 0.95:
            break
    print(seen / (time.monotonic() - (started or 0)))
    return 0


def _servers() -> str:
    return os.environ["KAFKA_URL"].removeprefix("kafka://")


def _kafka_python() -> Iterator[int]:
    from kafka import KafkaConsumer

    consumer = KafkaConsumer(
        "router",
        bootstrap_servers=_servers(),
        group_id=GROUP,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=2_097_152,
        metrics_enabled=False,
    )
    while True:
        found = consumer.poll(timeout_ms=500, max_records=AT_ONCE)
        for records in found.values():
            for record in records:
                orjson.loads(record.value)
        if found:
            yield sum(map(len, found.values()))


def _confluent() -> Iterator[int]:
    from confluent_kafka import Consumer

    consumer = Consumer(
        {
            "bootstrap.servers": _servers(),
            "group.id": GROUP,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe(["router"])
    while True:
        found = consumer.consume(AT_ONCE, 0.5)
        for record in found:
            orjson.loads(record.value() or b"")
        if found:
            yield len(found)


def _redis() -> Iterator[int]:
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    client.xgroup_create(STREAM, GROUP, "0")
    while True:
        answer = client.xreadgroup(GROUP, "one", {STREAM: ">"}, count=ENTRIES_AT_ONCE, block=500)
        entries = _entries(answer)
        seen = sum(len(orjson.loads(lz4.frame.decompress(fields.get(b"v", b"")))) for _, fields in entries)
        if entries:
            client.xack(STREAM, GROUP, *(entry for entry, _ in entries))
            yield seen


def _entries(answer: Any) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """The entries of the one stream in an answer by RESP2 or RESP3."""
    if isinstance(answer, dict):
        return [entry for batch in answer.values() for entry in batch[0]]
    return cast(list[tuple[bytes, dict[bytes, bytes]]], answer[0][1] if answer else [])


READERS: dict[str, Callable[[], Iterator[int]]] = {
    "kafka-python": _kafka_python,
    "confluent": _confluent,
    "redis": _redis,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
