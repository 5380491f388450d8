"""What a run leaves in order to go on, and two parts joined into one."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

from app.sketch import bucket
from app.store.run_result import Milliseconds, TimePoint
from consumers.replay.pairs import Pairs
from consumers.replay.resume_state import (
    STATE,
    ResumeState,
    joined_coverage,
    joined_pace,
    joined_timeline,
    pack_ids,
    pack_pairs,
    unpack_ids,
    unpack_pairs,
)
from consumers.replay.sending.meter import STEPS_MAX
from tests.consumers.replay.reports.samples import COVERAGE, PACE


def pairs(routes: int, of_each: int) -> Pairs:
    found = Pairs()
    rng = random.Random(1)
    for number in range(routes):
        for _ in range(of_each):
            found.add(f"/{number}", rng.lognormvariate(3, 1), rng.lognormvariate(3, 1))
    return found


def test_pairs_come_back_as_they_were() -> None:
    found = pairs(3, 50)
    found.add("/half\udcff", 1.5, 2.5)
    found.routes["/0"].stride = 4
    again = unpack_pairs(pack_pairs(found))
    assert again == found
    again.add("/0", 1.0, 2.0)  # They go on.
    assert again.of("/0").seen == 51
    assert again.all.size_max == found.all.size_max


def test_pairs_take_no_more_than_they_may_and_small_routes_keep_all_of_theirs() -> None:
    found = pairs(40, 20)
    for _ in range(20_000):
        found.add("/busy", 10.0, 20.0)
    fields = pack_pairs(found, 40_000)
    size = sum(len(name) + len(value) for name, value in fields.items())
    assert 15_000 < size <= 40_000
    again = unpack_pairs(fields)
    assert all(again.of(f"/{number}") == found.of(f"/{number}") for number in range(40))
    busy = again.of("/busy")
    assert (busy.seen, busy.stride > 1) == (20_000, True)
    assert 0 < len(busy) < 5_000
    assert 0 < len(again.all) <= 10_000 / 8


def test_with_more_routes_than_room_some_are_left_out() -> None:
    fields = pack_pairs(pairs(2_000, 2), 20_000)
    assert sum(len(name) + len(value) for name, value in fields.items()) <= 20_000
    assert len(fields) > 100


@pytest.mark.parametrize(
    "fields", [{b"all": b""}, {b"all": b"123"}, {b"route:/a": b"\0" * 17}, {b"else": b"\0" * 16}]
)
def test_fields_of_another_form_are_left_out(fields: dict[bytes, bytes]) -> None:
    assert unpack_pairs(fields) == Pairs()


def test_ids_come_back_the_latest_if_they_are_too_many() -> None:
    assert unpack_ids(pack_ids(["f.0", "f\n\u00e9.1"])) == ["f.0", "f\n\u00e9.1"]
    many = [f"{number:0100}" for number in range(50_000)]
    kept = unpack_ids(pack_ids(many))
    assert 5_000 < len(kept) < 20_000
    assert kept == many[-len(kept) :]
    assert unpack_ids({}) == unpack_ids({b"done": b"{"}) == unpack_ids({b"done": b"3"}) == []


def test_a_state_comes_back_as_it_was_and_another_form_is_none() -> None:
    to_send = Counter({("stopped", "/a"): 40, ("stopped", "/half\udcff"): 2, ("breaker-open", "/a"): 1})
    state = ResumeState(1_795_428_000_000, {"--app": "shop"}, to_send)
    assert ResumeState.unpack(state.pack()) == ResumeState(state.from_ms, state.flags, dict(to_send))
    assert state.skipped() == {"stopped": 42, "breaker-open": 1}
    assert STATE == b"state"
    for data in (b"", b"{}", b"[]", b'{"from_ms": "x", "flags": {}, "to_send": {}}'):
        assert ResumeState.unpack(data) is None


def test_durations_and_what_was_sent_sum_up() -> None:
    slow = replace(PACE, duration_s=10.0, speed_reached=4.0, rate_reached=40.0, share_reached=0.4)
    quick = replace(
        PACE,
        duration_s=30.0,
        speed_reached=10.0,
        rate_reached=100.0,
        share_reached=1.0,
        fault="",
        explanation="",
        late=Milliseconds(1, 2, 3, 4),
        concurrency=9,
    )
    late_ms = Counter({bucket(1.0): 300, bucket(8_000): 100})
    for earlier, later in ((slow, quick), (quick, slow)):
        both = joined_pace(earlier, later, late_ms)
        assert both.duration_s == 40.0
        assert both.rate_reached * 40.0 == pytest.approx(40 * 10 + 100 * 30)
        assert both.speed_reached == pytest.approx((4 * 10 + 10 * 30) / 40)
        assert both.share_reached == pytest.approx(0.85)
        assert (both.fault, both.explanation) == (slow.fault, slow.explanation)
        assert (both.concurrency, both.late.max) == (16, 8_200)
        assert both.late.p50 == pytest.approx(1.0, rel=0.02)
        assert both.late.p95 == pytest.approx(8_000, rel=0.02)


def test_a_part_in_which_nothing_was_sent_changes_nothing() -> None:
    nothing = replace(
        PACE,
        speed_reached=None,
        rate_reached=0.0,
        share_reached=None,
        duration_s=0.0,
        late=Milliseconds(None, None, None, None),
        fault="",
        explanation="",
    )
    both = joined_pace(nothing, PACE, {})
    assert (both.speed_reached, both.rate_reached, both.share_reached) == (4.1, 189, 0.41)
    assert both.fault == PACE.fault
    assert joined_pace(nothing, nothing, {}).late == Milliseconds(None, None, None, None)


def test_what_no_figures_have_of_the_window_is_joined() -> None:
    earlier = replace(
        COVERAGE, in_window=100, not_asked={"app": 30}, window_s=3_600.0, missing_s=60.0, was_overtaken=True
    )
    both = replace(COVERAGE, in_window=90, not_asked={"app": 20, "method": 5}, window_s=600.0, missing_s=0.0)
    joined = joined_coverage(earlier, both)
    assert (joined.in_window, joined.not_asked) == (120, {"app": 50, "method": 5})
    assert (joined.window_s, joined.missing_s, joined.was_overtaken) == (3_600.0, 60.0, True)
    assert joined_coverage(COVERAGE, COVERAGE) == COVERAGE


def test_a_later_timeline_follows_the_earlier_one_in_at_most_300_steps() -> None:
    earlier = [TimePoint(at, 2, 10.0 * at, 5.0) for at in range(200)]
    later = [TimePoint(at, 6, 1.0, None if at % 2 else 9.0) for at in range(250)]
    both = joined_timeline(earlier, later, 200.0)
    assert len(both) == 225 <= STEPS_MAX
    assert [point.at_s for point in both[:3]] == [0, 2, 4]
    assert both[-1] == TimePoint(448.0, 12, 1.0, 9.0)
    assert both[0] == TimePoint(0, 4, 10.0, 5.0)
    assert sum(point.sent for point in both) == 2 * 200 + 6 * 250
    assert joined_timeline([], [], 0.0) == []
