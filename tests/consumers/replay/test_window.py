"""A window against targets that fail on the way: nothing counts twice, nothing is lost."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from socket import socket

import pytest

from app.errors import TargetDown
from app.log import Reach
from app.message import RouterMessage
from app.store.run_figures import RunFigures
from consumers.replay.choice.policy import HeaderOptions, ReplayPolicy
from consumers.replay.choice.rules import Rules
from consumers.replay.choice.target import Target
from consumers.replay.load.shapes import Load, at_speed
from consumers.replay.plan import Progress, ReplayPlan
from consumers.replay.sending.breaker import FAILURES_IN_A_ROW
from consumers.replay.sending.senders import QUEUE_MAX
from consumers.replay.window import WindowReplay
from servers.messages import router_message
from tests.consumers.replay.samples import GUARD, line, never
from tests.support.target import Behaviour, RecordingTarget, SeenRequest, answer, refuse_by_reset

AT_MS = 1_763_900_000_000
GAP_MS = 10


class Kept:
    """A log of `count` requests, /0, /1, ..., ten milliseconds apart. `ahead_ms`: how far
    the clock of every second router is ahead of the drain's."""

    was_overtaken = False

    def __init__(self, count: int, ahead_ms: int = 0) -> None:
        self._count = count
        self._ahead_ms = ahead_ms

    def reach(self) -> Reach:
        return Reach(AT_MS, AT_MS + (self._count - 1) * GAP_MS)

    def read(self, from_ms: int, until_ms: int) -> Iterator[list[RouterMessage]]:
        for start in range(0, self._count, 100):
            chunk = [self._message(number) for number in range(start, min(start + 100, self._count))]
            yield [message for message in chunk if from_ms <= message["received_at"] < until_ms]

    def _message(self, number: int) -> RouterMessage:
        at_ms = AT_MS + number * GAP_MS
        said_ms = at_ms + number % 2 * self._ahead_ms
        return router_message(line(f"/{number}"), said_ms / 1000, id=f"f.{number}", received_s=at_ms / 1000)

    def estimate(self, from_ms: int, until_ms: int) -> int:
        return self._count

    def close(self) -> None:
        """There is nothing to close."""


def window(
    target: RecordingTarget,
    baseline: RecordingTarget | None = None,
    speed: float = math.inf,
    rate: float = 0,
    load: Load | None = None,
) -> WindowReplay:
    plan = ReplayPlan(
        from_ms=0,
        until_ms=sys.maxsize,
        target=Target.parse(target.url),
        baseline=Target.parse(baseline.url) if baseline else None,
        policy=ReplayPolicy(Rules([], ("GET",)), 1.0, HeaderOptions(), allow_same_host=True, guard=GUARD),
        app="",
        concurrency=4,
        timeout_s=2.0,
        load=load or Load((at_speed(speed),), cap=rate),
    )
    return WindowReplay(plan, lambda line: "/:n", never)


def ignore(progress: Progress) -> None:
    """Does nothing."""


def counted(figures: RunFigures) -> int:
    return figures.sent + sum(figures.skipped.values())


def status_by_number(seen: SeenRequest) -> int:
    return 200 + int(seen.target[1:]) % 90


def figure_of_field(connection: socket, seen: SeenRequest) -> bool:
    """A status of its own for each of 90 requests in a row."""
    return answer(status_by_number(seen))(connection, seen)


def failing_between(first: int, last: int, behaviour: Behaviour) -> Behaviour:
    def behave(connection: socket, seen: SeenRequest) -> bool:
        failing = first <= int(seen.target[1:]) < last
        return (refuse_by_reset() if failing else behaviour)(connection, seen)

    return behave


def test_outcomes_are_never_joined_with_those_of_another_request_when_the_baseline_fails() -> None:
    def behave(connection: socket, seen: SeenRequest) -> bool:
        is_seventh = int(seen.target[1:]) % 7 == 0
        return (refuse_by_reset() if is_seventh else figure_of_field)(connection, seen)

    with RecordingTarget(figure_of_field) as target, RecordingTarget(behave) as baseline:
        replayed = window(target, baseline)
        replayed.run(Kept(700), ignore)
    (route,) = replayed.take_figures().routes.values()
    assert route.sent == 700
    changed = {pair: count for pair, count in route.statuses.items() if pair[0] != pair[1]}
    assert set(changed) == {(0, status) for status in range(200, 290)}  # The baseline's 0: no answer.
    assert sum(changed.values()) == route.kinds["baseline-reset"] == 100


@pytest.mark.parametrize("ahead_ms", [0, 1_500, -5_000])
@pytest.mark.parametrize("case", ["one target", "two, the target down", "two, the baseline down"])
def test_after_a_target_was_down_the_replay_resumes_without_a_gap(case: str, ahead_ms: int) -> None:
    log = Kept(600, ahead_ms)
    with RecordingTarget() as target, RecordingTarget() as other:
        baseline = other if case.startswith("two") else None
        failing = other if case.endswith("baseline down") else target
        failing.behaviour = failing_between(200, 600, answer())
        first = window(target, baseline, rate=2_000)
        with pytest.raises(TargetDown, match=failing.url):
            first.run(log, ignore)
        figures = first.take_figures()
        assert figures.skipped.keys() <= {"breaker-open", "stopped"}
        assert counted(figures) <= 600

        failing.behaviour = answer()
        second = window(target, baseline)
        second.run(_From(log, first.resume_ms), ignore)
        assert counted(second.take_figures()) == 600 - (first.resume_ms - AT_MS) // GAP_MS
        for each in (target, baseline) if baseline else (target,):
            assert set(each.targets()) == {b"/%d" % number for number in range(600)}


class _From(Kept):
    """The same log from a given time on."""

    def __init__(self, log: Kept, from_ms: int) -> None:
        self._log = log
        self._from_ms = from_ms

    def read(self, from_ms: int, until_ms: int) -> Iterator[list[RouterMessage]]:
        return self._log.read(self._from_ms, until_ms)


def test_each_request_counts_once_when_the_replay_is_stopped() -> None:
    def stop_at_300(progress: Progress) -> None:
        if progress.done >= 300:
            raise KeyboardInterrupt

    with RecordingTarget() as target, RecordingTarget(answer(delay_s=0.002)) as baseline:
        replayed = window(target, baseline, rate=1_000)
        handed_over = 0

        class Counting(Kept):
            def read(self, from_ms: int, until_ms: int) -> Iterator[list[RouterMessage]]:
                nonlocal handed_over
                for chunk in super().read(from_ms, until_ms):
                    for message in chunk:
                        handed_over += 1
                        yield [message]

        with pytest.raises(KeyboardInterrupt):
            replayed.run(Counting(5_000), stop_at_300)
    figures = replayed.take_figures()
    assert figures.skipped.keys() == {"stopped"}
    assert counted(figures) == handed_over


def test_progress_is_reported_while_the_queue_is_full_and_nothing_is_due() -> None:
    told: list[Progress] = []

    def look(progress: Progress) -> None:
        told.append(progress)
        if len(told) == QUEUE_MAX + 3:
            raise KeyboardInterrupt

    with RecordingTarget() as target:
        slow = window(target, speed=0.001)  # The second request is due after ten seconds.
        with pytest.raises(KeyboardInterrupt):
            slow.run(Kept(QUEUE_MAX + 50), look)
    assert len(told) == QUEUE_MAX + 3
    assert {progress.done for progress in told} <= {0, 1}


def test_an_open_breaker_ends_a_window_however_briefly_it_was_open() -> None:
    with RecordingTarget() as target:
        target.behaviour = failing_between(0, FAILURES_IN_A_ROW, answer())
        replayed = window(target, rate=50)
        with pytest.raises(TargetDown):
            replayed.run(Kept(200), ignore)
    assert len(target.seen) < 200
