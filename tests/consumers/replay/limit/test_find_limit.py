"""`--find-limit` on real targets with a known limit."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from socket import socket

import pytest

from app.store.run_result import Fault, Milliseconds, Pace, SpeedStep
from consumers.replay.choice.coverage import coverage_of
from consumers.replay.gate.judge import Evidence, judge
from consumers.replay.gate.thresholds import parse_threshold
from consumers.replay.limit.find_limit import FindLimit, longest_s
from consumers.replay.limit.found import result_of, step_text
from consumers.replay.load.shapes import Load, at_speed
from consumers.replay.window import LAST_S, WindowReplay
from tests.consumers.replay.test_window import ignore
from tests.consumers.replay.test_window_loads import Log, window
from tests.support.target import Behaviour, RecordingTarget, SeenRequest, answer, refuse_by_reset

pytestmark = pytest.mark.slow

LOG = Log([number * 25 for number in range(200)])  # 40 requests/s for 5 s.
STEP_S = 1.5
ERRORS = [parse_threshold("errors>1%")]


def limited(per_s: float, then: Behaviour | None = None, broken_s: float = 0.0) -> Behaviour:
    """Answers so many requests/s; what is more than that, within half a second, gets `then`, and so does
    everything for `broken_s` after that."""
    lock, seen_s = threading.Lock(), deque[float]()
    broken_until_s = 0.0

    def behave(connection: socket, seen: SeenRequest) -> bool:
        nonlocal broken_until_s
        with lock:
            now_s = time.monotonic()
            while seen_s and seen_s[0] < now_s - 0.5:
                seen_s.popleft()
            is_over = len(seen_s) >= per_s / 2
            if is_over:
                broken_until_s = now_s + broken_s
            else:
                seen_s.append(now_s)
            is_bad = is_over or now_s < broken_until_s
        return ((then or answer(503)) if is_bad else answer())(connection, seen)

    return behave


def search_of(
    target: RecordingTarget,
    first: float = 1.0,
    cap: float = 0.0,
    recovery_s: float = 10.0,
    window_of: Callable[[RecordingTarget, Load], WindowReplay] = window,
    told: list[SpeedStep] | None = None,
) -> FindLimit:
    load = Load((at_speed(first),), duration_s=STEP_S, is_looped=True, cap=cap)
    on_step = (lambda step: None) if told is None else told.append
    return FindLimit(load, lambda one: window_of(target, one), ERRORS, on_step, recovery_s)


def speeds(steps: Sequence[SpeedStep]) -> list[float]:
    return [step.speed for step in steps]


@pytest.mark.slow
def test_the_highest_speed_that_holds_is_found_with_its_figures() -> None:
    told: list[SpeedStep] = []
    with RecordingTarget(limited(200)) as target:  # 5x.
        search = search_of(target, told=told)
        search.run(LOG, ignore)
        sent = len(target.seen)
    found = search.found
    assert found.ending == "found"
    assert found.held is not None
    assert found.broke is not None
    assert 3.0 < found.held.speed < 6.0
    assert found.held.speed < found.broke.speed <= found.held.speed * 1.11
    assert found.steps == told
    assert speeds(found.steps)[:3] == [1.0, 2.0, 4.0]
    assert found.held.rate == pytest.approx(40 * found.held.speed, rel=0.4)
    assert found.held.error_share < 0.05 < found.broke.error_share + 0.04
    assert found.held.p95_ms is not None
    assert "errors>1%" in found.broke.reason
    assert search.take_figures().sent == sent  # Each sending counts, once.
    assert search.take_figures().sent == 0
    assert found.text.startswith(f"the highest speed that held: {found.held.speed:.3g}x held (")
    assert f"; {found.broke.speed:.3g}x did not: " in found.text


@pytest.mark.slow
def test_a_target_gets_time_to_recover_after_a_step_that_broke() -> None:
    with RecordingTarget(limited(200, broken_s=2.0)) as target:
        # On a busy machine it may take longer until its answers are as quick as before.
        search = search_of(target, first=4.0, recovery_s=30.0)
        search.run(LOG, ignore)
    assert search.found.held is not None
    assert 3.9 < search.found.held.speed < 6.0
    assert not search.found.stopped_early


def test_a_target_that_does_not_recover_ends_the_search_with_what_was_found() -> None:
    with RecordingTarget(limited(200, broken_s=60.0)) as target:
        search = search_of(target, recovery_s=0.5)
        started_s = time.monotonic()
        search.run(LOG, ignore)
    assert time.monotonic() - started_s < 30
    found = search.found
    assert (found.ending, speeds(found.steps)) == ("found", [1.0, 2.0, 4.0, 8.0])
    assert found.held is not None
    assert found.held.speed == 4.0
    assert "did not recover within 0 s" in found.text


@pytest.mark.slow
def test_a_target_that_fails_many_times_in_a_row_breaks_a_step_and_not_the_search() -> None:
    with RecordingTarget(limited(120, then=refuse_by_reset(), broken_s=0.7)) as target:
        search = search_of(target, first=2.0)
        search.run(LOG, ignore)
    assert search.found.ending == "found"
    assert search.found.held is not None
    assert any("many times in a row" in step.reason for step in search.found.steps)


def test_a_first_speed_that_breaks_fails() -> None:
    with RecordingTarget(answer(500)) as target:
        search = search_of(target)
        search.run(LOG, ignore)
    assert (search.found.ending, speeds(search.found.steps)) == ("first-broke", [1.0])
    assert search.found.text.startswith("no speed held: already 1x did not: ")


def test_a_cap_ends_a_search_that_finds_no_limit() -> None:
    with RecordingTarget() as target:
        search = search_of(target, cap=80.0)  # 2x.
        search.run(LOG, ignore)
    assert search.found.ending == "all-held"
    assert speeds(search.found.steps) == [1.0, pytest.approx(2.0, rel=0.01)]
    assert search.found.text.startswith("no limit found: 2x held (")


def test_a_window_without_a_request_to_send_says_nothing() -> None:
    with RecordingTarget() as target:
        search = search_of(target)
        search.run(Log([0, 1, 2], ["post"] * 3), ignore)
        assert target.seen == []
    assert search.found.ending == "no-requests"
    assert search.found.steps == []


class OnSlowMachine(WindowReplay):
    """This machine cannot keep up with 4x."""

    def pace(self) -> Pace:
        speed = self.plan.load.speed or 0.0
        share = 1.0 if speed < 4 else 0.7
        nothing = Milliseconds(None, None, None, None)
        why = "" if share == 1 else "This machine could not keep up. Use a larger one."
        fault: Fault = "machine" if why else ""
        return Pace("", speed, speed * share, None, 0.0, share, 1.0, nothing, fault, why, 1, 1)


class BehindTarget(OnSlowMachine):
    """The target cannot keep up with 4x, but answers well."""

    def pace(self) -> Pace:
        pace = super().pace()
        return replace(pace, fault="target", explanation="Too slow.") if pace.fault else pace


class OnceBusy(OnSlowMachine):
    """This machine could not keep up with 2x once."""

    hiccups = 0

    def pace(self) -> Pace:
        if (self.plan.load.speed, OnceBusy.hiccups) == (None, 0) and self.plan.load.stages[0].speed == 2.0:
            OnceBusy.hiccups = 1
            return replace(super().pace(), share_reached=0.7, fault="machine", explanation="Busy.")
        return super().pace()


def of_kind(kind: type[WindowReplay]) -> Callable[[RecordingTarget, Load], WindowReplay]:
    def make(target: RecordingTarget, load: Load) -> WindowReplay:
        made = window(target, load)
        return kind(made.plan, made._route_of, made._is_connection)

    return make


def test_a_machine_that_was_busy_once_does_not_end_the_search() -> None:
    with RecordingTarget() as target:
        search = search_of(target, cap=80.5, window_of=of_kind(OnceBusy))
        search.run(LOG, ignore)
    assert [(step.speed, step.held) for step in search.found.steps][:3] == [
        (1.0, True),
        (2.0, False),
        (2.0, True),
    ]
    assert search.found.ending == "all-held"


def test_where_this_machine_is_the_limit_the_targets_cannot_be_said() -> None:
    with RecordingTarget() as target:
        search = search_of(target, window_of=of_kind(OnSlowMachine))
        search.run(LOG, ignore)
    found = search.found
    assert (found.ending, speeds(found.steps)) == ("own-limit", [1.0, 2.0, 4.0, 4.0])
    assert found.held is not None
    assert found.held.speed == 2.0
    assert found.broke is not None
    assert "limit cannot be said, because it was not what broke; 2x held (" in found.text
    assert found.text.endswith("This machine could not keep up. Use a larger one")


@pytest.mark.slow
def test_a_pace_that_the_target_does_not_keep_breaks_a_step() -> None:
    with RecordingTarget() as target:
        search = search_of(target, first=2.0, window_of=of_kind(BehindTarget))
        search.run(LOG, ignore)
    assert speeds(search.found.steps) == [2.0, 4.0, 2.83, 3.36, 3.67]
    assert search.found.broke is not None
    assert search.found.broke.reason == "70.0 % of the speed was reached. Too slow"


def test_an_interruption_keeps_what_was_found() -> None:
    def stop_in_third(step: SpeedStep) -> None:
        if step.speed == 2.0:
            raise KeyboardInterrupt

    with RecordingTarget() as target:
        search = search_of(target)
        search._on_step = stop_in_third
        with pytest.raises(KeyboardInterrupt):
            search.run(LOG, ignore)
    assert (search.found.ending, speeds(search.found.steps)) == ("running", [1.0, 2.0])
    assert search.found.text.startswith("the highest speed that held: 2x held (")
    assert search.take_figures().sent > 150


@pytest.mark.slow
@pytest.mark.parametrize(
    ("behaviour", "verdict", "strict"),
    [
        (limited(100), "passed", "passed"),
        (answer(500), "failed", "failed"),
        (None, "inconclusive", "failed"),
    ],
)
def test_the_verdict_says_whether_a_limit_was_found(
    behaviour: Behaviour | None, verdict: str, strict: str
) -> None:
    with RecordingTarget(behaviour) as target:
        kind = of_kind(OnSlowMachine) if behaviour is None else window
        search = search_of(target, first=2.0, window_of=kind)
        search.run(LOG, ignore)
    figures = search.take_figures()
    unused = window(target, Load())
    evidence = Evidence(figures, unused.pairs, coverage_of(figures), unused.pace())
    for is_strict, expected in ((False, verdict), (True, strict)):
        result = result_of(search.found, judge(evidence, ERRORS, is_strict=is_strict))
        assert result.verdict == expected
        assert result.reasons == [search.found.text]
        assert result.steps == search.found.steps
        assert result.is_strict is is_strict


def test_a_step_is_told_in_a_line() -> None:
    step = SpeedStep(5.657, 226.4, True, "", 41.2, 0.0)
    assert step_text(step) == " 5.66x  226 requests/s, p95 41 ms, errors 0 %  held"
    broke = SpeedStep(16.0, 310.0, False, "errors>1%: 12.5%", None, 0.125)
    assert step_text(broke) == "   16x  310 requests/s, p95 -, errors 12.5 %  broke: errors>1%: 12.5%"


def test_the_longest_time_is_bounded_by_the_steps() -> None:
    assert longest_s(30.0) < 600
    assert longest_s(10.0) + 13 * 20 == longest_s(30.0)
    assert LAST_S < 10
