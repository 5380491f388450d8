"""The sending threads: each request at its time, all of them once, an end when told."""

from __future__ import annotations

import threading
import time

import pytest

from consumers.replay.breaker import FAILURES_IN_A_ROW, Breaker
from consumers.replay.request import Job, Outcome, Request
from consumers.replay.senders import QUEUE_MAX, Senders
from consumers.replay.target import Target
from servers.ports import free_port
from tests.consumers.replay.samples import request
from tests.support.processes import wait_until
from tests.support.target import RecordingTarget, answer


class Ledger:
    """What the senders report."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.done: list[tuple[Request, Outcome, float]] = []
        self.skips: list[str] = []

    def note(self, of: Request, outcome: Outcome, late_ms: float) -> None:
        with self._lock:
            self.done.append((of, outcome, late_ms))

    def skip(self, of: Request, reason: str) -> None:
        with self._lock:
            self.skips.append(reason)


def job(number: int) -> Job:
    return Job(request(), b"/%d" % number, [("Host", "x")])


def test_requests_go_in_order_of_their_time_and_close_to_it() -> None:
    ledger = Ledger()
    with RecordingTarget() as target:
        senders = Senders(Target.parse(target.url), 8, 5.0, ledger.note, ledger.skip, Breaker())
        start = time.monotonic() + 0.2
        order = [5, 0, 3, 1, 4, 2]
        for number in order:
            senders.submit(job(number), start + number * 0.05)
        assert senders.drain(5.0)
        senders.close()
        assert target.targets() == [b"/%d" % number for number in range(6)]
        for number, seen in enumerate(target.seen):
            # A busy machine may be late; early is a fault.
            assert -0.002 <= seen.at_s - (start + number * 0.05) < 0.25


def test_each_request_is_sent_once_whatever_the_number_of_threads() -> None:
    ledger = Ledger()
    with RecordingTarget() as target:
        senders = Senders(Target.parse(target.url), 16, 5.0, ledger.note, ledger.skip, Breaker())
        for number in range(3_000):
            senders.submit(job(number), 0.0)
        assert senders.drain(20.0)
        senders.close()
        assert sorted(target.targets()) == sorted(b"/%d" % number for number in range(3_000))
        assert target.connections <= 16
    assert len(ledger.done) == 3_000
    assert ledger.skips == []


def test_the_concurrency_is_a_limit() -> None:
    ledger = Ledger()
    with RecordingTarget(answer(delay_s=0.1)) as target:
        senders = Senders(Target.parse(target.url), 3, 5.0, ledger.note, ledger.skip, Breaker())
        started = time.monotonic()
        for number in range(9):
            senders.submit(job(number), 0.0)
        assert senders.drain(5.0)
        assert time.monotonic() - started >= 0.3
        senders.close()
        assert target.connections == 3


def test_what_is_left_at_the_end_is_reported_as_skipped() -> None:
    ledger = Ledger()
    with RecordingTarget() as target:
        senders = Senders(Target.parse(target.url), 4, 5.0, ledger.note, ledger.skip, Breaker())
        for number in range(5):
            senders.submit(job(number), time.monotonic() + 60)
        assert not senders.drain(0.1)
        assert senders.close() == 5
    assert ledger.skips == ["stopped"] * 5
    assert target.seen == []


def test_a_dead_target_is_left_alone_and_that_is_counted() -> None:
    ledger = Ledger()
    senders = Senders(Target("http", "127.0.0.1", free_port()), 1, 1.0, ledger.note, ledger.skip, Breaker())
    for number in range(100):
        senders.submit(job(number), 0.0)
    assert senders.drain(10.0)
    senders.close()
    assert {outcome.kind for _, outcome, _ in ledger.done} == {"refused"}
    assert len(ledger.done) == FAILURES_IN_A_ROW
    assert ledger.skips == ["breaker-open"] * (100 - FAILURES_IN_A_ROW)


def test_whoever_submits_to_a_full_queue_need_not_wait() -> None:
    ledger = Ledger()
    with RecordingTarget() as target:
        senders = Senders(Target.parse(target.url), 1, 5.0, ledger.note, ledger.skip, Breaker())
        later_s = time.monotonic() + 60
        assert all(senders.submit(job(number), later_s, 0.05) for number in range(QUEUE_MAX))
        assert not senders.submit(job(0), later_s, 0.05)
        assert senders.close() == QUEUE_MAX
    assert len(ledger.skips) == QUEUE_MAX


def test_what_waited_too_long_in_the_queue_is_late_and_not_sent() -> None:
    ledger = Ledger()
    with RecordingTarget(answer(delay_s=0.1)) as target:
        senders = Senders(
            Target.parse(target.url), 1, 5.0, ledger.note, ledger.skip, Breaker(), max_late_s=0.35
        )
        now_s = time.monotonic()
        for number in range(20):
            senders.submit(job(number), now_s)
        assert senders.drain(5.0)
        senders.close()
        assert 1 <= len(target.seen) <= 4
    assert len(ledger.done) == len(target.seen)
    assert ledger.skips == ["late"] * (20 - len(target.seen))


def test_the_end_waits_for_no_hanging_target_and_reports_what_hangs() -> None:
    ledger = Ledger()
    with RecordingTarget(answer(delay_s=2.0)) as target:
        senders = Senders(Target.parse(target.url), 16, 30.0, ledger.note, ledger.skip, Breaker())
        for number in range(16):
            senders.submit(job(number), 0.0)
        wait_until(lambda: len(target.seen) == 16, "all of them under way")
        started_s = time.monotonic()
        assert senders.close() == 16
        assert time.monotonic() - started_s < 1.6
        assert ledger.skips == ["stopped"] * 16
        time.sleep(2.0)
    assert ledger.done == []  # An answer after the end counts no more.


def test_requests_due_at_once_go_at_once_also_while_somebody_waits_for_the_end() -> None:
    ledger = Ledger()
    with RecordingTarget(answer(delay_s=0.1)) as target:
        senders = Senders(Target.parse(target.url), 4, 5.0, ledger.note, ledger.skip, Breaker())
        start_s = time.monotonic() + 0.1
        for number in range(60):
            senders.submit(job(number), start_s + number // 3 * 0.15)
        assert senders.drain(20.0)
        senders.close()
    late_ms = sorted(late_ms for _, _, late_ms in ledger.done)
    assert len(late_ms) == 60
    assert late_ms[57] < 50  # Waiting for another's answer would take 100; two may be bad luck.


def test_after_a_stall_the_rate_still_holds() -> None:
    ledger = Ledger()
    with RecordingTarget(answer(delay_s=1.0)) as target:
        senders = Senders(Target.parse(target.url), 4, 5.0, ledger.note, ledger.skip, Breaker(), rate=50)
        start_s = time.monotonic()
        for number in range(100):
            senders.submit(job(number), start_s + number / 50)
        wait_until(lambda: len(target.seen) == 4, "all threads to hang")
        target.behaviour = answer()
        assert senders.drain(10.0)
        senders.close()
    sent_s = [seen.at_s for seen in target.seen[4:]]
    within_half_a_second = max(sum(at <= other < at + 0.5 for other in sent_s) for at in sent_s)
    assert within_half_a_second <= 25 + 5 + 4  # The rate, its slack, and what a busy machine bunches.


def test_at_a_steady_rate_nothing_falls_behind() -> None:
    ledger = Ledger()
    with RecordingTarget() as target:
        senders = Senders(Target.parse(target.url), 4, 5.0, ledger.note, ledger.skip, Breaker(), rate=200)
        start_s = time.monotonic() + 0.1
        for number in range(400):
            senders.submit(job(number), start_s + number / 200)
        assert senders.drain(10.0)
        senders.close()
    late_ms = [late_ms for _, _, late_ms in ledger.done]
    assert sum(late_ms[-50:]) / 50 < 50


def test_a_fault_of_ours_costs_neither_the_thread_nor_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ledger = Ledger()
    with RecordingTarget() as target:
        senders = Senders(Target.parse(target.url), 1, 5.0, ledger.note, ledger.skip, Breaker())
        senders.submit(Job(request(), b"/bad", [("X-Bad", "\u2603")]), 0.0)
        senders.submit(job(1), 1.0)
        assert senders.drain(5.0)
        senders.close()
        assert target.targets() == [b"/1"]
    assert ledger.skips == ["fault"]
    assert "a request could not be sent" in caplog.text
