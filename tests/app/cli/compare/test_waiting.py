"""Waiting for what is still missing: until when, and what is said meanwhile."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from app.cli.compare.waiting import ASK_EVERY_S, wait_until_complete
from app.comparison.result import Comparison
from app.platform.release import Release

RELEASE = Release("shop", 42, 0, "deploy", "v42: deploy 9154a1d2")


class Clock:
    """Time that passes by sleeping alone."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def waited(
    find: Callable[[float], Comparison], wait_s: float, *, may_come: bool = True
) -> tuple[Comparison, float, str]:
    """What was found, after how many seconds, and what was written."""
    clock, out = Clock(), io.StringIO()
    found = wait_until_complete(
        find, wait_s, out, may_come=may_come, clock=lambda: clock.now_s, sleep=clock.sleep
    )
    return found, clock.now_s - 1_000, out.getvalue()


def complete(release: Release | None = RELEASE) -> Comparison:
    return Comparison("shop", release=release)


def test_what_is_complete_is_not_waited_for() -> None:
    assert waited(lambda now_s: complete(), 900) == (complete(), 0, "")


def test_it_waits_until_the_span_after_is_over_and_says_how_long_that_takes() -> None:
    def find(now_s: float) -> Comparison:
        if now_s >= 1_100:
            return complete()
        return Comparison("shop", release=RELEASE, is_complete=False, ready_s=1_100)

    found, seconds, said = waited(find, 900)
    assert found.is_complete
    assert 100 <= seconds <= 101
    assert said.startswith(
        "v42: deploy 9154a1d2: the span after is complete in 1 min (at most 15 min more)\n"
    )


def test_after_the_time_given_it_is_as_it_is_then() -> None:
    early = Comparison("shop", release=RELEASE, is_complete=False, ready_s=5_000)
    found, seconds, _ = waited(lambda now_s: early, 120)
    assert found == early
    assert 120 <= seconds <= 121
    assert waited(lambda now_s: early, 0)[1] == 0


def test_it_waits_for_a_release_that_is_not_known_yet() -> None:
    unknown = Comparison("shop", refused="no release v42 of shop is known")
    found, seconds, said = waited(lambda now_s: complete() if now_s > 1_050 else unknown, 900)
    assert found == complete()
    assert 50 < seconds <= 50 + ASK_EVERY_S + 1
    assert "no release v42 of shop is known" in said


@pytest.mark.parametrize(
    ("refused", "may_come"),
    [
        (Comparison("", refused="no name"), True),
        (Comparison("shop", release=RELEASE, refused="too old"), True),
        (Comparison("shop", refused="the two spans overlap"), False),
    ],
)
def test_it_does_not_wait_for_what_no_time_can_change(refused: Comparison, may_come: bool) -> None:
    assert waited(lambda now_s: refused, 900, may_come=may_come) == (refused, 0, "")


def test_it_waits_for_workers_that_are_behind() -> None:
    behind = Comparison("shop", release=RELEASE, is_complete=False)
    found, _, said = waited(lambda now_s: complete() if now_s > 1_020 else behind, 900)
    assert found == complete()
    assert "waiting for the workers of `metrics` to catch up" in said
