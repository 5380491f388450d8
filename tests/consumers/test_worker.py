"""The worker's loop: it ends when told, waits for what is away, and settles each batch once."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import cast

import pytest
import redis

from app.errors import LogUnavailable, TailraceError
from app.log import Batch, Reader, open_log
from app.log.redis.stream import group_lag, log_counts
from app.message import decode
from app.redis_client import connect
from app.settings import Settings
from app.store.keys import WORKERS
from app.store.keys import poison_counts as poison_counts_key
from app.store.settle import settle
from app.store.workers import all_workers
from consumers.worker import Worker
from servers.kafka_broker import KafkaBroker
from servers.processes import Process, Processes, wait_until
from servers.redis_server import RedisServer
from tests.app.log.logs import frame, said
from tests.support.stopping import stopped

STATUS_EVERY_S = 0.2


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a worker in a thread does every few seconds, it does every few tenths."""
    monkeypatch.setattr("consumers.status.STATUS_EVERY_S", STATUS_EVERY_S)
    monkeypatch.setattr("consumers.worker.POLL_S", 0.1)
    monkeypatch.setattr("app.backoff.MAX_DELAY_S", 0.3)


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A server that the test may stop."""
    with RedisServer() as server:
        yield server


class Running:
    """A worker in a thread, and the ids that it has handled, in order."""

    def __init__(self, url: str, settle_batch: Callable[[redis.Redis, Batch], None] | None = None) -> None:
        self.settings = Settings.load({"REDIS_URL": url})
        self.store = connect(self.settings, connections=4, timeout_s=2)
        self.stop = Event()
        self.handled: list[str] = []
        self._settle = settle_batch or _settle
        self.worker = Worker(
            group="metrics",
            open_reader=self.open_reader,
            handle=self.handle,
            store=self.store,
            stop=self.stop,
        )
        self._thread = threading.Thread(target=self.worker.run)

    def open_reader(self) -> Reader:
        return open_log(self.settings).reader(
            "metrics", "earliest", rewind_to_store=True, reads_platform=True
        )

    def handle(self, batch: Batch, keepalive: Callable[[], None]) -> None:
        self.keepalive = keepalive
        self._settle(self.store, batch)
        self.handled += [found["id"] for found in batch.messages + batch.platform]

    def write(self, name: str, count: int = 3, platform: int = 0) -> None:
        writer = open_log(self.settings).writer()
        writer.append(name, frame(name, count), 4, platform=said(name, count, platform))
        writer.close()

    def __enter__(self) -> Running:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._thread.join(15)
        self.store.close()
        assert not self._thread.is_alive()


def _settle(store: redis.Redis, batch: Batch) -> None:
    settle(store, batch.claim)


def ids(name: str, count: int = 3) -> list[str]:
    return [f"{name}.{index}" for index in range(count)]


def test_batches_are_handled_and_settled(redis_url: str) -> None:
    with Running(redis_url) as running:
        running.write("f1")
        wait_until(lambda: running.handled == ids("f1"), "first batch")
        running.write("f2")
        wait_until(lambda: running.handled == ids("f1") + ids("f2"), "second batch")
    assert log_counts(redis.Redis.from_url(redis_url))["read:metrics"] == 6


def test_batches_too_large_to_be_settled_in_time_become_smaller(redis_url: str) -> None:
    def slow(store: redis.Redis, batch: Batch) -> None:
        if len(batch.messages) > 20:  # As on a machine that needs 15 s for them.
            store.delete(batch.lease)
        settle(store, batch.claim)

    running = Running(redis_url, slow)
    running.worker.max_messages = 100
    for number in range(100):
        running.write(f"f{number}", 1)
    with running:
        wait_until(lambda: len(running.handled) == 100, "messages in smaller batches")
    assert len(set(running.handled)) == 100


def test_a_worker_that_is_told_to_stop_finishes_its_batch_and_takes_no_other(redis_url: str) -> None:
    told = Event()

    def slow(store: redis.Redis, batch: Batch) -> None:
        told.set()
        assert running.stop.wait(10)
        settle(store, batch.claim)

    with Running(redis_url, slow) as running:
        running.write("f1")
        assert told.wait(10)
        running.write("f2")
    assert running.handled == ids("f1")
    with Running(redis_url) as heir:
        wait_until(lambda: heir.handled == ids("f2"), "the rest")


def test_an_answer_that_was_lost_makes_no_batch_count_twice(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[str] = []

    def settle_and_lose_the_answer(store: redis.Redis, batch: Batch) -> None:
        calls.append(batch.messages[0]["id"])
        settle(store, batch.claim)
        if len(calls) == 1:
            raise redis.ConnectionError("the connection broke after the script had run")

    with Running(redis_url, settle_and_lose_the_answer) as running:
        running.write("f1")
        wait_until(lambda: len(calls) == 2, "second try")
        running.write("f2")
        wait_until(lambda: running.handled == ids("f2"), "next batch")
    assert calls == ["f1.0", "f1.0", "f2.0"]
    assert log_counts(redis.Redis.from_url(redis_url))["read:metrics"] == 6
    assert "the batch is not settled: ConnectionError" in caplog.text


def test_a_batch_that_was_not_settled_is_tried_again_until_it_is(redis_url: str) -> None:
    calls: list[str] = []

    def fail_twice(store: redis.Redis, batch: Batch) -> None:
        calls.append(batch.messages[0]["id"])
        if len(calls) <= 2:
            raise LogUnavailable("not now")
        settle(store, batch.claim)

    with Running(redis_url, fail_twice) as running:
        running.write("f1")
        wait_until(lambda: running.handled == ids("f1"), "third try")


def test_a_stale_batch_is_dropped_and_read_again_by_whoever_holds_it(redis_url: str) -> None:
    stolen: list[str] = []

    def lose_the_lease_once(store: redis.Redis, batch: Batch) -> None:
        if not stolen:
            stolen.extend(found["id"] for found in batch.messages)
            store.delete(batch.lease)
        settle(store, batch.claim)

    with Running(redis_url, lose_the_lease_once) as running:
        running.write("f1")
        wait_until(lambda: running.handled == ids("f1"), "second reading")
    assert stolen == ids("f1")


def test_a_worker_tells_its_lag_and_signs_off(redis_url: str) -> None:
    store = redis.Redis.from_url(redis_url)
    with Running(redis_url) as running:
        wait_until(lambda: len(all_workers(store, int(time.time() * 1000))) == 1, "status")
        (status,) = all_workers(store, int(time.time() * 1000))
        assert (status.group, status.lag_messages, status.whole_group) == ("metrics", 0, True)
        assert status.id == running.worker.id
    assert all_workers(store, int(time.time() * 1000)) == []


@pytest.mark.parametrize("away", ["at the start", "later"])
def test_a_worker_whose_log_is_away_says_that_it_waits(redis_url: str, away: str) -> None:
    client = redis.Redis.from_url(redis_url)
    is_away = Event()

    class Kept:
        """A reader whose broker may be away."""

        def __init__(self, reader: Reader) -> None:
            self._reader = reader

        def __getattr__(self, name: str) -> object:
            return getattr(self._reader, name)

        def poll(self, timeout_s: float, max_messages: int) -> Batch | None:
            if is_away.is_set():
                raise LogUnavailable("the broker does not answer")
            return self._reader.poll(0.2, max_messages)

    class WithBroker(Running):
        def open_reader(self) -> Reader:
            if is_away.is_set() and away == "at the start":
                raise LogUnavailable("the broker does not answer")
            return cast(Reader, Kept(super().open_reader()))

    def says(waits: bool) -> bool:
        return [told.waits for told in all_workers(client, int(time.time() * 1000))] == [waits]

    if away == "at the start":
        is_away.set()
    with WithBroker(redis_url) as running:
        running.write("f1")
        if away == "later":
            wait_until(lambda: says(False), "its first word")
            is_away.set()
        wait_until(lambda: says(True), "that it waits")
        is_away.clear()
        wait_until(lambda: says(False), "that it waits no more")
        wait_until(lambda: running.handled == ids("f1"), "the batch")


def test_a_worker_that_has_read_nothing_yet_is_behind_since_it_started(redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url)

    def never(store: redis.Redis, batch: Batch) -> None:
        time.sleep(STATUS_EVERY_S + 0.2)
        running.keepalive()
        raise LogUnavailable("not now")

    with Running(redis_url, never) as running:
        running.write("f1")
        wait_until(
            lambda: any(
                told.lag_seconds > STATUS_EVERY_S for told in all_workers(client, int(time.time() * 1000))
            ),
            "how far it is behind",
        )
        running.stop.set()


def test_a_worker_is_seen_and_keeps_its_place_while_a_batch_takes_long(redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url)
    seen: list[int] = []

    def slow(store: redis.Redis, batch: Batch) -> None:
        lease = batch.lease
        client.pexpire(lease, 5_000)
        client.delete(WORKERS)
        time.sleep(STATUS_EVERY_S + 0.1)
        running.keepalive()
        seen.extend([len(all_workers(client, int(time.time() * 1000))), client.pttl(lease)])
        settle(store, batch.claim)

    with Running(redis_url, slow) as running:
        running.write("f1")
        wait_until(lambda: running.handled == ids("f1"), "the batch")
    assert seen[0] == 1
    assert seen[1] > 10_000


def test_a_worker_that_cannot_settle_says_how_long_it_is_behind(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # For so long its word is there to be seen.
    monkeypatch.setattr("consumers.status.STATUS_EVERY_S", 1.0)
    store = redis.Redis.from_url(redis_url)
    release = Event()

    def slow_once(store: redis.Redis, batch: Batch) -> None:
        settle(store, batch.claim)
        if batch.messages[0]["id"] == "f1.0":
            assert release.wait(10)
            time.sleep(1.1)  # The next word is due, and what waits is old.

    with Running(redis_url, slow_once) as running:
        running.write("f1")
        wait_until(lambda: log_counts(store).get("read:metrics", 0) == 3, "first batch")
        running.write("f2", 7)
        release.set()
        wait_until(
            lambda: (
                [
                    (told.lag_messages, told.lag_seconds > 0.5)
                    for told in all_workers(store, int(time.time() * 1000))
                ]
                == [(7, True)]
            ),
            "lag",
        )
        wait_until(lambda: running.handled == ids("f1") + ids("f2", 7), "the rest")


def test_a_redis_that_is_lost_is_waited_for_with_one_line_in_the_log(
    own_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with Running(own_redis.url) as running:
        running.write("f1")
        wait_until(lambda: running.handled == ids("f1"), "first batch")
        own_redis.stop()
        time.sleep(1.5)
        own_redis.start()
        running.write("f2")
        wait_until(lambda: running.handled == ids("f1") + ids("f2"), "batch after the outage")
    said = [record.message for record in caplog.records if record.message.startswith(("waiting", "back"))]
    assert [line.split()[0] for line in said] == ["waiting:", "back"], said


def test_a_redis_that_comes_late_is_waited_for(own_redis: RedisServer) -> None:
    own_redis.stop()
    with Running(own_redis.url) as running:
        time.sleep(0.5)
        own_redis.start()
        running.write("f1")
        wait_until(lambda: running.handled == ids("f1"), "first batch")


def test_a_worker_that_waits_for_redis_stops_at_once_when_told(
    own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.backoff.FIRST_DELAY_S", 30.0)
    monkeypatch.setattr("app.backoff.MAX_DELAY_S", 30.0)
    own_redis.stop()
    with Running(own_redis.url):
        time.sleep(0.5)  # By now it waits, for 15 s or more.
        started = time.monotonic()
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("fault", "count"), [(RuntimeError("nobody expects this"), b"1"), (TailraceError("on purpose"), None)]
)
def test_what_fails_with_a_message_in_hand_is_counted_unless_it_is_on_purpose(
    redis_url: str, fault: Exception, count: bytes | None
) -> None:
    def fail(store: redis.Redis, batch: Batch) -> None:
        running.worker.current_message.cursor[0] = 2
        raise fault

    running = Running(redis_url, fail)
    running.write("f1")
    with pytest.raises(type(fault)):
        running.worker.run()
    assert running.store.hget(poison_counts_key("metrics"), "f1.1") == count
    assert running.worker.current_message.is_empty
    running.store.close()


def test_a_message_of_the_platform_that_stops_workers_becomes_a_dead_letter_and_the_rest_is_handled(
    redis_url: str,
) -> None:
    bad: list[str] = []

    def fail_on_one(store: redis.Redis, batch: Batch) -> None:
        bad.extend(decode(found.value)["id"] for found in batch.bad if found.is_poison)
        names = [found["id"] for found in batch.messages + batch.platform]
        for number, name in enumerate(names, 1):
            running.worker.current_message.cursor[0] = number
            if name == "f1.3":
                raise RuntimeError("nobody expects this")
        running.worker.current_message.cursor[0] = 0
        settle(store, batch.claim)

    for _ in range(2):
        running = Running(redis_url, fail_on_one)
        if not bad and not running.store.hlen(poison_counts_key("metrics")):
            running.write("f1", 2, platform=3)
        with pytest.raises(RuntimeError):
            running.worker.run()
        running.store.close()
    running = Running(redis_url, fail_on_one)
    with running:
        wait_until(lambda: running.handled == ["f1.0", "f1.1", "f1.2", "f1.4"], "the others")
        wait_until(lambda: running.store.hget(poison_counts_key("metrics"), "f1.3") is None, "forgetting")
    assert bad == ["f1.3"]


def test_what_the_platform_said_is_part_of_the_lag_until_it_is_settled(redis_url: str) -> None:
    store = redis.Redis.from_url(redis_url)
    release = Event()

    def slow(store: redis.Redis, batch: Batch) -> None:
        assert release.wait(15)
        settle(store, batch.claim)

    with Running(redis_url, slow) as running:
        running.write("f1", 0, platform=4)
        assert group_lag(log_counts(store), "metrics") == 4
        release.set()
        wait_until(lambda: running.handled == [f"f1.{index}" for index in range(4)], "the batch")
    assert group_lag(log_counts(store), "metrics") == 0


# --- as a process ---------------------------------------------------------------------------


def ends_well(process: Process, limit_s: float) -> bool:
    started = time.monotonic()
    code = process.terminate()
    return code == 0 and time.monotonic() - started < limit_s


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_metrics_process_ends_with_0_on_a_signal(redis_url: str, number: signal.Signals) -> None:
    with Processes({"REDIS_URL": redis_url}) as processes:
        worker = processes.start_worker("metrics")
        started = time.monotonic()
        worker.popen.send_signal(number)
        assert worker.popen.wait(15) == 0
        assert time.monotonic() - started < 5
        assert "stopped: group=metrics" in worker.output
        assert "Traceback" not in worker.output


def test_the_metrics_process_ends_in_time_even_where_redis_hangs(own_redis: RedisServer) -> None:
    with Processes({"REDIS_URL": own_redis.url}) as processes:
        worker = processes.start_worker("metrics")
        time.sleep(0.5)
        with stopped(own_redis.pid):
            assert ends_well(worker, 10)


def test_the_metrics_process_ends_in_time_where_redis_is_away(own_redis: RedisServer) -> None:
    with Processes({"REDIS_URL": own_redis.url}) as processes:
        worker = processes.start_worker("metrics")
        own_redis.stop()
        worker.wait_for_output("waiting: ")
        assert ends_well(worker, 8)


def test_bad_settings_end_the_metrics_process_with_2_and_every_fault(tmp_path: Path) -> None:
    with Processes({"REDIS_URL": "http://x", "ROUTES_MAX": "none"}) as processes:
        worker = processes.start("metrics")
        assert worker.popen.wait(20) == 2
        assert "REDIS_URL" in worker.output
        assert "ROUTES_MAX" in worker.output
        assert "Traceback" not in worker.output


@pytest.mark.kafka
@pytest.mark.parametrize("client", ["kafka-python", "confluent"])
def test_the_metrics_process_ends_with_0_when_it_reads_from_kafka(
    redis_url: str, kafka_broker: KafkaBroker, client: str
) -> None:
    environ = {"REDIS_URL": redis_url, "KAFKA_URL": kafka_broker.url, "KAFKA_CLIENT": client}
    with Processes({**environ, "KAFKA_PREFIX": f"end-{client}."}) as processes:
        worker = processes.start_worker("metrics")
        time.sleep(1)
        assert ends_well(worker, 8)
        assert "stopped: group=metrics" in worker.output
        assert "Traceback" not in worker.output


@pytest.mark.kafka
def test_the_metrics_process_waits_for_a_broker_that_is_not_there(redis_url: str) -> None:
    with Processes({"REDIS_URL": redis_url, "KAFKA_URL": "kafka://127.0.0.1:9"}) as processes:
        worker = processes.start("metrics")
        worker.wait_for_output("waiting: no Kafka broker answers")
        assert ends_well(worker, 10)
        assert worker.output.count("waiting: ") == 1


@pytest.mark.kafka
def test_after_redis_is_cleared_the_metrics_process_says_so_and_goes_on(
    redis_url: str, kafka_broker: KafkaBroker
) -> None:
    environ = {"REDIS_URL": redis_url, "KAFKA_URL": kafka_broker.url, "KAFKA_PREFIX": "cleared."}
    store = redis.Redis.from_url(redis_url)
    with Processes(environ) as processes:
        worker = processes.start_worker("metrics")
        writer = open_log(Settings.load(environ)).writer()
        writer.append("f1", frame("f1", 3), 10)
        worker.wait_until(lambda: store.hget("tailrace:apps", "") == b"3", "counts")
        store.flushall()
        writer.append("f1", frame("f1", 5), 4)
        worker.wait_until(lambda: store.hget("tailrace:apps", "") == b"2", "counts that start over")
        writer.close()
        worker.wait_for_output("Redis was cleared: the figures start over")
        assert ends_well(worker, 10)
