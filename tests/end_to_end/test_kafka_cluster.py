"""Three brokers: each may die under load; two that are not enough acknowledge nothing."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

import pytest

from app.log import open_log
from app.log.kafka.copies import Copies
from app.log.kafka.topic import ensure_topic, find_copies
from app.settings import Settings
from servers.kafka_broker import KafkaBroker, KafkaCluster
from servers.logplex_client import LogplexClient
from servers.ports import free_port
from servers.processes import Process, Processes, wait_until
from servers.redis_server import RedisServer
from tests.end_to_end.load import LINE, Load, check, counts, settings
from tests.support.kafka_topics import make

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

CLIENTS = ["kafka-python", "confluent"]
LINES = 100
PAUSE_S = 0.2
FRAMES = 25
"""Accepted before a broker dies, and again while it is down."""
BACK_S = 90


def environ(server: RedisServer, cluster: KafkaCluster, client: str) -> dict[str, str]:
    return {
        **settings(server),
        "KAFKA_URL": cluster.url,
        "KAFKA_CLIENT": client,
        "KAFKA_PREFIX": f"cluster-{uuid.uuid4().hex[:8]}.",
    }


def bring_back(cluster: KafkaCluster, broker: KafkaBroker) -> None:
    broker.start()
    wait_until(cluster.is_in_sync, f"copies of broker {broker.node} in sync", BACK_S)


def test_each_broker_killed_in_turn_under_load_costs_no_acknowledged_frame(
    kafka_cluster: KafkaCluster,
) -> None:
    """By both clients at once, each with a Redis of its own."""
    with ExitStack() as stack:
        servers = [stack.enter_context(RedisServer()) for _ in CLIENTS]
        environs = [
            environ(server, kafka_cluster, client) for server, client in zip(servers, CLIENTS, strict=True)
        ]
        ports = [start(stack, env) for env in environs]
        with ExitStack() as sending:
            loads = [sending.enter_context(Load(port, LINES, PAUSE_S)) for port in ports]
            for broker in kafka_cluster.brokers:
                more(loads, f"before broker {broker.node} dies")
                for env in environs:
                    parts = kafka_cluster.partitions(f"{env['KAFKA_PREFIX']}router")
                    assert [part["leader_id"] for part in parts].count(broker.node) >= 8
                broker.kill()
                try:
                    more(loads, f"without broker {broker.node}")
                finally:
                    bring_back(kafka_cluster, broker)
            more(loads, "with all brokers")
        for load, server in zip(loads, servers, strict=True):
            check(load, server, 7 * FRAMES)


def start(stack: ExitStack, env: Mapping[str, str]) -> int:
    """`web` and two workers of metrics; the port."""
    processes = stack.enter_context(Processes(env))
    assert processes.start("release").popen.wait(60) == 0
    port = free_port()
    processes.start_web(port)
    for _ in range(2):
        processes.start_worker("metrics")
    return port


def more(loads: Sequence[Load], when: str) -> None:
    """Returns once so many more frames of each were accepted."""
    before = [load.accepted for load in loads]
    wait_until(
        lambda: all(load.accepted >= had + FRAMES for load, had in zip(loads, before, strict=True)),
        f"load {when}",
        60,
    )


def test_too_few_copies_in_sync_are_a_503_with_the_reason_and_the_retry_counts_once(
    kafka_cluster: KafkaCluster,
) -> None:
    broker = kafka_cluster.brokers[0]
    with ExitStack() as stack:
        drains = [Drain.start(stack, kafka_cluster, client) for client in CLIENTS]
        broker.kill()
        try:
            check_readiness(drains)
            assert [drain.post() for drain in drains] == ["503", "503"]
            wait_until(
                lambda: (
                    [find_copies(drain.settings, 10) for drain in drains]
                    == [Copies(2, 3, 4, waiting=4, min_in_sync=3, unclean_election=False)] * 2
                ),
                "partitions that wait",
                30,
            )
            assert [drain.post() for drain in drains] == ["503", "503"]
            check_two_copies(kafka_cluster)
        finally:
            bring_back(kafka_cluster, broker)
        for drain in drains:
            assert "status=503" in drain.web.output
            assert "too few copies are in sync (min.insync.replicas)" in drain.web.output
            assert "status=202" not in drain.web.output
        wait_until(lambda: [drain.post() for drain in drains] == ["202", "202"], "acknowledgements", 30)
        wait_until(lambda: all(drain.counted() >= LINES for drain in drains), "counts of the frames")
        time.sleep(1.0)
        assert [drain.counted() for drain in drains] == [LINES, LINES]


def check_readiness(drains: list[Drain]) -> None:
    """Two brokers answer, also while they still name the third."""
    for drain in drains:
        with closing(open_log(drain.settings).writer()) as writer:
            for _ in range(8):
                writer.check(10)


def check_two_copies(cluster: KafkaCluster) -> None:
    """A topic that is made while two brokers run."""
    prefix = f"two-{uuid.uuid4().hex[:8]}."
    new = Settings.load({"KAFKA_URL": cluster.url, "KAFKA_PREFIX": prefix})
    assert ensure_topic(new, 10) == "created"
    assert find_copies(new, 10) == Copies(2, 2, 32, waiting=0, min_in_sync=1, unclean_election=False)


@dataclass(frozen=True, slots=True)
class Drain:
    """`web` and `metrics` on a topic that wants all three copies in sync, and one frame to post."""

    web: Process
    server: RedisServer
    settings: Settings
    client: LogplexClient
    frame_id: str

    @classmethod
    def start(cls, stack: ExitStack, cluster: KafkaCluster, client: str) -> Drain:
        server = stack.enter_context(RedisServer())
        env = environ(server, cluster, client)
        make(cluster, f"{env['KAFKA_PREFIX']}router", 3, min_insync_replicas="3")
        processes = stack.enter_context(Processes(env))
        port = free_port()
        web = processes.start_web(port)
        processes.start_worker("metrics")
        sender = LogplexClient(f"http://u:p@127.0.0.1:{port}/logs")
        stack.callback(sender.close)
        return cls(web, server, Settings.load(env), sender, str(uuid.uuid4()))

    def post(self) -> str:
        """The same frame each time."""
        return self.client.post([LINE % b"/too-few"] * LINES, self.frame_id)

    def counted(self) -> int:
        return counts(self.server).get("/too-few", 0)
