"""When requests are sent: spacing, speed, rate, lateness."""

from __future__ import annotations

import math

import pytest

from consumers.replay.load.pace import Pacer, RateLimit


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("speed", "spacing_s"), [(1.0, 0.5), (10.0, 0.05), (0.5, 1.0)])
def test_the_lines_own_spacing_is_kept_at_any_speed(speed: float, spacing_s: float) -> None:
    pacer = Pacer(speed, 0, 10_000, Clock())
    due = [pacer.due_s(5_000 + number * 500) for number in range(4)]
    assert due == pytest.approx([1000.0 + number * spacing_s for number in range(4)])


def test_lines_that_arrive_out_of_order_keep_their_time() -> None:
    pacer = Pacer(1.0, 0, 10_000, Clock(), lead_s=2.0)
    assert [pacer.due_s(at) for at in (5_000, 4_500, 5_500)] == pytest.approx([1002.0, 1001.5, 1002.5])


def test_at_max_speed_everything_is_due_now() -> None:
    pacer = Pacer(math.inf, 0, 10_000, Clock())
    assert [pacer.due_s(at) for at in (0, 3_600_000)] == [1000.0, 1000.0]


def test_a_rate_spreads_what_is_due_at_once() -> None:
    pacer = Pacer(math.inf, 100, 10_000, Clock())
    assert [pacer.due_s(0) for _ in range(4)] == pytest.approx([1000.0, 1000.01, 1000.02, 1000.03])


def test_what_would_be_too_late_is_skipped_and_does_not_use_up_the_rate() -> None:
    pacer = Pacer(1.0, 1, 2_500, Clock())
    due = [pacer.due_s(0) for _ in range(6)]
    assert due == pytest.approx([1000.0, 1001.0, 1002.0, None, None, None])


def test_a_backlog_is_skipped_until_the_replay_has_caught_up() -> None:
    clock = Clock()
    pacer = Pacer(1.0, 0, 10_000, clock)
    pacer.due_s(0)
    clock.now += 15
    assert pacer.due_s(1_000) is None
    assert pacer.due_s(4_999) is None
    assert pacer.due_s(6_000) == pytest.approx(1006.0)


def test_after_everything_was_late_for_a_while_the_schedule_starts_anew() -> None:
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


def test_what_waited_in_the_log_is_late_and_fresh_lines_are_not() -> None:
    """A worker that comes back after a pause: the backlog is skipped, and it is up to date at once."""
    clock = Clock()
    pacer = Pacer(1.0, 0, 10_000, clock, lead_s=2.0)
    waiting_s = 60.0
    due = [pacer.due_s(number * 100, waiting_s - number * 0.1) for number in range(600)]
    assert due[0] is None
    assert None not in due[481:]
    assert due[599] == pytest.approx(clock.now + 2.0 - 0.1)


def test_the_schedule_never_adapts_to_a_delay_in_the_log() -> None:
    clock = Clock()
    pacer = Pacer(1.0, 0, 10_000, clock, lead_s=2.0)
    pacer.due_s(0)
    clock.now += 30
    for number in range(60):
        clock.now += 1
        assert pacer.due_s(number * 1_000, 31.0) is None
    assert pacer.due_s(90_000) == pytest.approx(clock.now + 2.0)


def test_what_waited_in_the_log_is_late_at_max_speed_too() -> None:
    pacer = Pacer(math.inf, 0, 10_000, Clock())
    assert pacer.due_s(0, 10.5) is None
    assert pacer.due_s(0, 9.5) == pytest.approx(990.5)


def test_workers_that_start_at_different_times_share_a_schedule() -> None:
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


@pytest.mark.parametrize(("late_ms", "is_sent"), [(0, True), (9_999, True), (10_000, True), (10_001, False)])
def test_a_request_may_be_as_late_as_the_limit(late_ms: int, is_sent: bool) -> None:
    clock = Clock()
    pacer = Pacer(1.0, 0, 10_000, clock)
    pacer.due_s(0)
    clock.now += 10.125
    at_ms = 10_125 - late_ms
    assert pacer.due_s(at_ms) == (1000.0 + at_ms / 1000 if is_sent else None)


@pytest.mark.parametrize(("quiet_s", "is_anew"), [(19.5, False), (20.0, False), (20.5, True)])
def test_the_schedule_starts_anew_after_twice_the_limit_without_a_request_on_time(
    quiet_s: float, is_anew: bool
) -> None:
    clock = Clock()
    pacer = Pacer(1.0, 0, 10_000, clock)
    assert pacer.due_s(0) == 1000.0
    clock.now += quiet_s
    assert pacer.due_s(0) == (clock.now if is_anew else None)


@pytest.mark.parametrize(("waited_s", "is_sent"), [(10.0, True), (10.5, False)])
def test_a_request_that_waited_too_long_is_no_new_anchor_to_go_by(waited_s: float, is_sent: bool) -> None:
    clock = Clock()
    pacer = Pacer(1.0, 0, 10_000, clock)
    pacer.due_s(0)
    clock.now += 20.5
    assert pacer.due_s(0, waited_s) == (clock.now if is_sent else None)


def test_with_a_new_anchor_the_rate_starts_anew_too() -> None:
    clock = Clock()
    pacer = Pacer(1.0, 0.125, 10_000, clock)
    # One in 8 s: the third is 16 s late, so it is skipped.
    assert [pacer.due_s(0) for _ in range(3)] == [1000.0, 1008.0, None]
    clock.now += 20.5
    assert pacer.due_s(0) == clock.now
    assert pacer.due_s(0) == clock.now + 8


def test_a_rate_holds_after_requests_that_were_due_later_by_themselves() -> None:
    pacer = Pacer(1.0, 10, 10_000, Clock())
    assert [pacer.due_s(at_ms) for at_ms in (0, 50, 1_000)] == pytest.approx([1000.0, 1000.1, 1001.0])


def test_at_full_speed_no_request_overtakes_an_earlier_one_that_waited_less() -> None:
    pacer = Pacer(math.inf, 0, 10_000, Clock())
    assert [pacer.due_s(0, waited_s) for waited_s in (1.0, 5.0, 0.5)] == [999.0, 999.0, 999.5]


def test_without_a_rate_there_is_no_limit() -> None:
    limit = RateLimit(0)
    assert limit.free_s == -math.inf
    for _ in range(3):
        limit.use(50.0)
    assert limit.free_s <= 50.0


def test_a_rate_leaves_equal_gaps() -> None:
    limit = RateLimit(4)
    for number in range(4):
        limit.use(max(50.0, limit.free_s))
        assert limit.free_s == pytest.approx(49.9 + 0.25 * (number + 1))


def test_after_a_stall_only_a_tenth_of_a_second_is_caught_up() -> None:
    limit = RateLimit(100)
    limit.use(50.0)
    limit.use(60.0)
    assert limit.free_s == pytest.approx(60.0 - 0.1 + 0.01)
    sent = 1
    while limit.free_s <= 60.0:
        limit.use(60.0)
        sent += 1
    assert sent in (10, 11)
