"""What a load says of itself, and which flags describe none."""

from __future__ import annotations

import math

import pytest

from consumers.replay.load.shapes import BadLoad, Load, Stage, at_rate, at_speed, parse_stages


def test_stages_have_a_time_and_a_speed_or_a_rate() -> None:
    assert parse_stages("5m:1x, 90s:2.5x,1h:200/s,10s:0x") == (
        Stage("1x", 300, speed=1.0),
        Stage("2.5x", 90, speed=2.5),
        Stage("200/s", 3_600, rate=200.0),
        Stage("0x", 10, speed=0.0),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not a stage"),
        ("5m:1x,", "is not a stage"),
        ("5m", "5m:10x"),
        ("5m:", "is not a stage"),
        ("5m:10", "is not a stage"),
        ("5:10x", "is not a stage"),
        ("5m:-1x", "is not a stage"),
        ("5m:nanx", "is not a stage"),
        ("5m:infx", "is not a stage"),
        ("5m:1e3x", "is not a stage"),
        ("5m:10x:2", "is not a stage"),
        ("10x:5m", "is not a stage"),
        ("0s:1x", "at least 1s"),
        ("5m:max", "a speed (50x) or a rate (500/s)"),
        ("5m:0/s", "a rate must be above 0"),
        ("5m:0x,1h:0.0x", "nothing would be sent"),
        ("5m:9999999x", "too fast"),
        ("5m:9999999/s", "too fast"),
        (",".join(["1s:1x"] * 101), "at most 100"),
    ],
)
def test_what_is_no_list_of_stages_is_refused_with_an_example(text: str, said: str) -> None:
    with pytest.raises(BadLoad, match=r"^--stages") as fault:
        parse_stages(text)
    assert said in str(fault.value)


@pytest.mark.parametrize(
    ("load", "text", "speed", "rate"),
    [
        (Load(), "1x", 1.0, None),
        (Load((at_speed(10.0),)), "10x", 10.0, None),
        (Load((at_speed(math.inf),)), "max", None, None),
        (Load((at_speed(math.inf),), cap=200.0), "max, at most 200/s", None, None),
        (Load((at_speed(10.0),), cap=50.0), "10x, at most 50/s", None, None),
        (Load((at_rate(200.0),)), "200/s", None, 200.0),
        (Load((at_speed(2.0),), duration_s=3_600, is_looped=True), "2x for 60 min", 2.0, None),
        (Load(parse_stages("5m:1x,10m:5x")), "5m:1x,10m:5x", 55 / 15, None),
        (Load(parse_stages("90s:10/s,30s:50/s")), "90s:10/s,30s:50/s", None, 20.0),
        (Load(parse_stages("1m:1x,1m:50/s")), "1m:1x,1m:50/s", None, None),
    ],
)
def test_a_load_says_what_was_asked(load: Load, text: str, speed: float | None, rate: float | None) -> None:
    assert load.text == text
    assert load.speed == pytest.approx(speed)
    assert load.rate == pytest.approx(rate)


@pytest.mark.parametrize(
    ("load", "flag", "is_paced"),
    [
        (Load(), "--speed", True),
        (Load((at_speed(math.inf),)), "--speed", False),
        (Load((at_rate(5.0),)), "--rate", True),
        (Load(parse_stages("1m:1x")), "--stages", True),
        (Load(parse_stages("1m:5/s,1m:9/s")), "--stages", True),
    ],
)
def test_a_load_names_the_flag_to_change(load: Load, flag: str, is_paced: bool) -> None:
    assert (load.flag, load.is_paced) == (flag, is_paced)


def test_a_window_that_the_stages_use_up_is_refused_with_the_fix() -> None:
    load = Load(parse_stages("5m:1x,10m:8x,5m:1x"))
    load.refuse_short_window(90 * 60)
    with pytest.raises(BadLoad, match="60 minutes, the stages need 90 minutes of the log: add --loop"):
        load.refuse_short_window(60 * 60)
    Load(load.stages, is_looped=True).refuse_short_window(60 * 60)
    Load((at_speed(10.0),)).refuse_short_window(1)


def test_what_depends_on_the_time_since_its_start_cannot_be_resumed() -> None:
    for load in (Load(), Load((at_speed(math.inf),), cap=5.0), Load((at_rate(5.0),))):
        assert not load.why_not_resumable
    for load in (Load(parse_stages("1m:1x")), Load(duration_s=60.0), Load(duration_s=60.0, is_looped=True)):
        assert "--stages, --for, --loop or --find-limit cannot be resumed" in load.why_not_resumable
