"""What a run says about its pace, for targets and limits that no test can wait for."""

from __future__ import annotations

import pytest

from consumers.replay.request import Job, Outcome
from consumers.replay.sending.concurrency import Shortage
from consumers.replay.sending.due_queue import Entry
from consumers.replay.sending.meter import PaceMeter
from consumers.replay.sending.pace_kept import Asked, Sending, pace_of
from tests.consumers.replay.samples import request

JOB = Job(request(), b"/", [])


def sending(rate: float, service_ms: float, limit: int, shortage: Shortage = "") -> Sending:
    """Of a target that always takes that long, sent 20 s of that rate by too few senders."""
    meter = PaceMeter()
    for number in range(round(rate * 20)):
        due_s = number / rate
        sent_s = number * service_ms / 1000 / limit
        entry = Entry(due_s, number, JOB, due_s, due_s)
        outcome = Outcome("answered", 200, service_ms, service_ms)
        meter.note(entry, max(due_s, sent_s), max(due_s, sent_s), min(number + 1, limit), outcome)
    return Sending("The target", meter, limit, limit, shortage)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (sending(100, 500, 16), "at 100 requests/s that takes about 75 of them. --concurrency 75 would do."),
        (sending(100, 20_000, 256), "One process can have 1,024: replay with --speed 1.1"),
        (sending(100, 500, 16, "files"), "Allow more open files (ulimit -n 278), or replay with --speed 2."),
        (sending(100, 500, 16, "threads"), "This machine started no more threads"),
    ],
)
def test_what_would_do_is_what_this_machine_can_do(one: Sending, words: str) -> None:
    pace = pace_of(Asked("10x", speed=10.0, is_paced=True), [one])
    assert pace.fault == "concurrency"
    assert words in pace.explanation


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Asked("100/s", rate=100.0, flag="--rate", is_paced=True), "--rate 2"),
        (Asked("10x", speed=10.0, is_paced=True), "--speed 2."),
        (Asked("5m:1x,5m:5x", speed=3.0, flag="--stages", is_paced=True), "--stages at 2"),
    ],
)
def test_the_advice_is_in_the_words_of_what_was_asked(asked: Asked, words: str) -> None:
    assert words in pace_of(asked, [sending(100, 500, 16, "threads")]).explanation


def test_a_process_that_uses_all_of_a_core_is_at_its_own_limit() -> None:
    one = sending(100, 500, 16)
    one.meter.late_wall_s, one.meter.late_cpu_s = 10.0, 9.7
    pace = pace_of(Asked("10x", speed=10.0, is_paced=True), [one])
    assert pace.fault == "machine"
    assert "Tailrace used a whole CPU core" in pace.explanation


def test_a_run_that_caught_up_in_a_slower_part_was_not_as_fast_as_asked() -> None:
    """Two minutes behind in the middle of twenty, and on time at the end."""
    meter = PaceMeter()
    for number in range(12_000):
        due_s = number / 10
        late_s = max(0.0, 120 - abs(due_s - 700) / 2)
        entry = Entry(due_s, number, JOB, due_s, due_s)
        meter.note(entry, due_s + late_s, due_s + late_s, 16, Outcome("answered", 200, 500.0, 500.0))
    pace = pace_of(Asked("10x", speed=10.0, is_paced=True), [Sending("The target", meter, 16, 16)])
    assert pace.share_reached == pytest.approx(0.92, abs=0.02)
    assert pace.fault == "concurrency"
