"""Which time is read for a stretch: exact while it is new, whole minutes or hours when it is old."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.alerts.facts import Stretch, grain
from app.store.queries.spans import cover, kept_from_s

AT_S = 1_795_600_000 // 86_400 * 86_400 + 10 * 3_600 + 1_810
TENS = st.integers(0, 200_000).map(lambda tens: 10 * tens)


@pytest.mark.parametrize(
    ("stretch", "begins_before_s", "ends_before_s"),
    [
        (Stretch(60), 60, 0),
        (Stretch(300), 300, 0),
        (Stretch(3_300, 300), 3_300, 300),
        (Stretch(3_600), 3_610, 0),
        (Stretch(7_200, 3_600), 7_210, 3_610),
        (Stretch(21_600), 21_610, 0),
        (Stretch(86_400 + 3_600, 86_400), 86_400 + 1_810, 86_400 - 1_790),
        (Stretch(86_400 + 300, 86_400), 86_400 + 1_810, 86_400 - 1_790),
    ],
)
def test_what_is_read_is_as_long_as_what_is_asked(
    stretch: Stretch, begins_before_s: int, ends_before_s: int
) -> None:
    assert stretch.span(AT_S) == (AT_S - begins_before_s, AT_S - ends_before_s)


@given(TENS, st.integers(1, 8_640), st.integers(0, 3 * 8_640), st.integers(0, 30))
def test_it_is_whole_windows_that_are_kept(
    at_tens: int, long_tens: int, until_tens: int, behind_tens: int
) -> None:
    at_s, now_s = AT_S + at_tens, AT_S + at_tens + 13
    stretch = Stretch(10 * (until_tens + long_tens), 10 * until_tens)
    span = stretch.span(at_s)
    assert span is not None
    windows = cover(*span)
    assert windows[0][1] == span[0]
    assert sum(length_s for length_s, _ in windows) == span[1] - span[0]
    assert span[1] <= at_s
    assert all(start_s >= kept_from_s(length_s, now_s) for length_s, start_s in windows)
    grain_s = grain(stretch.from_s)
    assert abs((span[1] - span[0]) - (stretch.from_s - stretch.to_s)) <= grain_s


@given(st.integers(1, 48), st.integers(0, 500), TENS)
def test_whole_hours_are_read_as_so_many(hours: int, until_hours: int, at_s: int) -> None:
    span = Stretch(3_600 * (24 + until_hours + hours), 3_600 * (24 + until_hours)).span(AT_S + at_s)
    assert span is not None
    assert span[1] - span[0] == 3_600 * hours


def test_of_the_past_a_stretch_that_only_longer_windows_hold_is_not_known() -> None:
    assert Stretch(300).span(AT_S, behind_s=2 * 3_600) == (AT_S - 310, AT_S - 10)
    assert Stretch(300).span(AT_S, behind_s=2 * 86_400) is None
    assert Stretch(30).span(AT_S, behind_s=2 * 86_400) is None
    assert Stretch(3_600).span(AT_S, behind_s=2 * 86_400) == (AT_S - 5_410, AT_S - 1_810)
    assert Stretch(86_700, 86_400).span(AT_S, behind_s=2 * 86_400) is not None


@given(TENS)
def test_of_over_an_hour_ago_half_a_minute_is_the_minute_before(at_tens: int) -> None:
    at_s = AT_S + at_tens
    span = Stretch(30).span(at_s, behind_s=2 * 3_600)
    assert span is not None
    assert span[0] % 60 == 0
    assert span[1] - span[0] == 60
    assert at_s - 60 < span[1] <= at_s
