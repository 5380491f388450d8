"""When requests are sent: spacing, speed, rate, lateness."""

from __future__ import annotations

import math

import pytest

from consumers.replay.pace import Pacer


class Clock:
    """Time that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("speed", "spacing_s"), [(1.0, 0.5), (10.0, 0.05), (0.5, 1.0)])
def test_the_lines_own_spacing_is_kept_at_any_speed(speed: float, spacing_s: float) -> None:
    pacer = Pacer(speed, 0, 10_000, Clock())
    due = [pacer.due_s(5_000 + number * 500) for number in range(4)]
    assert due == pytest.approx([1000.0 + number * spacing_s for number in range(4)])


def test_lines_of_other_partitions_come_in_any_order_and_keep_their_place() -> None:
    pacer = Pacer(1.0, 0, 10_000, Clock(), lead_s=2.0)
    assert [pacer.due_s(at) for at in (5_000, 4_500, 5_500)] == pytest.approx([1002.0, 1001.5, 1002.5])


def test_at_max_speed_everything_is_due_now() -> None:
    pacer = Pacer(math.inf, 0, 10_000, Clock())
    assert [pacer.due_s(at) for at in (0, 3_600_000)] == [1000.0, 1000.0]


def test_a_rate_spreads_what_is_due_at_once() -> None:
    pacer = Pacer(math.inf, 100, 10_000, Clock())
    assert [pacer.due_s(0) for _ in range(4)] == pytest.approx([1000.0, 1000.01, 1000.02, 1000.03])


def test_what_would_be_too_late_is_left_out_and_takes_no_place() -> None:
    pacer = Pacer(1.0, 1, 2_500, Clock())
    due = [pacer.due_s(0) for _ in range(6)]
    assert due == pytest.approx([1000.0, 1001.0, 1002.0, None, None, None])


def test_a_backlog_is_left_out_until_it_is_caught_up_with() -> None:
    clock = Clock()
    pacer = Pacer(1.0, 0, 10_000, clock)
    pacer.due_s(0)
    clock.now += 15
    assert pacer.due_s(1_000) is None
    assert pacer.due_s(4_999) is None
    assert pacer.due_s(6_000) == pytest.approx(1006.0)


def test_when_all_is_late_for_long_the_delay_is_the_new_normal() -> None:
    clock = Clock()
    pacer = Pacer(1.0, 0, 10_000, clock, lead_s=2.0)
    pacer.due_s(0)
    at_ms = 0
    for _ in range(40):
        clock.now += 1
        at_ms += 1_000
        due = pacer.due_s(at_ms - 15_000)
    assert due is not None
    assert due >= clock.now


def test_what_waited_in_the_log_is_late_and_what_is_fresh_is_not() -> None:
    """A worker that comes back after a pause: the backlog is left out, and it is up to date at once."""
    clock = Clock()
    pacer = Pacer(1.0, 0, 10_000, clock, lead_s=2.0)
    waiting_s = 60.0
    due = [pacer.due_s(number * 100, waiting_s - number * 0.1) for number in range(600)]
    assert due[0] is None
    assert None not in due[481:]
    assert due[599] == pytest.approx(clock.now + 2.0 - 0.1)


def test_a_delay_in_the_log_never_becomes_the_new_normal() -> None:
    clock = Clock()
    pacer = Pacer(1.0, 0, 10_000, clock, lead_s=2.0)
    pacer.due_s(0)
    clock.now += 30
    for number in range(60):
        clock.now += 1
        assert pacer.due_s(number * 1_000, 31.0) is None
    assert pacer.due_s(90_000) == pytest.approx(clock.now + 2.0)


def test_at_max_speed_too_what_waited_in_the_log_is_late() -> None:
    pacer = Pacer(math.inf, 0, 10_000, Clock())
    assert pacer.due_s(0, 10.5) is None
    assert pacer.due_s(0, 9.5) == pytest.approx(990.5)


def test_workers_that_start_at_different_times_keep_the_same_time() -> None:
    clock = Clock()
    one = Pacer(1.0, 0, 60_000, clock, lead_s=2.0)
    one.due_s(0, 0.0)
    clock.now += 4
    other = Pacer(1.0, 0, 60_000, clock, lead_s=2.0)
    other.due_s(1_000, 3.0)
    assert one.due_s(9_000) == other.due_s(9_000) == pytest.approx(1011.0)


def test_without_a_limit_nothing_is_late() -> None:
    pacer = Pacer(1.0, 0, math.inf, Clock(), lead_s=2.0)
    assert pacer.due_s(0, 86_400.0) == pytest.approx(1000.0 - 86_400.0 + 2.0)
