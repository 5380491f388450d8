"""Whether a run kept the pace that was asked, and whose fault it is if not: real targets, real senders."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from socket import socket

import pytest

from app.message import RouterMessage
from app.sketch import middle_ms
from app.store.run_result import Pace
from consumers.replay.window import WindowReplay
from tests.consumers.replay.test_window import GAP_MS, Kept, ignore, window
from tests.support.target import Behaviour, RecordingTarget, SeenRequest, answer

pytestmark = pytest.mark.slow

LOG_RATE = 1_000 / GAP_MS
"""Requests/s in the log of `Kept`."""


def one_at_a_time(service_s: float) -> Behaviour:
    """A target with the capacity of a single worker."""
    worker = threading.Lock()

    def behave(connection: socket, seen: SeenRequest) -> bool:
        with worker:
            time.sleep(service_s)
        return answer()(connection, seen)

    return behave


def replayed(
    target: RecordingTarget,
    count: int,
    speed: float,
    *,
    concurrency: int | None = None,
    baseline: RecordingTarget | None = None,
    log: Kept | None = None,
) -> WindowReplay:
    """After a run of the first `count` requests of the log."""
    run = window(target, baseline, speed)
    run.plan = replace(run.plan, concurrency=concurrency, timeout_s=20.0)
    run.run(log or Kept(count), ignore)
    return run


def sender_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("sender")]


def is_slow(pace: Pace) -> bool:
    return pace.share_reached is not None and pace.share_reached < 0.95


def test_a_stall_is_seen_in_full_by_the_response_times_alone() -> None:
    """Service times show it only for the requests that were under way: that is coordinated omission."""
    ends_s: list[float] = []

    def behave(connection: socket, seen: SeenRequest) -> bool:
        if int(seen.target[1:]) >= 100:
            ends_s.append(time.monotonic() + 2.0)  # The first one counts.
            time.sleep(max(0.0, ends_s[0] - time.monotonic()))
        return answer()(connection, seen)

    with RecordingTarget(behave) as target:
        run = replayed(target, 400, 1.0, concurrency=4)
    (route,) = run.take_figures().routes.values()
    hung = sum(n for index, n in route.replayed.items() if middle_ms(index) > 500)
    waited = sum(n for index, n in route.response.items() if middle_ms(index) > 500)
    assert 1 <= hung <= 4
    # A request is due every 10 ms, and those of the first 1.5 s of the stall waited for more than 0.5 s.
    assert waited >= 140
    assert max(middle_ms(index) for index in route.response) > 1_900
    late_ms = run.pace().late.max
    assert late_ms is not None
    assert late_ms > 1_900
    points = run.timeline()
    assert sum(point.sent for point in points) == 400
    assert max(point.late_ms for point in points) == pytest.approx(late_ms, abs=0.01)
    assert max(point.service_ms or 0 for point in points) > 100


@pytest.mark.parametrize("concurrency", [None, 16])
def test_a_target_that_takes_a_tenth_of_the_load_is_named(concurrency: int | None) -> None:
    # So slow that its first answers, of which there are few, stay fast where the machine is busy.
    with RecordingTarget(one_at_a_time(0.06)) as target:
        pace = replayed(target, 100, 5.0, concurrency=concurrency).pace()
    assert pace.fault == "target"
    assert pace.share_reached is not None
    assert pace.share_reached < 0.3
    assert pace.speed_reached == pytest.approx(5.0 * pace.share_reached)
    assert pace.rate_asked == pytest.approx(5 * LOG_RATE)
    assert pace.rate_reached < 60
    assert pace.explanation.startswith("The target answered ")
    assert "requests/s of the 500/s asked: its service time rose from " in pace.explanation
    assert "more capacity" in pace.explanation
    assert "--speed " in pace.explanation


def test_the_slower_one_of_two_targets_is_named() -> None:
    with RecordingTarget() as target, RecordingTarget(one_at_a_time(0.02)) as baseline:
        pace = replayed(target, 200, 5.0, baseline=baseline).pace()
    assert pace.fault == "target"
    assert pace.explanation.startswith("The baseline answered ")


def test_too_few_senders_are_told_from_a_slow_target_and_the_number_that_is_named_does() -> None:
    with RecordingTarget(answer(delay_s=0.1)) as target:
        pace = replayed(target, 150, 1.0, concurrency=2).pace()
        assert pace.fault == "concurrency"
        assert (pace.concurrency, pace.concurrency_max) == (2, 2)
        assert pace.explanation.startswith("All 2 senders were busy: the target took 1")
        words = pace.explanation.split()
        wanted = int(words[words.index("--concurrency") + 1])
        assert 10 <= wanted <= 40  # 100 requests/s of 100 ms each are ten at once.

        again = replayed(target, 150, 1.0, concurrency=wanted).pace()
    assert not is_slow(again)
    assert (again.fault, again.explanation) == ("", "")


def test_concurrency_grows_where_sixteen_would_not_do_and_leaves_no_thread() -> None:
    with RecordingTarget(answer(delay_s=0.3)) as target:
        fixed = replayed(target, 300, 2.0, concurrency=16).pace()
        assert fixed.fault == "concurrency"
        pace = replayed(target, 300, 2.0).pace()
        assert not is_slow(pace)
        assert 40 < pace.concurrency <= pace.concurrency_max < 256
        fast = answer()
        target.behaviour = fast
        assert replayed(target, 200, 2.0).pace().concurrency_max < 256
    assert sender_threads() == []


def test_a_log_that_is_read_too_slowly_is_this_machines_fault() -> None:
    class Slow(Kept):
        def read(self, from_ms: int, until_ms: int) -> Iterator[list[RouterMessage]]:
            for chunk in super().read(from_ms, until_ms):
                time.sleep(0.8)
                yield chunk

    with RecordingTarget() as target:
        pace = replayed(target, 0, 10.0, log=Slow(400)).pace()
    assert is_slow(pace)
    assert pace.fault == "machine"
    assert pace.explanation.startswith("The log could not be read as fast as asked: ")


@pytest.mark.parametrize(("count", "speed"), [(1, 1.0), (5, 1.0), (100, 1.0), (200, 2.0)])
def test_a_short_run_is_not_slow_because_of_jitter(count: int, speed: float) -> None:
    with RecordingTarget(answer(delay_s=0.005)) as target:
        pace = replayed(target, count, speed).pace()
    assert not is_slow(pace)
    assert (pace.fault, pace.explanation) == ("", "")
    assert pace.asked == f"{speed:g}x"
    assert pace.speed_asked == speed


def test_slow_answers_alone_are_no_slow_pace() -> None:
    """The last answers come long after the last request was due, as all of them do."""
    with RecordingTarget(answer(delay_s=1.5)) as target:
        pace = replayed(target, 100, 1.0).pace()
    assert not is_slow(pace)
    assert pace.fault == ""
    assert pace.duration_s > 2.4


def test_at_full_speed_nothing_is_asked_and_nothing_is_late() -> None:
    with RecordingTarget(answer(delay_s=0.02)) as target:
        run = replayed(target, 300, math.inf)
    pace = run.pace()
    assert (pace.asked, pace.fault) == ("max", "")
    assert (pace.speed_asked, pace.speed_reached, pace.rate_asked, pace.share_reached) == (None,) * 4
    assert pace.late.max is None
    assert 100 < pace.rate_reached < 900
    assert pace.concurrency == pace.concurrency_max == 16
    (route,) = run.take_figures().routes.values()
    # Each takes 20 ms; waiting for the 299 others is nothing that the target did.
    assert sum(n for index, n in route.response.items() if middle_ms(index) < 150) > 280


def test_before_a_run_there_is_no_pace() -> None:
    with RecordingTarget() as target:
        run = window(target, speed=2.0)
    assert run.timeline() == []
    pace = run.pace()
    assert (pace.fault, pace.share_reached, pace.rate_reached) == ("", None, 0.0)


def test_an_interrupted_run_is_judged_by_what_it_sent() -> None:
    def stop(progress: object) -> None:
        if time.monotonic() > stop_s:
            raise KeyboardInterrupt

    with RecordingTarget() as target:
        run = window(target, speed=1.0)
        run.plan = replace(run.plan, concurrency=None)
        stop_s = time.monotonic() + 1.5
        with pytest.raises(KeyboardInterrupt):
            run.run(Kept(3_000), stop)
    pace = run.pace()
    assert not is_slow(pace)
    assert pace.duration_s < 3
    assert sender_threads() == []


def test_refusals_are_named() -> None:
    limited = answer(status=429)
    slow = one_at_a_time(0.02)

    def behave(connection: socket, seen: SeenRequest) -> bool:
        return (limited if int(seen.target[1:]) % 4 == 0 else slow)(connection, seen)

    with RecordingTarget(behave) as target:
        pace = replayed(target, 200, 5.0).pace()
    assert pace.fault == "target"
    assert "it refused 25 % of the requests" in pace.explanation


def test_a_target_that_hangs_now_and_then_is_not_helped_by_more_senders() -> None:
    def behave(connection: socket, seen: SeenRequest) -> bool:
        if int(seen.target[1:]) % 3 == 0:
            time.sleep(1.5)
        return answer()(connection, seen)

    with RecordingTarget(behave) as target:
        run = window(target, speed=1.0)
        run.plan = replace(run.plan, concurrency=4, timeout_s=0.5)
        run.run(Kept(100), ignore)
    pace = run.pace()
    assert pace.fault == "target"
    assert "34 % of them timed out" in pace.explanation
