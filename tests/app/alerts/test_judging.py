"""Shares and rates against a limit: quick when it is clear, never on one or two, over soon after the end."""

from __future__ import annotations

import random
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.alerts.condition import Verdict
from app.alerts.judging import (
    Z_BAD,
    Found,
    Part,
    at_most,
    is_above,
    judge_high_rate,
    judge_low_rate,
    judge_share,
)


def verdicts(per_ten: int, spells: list[tuple[int, float]], limit: float, *, seed: int = 1) -> list[Verdict]:
    """Of each moment, every 10 s: requests of which some fail by chance. `spells`: (seconds, share)."""
    chance = random.Random(seed)
    tens: list[Part] = []
    found: list[Verdict] = []
    for seconds, share in spells:
        for _ in range(seconds // 10):
            tens.append(Part(sum(chance.random() < share for _ in range(per_ten)), per_ten))
            parts = [
                Part(sum(ten.hits for ten in tens[-count:]), sum(ten.requests for ten in tens[-count:]))
                for count in (90, 30, 6, 3)
            ]
            quarter, long, short, newest = parts
            earlier = Part(quarter.hits - long.hits, quarter.requests - long.requests)
            found.append(judge_share(long, short, newest, limit, 20, earlier=earlier).verdict)
    return found


def bad_after_s(found: list[Verdict], start_s: int) -> int | None:
    """How long after the start it was bad first."""
    return next((10 * at - start_s for at, one in enumerate(found, 1) if one == "bad"), None)


def longest_bad_s(found: list[Verdict]) -> int:
    return max((10 * len(list(run)) for verdict, run in groupby(found) if verdict == "bad"), default=0)


@pytest.mark.parametrize("per_ten", [2, 5, 20, 1_000])
def test_a_complete_failure_is_bad_within_a_minute_and_fine_within_a_minute_of_its_end(per_ten: int) -> None:
    found = verdicts(per_ten, [(600, 0.001), (300, 1.0), (600, 0.001)], 0.02)
    after_s = bad_after_s(found, 600)
    assert after_s is not None
    assert 0 < after_s <= 60
    assert "fine" not in found[66:90]
    assert found[96] == "fine"
    assert "bad" not in found[95:]


@pytest.mark.parametrize(("per_ten", "share", "within_s"), [(20, 0.2, 40), (100, 0.1, 30), (1_000, 0.04, 90)])
def test_a_partial_failure_is_bad_the_sooner_the_more_requests_there_are(
    per_ten: int, share: float, within_s: int
) -> None:
    for seed in range(5):
        after_s = bad_after_s(verdicts(per_ten, [(600, 0.001), (600, share)], 0.02, seed=seed), 600)
        assert after_s is not None
        assert 0 < after_s <= within_s


@pytest.mark.parametrize("per_ten", [10, 100, 1_000])
def test_a_blip_of_ten_seconds_is_not_bad_for_a_minute(per_ten: int) -> None:
    found = verdicts(per_ten, [(600, 0.001), (10, 1.0), (600, 0.001)], 0.02)
    assert longest_bad_s(found) <= 40


@pytest.mark.parametrize("apart_s", [60, 120, 200])
def test_two_blips_within_five_minutes_are_not_bad_for_a_minute(apart_s: int) -> None:
    found = verdicts(100, [(600, 0.001), (10, 1.0), (apart_s, 0.001), (10, 1.0), (600, 0.001)], 0.02)
    assert longest_bad_s(found) <= 40


def test_what_fails_for_ten_seconds_of_each_minute_goes_on_between() -> None:
    found = verdicts(100, [(600, 0.001), *[(10, 1.0), (50, 0.001)] * 10, (600, 0.001)], 0.02)
    assert "fine" not in found[90:120]
    assert longest_bad_s(found) >= 300
    assert "bad" not in found[121:]


def test_where_requests_are_few_a_quarter_of_an_hour_is_judged() -> None:
    long, short, newest, earlier = Part(5, 90), Part(0, 18), Part(0, 9), Part(10, 180)
    assert judge_share(long, short, newest, 0.02, 20).verdict == "unclear"
    assert judge_share(long, short, newest, 0.02, 20, earlier=earlier) == Found("bad", 15)
    assert judge_share(Part(0, 90), short, newest, 0.02, 20, earlier=earlier).verdict == "fine"


def test_where_requests_are_few_and_hardly_any_failed_yesterday_less_certainty_will_do() -> None:
    long, short, newest = Part(6, 100), Part(2, 20), Part(1, 10)
    assert judge_share(long, short, newest, 0.02, 20).verdict == "unclear"
    for yesterday, verdict in ((Part(2, 900), "bad"), (Part(10, 900), "unclear"), (Part(0, 90), "unclear")):
        assert judge_share(long, short, newest, 0.02, 20, yesterday=yesterday).verdict == verdict
    many = Part(13, 320), Part(3, 64), Part(2, 32)
    assert judge_share(*many, 0.02, 20, yesterday=Part(2, 900)).verdict == "unclear"


def test_a_quiet_incident_does_not_end_because_nothing_failed_for_five_minutes() -> None:
    assert judge_share(Part(0, 8), Part(0, 2), Part(0, 1), 0.02, 20, earlier=Part(5, 16)).verdict == "unclear"
    assert (
        judge_share(Part(0, 80), Part(0, 16), Part(0, 8), 0.02, 20, earlier=Part(50, 160)).verdict == "fine"
    )


def test_five_attempts_of_one_client_are_not_bad_for_a_quarter_of_an_hour() -> None:
    assert judge_share(Part(5, 14), Part(5, 5), Part(5, 5), 0.02, 20, earlier=Part(0, 28)).verdict != "bad"
    assert judge_share(Part(5, 14), Part(0, 3), Part(0, 1), 0.02, 20, earlier=Part(1, 28)).verdict != "bad"
    assert judge_share(Part(0, 14), Part(0, 3), Part(0, 1), 0.02, 20, earlier=Part(5, 28)).verdict != "bad"


@given(st.integers(1, 10_000), st.integers(0, 4))
def test_four_failed_requests_or_fewer_are_never_bad(requests: int, hits: int) -> None:
    part = Part(min(hits, requests), requests)
    assert judge_share(part, part, part, 0.001, 1).verdict != "bad"


def test_nothing_is_said_of_fewer_requests_than_the_rule_wants() -> None:
    part = Part(19, 19)
    assert judge_share(part, part, part, 0.02, 20).verdict == "unclear"
    assert judge_share(part, part, part, 0.02, 19).verdict == "bad"


@pytest.mark.parametrize("per_ten", [2, 20, 200])
def test_half_of_the_limit_is_never_bad(per_ten: int) -> None:
    assert not any("bad" in verdicts(per_ten, [(3_600, 0.01)], 0.02, seed=seed) for seed in range(10))


def test_without_requests_nothing_fails() -> None:
    nothing = Part(0, 0)
    assert judge_share(nothing, nothing, nothing, 0.02, 20).verdict == "fine"
    assert judge_share(Part(30, 30), nothing, nothing, 0.02, 20).verdict == "unclear"


@given(st.integers(0, 500), st.integers(1, 500), st.floats(0.001, 0.9))
def test_more_failed_requests_are_never_less_bad(hits: int, requests: int, limit: float) -> None:
    hits = min(hits, requests)
    if is_above(Part(hits, requests), limit, 20):
        assert is_above(Part(min(hits + 1, requests), requests), limit, 20)
        assert hits / requests > limit


def test_a_storm_is_bad_at_once_and_one_that_is_just_above_once_five_minutes_are() -> None:
    assert judge_high_rate(40, 40, 40, 5).verdict == "bad"
    assert judge_high_rate(40, 40, 40, 5).minutes == 1
    assert judge_high_rate(20, 6, 3, 5).verdict == "unclear"
    assert judge_high_rate(26, 6, 3, 5).verdict == "bad"
    assert judge_high_rate(25, 5, 3, 5).verdict == "fine"


def test_a_storm_is_fine_once_the_last_half_minute_shows_that_it_is_over() -> None:
    assert judge_high_rate(400, 60, 0, 10).verdict == "fine"
    assert judge_high_rate(55, 11, 0, 10).verdict == "fine"
    assert judge_high_rate(51, 11, 5, 10).verdict == "bad"


def test_a_rate_is_counted_so_one_that_is_just_too_low_is_bad() -> None:
    assert judge_low_rate(0, 0, 1).verdict == "bad"
    assert judge_low_rate(4, 0, 1).verdict == "bad"
    assert judge_low_rate(5, 0, 1).verdict == "fine"
    assert judge_low_rate(4_999, 999, 1_000).verdict == "bad"
    assert judge_low_rate(5_000, 1_000, 1_000).verdict == "fine"


def test_traffic_that_stops_is_bad_within_a_minute_and_fine_within_one_once_it_is_back() -> None:
    assert judge_low_rate(8_000, 0, 1_000).verdict == "bad"
    assert judge_low_rate(2_000, 2_000, 1_000).verdict == "fine"


@given(st.integers(0, 100_000))
def test_the_upper_end_of_a_count_is_the_rate_that_makes_it_so_many_deviations_low(count: int) -> None:
    rate = at_most(count, Z_BAD)
    assert (rate - count) / rate**0.5 == pytest.approx(Z_BAD, rel=1e-6)
