"""No line holds a worker up; and a message with which every worker hangs or dies all the same is set
aside, and all others count once."""

from __future__ import annotations

import signal
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
import redis

from app.message import decode
from app.settings import Settings
from app.store import dead_letters
from app.store.keys import poison_counts as poison_counts_key
from consumers.replay.load.pace import LIVE_LEAD_S
from servers.kafka_broker import KafkaBroker
from servers.logplex_client import LogplexClient
from servers.ports import free_port
from servers.processes import ROOT, Process, Processes, wait_until
from servers.redis_server import RedisServer
from tests.consumers.replay.samples import append, line
from tests.end_to_end.load import LINE
from tests.support import letters as kept_letters
from tests.support.stored import text_hash
from tests.support.target import RecordingTarget

pytestmark = pytest.mark.slow

CREDENTIALS = {"DRAIN_USER": "u", "DRAIN_PASSWORD": "p"}


def start(processes: Processes, group: str, **more: str) -> Process:
    command = [sys.executable, "-m", "tests.support.hanging_worker", group]
    process = processes.start_command(group, command, ROOT, **more)
    process.wait_for_output("reading: group=")
    return process


def children(process: Process) -> list[int]:
    found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii").split()
    return [int(child) for child in found]


def is_there(pid: int) -> bool:
    """Running; one that has ended and that nobody has asked for yet is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def counted(client: redis.Redis) -> int:
    return int(text_hash(client, "tailrace:apps").get("", 0))


class Sender:
    """Posts frames as Logplex does; each must be accepted, at the first try unless it may take more."""

    def __init__(self, port: int, may_retry: bool = False) -> None:
        self._client = LogplexClient(f"http://u:p@127.0.0.1:{port}/logs")
        self._may_retry = may_retry
        self.sent = 0

    def post(self, *paths: bytes) -> str:
        delivery = self._client.deliver([LINE % path for path in paths])
        assert delivery.accepted, delivery.answers
        assert self._may_retry or delivery.answers == ["202"]
        self.sent += len(paths)
        return delivery.frame_id

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def sender(port: int) -> Iterator[Sender]:
    sender = Sender(port)
    yield sender
    sender.close()


def send_until(letters: int, sender: Sender, client: redis.Redis, timeout_s: float) -> None:
    """Sends ordinary frames until so many letters are there."""
    deadline_s = time.monotonic() + timeout_s
    while kept_letters.count(client) < letters:
        assert time.monotonic() < deadline_s, f"no letter in {timeout_s} s"
        sender.post(b"/well/1", b"/well/2")
        time.sleep(0.2)


def check(client: redis.Redis, sender: Sender, poison_id: str, group: str = "metrics") -> None:
    """The poison is the only letter; all else that was sent is counted once."""
    wait_until(lambda: counted(client) >= sender.sent - 1, "count of all others", 60)
    (letter,) = dead_letters.read(client)
    assert (letter.kind, letter.source) == ("message", group)
    assert letter.reason.startswith("poison: 2 workers hung or died")
    assert decode(letter.value)["id"] == poison_id
    totals = text_hash(client, f"tailrace:group:{group}")
    assert totals["bad"] == "1"
    assert counted(client) == sender.sent - 1
    wait_until(lambda: not client.exists(poison_counts_key(group)), "end of its count")


def test_paths_made_for_a_rule_are_counted_as_soon_as_others(
    redis_url: str, redis_client: redis.Redis, port: int, sender: Sender, tmp_path: Path
) -> None:
    file = tmp_path / "tailrace.yml"
    file.write_text("routes: ['/posts/:year-:month-:day', '/posts/:a.:b.:c.json']\n")
    with Processes({"REDIS_URL": redis_url, "TAILRACE_CONFIG": str(file), **CREDENTIALS}) as processes:
        processes.start_web(port)
        worker = processes.start_worker("metrics")
        for unit in (b"-", b".", b"-.", b"a"):
            sender.post(*[b"/posts/" + unit * (8_000 // len(unit)) + b"/"] * 10)
        sender.post(b"/posts/2026-11-23")
        wait_until(lambda: counted(redis_client) == sender.sent, "count of all", 30)
        assert "/posts/:year-:month-:day" in text_hash(redis_client, "routes")
        assert worker.terminate(10) == 0
        assert "killed" not in worker.output


@pytest.mark.parametrize("path", [b"/hang", b"/die"])
def test_a_message_that_holds_two_workers_is_set_aside_and_no_sender_notices(
    redis_url: str, redis_client: redis.Redis, port: int, sender: Sender, path: bytes
) -> None:
    with Processes({"REDIS_URL": redis_url, **CREDENTIALS}) as processes:
        processes.start_web(port)
        workers = [start(processes, "metrics") for _ in range(2)]
        frame_id = sender.post(b"/before", path, b"/after")
        send_until(1, sender, redis_client, 90)
        check(redis_client, sender, f"{frame_id}.1")
        output = "".join(worker.output for worker in workers)
        assert output.count("the worker died while processing a message and is restarted") == 2
        assert (
            output.count(f"a message that stopped two workers is moved to the dead letters: id={frame_id}.1")
            == 1
        )
        assert [worker.terminate(10) for worker in workers] == [0, 0]


def test_a_message_with_which_every_worker_fails_ends_no_more_than_two(
    redis_url: str, redis_client: redis.Redis, port: int, sender: Sender
) -> None:
    with Processes({"REDIS_URL": redis_url, **CREDENTIALS}) as processes:
        processes.start_web(port)
        frame_id = sender.post(b"/before", b"/fail", b"/after")
        for _ in range(2):
            worker = start(processes, "metrics")
            assert worker.popen.wait(30) == 1  # As for any defect: the platform starts it again.
            assert "RuntimeError: nobody expects this" in worker.output
        worker = start(processes, "metrics")
        send_until(1, sender, redis_client, 60)
        check(redis_client, sender, f"{frame_id}.1")
        assert worker.terminate(10) == 0


@pytest.mark.kafka
def test_a_message_that_holds_two_workers_is_set_aside_on_kafka_too(kafka_broker: KafkaBroker) -> None:
    """By both clients at once: a group mostly waits until the broker gives up a member that was killed."""
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(partial(check_on_kafka, kafka_broker), ("kafka-python", "confluent")))


def check_on_kafka(broker: KafkaBroker, client: str) -> None:
    with RedisServer() as server, redis.Redis.from_url(server.url) as store:
        environ = {
            "REDIS_URL": server.url,
            "KAFKA_URL": broker.url,
            "KAFKA_PREFIX": f"poison-{uuid.uuid4().hex[:8]}.",
            "KAFKA_CLIENT": client,
        }
        with Processes({**environ, **CREDENTIALS}) as processes:
            assert processes.start("release").popen.wait(60) == 0
            port = free_port()
            processes.start_web(port)
            workers = [start(processes, "metrics") for _ in range(2)]
            # A busy broker acknowledges late. A retry has the same frame id, and counts once.
            with closing(Sender(port, may_retry=True)) as sender:
                frame_id = sender.post(b"/before", b"/hang", b"/after")
                send_until(1, sender, store, 150)
                check(store, sender, f"{frame_id}.1")
            assert [worker.terminate(15) for worker in workers] == [0, 0]


@pytest.mark.parametrize("delivery", ["at-most-once", "at-least-once"])
def test_a_message_that_holds_two_replay_workers_is_set_aside_and_all_others_are_sent(
    redis_url: str, redis_client: redis.Redis, delivery: str
) -> None:
    with RecordingTarget() as target:
        environ = {"REDIS_URL": redis_url, "REPLAY_HOST": target.url, "REPLAY_DELIVERY": delivery}
        # What waits for the third worker would be late.
        environ["REPLAY_MAX_LATE_MS"] = "120000"
        with Processes(environ) as processes:
            worker = start(processes, "replay")
            wait_until(
                lambda: bool(redis_client.hget("tailrace:log:router:meta", "read:replay")), "the group"
            )
            append(Settings.load(environ), [line("/before"), line("/hang"), line("/after")])
            wait_until(lambda: kept_letters.count(redis_client) == 1, "the letter", 60)
            wait_until(lambda: len(target.seen) == 2, "the others", 30)
            time.sleep(LIVE_LEAD_S)
            assert sorted(target.targets()) == [b"/after", b"/before"]
            (letter,) = dead_letters.read(redis_client)
            assert letter.source == "replay"
            assert letter.reason.startswith("poison: ")
            assert worker.terminate(10) == 0


def has_pending(client: redis.Redis) -> bool:
    try:
        return bool(client.xpending("tailrace:log:router", "metrics")["pending"])
    except redis.ResponseError:
        return False  # The group is not there yet.


def hang(processes: Processes, client: redis.Redis, environ: dict[str, str]) -> Process:
    """A worker that computes on one message, and has just begun."""
    append(Settings.load(environ), [line("/hang")])
    worker = start(processes, "metrics")
    wait_until(lambda: has_pending(client), "its message")
    return worker


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_hangs_ends_in_time_when_it_is_told(
    redis_url: str, redis_client: redis.Redis, number: signal.Signals
) -> None:
    with Processes({"REDIS_URL": redis_url}) as processes:
        worker = hang(processes, redis_client, processes.environ)
        started_s = time.monotonic()
        worker.popen.send_signal(number)
        assert worker.popen.wait(20) == 0
        assert time.monotonic() - started_s < 10


def test_a_guard_that_is_killed_leaves_no_worker(redis_url: str, redis_client: redis.Redis) -> None:
    with Processes({"REDIS_URL": redis_url}) as processes:
        worker = hang(processes, redis_client, processes.environ)
        (child,) = children(worker)
        worker.popen.kill()
        worker.popen.wait(10)
        wait_until(lambda: not is_there(child), "end of its worker", 5)
