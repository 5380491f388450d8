"""Deliveries on real Redis and real HTTP: a target that hangs, fails or is dead delays nothing else."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from threading import Event, Thread

import orjson
import pytest
import redis

from app.alerts.message import Message
from app.alerts.redis import lease, outbox
from app.alerts.redis.board import commit
from app.alerts.redis.outbox import TargetStatus
from app.alerts.targets.target import Target
from consumers.alerts.delivery import Deliveries, Sender
from servers.ports import free_port
from servers.processes import wait_until
from tests.app.alerts.redis.made import AT_S, message, step
from tests.consumers.alerts.posting import KINDS, Posting, target
from tests.support.target import RecordingTarget, SeenRequest, answer

ME = "me"


@pytest.fixture
def store(redis_client: redis.Redis) -> redis.Redis:
    lease.acquire(redis_client, ME, 600)
    return redis_client


@pytest.fixture
def receiver() -> Iterator[RecordingTarget]:
    with RecordingTarget() as found:
        yield found


class Clock:
    def __init__(self) -> None:
        self.now_s = float(AT_S)

    def __call__(self) -> float:
        return self.now_s


def put(store: redis.Redis, *messages: Message) -> None:
    assert commit(store, ME, step(), messages)


def ids(receiver: RecordingTarget) -> list[str]:
    return [orjson.loads(seen.body)["id"] for seen in receiver.seen]


def sender(store: redis.Redis, to: Target, clock: Clock) -> Sender:
    """One whose steps a test takes itself."""
    made = Sender(store, ME, to, Posting(), clock)
    made.may_send = True
    return made


def test_messages_arrive_in_their_order(store: redis.Redis, receiver: RecordingTarget) -> None:
    put(store, message(), message("i2"), message("i1", 2, "resolved"))
    deliveries = Deliveries(store, ME, {"ops": target(receiver.url)}, KINDS)
    deliveries.resume()
    wait_until(lambda: len(receiver.seen) == 3, "messages")
    put(store, message("i3"))
    deliveries.wake()
    wait_until(lambda: len(receiver.seen) == 4, "the message that came later", 4)
    wait_until(lambda: not outbox.read_outbox(store).waiting, "empty outbox")
    deliveries.close()
    assert ids(receiver) == ["i1.1", "i2.1", "i1.2", "i3.1"]


def test_nothing_is_sent_without_the_lease(store: redis.Redis, receiver: RecordingTarget) -> None:
    put(store, message())
    deliveries = Deliveries(store, "another", {"ops": target(receiver.url)}, KINDS)
    deliveries.resume()
    time.sleep(0.3)
    deliveries.close()
    assert receiver.seen == []


def test_nothing_is_begun_once_it_is_paused(store: redis.Redis, receiver: RecordingTarget) -> None:
    begun, ends = Event(), Event()

    def behave(connection: socket.socket, seen: SeenRequest) -> bool:
        begun.set()
        ends.wait(10)
        return answer()(connection, seen)

    receiver.behaviour = behave
    put(store, message(), message("i2"))
    deliveries = Deliveries(store, ME, {"ops": target(receiver.url)}, KINDS)
    deliveries.resume()
    assert begun.wait(10)
    deliveries.pause()
    assert deliveries.is_sending
    ends.set()
    wait_until(lambda: not deliveries.is_sending, "end of what was being sent")
    time.sleep(0.2)
    assert ids(receiver) == ["i1.1"]
    deliveries.resume()
    wait_until(lambda: ids(receiver) == ["i1.1", "i2.1"], "the next message")
    deliveries.close()


def test_a_target_that_hangs_delays_no_other_and_not_the_end(
    store: redis.Redis, receiver: RecordingTarget
) -> None:
    with RecordingTarget(answer(delay_s=30)) as hanging:
        targets = {"hangs": target(hanging.url, "hangs"), "ops": target(receiver.url)}
        put(store, *(message(f"i{number}", to=("hangs", "ops")) for number in range(5)))
        deliveries = Deliveries(store, ME, targets, KINDS)
        deliveries.resume()
        wait_until(lambda: len(receiver.seen) == 5, "messages of the other target", 8)
        wait_until(lambda: len(hanging.seen) == 1, "begin of the one that hangs")
        began_s = time.monotonic()
        deliveries.close(within_s=0.2)
        assert time.monotonic() - began_s < 5
        assert len(hanging.seen) == 1


def test_what_is_not_taken_is_sent_again_for_ten_minutes_and_then_given_up(
    store: redis.Redis, receiver: RecordingTarget, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    receiver.behaviour = answer(500)
    put(store, message(), message("i1", 2, "resolved"))
    clock = Clock()
    sending = sender(store, target(receiver.url), clock)
    times = []
    while ids(receiver).count("i1.1") == len(receiver.seen):
        before = len(receiver.seen)
        wait_s = sending.deliver_next()
        if len(receiver.seen) > before:
            times.append(clock.now_s - AT_S)
        clock.now_s += wait_s
        assert len(times) < 100
    assert times[:6] == [0, 2, 6, 14, 30, 62]
    assert times[-2:-1] == [600]
    assert ids(receiver)[-1] == "i1.2"  # The end is told all the same.
    (status,) = outbox.statuses(store)
    assert (status.given_up, status.given_up_s, status.waiting) == (1, AT_S + 600, 1)
    assert status.reason == "it answered 500"
    errors = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
    assert errors == ["an alert is not delivered: target=ops id=i1.1 reason=it answered 500"]
    assert len([one for one in caplog.records if one.levelno == logging.WARNING]) == 1
    assert "very-secret" not in caplog.text


def test_a_target_is_asked_again_when_it_says(store: redis.Redis, receiver: RecordingTarget) -> None:
    receiver.behaviour = answer(429, head=b"Retry-After: 90\r\n")
    put(store, message())
    clock = Clock()
    sending = sender(store, target(receiver.url), clock)
    sending.deliver_next()
    clock.now_s += 89
    sending.deliver_next()
    assert len(receiver.seen) == 1
    receiver.behaviour = answer()
    clock.now_s += 1
    sending.deliver_next()
    assert ids(receiver) == ["i1.1", "i1.1"]
    assert outbox.statuses(store) == [
        TargetStatus("ops", delivered_s=AT_S + 90, failed_s=AT_S, reason="it answered 429")
    ]


def test_what_a_target_refuses_for_good_is_given_up_at_once(
    store: redis.Redis, receiver: RecordingTarget
) -> None:
    receiver.behaviour = answer(410)
    put(store, message())
    sender(store, target(receiver.url), Clock()).deliver_next()
    (status,) = outbox.statuses(store)
    assert (len(receiver.seen), status.given_up, status.waiting) == (1, 1, 0)


def test_a_target_that_lacks_a_secret_says_which(store: redis.Redis, receiver: RecordingTarget) -> None:
    unset = ("targets: ops: OPS_URL is not in the environment",)
    put(store, message())
    sender(store, Target("ops", "posting", "", unset=unset), Clock()).deliver_next()
    (status,) = outbox.statuses(store)
    assert (status.given_up, status.reason) == (1, unset[0])


def test_a_defect_of_a_kind_is_a_failure_without_its_text(
    store: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Posting):
        def send(self, target: Target, message: Message, timeout_s: float) -> None:
            raise RuntimeError(target.url)

    put(store, message())
    clock = Clock()
    broken = Sender(store, ME, target("http://127.0.0.1:1"), Broken(), clock)
    broken.may_send = True
    broken.deliver_next()
    (status,) = outbox.statuses(store)
    assert (status.reason, status.waiting) == ("RuntimeError while sending", 1)
    assert "very-secret" not in caplog.text


def test_a_dead_target_gets_its_messages_once_it_is_back(store: redis.Redis) -> None:
    port, clock = free_port(), Clock()
    put(store, message(), message("i2"))
    sending = sender(store, target(f"http://127.0.0.1:{port}"), clock)
    for _ in range(2):
        sending.deliver_next()
    (status,) = outbox.statuses(store)
    assert (status.waiting, status.reason) == (2, "ConnectionRefusedError")
    with RecordingTarget(port=port) as back:
        clock.now_s += 2
        for _ in range(2):
            sending.deliver_next()
        assert ids(back) == ["i1.1", "i2.1"]


def test_how_it_ended_is_written_once_redis_is_back_and_nothing_is_sent_twice(
    store: redis.Redis, receiver: RecordingTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, message())
    faults = [redis.ConnectionError("gone"), redis.TimeoutError("slow")]
    really = outbox.delivered

    def delivered(*arguments: object) -> None:
        if faults:
            raise faults.pop()
        really(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(outbox, "delivered", delivered)
    sending = sender(store, target(receiver.url), Clock())
    sending.deliver_next()
    sending.deliver_next()
    assert ids(receiver) == ["i1.1"]
    assert not outbox.read_outbox(store).waiting


def test_what_was_claimed_without_an_answer_is_sent_all_the_same(
    store: redis.Redis, receiver: RecordingTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, message(), message("i1", 2, "resolved"))
    faults = [redis.TimeoutError("slow")]
    really = outbox.claim

    def claim(*arguments: object) -> bool:
        is_claimed = really(*arguments)  # type: ignore[arg-type]
        if faults:
            raise faults.pop()
        return is_claimed

    monkeypatch.setattr(outbox, "claim", claim)
    sending = sender(store, target(receiver.url), Clock())
    with pytest.raises(redis.TimeoutError):
        sending.deliver_next()
    for _ in range(2):
        sending.deliver_next()
    assert ids(receiver) == ["i1.1", "i1.2"]


def test_what_failed_while_the_lease_had_run_out_is_sent_again_by_the_same_process(
    store: redis.Redis, receiver: RecordingTarget
) -> None:
    def refuse(connection: socket.socket, seen: SeenRequest) -> bool:
        lease.release(store, ME)
        return answer(500)(connection, seen)

    receiver.behaviour = refuse
    put(store, message())
    sending = sender(store, target(receiver.url), Clock())
    sending.deliver_next()
    receiver.behaviour = answer()
    assert sending.deliver_next() > 0
    assert ids(receiver) == ["i1.1"]
    lease.acquire(store, ME, 600)
    sending.deliver_next()
    assert ids(receiver) == ["i1.1", "i1.1"]
    assert not outbox.read_outbox(store).waiting


def test_a_defect_before_a_message_is_sent_does_not_end_the_sending(
    store: redis.Redis,
    receiver: RecordingTarget,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("consumers.alerts.delivery.FAULT_DELAY_S", 0.02)
    faults = [RuntimeError("nobody expects this")]
    really = outbox.read_outbox

    def read_outbox(store: redis.Redis) -> outbox.Outbox:
        if faults:
            raise faults.pop()
        return really(store)

    monkeypatch.setattr(outbox, "read_outbox", read_outbox)
    put(store, message())
    deliveries = Deliveries(store, ME, {"ops": target(receiver.url)}, KINDS)
    deliveries.resume()
    wait_until(lambda: ids(receiver) == ["i1.1"], "message")
    deliveries.close()
    assert "stopped the sending of alerts; trying again soon: target=ops" in caplog.text


def test_a_thread_that_could_not_be_started_is_started_later(
    store: redis.Redis, receiver: RecordingTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(thread: Thread) -> None:
        raise RuntimeError("can't start new thread")

    put(store, message())
    deliveries = Deliveries(store, ME, {"ops": target(receiver.url)}, KINDS)
    monkeypatch.setattr(Thread, "start", start)
    with pytest.raises(RuntimeError):
        deliveries.resume()
    monkeypatch.undo()
    deliveries.resume()
    wait_until(lambda: ids(receiver) == ["i1.1"], "message")
    deliveries.close()
