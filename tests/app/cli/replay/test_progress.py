"""The progress of a window replay, as a terminal and as a log show it."""

from __future__ import annotations

import io
import math

import pytest

from app.cli.replay.progress import LINE_EVERY_S, TTY_EVERY_S, ProgressBar
from consumers.replay.window import Progress

FROM_MS = 1_795_428_000_000  # 2026-11-23T10:00:00Z
UNTIL_MS = FROM_MS + 3_600_000


class Terminal(io.StringIO):
    """Its `isatty` is true."""

    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that is moved by hand."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def bar(out: io.StringIO, clock: Clock, speed: float = math.inf, estimate: int = 1_000) -> ProgressBar:
    return ProgressBar(out, UNTIL_MS, estimate, speed, clock=clock)


def test_it_shows_share_place_count_and_time_left() -> None:
    clock = Clock()
    shown = bar(io.StringIO(), clock)
    line = shown.line(Progress(250, FROM_MS + 900_000), clock.now_s + 60)
    assert line == "[#######.....................]  25%  at 10:15:00  250 done  time left: 3 min 00 s"


@pytest.mark.parametrize(
    ("speed", "left"), [(1.0, "45 min 00 s"), (10.0, "4 min 30 s"), (900.0, "3 s"), (math.inf, "30 s")]
)
def test_the_time_left_follows_the_pace(speed: float, left: str) -> None:
    clock = Clock()
    line = bar(io.StringIO(), clock, speed).line(Progress(250, FROM_MS + 900_000), clock.now_s + 10)
    assert line.endswith(f"time left: {left}")


def test_before_the_first_request_the_time_left_is_unknown() -> None:
    clock = Clock()
    line = bar(io.StringIO(), clock, 2.0).line(Progress(0, 0), clock.now_s)
    assert "  0%  at --:--:--  0 done  time left: unknown" in line


def test_an_estimate_that_was_too_low_ends_at_100_percent() -> None:
    assert bar(io.StringIO(), Clock(), estimate=10).share(Progress(11, FROM_MS)) == 1.0
    assert bar(io.StringIO(), Clock(), estimate=0).share(Progress(0, 0)) == 0.0


def test_a_terminal_is_updated_a_few_times_a_second_and_a_log_rarely() -> None:
    for out, every_s in ((Terminal(), TTY_EVERY_S), (io.StringIO(), LINE_EVERY_S)):
        clock = Clock()
        shown = bar(out, clock)
        clock.now_s += every_s
        for _ in range(1_000):
            shown.show(Progress(500, FROM_MS))
        clock.now_s += every_s
        shown.show(Progress(600, FROM_MS))
        shown.finish()
        assert out.getvalue().count(" done  ") == 2
        assert out.getvalue().endswith("\n")


def test_the_time_left_follows_the_rate_where_that_takes_longer() -> None:
    clock = Clock()
    limited = ProgressBar(io.StringIO(), UNTIL_MS, 1_000, 900.0, rate=50.0, clock=clock)
    assert limited.line(Progress(250, FROM_MS + 900_000), clock.now_s + 10).endswith("time left: 15 s")
