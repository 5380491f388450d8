"""A real Apache Kafka on loopback: one KRaft node, or a cluster of three.

Every node has a data folder of its own.
"""

from __future__ import annotations

import base64
import contextlib
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from app.log.kafka.copies import live_brokers
from servers.kafka_jars import ARCHIVE, jars
from servers.local_server import LocalServer
from servers.ports import free_port
from servers.processes import wait_until

QUICK = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""JVM options of what lives for seconds: it starts in less than half of the time, and runs slower."""

START_S = 60.0
STOP_S = 30.0
CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qk"

SETTINGS = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "auto.create.topics.enable": "false",
    "log.retention.check.interval.ms": "1000",
    "log.initial.task.delay.ms": "1000",
}


class KafkaBroker(LocalServer):
    """One broker on free ports.

    `protocol` is that of its clients: PLAINTEXT, SSL, SASL_SSL or SASL_PLAINTEXT; what else they
    need comes in `extra` (server.properties) and `scram` (user -> password, made at format time).
    A plain listener for the tests' own use is always there: `admin_server`. A node of a cluster has
    its number, from 1, in `node`, and the ports of all nodes' controllers in `controllers`. `jvm`:
    more options of Java.
    """

    def __init__(
        self,
        protocol: str = "PLAINTEXT",
        extra: Mapping[str, str] | None = None,
        scram: Mapping[str, str] | None = None,
        node: int = 1,
        controllers: Sequence[int] = (),
        jvm: Sequence[str] = (),
    ) -> None:
        found = jars()
        super().__init__("kafka", START_S, STOP_S)
        self._jars = found
        self._jvm = jvm
        self._protocol = protocol
        self._scram = dict(scram or {})
        self._formatted = False
        self.node = node
        controllers = controllers or (free_port(),)
        controller = controllers[node - 1]
        self.port, admin = free_port(), free_port()
        self.admin_server = f"127.0.0.1:{admin}"
        self._settings = {
            **SETTINGS,
            "node.id": str(node),
            "controller.quorum.voters": ",".join(
                f"{number}@127.0.0.1:{port}" for number, port in enumerate(controllers, 1)
            ),
            "listeners": (
                f"CLIENTS://127.0.0.1:{self.port},ADMIN://{self.admin_server},"
                f"CONTROLLER://127.0.0.1:{controller}"
            ),
            "advertised.listeners": f"CLIENTS://127.0.0.1:{self.port},ADMIN://{self.admin_server}",
            "listener.security.protocol.map": (f"CLIENTS:{protocol},ADMIN:PLAINTEXT,CONTROLLER:PLAINTEXT"),
            "inter.broker.listener.name": "ADMIN",
            "log.dirs": str(self._folder / "data"),
            **(extra or {}),
        }

    @property
    def url(self) -> str:
        """As KAFKA_URL."""
        scheme = "kafka+ssl" if self._protocol in ("SSL", "SASL_SSL") else "kafka"
        return f"{scheme}://127.0.0.1:{self.port}"

    def start(self) -> None:
        properties = self._folder / "server.properties"
        if not self._formatted:
            properties.write_text("".join(f"{name}={value}\n" for name, value in self._settings.items()))
            self._format(properties)
            self._formatted = True
        shared = [f"-XX:SharedArchiveFile={ARCHIVE}"] if ARCHIVE.exists() else []
        command = ["java", "-Xmx512m", *shared, *self._jvm, "-cp", f"{self._jars}/*"]
        self._launch([*command, "kafka.Kafka", str(properties)])

    def _format(self, properties: Path) -> None:
        """Prepares its data folder. Only for users, which are records of the metadata, with Kafka's own tool:
        that takes as long as half a start of the broker."""
        if self._scram:
            users = [
                part
                for user, password in self._scram.items()
                for part in ("--add-scram", f"SCRAM-SHA-512=[name={user},password={password}]")
            ]
            self._java("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(properties), *users)
            return
        data = Path(self._settings["log.dirs"])
        data.mkdir(parents=True)
        directory_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=")
        ids = {
            "version": "1",
            "cluster.id": CLUSTER_ID,
            "node.id": self._settings["node.id"],
            "directory.id": directory_id,
        }
        (data / "meta.properties").write_text("".join(f"{name}={value}\n" for name, value in ids.items()))

    def _java(self, *command: str) -> None:
        done = subprocess.run(
            ["java", "-Xmx256m", *QUICK, "-cp", f"{self._jars}/*", *command],
            capture_output=True,
            text=True,
            timeout=START_S,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed:\n{done.stdout[-800:]}{done.stderr[-800:]}")

    def _answers(self) -> bool:
        with contextlib.suppress(KafkaError):
            admin = self.admin(timeout_ms=2_000)
            try:
                return bool(admin.list_topics() is not None)
            finally:
                admin.close()
        return False

    def admin(self, timeout_ms: int = 10_000) -> KafkaAdminClient:
        """A client of the plain listener that may do everything; close it."""
        return KafkaAdminClient(
            bootstrap_servers=self.admin_server,
            request_timeout_ms=timeout_ms,
            bootstrap_timeout_ms=timeout_ms,
        )

    def known_brokers(self) -> int:
        """How many it says there are, itself among them. Raises KafkaError."""
        with contextlib.closing(self.admin()) as admin:
            return len(live_brokers(admin))


NODES = 3
CLUSTER_SETTINGS = {
    "offsets.topic.replication.factor": "3",
    "offsets.topic.num.partitions": "3",
    # A dead broker is noticed in a third of the usual time.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "replica.lag.time.max.ms": "3000",
    "controller.quorum.fetch.timeout.ms": "1000",
    "controller.quorum.election.timeout.ms": "500",
}


class KafkaCluster:
    """Three brokers, each a controller too: any one may die. A `with` block, or start and remove."""

    def __init__(self) -> None:
        controllers = [free_port() for _ in range(NODES)]
        self.brokers = [
            KafkaBroker(extra=CLUSTER_SETTINGS, node=number, controllers=controllers, jvm=QUICK)
            for number in range(1, NODES + 1)
        ]

    @property
    def url(self) -> str:
        """As KAFKA_URL, with all three."""
        return ",".join(broker.url for broker in self.brokers)

    def start(self) -> None:
        """Starts all nodes at once: two are needed before one answers."""
        with ThreadPoolExecutor(NODES) as threads:
            list(threads.map(KafkaBroker.start, self.brokers))
        # One that answers may not have heard of the others yet: a topic made then has a single copy.
        wait_until(self._know_each_other, "each broker to know all three", START_S)

    def remove(self) -> None:
        for broker in self.brokers:
            broker.remove()

    def admin(self) -> KafkaAdminClient:
        """A client that may do everything, of whichever nodes run; close it."""
        return KafkaAdminClient(
            bootstrap_servers=[broker.admin_server for broker in self.brokers],
            request_timeout_ms=10_000,
            bootstrap_timeout_ms=10_000,
        )

    def _know_each_other(self) -> bool:
        with contextlib.suppress(KafkaError):
            return all(broker.known_brokers() == NODES for broker in self.brokers)
        return False

    def partitions(self, *topics: str) -> list[dict[str, Any]]:
        """Of these topics, or of all; empty where no node tells."""
        with contextlib.suppress(KafkaError):
            with contextlib.closing(self.admin()) as admin:
                described = admin.describe_topics(list(topics) or None)
            if all(topic["error_code"] == 0 for topic in described):
                return [partition for topic in described for partition in topic["partitions"]]
        return []

    def is_in_sync(self) -> bool:
        """Whether every copy of every topic is."""
        found = self.partitions()
        return bool(found) and all(
            part["leader_id"] > 0 and len(part["isr_nodes"]) == len(part["replica_nodes"]) for part in found
        )

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *fault: object) -> None:
        self.remove()
