"""Loads on a real target: what arrives, when, and how it is counted."""

from __future__ import annotations

import math
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from app.log import Reach
from app.message import RouterMessage
from consumers.replay.choice.coverage import coverage_of
from consumers.replay.choice.policy import HeaderOptions, ReplayPolicy
from consumers.replay.choice.rules import Rules
from consumers.replay.choice.target import Target
from consumers.replay.load.shapes import Load, at_rate, at_speed, parse_stages
from consumers.replay.plan import ReplayPlan
from consumers.replay.window import LAST_S, WindowReplay
from servers.messages import router_message
from tests.consumers.replay.samples import GUARD, line, never
from tests.consumers.replay.test_window import AT_MS, ignore
from tests.support.target import RecordingTarget, answer

MOST_LATE_S = 0.4
"""On a machine with other work to do."""


class Log:
    """One request at each of these times (ms), /0, /1, ...; a POST or another app's where `kinds` says so."""

    was_overtaken = False

    def __init__(self, at_ms: Sequence[int], kinds: Sequence[str] = ()) -> None:
        self._messages = [
            router_message(
                line(f"/{number}", method="POST" if kinds and kinds[number] == "post" else "GET"),
                (AT_MS + each) / 1000,
                id=f"f.{number}",
                app="blog" if kinds and kinds[number] == "app" else "shop",
            )
            for number, each in enumerate(at_ms)
        ]

    def read(self, from_ms: int, until_ms: int) -> Iterator[list[RouterMessage]]:
        for start in range(0, len(self._messages), 50):
            chunk = self._messages[start : start + 50]
            yield [each for each in chunk if from_ms <= each["received_at"] < until_ms]

    def reach(self) -> Reach:
        return Reach(self._messages[0]["received_at"], self._messages[-1]["received_at"])

    def estimate(self, from_ms: int, until_ms: int) -> int:
        return sum(from_ms <= each["received_at"] < until_ms for each in self._messages)

    def close(self) -> None:
        """There is nothing to close."""


def window(target: RecordingTarget, load: Load, app: str = "", concurrency: int = 16) -> WindowReplay:
    plan = ReplayPlan(
        from_ms=0,
        until_ms=sys.maxsize,
        target=Target.parse(target.url),
        baseline=None,
        policy=ReplayPolicy(Rules([], ("GET",)), 1.0, HeaderOptions(), allow_same_host=True, guard=GUARD),
        app=app,
        concurrency=concurrency,
        timeout_s=5.0,
        load=load,
    )
    return WindowReplay(plan, lambda line: "/:n", never)


def stages(text: str) -> Load:
    """Stages of tenths of a second for what is written as seconds."""
    return Load(tuple(replace(stage, duration_s=stage.duration_s / 10) for stage in parse_stages(text)))


def arrivals_s(target: RecordingTarget) -> list[float]:
    """Since the first."""
    return [seen.at_s - target.seen[0].at_s for seen in target.seen]


def test_stages_follow_one_another_and_what_lies_beyond_their_end_is_not_left_out() -> None:
    log = Log([number * 20 for number in range(300)])  # 6 s.
    with RecordingTarget() as target:
        replayed = window(target, stages("5s:1x,5s:4x,5s:0x,5s:1x"))
        replayed.run(log, ignore)
        arrived = arrivals_s(target)
    figures = replayed.take_figures()
    # 0.5 s of the log, 2 s, nothing, 0.5 s; at 50 requests a second.
    assert figures.sent == len(arrived) == 150
    assert not figures.skipped
    assert coverage_of(figures).asked == 150
    assert arrived[24] == pytest.approx(0.48, abs=MOST_LATE_S)
    assert arrived[124] == pytest.approx(0.995, abs=MOST_LATE_S)
    assert arrived[125] == pytest.approx(1.5, abs=MOST_LATE_S)
    assert arrived[149] == pytest.approx(1.98, abs=MOST_LATE_S)


def test_a_window_begins_again_with_the_same_marks_and_without_a_burst() -> None:
    log = Log([number * 20 for number in range(25)])
    with RecordingTarget() as target:
        replayed = window(target, Load(duration_s=1.5, is_looped=True))
        replayed.run(log, ignore)
        arrived, ids = arrivals_s(target), Counter(seen.headers["x-request-id"] for seen in target.seen)
    figures = replayed.take_figures()
    assert figures.sent == 75
    assert set(ids.values()) == {3}
    assert GUARD.is_replayed(next(iter(ids)))
    assert replayed.pairs.all.seen == 75
    assert [target.targets().index(b"/%d" % number) for number in range(25)] == list(range(25))
    assert all(at_s == pytest.approx(number * 0.02, abs=MOST_LATE_S) for number, at_s in enumerate(arrived))


def test_for_alone_ends_early_and_an_end_of_the_window_ends_a_run_before() -> None:
    log = Log([number * 20 for number in range(100)])
    with RecordingTarget() as target:
        short = window(target, Load(duration_s=1.0))
        short.run(log, ignore)
        long = window(target, Load((at_speed(10.0),), duration_s=60.0))
        long.run(log, ignore)
    assert (short.take_figures().sent, long.take_figures().sent) == (50, 100)


def test_at_max_speed_a_window_is_repeated_until_the_time_is_up() -> None:
    with RecordingTarget() as target:
        replayed = window(target, Load((at_speed(math.inf),), duration_s=0.5, is_looped=True))
        started_s = time.monotonic()
        replayed.run(Log([0, 10, 20]), ignore)
        took_s = time.monotonic() - started_s
    figures = replayed.take_figures()
    assert figures.sent + figures.skipped["late"] > 30
    assert 0.5 <= took_s < LAST_S + 3


@pytest.mark.parametrize("count_s", [10.0, 0.0])
def test_a_rate_is_the_average_of_what_is_sent_whatever_else_the_window_has(count_s: float) -> None:
    """Counted before; and estimated from the first chunk, which has hardly a request that is sent."""
    chance = random.Random(7)
    at_s, times = 0.0, []
    for number in range(1_200):
        at_s += chance.expovariate(20 if number < 600 else 60)
        times.append(round(at_s * 1000))
    kinds = [
        chance.choices(["get", "post", "app"], (1, 8, 1) if number < 50 else (5, 3, 2))[0]
        for number in range(1_200)
    ]
    with RecordingTarget() as target:
        replayed = window(target, Load((at_rate(200.0),)), app="shop")
        forecast = replayed.forecast(Log(times, kinds), count_s)
        replayed.run(Log(times, kinds), ignore)
        arrived = arrivals_s(target)
    assert forecast.is_exact is bool(count_s)
    assert replayed.take_figures().sent == len(arrived) == kinds.count("get")
    assert arrived[-1] == pytest.approx((len(arrived) - 1) / 200, abs=0.5)


def test_a_target_that_cannot_keep_up_does_not_hold_the_end_up() -> None:
    """Five seconds after the end, what is still to be sent is late, and each request counts once."""
    log = Log(list(range(4_000)))
    with RecordingTarget(answer(delay_s=0.1)) as target:
        replayed = window(target, Load((at_speed(4.0),), duration_s=0.5), concurrency=2)
        started_s = time.monotonic()
        replayed.run(log, ignore)
        took_s = time.monotonic() - started_s
    figures = replayed.take_figures()
    assert took_s < LAST_S + 5
    assert set(figures.skipped) == {"late"}
    assert figures.sent < 200
    assert figures.sent + figures.skipped["late"] == pytest.approx(2_000, abs=1)
    assert coverage_of(figures).left_out["late"] > 1_800


def test_a_loop_ends_where_the_log_has_lost_the_window() -> None:
    class Expiring(Log):
        passes = 0

        def read(self, from_ms: int, until_ms: int) -> Iterator[list[RouterMessage]]:
            self.passes += 1
            yield from super().read(from_ms, until_ms) if self.passes < 3 else []

    with RecordingTarget() as target:
        replayed = window(target, Load(duration_s=300.0, is_looped=True))
        replayed.run(Expiring([0, 100, 200]), ignore)
    assert replayed.take_figures().sent == 6
