"""A span is covered by windows that Redis still keeps: all of it, and nothing twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.store.keys import WINDOWS
from app.store.queries.spans import FINE_S, ON_THE_WAY_S, SPAN_MAX_S, Span, plan, read_span

MOMENTS = st.floats(min_value=1_700_000_000, max_value=1_900_000_000)
KEPT_S = dict(WINDOWS)


@given(st.integers(FINE_S, SPAN_MAX_S), MOMENTS, st.integers(1, 300))
def test_windows_cover_the_span_once_and_in_order(span_s: int, now_s: float, most_bins: int) -> None:
    planned = plan(Span(span_s), now_s, most_bins)
    at_s = planned.start_s
    for part in planned.bins:
        assert part.start_s == at_s
        for length_s, start_s in part.windows:
            assert start_s == at_s
            assert start_s % length_s == 0
            at_s += length_s
        assert part.end_s == at_s
    assert at_s == planned.end_s


@given(st.integers(FINE_S, SPAN_MAX_S), MOMENTS, st.integers(1, 300))
def test_every_window_of_a_plan_is_still_kept(span_s: int, now_s: float, most_bins: int) -> None:
    for part in plan(Span(span_s), now_s, most_bins).bins:
        for length_s, start_s in part.windows:
            assert start_s + length_s + KEPT_S[length_s] > now_s


@given(st.integers(FINE_S, SPAN_MAX_S), MOMENTS)
def test_a_plan_begins_within_one_window_of_what_was_asked(span_s: int, now_s: float) -> None:
    planned = plan(Span(span_s), now_s, 30)
    grain_s = 10 if span_s < 600 else 60 if span_s <= 86_400 else 3_600
    assert now_s - span_s - ON_THE_WAY_S - 2 * FINE_S <= planned.start_s <= now_s - span_s + grain_s + FINE_S


@given(MOMENTS)
def test_what_is_still_on_its_way_stands_apart(now_s: float) -> None:
    planned = plan(Span(300), now_s, 30)
    assert planned.end_s <= now_s - ON_THE_WAY_S
    assert planned.running[0] == (FINE_S, planned.end_s)
    assert planned.running[-1][1] <= now_s < planned.running[-1][1] + FINE_S


@pytest.mark.parametrize(
    ("span", "step_s", "windows"),
    [("5m", 10, 32), ("1h", 120, 67), ("24h", 3_600, 150), ("7d", 21_600, 235), ("30d", 86_400, 790)],
)
def test_a_long_span_takes_few_windows(span: str, step_s: int, windows: int) -> None:
    planned = plan(Span(read_span(span)), 1_795_447_799.5, 30)
    assert planned.step_s == step_s
    assert planned.windows <= windows


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
