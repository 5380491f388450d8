"""Answers kept for a moment: one reading for many viewers, none of them for too long."""

from __future__ import annotations

import threading

import pytest

from drain.dashboard.response_cache import (
    COST_FACTOR,
    ENTRIES_MAX,
    CachedResponse,
    ResponseCache,
    cached_response,
)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Source:
    """Counts how often it is read; each reading takes `cost_s`."""

    def __init__(self, clock: Clock, cost_s: float = 0.0) -> None:
        self.clock = clock
        self.cost_s = cost_s
        self.readings = 0
        self.kept_s: list[float] = []

    def load(self) -> int:
        self.readings += 1
        self.clock.now_s += self.cost_s
        return self.readings

    def encode(self, figures: int, kept_s: float) -> CachedResponse:
        self.kept_s.append(kept_s)
        return cached_response(b"%d" % figures)


def test_an_answer_is_read_once_while_it_is_fresh() -> None:
    clock = Clock()
    answers, source = ResponseCache(clock), Source(clock)
    assert [answers.get("x", 2.0, source.load, source.encode).body for _ in range(5)] == [b"1"] * 5
    clock.now_s += 2.0
    assert answers.get("x", 2.0, source.load, source.encode).body == b"2"


def test_what_was_dear_to_read_stays_longer() -> None:
    clock = Clock()
    answers, source = ResponseCache(clock), Source(clock, cost_s=1.5)
    answers.get("x", 2.0, source.load, source.encode)
    assert source.kept_s == [1.5 * COST_FACTOR]
    clock.now_s += 1.5 * COST_FACTOR - 1
    answers.get("x", 2.0, source.load, source.encode)
    assert source.readings == 1


def test_different_questions_have_different_answers() -> None:
    clock = Clock()
    answers, source = ResponseCache(clock), Source(clock)
    assert answers.get(("a", 1), 2.0, source.load, source.encode).body == b"1"
    assert answers.get(("a", 2), 2.0, source.load, source.encode).body == b"2"


def test_a_fault_is_kept_by_nobody() -> None:
    clock = Clock()
    answers, source = ResponseCache(clock), Source(clock)

    def fails() -> int:
        raise OSError("unreachable")

    with pytest.raises(OSError, match="unreachable"):
        answers.get("x", 2.0, fails, source.encode)
    assert answers.get("x", 2.0, source.load, source.encode).body == b"1"


def test_who_asks_while_it_is_read_waits_for_the_same_answer() -> None:
    answers = ResponseCache()
    go_on, readings = threading.Event(), []

    def slow() -> bytes:
        readings.append(1)
        go_on.wait(10)
        return b"only"

    bodies: list[bytes] = []

    def ask() -> None:
        bodies.append(answers.get("x", 60.0, slow, lambda figures, kept_s: cached_response(figures)).body)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert (bodies, len(readings)) == ([b"only"] * 8, 1)


def test_memory_is_bounded_whatever_is_asked() -> None:
    clock = Clock()
    answers, source = ResponseCache(clock), Source(clock)
    for number in range(ENTRIES_MAX * 3):
        answers.get(number, 60.0, source.load, source.encode)
    answers.get(ENTRIES_MAX * 3 - 1, 60.0, source.load, source.encode)
    assert source.readings == ENTRIES_MAX * 3
    answers.get(0, 60.0, source.load, source.encode)
    assert source.readings == ENTRIES_MAX * 3 + 1
