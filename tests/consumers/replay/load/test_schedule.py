"""When requests are due: speeds, stages, rates, and windows that begin again."""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.log import Reach
from app.message import RouterMessage
from consumers.replay.load.forecast import NO_FORECAST, Forecast, Tally, extrapolate, find_last_ms
from consumers.replay.load.schedule import Schedule
from consumers.replay.load.shapes import Load, Stage, at_rate, at_speed, parse_stages


class Clock:
    """A clock that is moved by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def forecast_of(at_ms: Sequence[int]) -> Forecast:
    """The exact one, of requests that were logged at these times."""
    tally = Tally()
    for each in at_ms:
        tally.add(each)
    return tally.as_forecast()


def schedule(load: Load, forecast: Forecast = NO_FORECAST, lead_s: float = 0.0) -> Schedule:
    return Schedule(load, forecast, Clock(), lead_s)


def due(load: Load, at_ms: Sequence[int], forecast: Forecast | None = None, passes: int = 1) -> list[float]:
    """Due times since the first request, until the time is up."""
    made = schedule(load, forecast_of(at_ms) if forecast is None else forecast)
    found: list[float] = []
    for _ in range(passes):
        for each in at_ms:
            due_s = made.due_s(each)
            if due_s is None:
                return found
            found.append(due_s - 1000.0)
        made.begin_pass()
    return found


def average(found: Sequence[float]) -> float:
    """Requests/s of a run whose last request stands for its gap, too."""
    return (len(found) - 1) / (found[-1] - found[0])


TIMES = st.lists(st.integers(0, 20_000), min_size=2, max_size=400).map(
    lambda gaps: [sum(gaps[:n]) for n in range(len(gaps))]
)
STAGES = st.lists(
    st.one_of(
        st.builds(
            lambda s, d: Stage(f"{s:g}x", d, speed=s),
            st.sampled_from([0.0, 0.5, 1.0, 3.0, 50.0]),
            st.integers(1, 900),
        ),
        st.builds(lambda r, d: Stage(f"{r:g}/s", d, rate=r), st.floats(0.1, 500), st.integers(1, 900)),
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize(("speed", "spacing_s"), [(1.0, 0.5), (10.0, 0.05), (0.5, 1.0)])
def test_the_lines_own_spacing_is_kept_at_any_speed(speed: float, spacing_s: float) -> None:
    found = due(Load((at_speed(speed),)), [5_000 + number * 500 for number in range(4)])
    assert found == pytest.approx([number * spacing_s for number in range(4)])


def test_the_first_request_is_due_after_the_time_to_fill_the_queue() -> None:
    assert schedule(Load(), lead_s=0.2).due_s(77) == pytest.approx(1000.2)


def test_lines_that_arrive_out_of_order_keep_their_time_where_it_has_not_gone_by() -> None:
    made = schedule(Load(), lead_s=2.0)
    assert [made.due_s(at) for at in (5_000, 6_000, 5_500)] == pytest.approx([1002.0, 1003.0, 1002.5])


def test_a_line_that_was_read_too_late_is_due_with_its_neighbours() -> None:
    """Else its lateness would be taken for the target's."""
    clock = Clock()
    made = Schedule(Load(), NO_FORECAST, clock, lead_s=0.0)
    made.due_s(0)
    clock.now += 10
    assert made.due_s(20_000) == 1020.0
    assert made.due_s(-3_000_000) == 1010.0  # Now: nobody could have sent it earlier.
    clock.now += 60
    assert made.due_s(5_000) == 1020.0  # All is late here, and so is this one.


def test_at_max_speed_everything_is_due_now_and_the_time_is_up_all_the_same() -> None:
    clock = Clock()
    made = Schedule(Load((at_speed(math.inf),), duration_s=2.0), NO_FORECAST, clock)
    assert [made.due_s(at) for at in (0, 3_600_000)] == [1000.0, 1000.0]
    clock.now += 1.5
    assert made.due_s(1) == 1001.5
    clock.now += 0.5
    assert made.due_s(2) is None
    assert made.ends_at_s == 1002.0


def test_a_cap_spreads_what_is_due_at_once() -> None:
    found = due(Load((at_speed(math.inf),), cap=100.0), [0] * 4)
    assert found == pytest.approx([0.0, 0.01, 0.02, 0.03])
    found = due(Load(cap=10.0), [0, 50, 1_000])
    assert found == pytest.approx([0.0, 0.1, 1.0])


def test_each_stage_begins_where_the_one_before_has_left_the_log() -> None:
    load = Load(parse_stages("10s:1x,10s:5x,10s:0x,5s:2x"))
    at_s = [0, 5, 10, 15, 35, 60, 62, 69, 70, 71]
    found = due(load, [each * 1_000 for each in at_s])
    assert found == pytest.approx([0, 5, 10, 11, 15, 20, 31, 34.5])  # 60: where the stage of 5x ends.


def test_for_ends_early_and_never_late() -> None:
    assert due(Load(duration_s=3.0), [0, 1_000, 2_999, 3_000, 3_001]) == pytest.approx([0, 1, 2.999])


@given(times=TIMES, stages=STAGES, is_looped=st.booleans(), cap=st.sampled_from([0.0, 0.0, 3.0]))
@settings(max_examples=200)
def test_due_times_never_decrease_and_end_with_the_load(
    times: list[int], stages: list[Stage], is_looped: bool, cap: float
) -> None:
    load = Load(tuple(stages), is_looped=is_looped, cap=cap)
    found = due(load, times, passes=3 if is_looped else 1)
    assert all(earlier <= later for earlier, later in pairwise(found))
    assert all(0 <= each < load.ends_s for each in found)


@given(gaps=st.lists(st.integers(1, 5_000), min_size=5, max_size=200), stages=STAGES)
@settings(max_examples=200)
def test_stages_of_speeds_map_the_log_exactly(gaps: list[int], stages: list[Stage]) -> None:
    stages = [stage for stage in stages if not stage.rate and stage.speed] or [Stage("2x", 60, speed=2.0)]
    times = [sum(gaps[:number]) for number in range(len(gaps))]
    found = due(Load(tuple(stages)), times)
    for at_ms, due_s in zip(times, found, strict=False):
        left_log_s, expected_s = at_ms / 1000, 0.0
        for stage in stages:
            takes_log_s = stage.duration_s * stage.speed
            if left_log_s <= takes_log_s:
                expected_s += left_log_s / stage.speed
                break
            left_log_s, expected_s = left_log_s - takes_log_s, expected_s + stage.duration_s
        assert due_s == pytest.approx(expected_s, abs=1e-6)


@given(times=TIMES.filter(lambda times: times[-1] > 1_000), rate=st.floats(0.1, 2_000))
@settings(max_examples=200)
def test_a_rate_is_the_average_and_keeps_the_spacings_shape(times: list[int], rate: float) -> None:
    found = due(Load((at_rate(rate),)), times)
    assert len(found) == len(times)
    assert average(found) == pytest.approx(rate, rel=1e-6)
    factor = found[-1] / (times[-1] - times[0])
    assert found == pytest.approx([(each - times[0]) * factor for each in times], rel=1e-6, abs=1e-6)


def random_times(seed: int, rates: Sequence[tuple[float, float]]) -> list[int]:
    """Poisson arrivals at one rate after the other: (seconds, requests/s)."""
    chance, at_s, ends_s, found = random.Random(seed), 0.0, 0.0, []
    for seconds, rate in rates:
        ends_s += seconds
        while at_s < ends_s:
            at_s += chance.expovariate(rate)
            found.append(round(at_s * 1_000))
    return found


class Mixed:
    """A log of requests and other messages; `is_exact`: its estimate is a count (Kafka), else it takes a
    steady rate over its whole time (Redis)."""

    was_overtaken = False

    def __init__(self, times: Sequence[int], is_exact: bool) -> None:
        self._times = times
        self._is_exact = is_exact

    def read(self, from_ms: int, until_ms: int) -> Iterator[list[RouterMessage]]:
        raise NotImplementedError

    def reach(self) -> Reach:
        return Reach(self._times[0], self._times[-1])

    def estimate(self, from_ms: int, until_ms: int) -> int:
        first, last = self._times[0], self._times[-1]
        if self._is_exact:
            return bisect_left(self._times, until_ms) - bisect_left(self._times, from_ms)
        share = (min(until_ms, last + 1) - max(from_ms, first)) / (last + 1 - first)
        return round(3 * len(self._times) * max(0.0, share))  # Three times what there is: older ones expired.

    def close(self) -> None:
        """There is nothing to close."""


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("rates", "is_exact"),
    [
        ([(3_000, 20)], True),
        ([(3_000, 20)], False),
        ([(600, 20), (300, 60), (600, 10)], True),
        ([(600, 5), (300, 100), (600, 10)], True),
    ],
)
def test_an_estimate_that_is_corrected_on_the_way_gives_the_rate(
    seed: int, rates: list[tuple[float, float]], is_exact: bool
) -> None:
    """Counted is only the beginning, which has fewer requests among its messages than the rest."""
    times, chance = random_times(seed, rates), random.Random(seed)
    log = Mixed(times, is_exact)
    is_sent = [chance.random() < (0.4 if number < 2_000 else 0.5) for number in range(len(times))]
    begun = Tally(messages=1_000, received_ms=times[999])
    for at_ms, sent in zip(times[:1_000], is_sent, strict=False):
        if sent:
            begun.add(at_ms)
    made = schedule(Load((at_rate(100.0),)), extrapolate(log, times[0], times[-1], begun))
    found: list[float] = []
    for number, (at_ms, sent) in enumerate(zip(times, is_sent, strict=True)):
        if number % 200 == 199:
            made.forecast = extrapolate(log, times[0], times[-1], made.tally)
        made.tally.messages, made.tally.received_ms = number + 1, at_ms
        if sent:
            due_s = made.due_s(at_ms)
            assert due_s is not None
            found.append(due_s)
    assert average(found) == pytest.approx(100.0, rel=0.05)


def test_the_end_of_a_window_that_reaches_beyond_its_log_is_found() -> None:
    log = Mixed(random_times(1, [(60, 20)]), is_exact=True)
    last_ms = find_last_ms(log, 0, 86_400_000)
    assert 58_000 < last_ms < 62_000
    assert find_last_ms(log, 0, 30_000) == pytest.approx(30_000, abs=1_000)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rates", [[(7_200, 20)], [(100, 40), (7_200, 10)], [(300, 10), (3_600, 30)]])
def test_stages_of_a_rate_have_it_on_average(seed: int, rates: list[tuple[float, float]]) -> None:
    times = random_times(seed, rates)
    load = Load(parse_stages("60s:50/s,30s:1x,60s:200/s"))
    found = due(load, times)
    for begin_s, end_s, rate in ((0, 60, 50), (90, 150, 200)):
        sent = sum(begin_s <= each < end_s for each in found)
        assert sent / (end_s - begin_s) == pytest.approx(rate, rel=0.05)


def test_a_window_that_begins_again_goes_on_after_a_mean_gap() -> None:
    found = due(Load(duration_s=100.0, is_looped=True), [7_000, 8_000, 10_000, 11_000], passes=3)
    gap_s = 4 / 3
    assert found == pytest.approx(
        [
            0,
            1,
            3,
            4,
            4 + gap_s,
            5 + gap_s,
            7 + gap_s,
            8 + gap_s,
            8 + 2 * gap_s,
            9 + 2 * gap_s,
            11 + 2 * gap_s,
            12 + 2 * gap_s,
        ]
    )


def test_a_rate_holds_in_every_pass() -> None:
    times = random_times(1, [(30, 20), (30, 5)])
    found = due(Load((at_rate(100.0),), duration_s=60.0, is_looped=True), times, passes=100)
    assert len(found) / 60 == pytest.approx(100, rel=0.02)
    assert found[-1] == pytest.approx(60, abs=0.5)


@pytest.mark.parametrize("times", [[5], [5, 5, 5]])
def test_a_window_without_any_spacing_does_not_begin_again_at_once(times: list[int]) -> None:
    found = due(Load(duration_s=10.0, is_looped=True), times, passes=100)
    assert found == [float(second) for second in range(10) for _ in times]


def test_a_pass_without_requests_is_the_last() -> None:
    made = schedule(Load(duration_s=10.0, is_looped=True))
    made.due_s(0)
    assert made.begin_pass()
    assert not made.begin_pass()
