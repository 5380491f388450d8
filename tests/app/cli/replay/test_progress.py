"""The progress of a window replay, as a terminal and as a log show it."""

from __future__ import annotations

import io
import math

import pytest

from app.cli.replay.progress import LINE_EVERY_S, TTY_EVERY_S, ProgressBar
from consumers.replay.load.forecast import Forecast, Outlook, outlook
from consumers.replay.load.shapes import Load, at_rate, at_speed, parse_stages
from consumers.replay.plan import Progress

FROM_MS = 1_795_428_000_000  # 2026-11-23T10:00:00Z
AS_FAST_AS_IT_GOES = Load((at_speed(math.inf),))
HOUR = Forecast(1_000, 3_600.0, is_exact=True)


class Terminal(io.StringIO):
    """Its `isatty` is true."""

    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that is moved by hand."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def bar(
    out: io.StringIO, clock: Clock, load: Load = AS_FAST_AS_IT_GOES, forecast: Forecast = HOUR
) -> ProgressBar:
    return ProgressBar(out, outlook(load, forecast), clock=clock)


def test_it_shows_share_place_requests_and_time_left() -> None:
    clock = Clock()
    shown = bar(io.StringIO(), clock)
    line = shown.line(Progress(250, FROM_MS + 900_000), clock.now_s + 60)
    assert line == (
        "[#######.....................]  25%  at 10:15:00  250 of 1,000 requests  time left: 3 min 00 s"
    )


@pytest.mark.parametrize(
    ("load", "share", "left"),
    [
        (Load((at_speed(90.0),)), "25%", "30 s"),
        (Load((at_speed(360.0),)), "25%", "30 s"),  # Planned are 10 s in all, but it takes 40.
        (Load((at_speed(math.inf),)), "25%", "30 s"),
        (Load((at_speed(math.inf),), cap=25.0), "25%", "30 s"),
        (Load((at_rate(25.0),)), "25%", "30 s"),
        (Load((at_speed(1.0),), duration_s=100.0), "10%", "1 min 30 s"),
        (Load((at_speed(math.inf),), duration_s=100.0, is_looped=True), "10%", "1 min 30 s"),
        (Load(parse_stages("1m:1x,40s:5x,20s:0x")), " 8%", "1 min 50 s"),
    ],
)
def test_the_time_left_follows_the_load(load: Load, share: str, left: str) -> None:
    clock = Clock()
    line = bar(io.StringIO(), clock, load).line(Progress(250, FROM_MS + 900_000), clock.now_s + 10)
    assert f"]  {share}" in line
    assert line.endswith(f"time left: {left}")


def test_what_takes_longer_than_planned_has_time_left_until_all_is_done() -> None:
    clock = Clock()
    late = bar(io.StringIO(), clock, Load((at_speed(360.0),)))
    line = late.line(Progress(800, FROM_MS + 900_000), clock.now_s + 10)
    assert line.endswith("time left: 2 s")


@pytest.mark.parametrize(
    ("load", "said"),
    [
        (Load((at_speed(10.0),)), "7,467 requests, about 16 s"),
        (Load((at_rate(100.0),)), "7,467 requests, about 75 s"),
        (Load((at_speed(math.inf),)), "7,467 requests, as fast as they are answered"),
        (Load((at_speed(math.inf),), cap=50.0), "7,467 requests, about 2 min"),
        (Load(duration_s=60.0), "about 2,800 requests, about 60 s"),
        (Load(duration_s=3_600.0), "7,467 requests, about 2 min"),
        (Load(duration_s=3_600.0, is_looped=True), "about 168,008 requests, about 60 min"),
        (Load(parse_stages("30s:1x,10s:0x,20s:5x")), "about 6,067 requests, about 60 s"),
        (Load(parse_stages("30s:1x,20s:10x")), "7,467 requests, about 43 s"),
        (Load(parse_stages("30s:10/s,20s:100/s")), "about 2,300 requests, about 50 s"),
        (
            Load((at_speed(math.inf),), duration_s=60.0, is_looped=True),
            "as many requests as the target takes, about 60 s",
        ),
    ],
)
def test_the_first_line_says_what_is_to_come(load: Load, said: str) -> None:
    out = io.StringIO()
    bar(out, Clock(), load, Forecast(7_467, 160.0, is_exact=True)).begin()
    assert out.getvalue() == said + "\n"


def test_an_estimate_says_that_it_is_one() -> None:
    forecast = Forecast(7_467.4, 160.0, is_exact=False)
    assert outlook(Load((at_speed(10.0),)), forecast).text == "about 7,467 requests, about 16 s"
    shown = bar(io.StringIO(), Clock(), forecast=forecast)
    assert "250 of about 7,467 requests" in shown.line(Progress(250, FROM_MS), 110.0)


@pytest.mark.parametrize(
    ("load", "uses_up"),
    [
        (Load(parse_stages("30s:1x,20s:10x")), True),
        (Load(parse_stages("30s:1x,20s:2x")), False),
        (Load(parse_stages("1m:100/s,1m:100/s")), True),
        (Load(parse_stages("30s:1x,20s:10x"), is_looped=True), False),
        (Load(duration_s=3_600), False),
    ],
)
def test_stages_that_outlast_the_logs_part_of_the_window_are_told_apart(load: Load, uses_up: bool) -> None:
    assert outlook(load, Forecast(7_467, 160.0, is_exact=True)).uses_up_window is uses_up


@pytest.mark.parametrize(
    ("load", "is_capped"),
    [
        (Load((at_speed(10.0),), cap=100.0), True),
        (Load((at_speed(2.0),), cap=100.0), False),
        (Load((at_speed(math.inf),), cap=100.0), False),
        (Load((at_speed(10.0),), duration_s=2.0, cap=100.0), True),
        (Load(parse_stages("1s:1x,1s:10x"), cap=100.0), True),
    ],
)
def test_a_cap_that_makes_a_run_slower_than_asked_is_told(load: Load, is_capped: bool) -> None:
    assert outlook(load, Forecast(7_467, 160.0, is_exact=True)).is_capped is is_capped


@pytest.mark.parametrize("load", [Load(), Load((at_rate(5.0),)), Load(duration_s=60.0, is_looped=True)])
def test_without_requests_there_is_nothing_to_come(load: Load) -> None:
    assert outlook(load, Forecast(0, 0.0, is_exact=True)).text == "0 requests, about 0 s"


def test_before_the_first_request_the_time_left_is_unknown() -> None:
    clock = Clock()
    line = bar(io.StringIO(), clock).line(Progress(0, 0), clock.now_s)
    assert "  0%  at --:--:--  0 of 1,000 requests  time left: unknown" in line


def test_an_estimate_that_was_too_low_ends_at_100_percent() -> None:
    few = Forecast(10, 1.0, is_exact=False)
    shown = bar(io.StringIO(), Clock(), forecast=few)
    assert shown.share(Progress(11, FROM_MS)) == 1.0
    assert "11 of about 11 requests" in shown.line(Progress(11, FROM_MS), 101.0)
    assert bar(io.StringIO(), Clock(), forecast=Forecast(0, 0.0, is_exact=True)).share(Progress(0, 0)) == 0.0


def test_a_dry_run_counts_messages() -> None:
    shown = ProgressBar(io.StringIO(), Outlook(1_000, None, is_exact=False), "messages", Clock())
    assert "500 of about 1,000 messages" in shown.line(Progress(500, FROM_MS), 110.0)


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
        assert out.getvalue().count(" requests  ") == 2
        assert out.getvalue().endswith("\n")
