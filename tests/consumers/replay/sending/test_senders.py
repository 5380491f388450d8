"""The sending threads: each request at its time and exactly once, and a prompt end."""

from __future__ import annotations

import threading
import time

import pytest

from consumers.replay.choice.target import Target
from consumers.replay.request import Job, Outcome, Request
from consumers.replay.sending.breaker import FAILURES_IN_A_ROW, Breaker
from consumers.replay.sending.senders import QUEUE_MAX, Senders
from servers.ports import free_port
from servers.processes import wait_until
from tests.consumers.replay.samples import request
from tests.support.target import RecordingTarget, answer, raw


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


def test_requests_are_sent_in_order_of_their_time_and_close_to_it() -> None:
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


def test_a_dead_target_gets_no_more_requests_and_they_are_counted() -> None:
    ledger = Ledger()
    senders = Senders(Target("http", "127.0.0.1", free_port()), 1, 20.0, ledger.note, ledger.skip, Breaker())
    for number in range(100):
        senders.submit(job(number), 0.0)
    assert senders.drain(20.0)
    senders.close()
    assert {outcome.kind for _, outcome, _ in ledger.done} == {"refused"}
    assert len(ledger.done) == FAILURES_IN_A_ROW
    assert ledger.skips == ["breaker-open"] * (100 - FAILURES_IN_A_ROW)


def test_submitting_to_a_full_queue_fails_after_the_timeout() -> None:
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


def test_closing_does_not_wait_for_a_hanging_target_and_reports_what_hangs() -> None:
    ledger = Ledger()
    with RecordingTarget(answer(delay_s=5.0)) as target:
        senders = Senders(Target.parse(target.url), 16, 30.0, ledger.note, ledger.skip, Breaker())
        for number in range(16):
            senders.submit(job(number), 0.0)
        wait_until(lambda: len(target.seen) == 16, "all of them under way")
        started_s = time.monotonic()
        assert senders.close() == 16
        assert time.monotonic() - started_s < 4.5
        assert ledger.skips == ["stopped"] * 16
        time.sleep(5.0)
    assert ledger.done == []  # An answer that arrives after the end does not count.


def sender_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("sender")]


@pytest.mark.parametrize("concurrency", [16, None])
def test_no_thread_and_no_connection_is_left_behind_by_a_hanging_target(concurrency: int | None) -> None:
    ledger = Ledger()
    with RecordingTarget(answer(delay_s=20.0)) as target:
        senders = Senders(Target.parse(target.url), concurrency, 60.0, ledger.note, ledger.skip, Breaker())
        now_s = time.monotonic()
        for number in range(40):
            senders.submit(job(number), now_s)
        wait_until(lambda: len(target.seen) == (concurrency or 40), "all that may be under way")
        senders.close()
        wait_until(lambda: sender_threads() == [], "the threads to end", timeout_s=5)
    assert len(ledger.skips) == 40


def test_threads_are_started_as_they_are_needed() -> None:
    ledger = Ledger()
    with RecordingTarget() as target:
        senders = Senders(Target.parse(target.url), 1_000, 5.0, ledger.note, ledger.skip, Breaker())
        assert len(sender_threads()) == 1
        start_s = time.monotonic() + 0.1
        for number in range(40):
            senders.submit(job(number), start_s + number * 0.02)
        assert senders.drain(20.0)
        assert len(sender_threads()) < 10
        senders.close()
        assert target.connections < 10
    assert len(ledger.done) == 40


def test_a_system_without_more_threads_limits_the_concurrency(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(thread: threading.Thread) -> None:
        if len(sender_threads()) >= 4:
            raise RuntimeError("can't start new thread")
        thread.start()

    monkeypatch.setattr("consumers.replay.sending.senders.start_small", start)
    ledger = Ledger()
    with RecordingTarget(answer(delay_s=0.05)) as target:
        senders = Senders(Target.parse(target.url), 16, 5.0, ledger.note, ledger.skip, Breaker())
        for number in range(40):
            senders.submit(job(number), 0.0)
        assert senders.drain(20.0)
        senders.close()
        assert target.connections == 4
    assert len(ledger.done) == 40
    assert (senders.concurrency.limit, senders.concurrency.shortage) == (4, "threads")


def test_a_target_that_refuses_does_not_make_the_concurrency_grow_without_end() -> None:
    ledger = Ledger()
    target = Target("http", "127.0.0.1", free_port())
    senders = Senders(target, None, 1.0, ledger.note, ledger.skip, Breaker())
    start_s = time.monotonic()
    for number in range(500):
        senders.submit(job(number), start_s + number / 500)
    assert senders.drain(20.0)
    senders.close()
    assert len(ledger.done) + len(ledger.skips) == 500
    assert ledger.skips.count("breaker-open") > 300
    assert senders.concurrency.limit < 128


def test_a_stream_is_no_failure_of_the_target() -> None:
    ledger = Ledger()
    events = raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: a\n\n")
    with RecordingTarget(events) as target:
        senders = Senders(Target.parse(target.url), 4, 5.0, ledger.note, ledger.skip, Breaker())
        for number in range(3 * FAILURES_IN_A_ROW):
            senders.submit(job(number), 0.0)
        assert senders.drain(20.0)
        senders.close()
    assert {outcome.kind for _, outcome, _ in ledger.done} == {"stream"}
    assert not senders.breaker.has_opened


def test_requests_that_are_due_together_are_sent_together_even_during_drain() -> None:
    ledger = Ledger()
    with RecordingTarget(answer(delay_s=0.3)) as target:
        senders = Senders(Target.parse(target.url), 4, 5.0, ledger.note, ledger.skip, Breaker())
        start_s = time.monotonic() + 0.1
        for number in range(30):
            senders.submit(job(number), start_s + number // 3 * 0.4)
        assert senders.drain(20.0)
        senders.close()
    late_ms = sorted(late_ms for _, _, late_ms in ledger.done)
    assert len(late_ms) == 30
    assert late_ms[27] < 150  # Waiting for another answer would take 300; two may be bad luck.


def test_after_a_stall_the_rate_limit_still_applies() -> None:
    ledger = Ledger()
    with RecordingTarget(answer(delay_s=1.0)) as target:
        senders = Senders(Target.parse(target.url), 4, 5.0, ledger.note, ledger.skip, Breaker(), rate=50)
        start_s = time.monotonic()
        for number in range(100):
            senders.submit(job(number), start_s + number / 50)
        wait_until(lambda: len(target.seen) == 4, "all threads to hang")
        target.behaviour = answer()
        assert senders.drain(20.0)
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
        assert senders.drain(20.0)
        senders.close()
    late_ms = [late_ms for _, _, late_ms in ledger.done]
    assert sum(late_ms[-50:]) / 50 < 50


def test_an_error_in_this_program_stops_neither_the_thread_nor_drain(
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
