"""Waiting for what is unreachable: how long, how often it is said, and that a stop ends it."""

from __future__ import annotations

import logging
import time
from threading import Event, Timer

import pytest

from app.backoff import FIRST_DELAY_S, LOG_EVERY_S, MAX_DELAY_S, Outage


class Stop(Event):
    """Notes how long it was waited for, instead of waiting."""

    def __init__(self, clock: list[float]) -> None:
        super().__init__()
        self._clock = clock
        self.delays_s: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.delays_s.append(timeout)
        self._clock[0] += timeout
        return False


@pytest.fixture
def now_s() -> list[float]:
    """The time, in a list of one, for tests to move."""
    return [1000.0]


@pytest.fixture
def stop(now_s: list[float]) -> Stop:
    return Stop(now_s)


@pytest.fixture
def outage(now_s: list[float], stop: Stop, caplog: pytest.LogCaptureFixture) -> Outage:
    caplog.set_level(logging.INFO)
    return Outage(logging.getLogger("outage"), stop, clock=lambda: now_s[0])


def test_each_wait_is_about_twice_the_one_before_up_to_a_limit(outage: Outage, stop: Stop) -> None:
    for _ in range(12):
        outage.wait("Redis is unreachable")
    for number, delay_s in enumerate(stop.delays_s):
        full_s = min(MAX_DELAY_S, FIRST_DELAY_S * 2**number)
        assert full_s / 2 <= delay_s <= full_s


def test_no_two_processes_wait_in_step(now_s: list[float]) -> None:
    firsts = set()
    for _ in range(10):
        stop = Stop(now_s)
        Outage(logging.getLogger("quiet"), stop, clock=lambda: now_s[0]).wait("x")
        firsts.add(stop.delays_s[0])
    assert len(firsts) > 1


def test_the_first_wait_after_an_outage_is_short_again(outage: Outage, stop: Stop) -> None:
    for _ in range(10):
        outage.wait("Redis is unreachable")
    outage.resolved()
    outage.wait("Redis is unreachable")
    assert stop.delays_s[-1] <= FIRST_DELAY_S


def test_a_long_outage_is_said_once_a_minute(
    outage: Outage, now_s: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    while now_s[0] < 1000 + 3 * LOG_EVERY_S:
        outage.wait("Redis is unreachable")
    assert [record.getMessage() for record in caplog.records] == ["waiting: Redis is unreachable"] * 3


def test_the_end_of_an_outage_says_how_long_it_was(
    outage: Outage, now_s: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    outage.wait("Redis is unreachable")
    now_s[0] = 1012.3
    outage.resolved()
    assert caplog.messages == ["waiting: Redis is unreachable", "back after 12.3 s"]


def test_what_comes_and_goes_is_said_once_a_minute_too(
    outage: Outage, now_s: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    while now_s[0] < 1000 + LOG_EVERY_S / 2:
        outage.wait("Redis is unreachable")
        outage.resolved()
    assert [message.split()[0] for message in caplog.messages] == ["waiting:", "back"]


def test_without_an_outage_nothing_is_said(outage: Outage, caplog: pytest.LogCaptureFixture) -> None:
    outage.resolved()
    assert not caplog.messages


def test_a_stop_ends_the_wait_at_once() -> None:
    stop = Event()
    outage = Outage(logging.getLogger("quiet"), stop)
    Timer(0.1, stop.set).start()
    started = time.monotonic()
    for _ in range(50):
        outage.wait("Redis is unreachable")
    assert stop.is_set()
    assert time.monotonic() - started < 5
