"""The circuit breaker."""

from __future__ import annotations

from consumers.replay.sending.breaker import FAILURES_IN_A_ROW, FIRST_PAUSE_S, PAUSE_MAX_S, Breaker, Permit


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def acquired(breaker: Breaker) -> Permit:
    permit = breaker.acquire()
    assert permit is not None
    return permit


def opened() -> tuple[Breaker, Clock]:
    clock = Clock()
    breaker = Breaker(clock, jitter=lambda: 1.0)
    for _ in range(FAILURES_IN_A_ROW):
        breaker.record(acquired(breaker), False)
    return breaker, clock


def test_failures_with_successes_in_between_do_not_open_it() -> None:
    breaker = Breaker(Clock())
    for _ in range(10):
        for _ in range(FAILURES_IN_A_ROW - 1):
            breaker.record(acquired(breaker), False)
        breaker.record(acquired(breaker), True)
    assert breaker.acquire()
    assert not breaker.is_open


def test_failures_in_a_row_open_it_and_a_pause_begins() -> None:
    breaker, clock = opened()
    assert breaker.is_open
    clock.now += FIRST_PAUSE_S * 0.9
    assert not breaker.acquire()


def test_after_the_pause_one_request_probes_and_a_success_closes() -> None:
    breaker, clock = opened()
    clock.now += FIRST_PAUSE_S
    probe = acquired(breaker)
    assert not breaker.acquire()
    breaker.record(probe, True)
    assert breaker.acquire()
    assert not breaker.is_open


def test_failed_probes_make_the_pause_longer_up_to_a_limit() -> None:
    breaker, clock = opened()
    pauses = []
    for _ in range(10):
        started = clock.now
        while (probe := breaker.acquire()) is None:
            clock.now += 0.5
        pauses.append(clock.now - started)
        breaker.record(probe, False)
    assert pauses == sorted(pauses)
    assert pauses[-1] <= PAUSE_MAX_S + 0.5
    assert pauses[-1] >= PAUSE_MAX_S / 2


def test_failures_of_requests_that_were_under_way_when_it_opened_do_not_count_as_probes() -> None:
    clock = Clock()
    breaker = Breaker(clock, jitter=lambda: 1.0)
    under_way = [acquired(breaker) for _ in range(FAILURES_IN_A_ROW + 5)]
    for permit in under_way[:FAILURES_IN_A_ROW]:
        breaker.record(permit, False)
    clock.now += FIRST_PAUSE_S
    probe = acquired(breaker)
    for permit in under_way[FAILURES_IN_A_ROW:]:
        breaker.record(permit, False)
        assert not breaker.acquire()
    breaker.record(probe, False)
    clock.now += FIRST_PAUSE_S * 2
    assert breaker.acquire()
