"""`python -m app requests` gives the same on Redis Streams and on Apache Kafka."""

from __future__ import annotations

import time
import uuid

import pytest
import redis

from app.log import open_log
from app.message import encode, message_id
from app.settings import Settings
from servers.kafka_broker import KafkaBroker
from servers.messages import router_line, router_message
from tests.app.cli.test_requests import command_of


@pytest.mark.kafka
def test_redis_and_kafka_give_the_same_requests(
    kafka_broker: KafkaBroker, redis_client: redis.Redis, redis_url: str
) -> None:
    on_redis = {"REDIS_URL": redis_url}
    on_kafka = {**on_redis, "KAFKA_URL": kafka_broker.url, "KAFKA_PREFIX": f"t{uuid.uuid4().hex[:8]}."}
    open_log(Settings.load(on_kafka)).ensure(["metrics"], 60)
    writers = [open_log(Settings.load(environ)).writer() for environ in (on_redis, on_kafka)]
    for number in range(40):
        frame_id = str(uuid.uuid4())
        values = []
        for index in range(25):
            line = router_line(
                f"/products/{number}?q={index}",
                status=503 if index % 5 == 0 else 200,
                code="H12" if index % 5 == 0 else "",
                dyno=f"web.{index % 3}",
                request_id=uuid.uuid4(),
                service_ms=index * 10,
            )
            values.append(encode(router_message(line, id=message_id(frame_id, index), app="shop")))
        for writer in writers:
            writer.append(frame_id, values, 20)
        time.sleep(0.005)
    for writer in writers:
        writer.close()

    for words in (
        ["--limit", "0"],
        ["--limit", "0", "--oldest-first", "--status", "5xx", "--route", "/products/:id"],
        ["--limit", "0", "--code", "H12", "--dyno", "web.2", "--path", "/products/7"],
    ):
        (code, out, _), (kafka_code, kafka_out, _) = (
            command_of(environ, "--json", *words) for environ in (on_redis, on_kafka)
        )
        assert code == kafka_code == 0
        assert sorted(out.splitlines()) == sorted(kafka_out.splitlines()), words
        assert out.count("\n") in (1_000, 200, 2)
    for by in ("dyno", "status", "route"):
        both = [command_of(environ, "--group-by", by)[1] for environ in (on_redis, on_kafka)]
        assert both[0] == both[1] != ""
