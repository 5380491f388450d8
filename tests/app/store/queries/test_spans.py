"""A span is covered by windows that Redis still keeps: all of it, and nothing twice."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.store.keys import CHUNK_S, WINDOWS, chunk
from app.store.queries.spans import (
    FINE_S,
    HOUR_S,
    MINUTE_S,
    ON_THE_WAY_S,
    SPAN_MAX_S,
    STEPS_MAX,
    Span,
    SpanPlan,
    kept_from_s,
    kept_grain_s,
    last_minute,
    plan,
    read_span,
)

MOMENTS = st.floats(min_value=1_700_000_000, max_value=1_900_000_000)
BINS = st.integers(1, 300)
KEPT_S = dict(WINDOWS)
LENGTHS_S = st.one_of(
    st.integers(1, 700), st.integers(1, 7_200), st.integers(1, 2 * 86_400), st.integers(1, SPAN_MAX_S)
)
STEPS = st.one_of(st.none(), st.integers(FINE_S, 600), st.integers(FINE_S, SPAN_MAX_S))


def within(length_s: int) -> st.SearchStrategy[int]:
    """Ages: mostly around where one kind of window gives way to the next."""
    near = [st.integers(max(0, kept_s - 4_000), min(length_s, kept_s + 4_000)) for _, kept_s in WINDOWS]
    return st.one_of(st.integers(0, 100), *near, st.integers(0, length_s))


@st.composite
def spans(draw: st.DrawFn) -> tuple[Span, float]:
    """A span of any age, and the moment at which it is looked at."""
    now_s = draw(MOMENTS)
    until_s = draw(st.one_of(st.none(), within(SPAN_MAX_S).map(lambda age_s: int(now_s) - age_s)))
    return Span(draw(LENGTHS_S), until_s, draw(STEPS)), now_s


def windows_of(planned: SpanPlan) -> list[tuple[int, int]]:
    return [window for part in planned.bins for window in part.windows] + list(planned.running)


@given(spans(), BINS)
def test_windows_cover_the_span_once_and_in_order(asked: tuple[Span, float], most_bins: int) -> None:
    planned = plan(*asked, most_bins)
    at_s = planned.start_s
    for part in planned.bins:
        assert part.start_s == at_s
        for length_s, start_s in part.windows:
            assert start_s == at_s
            assert start_s % length_s == 0
            at_s += length_s
        assert part.end_s == at_s
    assert at_s == planned.end_s
    for length_s, start_s in planned.running:
        assert (length_s, start_s) == (FINE_S, at_s)
        at_s += length_s


@given(spans(), BINS)
def test_every_window_of_a_plan_is_still_kept_and_complete(asked: tuple[Span, float], most_bins: int) -> None:
    _, now_s = asked
    for length_s, start_s in windows_of(plan(*asked, most_bins)):
        # A line that comes later than this is not added any more: see aggregate.py.
        assert start_s + length_s + KEPT_S[length_s] > now_s
        name, number = chunk(length_s, start_s)
        chunk_start_s = start_s - number * length_s
        assert name == f"{length_s}:{chunk_start_s}"
        assert chunk_start_s + CHUNK_S[length_s] + KEPT_S[length_s] > now_s + 5, "Redis has it for a while"


@given(MOMENTS, st.integers(FINE_S, SPAN_MAX_S), BINS)
def test_the_last_so_many_seconds_begin_within_one_window_of_what_was_asked(
    now_s: float, span_s: int, most_bins: int
) -> None:
    planned = plan(Span(span_s), now_s, most_bins)
    assert abs(planned.start_s - (int(now_s) - span_s)) < max(planned.grain_s, ON_THE_WAY_S + 2 * FINE_S)
    assert planned.until_s == int(now_s)
    for length_s in (FINE_S, MINUTE_S):
        if span_s <= KEPT_S[length_s] - 2 * length_s:
            assert planned.grain_s <= length_s


@given(spans(), BINS)
def test_a_span_with_an_end_is_widened_to_whole_windows_and_no_further(
    asked: tuple[Span, float], most_bins: int
) -> None:
    span, now_s = asked
    assume(span.until_s is not None)
    assert span.until_s is not None
    planned = plan(span, now_s, most_bins)
    settled_s = int(now_s - ON_THE_WAY_S) // FINE_S * FINE_S
    from_s = max(span.until_s - span.seconds, kept_from_s(HOUR_S, now_s))
    assert planned.start_s <= from_s
    # What has only just begun is still on its way: then the last whole 10 s are shown with it.
    assert planned.start_s > min(from_s - planned.grain_s, settled_s - 2 * FINE_S)
    assert planned.start_s % planned.grain_s == 0
    assert planned.until_s >= min(span.until_s, int(now_s))
    last_grain_s = kept_grain_s(planned.bins[-1].start_s, now_s)
    assert planned.until_s < max(span.until_s, planned.start_s + 1) + last_grain_s
    assert planned.until_s <= now_s


@given(spans())
def test_a_step_is_as_short_as_is_asked_for_wherever_such_windows_are_kept(
    asked: tuple[Span, float],
) -> None:
    span, now_s = asked
    assume(span.step_s is not None)
    assert span.step_s is not None
    planned = plan(span, now_s, 30)
    assert len(planned.bins) <= STEPS_MAX + 2
    seconds = planned.end_s - planned.start_s
    if seconds <= span.step_s * (STEPS_MAX - 2):
        assert span.step_s <= planned.step_s < span.step_s + FINE_S
    for part in planned.bins:
        grain_s = kept_grain_s(part.start_s, now_s)
        assert part.seconds < planned.step_s + grain_s
        assert part.start_s % grain_s == 0
    for before, part in pairwise(planned.bins[:-1]):
        grain_s = kept_grain_s(part.start_s, now_s)
        if kept_grain_s(before.start_s, now_s) == grain_s:
            assert part.seconds == -(-planned.step_s // grain_s) * grain_s


@given(spans(), BINS)
def test_steps_are_about_as_many_as_fit(asked: tuple[Span, float], most_bins: int) -> None:
    span, now_s = asked
    planned = plan(Span(span.seconds, span.until_s), now_s, most_bins)
    # Whatever is asked for, a step is at most a day; the first and the last may be short ones.
    assert len(planned.bins) <= max(most_bins, 32) + 2


def test_ten_seconds_are_shown_wherever_they_are_kept_though_the_span_began_before() -> None:
    now_s = 1_795_447_804.0
    planned = plan(Span(1_800, int(now_s) - 3_000, step_s=10), now_s, 170)
    lengths_s = [part.seconds for part in planned.bins]
    assert set(lengths_s) == {60, 10}
    assert lengths_s == sorted(lengths_s, reverse=True)
    first_fine = next(part for part in planned.bins if part.seconds == 10)
    assert now_s - 3_600 - 60 <= first_fine.start_s <= now_s - 3_600 + 60
    assert planned.grain_s == 60


@given(MOMENTS)
def test_what_is_still_on_its_way_stands_apart(now_s: float) -> None:
    planned = plan(Span(300), now_s, 30)
    assert planned.end_s <= now_s - ON_THE_WAY_S
    assert planned.running[0] == (FINE_S, planned.end_s)
    assert planned.running[-1][1] <= now_s < planned.running[-1][1] + FINE_S


@given(MOMENTS)
def test_the_last_minute_is_whole(now_s: float) -> None:
    planned = last_minute(now_s)
    assert planned.end_s - planned.start_s == 60
    assert now_s - ON_THE_WAY_S - FINE_S < planned.end_s <= now_s - ON_THE_WAY_S
    assert not planned.running


@given(MOMENTS, st.integers(1, 200))
def test_a_span_of_the_past_has_nothing_running(now_s: float, most_bins: int) -> None:
    planned = plan(Span(600, int(now_s) - 20), now_s, most_bins)
    assert not planned.running
    assert planned.until_s == planned.end_s


def test_a_span_that_ends_later_than_now_begins_where_it_says() -> None:
    now_s = 1_795_447_804.0
    planned = plan(Span(600, int(now_s) + 300), now_s, 30)
    assert (planned.start_s, planned.until_s) == (1_795_447_500, 1_795_447_804)


def test_a_span_older_than_all_windows_begins_with_the_oldest() -> None:
    now_s = 1_795_447_804.0
    for span in (Span(60 * 86_400), Span(40 * 86_400, int(now_s) - 86_400), Span(3_600, 1_000_000)):
        planned = plan(span, now_s, 30)
        assert planned.start_s == kept_from_s(HOUR_S, now_s)
        assert planned.start_s == pytest.approx(now_s - SPAN_MAX_S, abs=3_610)


@pytest.mark.parametrize(
    ("span", "step_s", "windows"),
    [("5m", 10, 33), ("1h", 120, 73), ("24h", 3_600, 150), ("7d", 21_600, 235), ("30d", 86_400, 790)],
)
def test_a_long_span_takes_few_windows(span: str, step_s: int, windows: int) -> None:
    planned = plan(Span(read_span(span)), 1_795_447_799.5, 30)
    assert planned.step_s == step_s
    assert planned.windows <= windows


@given(spans(), BINS)
def test_whatever_is_asked_for_takes_a_bounded_number_of_windows(
    asked: tuple[Span, float], most_bins: int
) -> None:
    # An hour of 10 s, a day of minutes, a month of hours, and a few that are cut off.
    assert plan(*asked, most_bins).windows <= 360 + 1_440 + 24 * 31 + 100


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("24h", 86_400), ("1w", 604_800), ("31d", 2_678_400)]
)
def test_a_span_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert read_span(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "5", "m", "-5m", "5 m", "1y", "5w", "9s", "32d", "1.5h", "99999999d", "٣m"]
)
def test_anything_else_is_no_span(text: str) -> None:
    with pytest.raises(ValueError, match="from 10s to 31d"):
        read_span(text)
