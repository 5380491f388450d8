"""Where an interrupted replay resumes."""

from __future__ import annotations

from consumers.replay.resume import MARGIN_MS, TAKEN_MAX, ResumePoint, earliest_from_each

FROM_MS = 1_763_900_000_000


def test_before_anything_is_read_it_resumes_at_the_start() -> None:
    assert ResumePoint(FROM_MS).time_ms == FROM_MS


def test_it_resumes_a_little_before_the_first_request_that_is_not_read() -> None:
    resume = ResumePoint(FROM_MS)
    resume.unread(FROM_MS + 60_000)
    assert resume.time_ms == FROM_MS + 60_000 - MARGIN_MS


def test_what_was_read_and_not_sent_comes_first_the_earliest_of_all() -> None:
    resume = ResumePoint(FROM_MS)
    resume.unread(FROM_MS + 60_000)
    for received_ms in (30_000, 20_000, 40_000):
        resume.unsent(FROM_MS + received_ms, f"f.{received_ms}", "stopped", "/a")
    assert resume.time_ms == FROM_MS + 20_000 - MARGIN_MS


def test_what_was_received_after_that_but_is_done_is_remembered() -> None:
    resume = ResumePoint(FROM_MS)
    for received_ms in (1_000, 59_500, 60_000, 60_500, 61_000):
        resume.taken(FROM_MS + received_ms, f"f.{received_ms}")
    resume.unread(FROM_MS + 62_000)
    resume.unsent(FROM_MS + 60_500, "f.60500", "stopped", "/a")
    resume.unsent(FROM_MS + 60_600, "f.60600", "breaker-open", "/a")
    assert resume.time_ms == FROM_MS + 60_500 - MARGIN_MS
    assert resume.done_ids == ["f.59500", "f.60000", "f.61000"]
    assert resume.to_send == {("stopped", "/a"): 1, ("breaker-open", "/a"): 1}


def test_no_more_ids_are_remembered_than_it_takes() -> None:
    resume = ResumePoint(FROM_MS)
    for number in range(TAKEN_MAX + 10):
        resume.taken(FROM_MS, f"f.{number}")
    assert (len(resume.done_ids), resume.done_ids[0]) == (TAKEN_MAX, "f.10")


def test_it_never_resumes_before_the_start() -> None:
    resume = ResumePoint(FROM_MS)
    resume.unsent(FROM_MS + 10, "f.1", "stopped", "/a")
    assert resume.time_ms == FROM_MS


def test_the_earliest_time_from_each_position_on() -> None:
    assert earliest_from_each([]) == []
    assert earliest_from_each([3, 1, 2]) == [1, 1, 2]
    assert earliest_from_each([1, 5, 4, 9]) == [1, 4, 4, 9]
