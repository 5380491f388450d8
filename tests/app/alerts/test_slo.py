"""Objectives: what is good, what is left of the budget, and when it burns too fast."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.alerts.conditions.burn import PAIRS, BurnRate
from app.alerts.facts import Facts, Stretch
from app.alerts.slo import (
    BudgetLeft,
    Objective,
    bad_requests,
    budget_left,
    burn_rate,
    parse_objective,
    parse_of,
    parse_over,
)
from app.store.keys import ALL_ROUTES
from app.store.sums import Sums
from tests.app.alerts.made_facts import AT_S, CHECKOUT, SHOP, facts_of, sums

MONTH_S = 30 * 86_400
THREE_NINES = Objective(0.999, MONTH_S)
FAST = Objective(0.999, MONTH_S, 500)


def test_the_budget_is_what_may_fail() -> None:
    assert THREE_NINES.budget == 0.001
    found = budget_left(THREE_NINES, sums(100_000, 36))
    assert (found.requests, found.bad, found.good) == (100_000, 36, 99_964)
    assert found.left == pytest.approx(0.64)
    assert budget_left(THREE_NINES, sums(100_000)).left == 1
    assert budget_left(THREE_NINES, sums(1_000, 3)).left == pytest.approx(-2)
    assert budget_left(THREE_NINES, Sums()) == BudgetLeft(0, 0, None)


def test_a_burn_rate_of_one_lasts_exactly_as_long_as_it_should() -> None:
    assert burn_rate(THREE_NINES, sums(10_000, 10)) == pytest.approx(1)
    assert burn_rate(THREE_NINES, sums(10_000, 144)) == pytest.approx(14.4)
    assert burn_rate(THREE_NINES, Sums()) is None


def test_slow_requests_are_bad_where_the_objective_says_so() -> None:
    found = sums(100, 2, times_ms={100: 90, 900: 10})
    assert bad_requests(THREE_NINES, found) == 2
    assert bad_requests(FAST, found) == 12
    assert bad_requests(Objective(0.999, MONTH_S, 1_000), found) == 2


def test_a_request_that_the_router_gave_up_counts_once_though_it_was_slow_and_failed() -> None:
    assert bad_requests(FAST, sums(100, 10, code="H12", times_ms={100: 90, 30_000: 10})) == 10
    assert bad_requests(Objective(0.999, MONTH_S, 40_000), sums(100, 10, code="H12")) == 10


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500), st.sampled_from(["", "H12", "H13"]))
def test_no_more_are_bad_than_there_are_and_no_fewer_than_failed(
    well: int, failed: int, slow: int, code: str
) -> None:
    requests = well + failed
    slow = min(slow, requests)
    found = sums(requests, failed, code=code, times_ms={100: requests - slow, 900: slow})
    bad = bad_requests(FAST, found)
    assert max(failed, slow) <= bad <= min(requests, failed + slow)


# --- alerts ----------------------------------------------------------------------------------


def judged(objective: Objective, tens: list[Sums]) -> tuple[str, str]:
    condition = BurnRate(objective)
    answer = condition.judge(facts_of(condition.needs, tens, subject=CHECKOUT), CHECKOUT, 20)
    return answer.verdict, answer.text


def of_hours(hours: float, failed_per_ten: int) -> list[Sums]:
    """100 requests a second."""
    return [sums(1_000, failed_per_ten)] * round(hours * 360)


def test_the_rates_are_those_of_googles_workbook_for_thirty_days() -> None:
    assert [(pair.long, pair.short) for pair in PAIRS] == [
        (Stretch(3_600), Stretch(300)),
        (Stretch(21_600), Stretch(1_800)),
    ]
    assert [BurnRate(THREE_NINES).factor(pair) for pair in PAIRS] == [14.4, 6.0]
    assert BurnRate(Objective(0.999, 7 * 86_400)).factor(PAIRS[0]) == 3.36


@pytest.mark.parametrize("days", range(1, 31))
def test_an_app_that_keeps_its_objective_is_fine_however_short_the_period_is(days: int) -> None:
    """It uses 90 % of its budget, evenly: 2 % of a day's in an hour would be 48 %."""
    objective = Objective(0.99, days * 86_400)
    assert all(BurnRate(objective).factor(pair) >= 1.4 for pair in PAIRS)
    assert judged(objective, of_hours(6, 9)) == ("fine", "the budget burns 0.9 times as fast")


def test_a_budget_of_a_day_that_burns_too_fast_is_bad() -> None:
    assert judged(Objective(0.99, 86_400), of_hours(6, 20))[0] == "bad"


def test_two_percent_of_the_budget_in_an_hour_is_bad() -> None:
    verdict, text = judged(THREE_NINES, [*of_hours(5, 0), *of_hours(1, 22)])
    assert verdict == "bad"
    assert text == (
        "the budget of 30 days burns 22 times too fast; at this rate it lasts 32 h 43 min: 2.20 % of "
        "360,000 requests in the last 60 min failed, 0.10 % may"
    )


def test_five_percent_in_six_hours_are_bad_and_less_is_fine() -> None:
    assert judged(THREE_NINES, of_hours(6, 7))[0] == "bad"
    assert "in the last 6 h" in judged(THREE_NINES, of_hours(6, 7))[1]
    assert judged(THREE_NINES, of_hours(6, 5)) == ("fine", "the budget burns 5.0 times as fast")


def test_a_complete_failure_is_bad_within_a_minute() -> None:
    assert judged(THREE_NINES, [*of_hours(6, 0), *[sums(1_000, 1_000)] * 6])[0] == "bad"


def test_it_is_not_bad_any_more_soon_after_the_cause() -> None:
    hour_ago = [*of_hours(5, 0), *of_hours(0.5, 40)]
    assert judged(THREE_NINES, hour_ago)[0] == "bad"
    assert judged(THREE_NINES, [*hour_ago, *of_hours(0.1, 0)])[0] == "fine"


def test_few_requests_are_no_alert() -> None:
    tens = [*[sums(1)] * 200, *[sums(1, 1)] * 4]
    assert judged(THREE_NINES, tens)[0] != "bad"
    assert judged(THREE_NINES, [])[0] == "fine"


def test_an_objective_that_allows_much_still_has_a_limit_that_can_be_reached() -> None:
    assert judged(Objective(0.9, MONTH_S), of_hours(1, 1_000))[0] == "bad"


def test_slow_requests_burn_the_budget_too() -> None:
    slow = sums(1_000, times_ms={100: 970, 900: 30})
    verdict, text = judged(FAST, [*of_hours(5, 0), *[slow] * 360])
    assert verdict == "bad"
    assert "failed or were too slow" in text


def test_what_is_left_is_said_where_it_is_known() -> None:
    condition = BurnRate(THREE_NINES)
    facts = facts_of(condition.needs, of_hours(1, 22))
    row = {**facts.rows["shop", ALL_ROUTES], Stretch(MONTH_S): sums(100_000_000, 36_000)}
    known = Facts(AT_S, rows={("shop", ALL_ROUTES): row})
    assert condition.judge(known, SHOP, 20).text.startswith(
        "the budget of 30 days burns 22 times too fast; 64.0 % is left: "
    )


# --- how it is written -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "share"), [("99.9%", 0.999), ("99.95 %", 0.9995), (99.9, 0.999), (99, 0.99), ("50%", 0.5)]
)
def test_an_objective_is_a_percentage(written: object, share: float) -> None:
    assert parse_objective(written) == share


@pytest.mark.parametrize("written", [None, "", True, "100%", 100, "0.999", "99.9999%", "-1%", "high", [99]])
def test_an_objective_without_a_budget_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match=r"from 50% to 99\.999%"):
        parse_objective(written)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("", ("", None)),
        ("requests", ("", None)),
        ("/checkout", ("/checkout", None)),
        ("each", ("each", None)),
        ("/users/:id faster than 500ms", ("/users/:id", 500)),
        ("/users/:id   faster than  1.5 s", ("/users/:id", 1_500)),
        ("faster than 500ms", ("", 500)),
        ("/a Faster Than 500ms", ("/a", 500)),
        ("all requests faster than 2s", ("", 2_000)),
    ],
)
def test_what_it_is_of(written: str, found: tuple[str, float | None]) -> None:
    assert parse_of(written) == found


@pytest.mark.parametrize(
    "written",
    ["/checkout faster", "/a /b", "/a faster than", "faster than 0ms", "faster than 5 bananas", "/" * 600],
)
def test_what_it_cannot_be_of(written: str) -> None:
    with pytest.raises(ValueError, match=r"must|too long"):
        parse_of(written)


def test_it_is_over_days_that_are_kept() -> None:
    assert parse_over("30d") == parse_over("30 days") == MONTH_S
    assert parse_over("1w") == 7 * 86_400
    for written in ("90d", "1h", "soon", 30):
        with pytest.raises(ValueError, match="must be"):
            parse_over(written)
