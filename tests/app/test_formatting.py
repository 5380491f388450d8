"""Figures as a person reads them."""

from __future__ import annotations

import pytest

from app.formatting import duration, milliseconds, percent, plural, rate, shortened, table


@pytest.mark.parametrize(
    ("value_ms", "said"),
    [
        (None, "-"),
        (0, "0 ms"),
        (0.99, "1 ms"),
        (7.9, "7.9 ms"),
        (263.4, "263 ms"),
        (999.4, "999 ms"),
        (1_040, "1.04 s"),
        (30_040, "30.0 s"),
        (192_000, "3.20 min"),
    ],
)
def test_a_time_has_the_unit_that_suits_it(value_ms: float | None, said: str) -> None:
    assert milliseconds(value_ms) == said


@pytest.mark.parametrize(
    ("per_s", "said"),
    [(None, "-"), (0, "0.00"), (0.004, "<0.01"), (3.456, "3.46"), (52.14, "52.1"), (1_240.4, "1,240")],
)
def test_a_rate_has_three_digits(per_s: float | None, said: str) -> None:
    assert rate(per_s) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [(0, "0 %"), (0.00001, "<0.01 %"), (0.0049, "0.49 %"), (0.125, "12.5 %"), (1, "100.0 %")],
)
def test_a_share_is_in_percent(share: float, said: str) -> None:
    assert percent(share) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (42, "42 s"),
        (200, "3 min"),
        (7_800, "2 h 10 min"),
        (7_200, "2 h"),
        (273_600, "3 d 4 h"),
        (864_000, "10 d"),
    ],
)
def test_a_duration_is_as_coarse_as_it_is_long(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_one_is_no_plural() -> None:
    assert (plural(1, "message"), plural(1_200, "message")) == ("1 message", "1,200 messages")


def test_a_long_text_loses_its_middle() -> None:
    assert shortened("/api/v1/orders", 20) == "/api/v1/orders"
    short = shortened("/api/v1/orders/:id/lines/:id/history", 20)
    assert len(short) == 20
    assert short.startswith("/api/v1/")
    assert short.endswith("istory")


def test_a_table_is_aligned() -> None:
    assert table(("NAME", "N"), [["a", "1,000"], ["bcdefg", "2"]]) == [
        "NAME        N",
        "a       1,000",
        "bcdefg      2",
    ]
