"""What is kept of a run's pace: bounded, and with the causes told apart."""

from __future__ import annotations

import itertools

import pytest

from consumers.replay.request import Job, Outcome
from consumers.replay.sending.due_queue import Entry
from consumers.replay.sending.meter import STEPS_MAX, PaceMeter
from consumers.replay.sending.target_load import load_of
from tests.consumers.replay.samples import request

JOB = Job(request(), b"/", [])
ANSWERED = Outcome("answered", 200, 100.0, elapsed_ms=120.0)


def note(
    meter: PaceMeter,
    due_s: float,
    *,
    read_s: float | None = None,
    free_s: float = 0.0,
    sent_s: float | None = None,
    under_way: int = 1,
    outcome: Outcome = ANSWERED,
) -> None:
    ready_s = due_s if read_s is None else read_s
    entry = Entry(due_s, 0, JOB, ready_s, ready_s)
    meter.note(entry, free_s, due_s if sent_s is None else sent_s, under_way, outcome)


def test_lateness_is_told_apart_by_its_causes() -> None:
    meter = PaceMeter()
    note(meter, 10.0, read_s=10.5, sent_s=10.5)
    note(meter, 11.0, free_s=11.3, sent_s=11.3)
    note(meter, 12.0, free_s=11.0, sent_s=12.2)
    lost = meter.lateness
    assert (lost.reader_s, lost.busy_s, lost.machine_s) == pytest.approx((0.5, 0.3, 0.2))
    assert meter.late_max_s == pytest.approx(0.5)


@pytest.mark.parametrize("length_s", [3.0, 100.0, 1_000_000.0])
def test_a_timeline_is_bounded_and_leaves_nothing_out(length_s: float) -> None:
    meter = PaceMeter()
    count = 2_000
    for number in range(count):
        note(meter, number * length_s / count)
    points = meter.timeline()
    assert len(points) <= STEPS_MAX
    assert sum(point.sent for point in points) == count
    assert {point.service_ms for point in points} <= {100.0, None}
    steps = {round(after.at_s - before.at_s, 6) for before, after in itertools.pairwise(points)}
    assert len(steps) == 1
    assert points[-1].at_s <= length_s + 1


def test_answers_are_counted_by_when_they_ended() -> None:
    meter = PaceMeter()
    for number in range(100):
        took_ms = 20.0 if number < 50 else 9_000.0
        note(meter, number / 10, outcome=Outcome("answered", 200, took_ms, took_ms))
    assert meter.ended_by(10.0) == 50
    assert meter.ended_by(15.0) == pytest.approx(60, abs=3)
    assert meter.ended_after_s(0.5) == pytest.approx(5.0, abs=0.2)
    assert meter.ended_after_s(1.0) == pytest.approx(18.9, abs=0.2)


def test_what_was_refused_has_no_service_time() -> None:
    meter = PaceMeter()
    note(meter, 1.0, outcome=Outcome("refused", 0, 0.1, 0.1))
    note(meter, 1.0, outcome=Outcome("stream", 200, 0.1, 0.1))
    note(meter, 1.0, outcome=Outcome("answered", 503, 1.0, 1.0))
    assert meter.refused == 2
    assert sum(times.count for times in meter.by_level) == 1


def test_a_target_that_does_not_notice_the_load_is_told_from_one_that_is_at_its_limit() -> None:
    at_its_limit, unmoved = PaceMeter(), PaceMeter()
    for number in range(1, 101):
        note(at_its_limit, 1.0, under_way=number, outcome=Outcome("answered", 200, 20.0 * number, 0.0))
        note(unmoved, 1.0, under_way=number, outcome=Outcome("answered", 200, 90.0 + number % 20, 0.0))
    full = load_of(at_its_limit.by_level, 100)
    assert full.has_risen
    assert full.elasticity == pytest.approx(1.0, abs=0.1)
    assert full.calm_ms < full.busy_ms / 5
    idle = load_of(unmoved.by_level, 100)
    assert not idle.has_risen
    assert idle.elasticity == pytest.approx(0.0, abs=0.1)
    assert load_of(PaceMeter().by_level, 0).busy_ms == 0
