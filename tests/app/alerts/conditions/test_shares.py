"""Requests that failed, were aborted, had a code or a status: a share, against other days, by the minute."""

from __future__ import annotations

import pytest

from app.alerts.condition import Judgement
from app.alerts.facts import Subject
from app.alerts.measures import Measure
from app.alerts.when import parse_when
from app.store.sums import Sums
from tests.app.alerts.made_facts import AT_S, CHECKOUT, SHOP, facts_of, sums


def judged(
    when: str,
    tens: list[Sums],
    *,
    days_before: list[Sums] | None = None,
    subject: Subject = SHOP,
    min_requests: int = 20,
    first_s: dict[str, int] | None = None,
) -> Judgement:
    (condition,) = parse_when(when)
    facts = facts_of(condition.needs, tens, subject=subject, days_before=days_before or [], first_s=first_s)
    return condition.judge(facts, subject, min_requests)


WELL = [sums(40)] * 30
"""Five minutes."""


def test_it_says_how_many_of_how_many_failed_and_what_is_usual() -> None:
    tens = [sums(40)] * 12 + [sums(40, 14)] * 18
    answer = judged("errors > 2%", tens, days_before=[sums(10_000, 10)])
    assert answer == Judgement(
        "bad",
        text="35.0 % of 240 requests failed in the last minute, the limit is 2 %",
        value=0.35,
        limit=0.02,
        usual="0.10 % at this time yesterday",
        measure=Measure("errors"),
    )


def test_what_is_clear_over_five_minutes_alone_is_said_of_five() -> None:
    tens = [sums(40, 1)] * 30
    answer = judged("errors > 1%", tens)
    assert (answer.verdict, answer.text) == (
        "bad",
        "2.50 % of 1,200 requests failed in the last 5 minutes, the limit is 1 %",
    )
    assert judged("errors > 2%", tens).verdict == "unclear"


def test_where_yesterday_is_not_kept_nothing_is_said_of_it() -> None:
    answer = judged("errors > 2%", WELL, first_s={"shop": AT_S - 86_400})
    assert answer.verdict == "fine"
    answer = judged("errors > 2%", [sums(40, 10)] * 30, first_s={"shop": AT_S - 86_400})
    assert (answer.verdict, answer.usual) == ("bad", "")


def test_a_route_is_judged_by_its_own_requests() -> None:
    assert judged("errors > 2%", [sums(5, 5)] * 30, subject=CHECKOUT).verdict == "bad"


@pytest.mark.parametrize(
    ("when", "one"),
    [
        ("aborted > 5%", sums(40, aborted=10)),
        ("status 503 > 1%", sums(40, 10, status="503")),
        ("status 5xx > 1%", sums(40, 10, status="502")),
        ("status 404 > 1%", sums(40, 10, status="404")),
        ("code H12 > 1%", sums(40, 10, code="H12")),
        ("codes > 1%", sums(40, 10, code="H12")),
        ("code H12 > 5/min", sums(40, 10, code="H12")),
        ("codes > 10/min", sums(40, 10, code="H13")),
        ("status 5xx > 5/min", sums(40, 10)),
        ("errors > 10/min", sums(40, 10)),
        ("errors > 5x usual", sums(40, 10)),
        ("errors > 5x yesterday", sums(40, 10)),
    ],
)
def test_each_kind_counts_its_own_requests(when: str, one: Sums) -> None:
    days = [sums(10_000, 10)] * 7
    assert judged(when, [*WELL[:20], *[one] * 10], days_before=days).verdict == "bad"
    assert judged(when, WELL, days_before=days).verdict == "fine"


@pytest.mark.parametrize(
    ("when", "one"),
    [
        ("status 503 > 1%", sums(40, 10, status="502")),
        ("code H12 > 1%", sums(40, 10, code="H13")),
        ("codes > 1%", sums(40, 10, status="499", code="H27")),
        ("codes > 1%", sums(40, 10, code="(other)")),
        ("codes > 1%", sums(40, 10, code="MY_OWN")),
        ("status 5xx > 1%", sums(40, 10, status="(other)")),
    ],
)
def test_no_kind_counts_those_of_another(when: str, one: Sums) -> None:
    assert judged(when, [one] * 30).verdict == "fine"


def test_a_rate_is_said_as_a_number_of_requests() -> None:
    answer = judged("code H12 > 5/min", [*WELL, *[sums(40, 10, code="H12")] * 6])
    assert answer.text == "60 requests had the code H12 in the last minute, the limit is 5 a minute"
    assert (answer.value, answer.limit) == (60, 5)
    answer = judged("code H12 > 0.1/min", [*WELL[:25], *[sums(40)] * 4, sums(40, 1, code="H12")])
    assert answer.text == "1 request had the code H12 in the last 5 minutes, the limit is 0.10 a minute"


@pytest.mark.parametrize(
    ("measure", "such", "others"),
    [
        (Measure("errors"), [("500", ""), ("200", "H18")], [("404", ""), ("499", "H27")]),
        (Measure("aborted"), [("499", ""), ("200", "H28")], [("503", "H12"), ("200", "")]),
        (Measure("code", "H12"), [("503", "H12")], [("503", "H13"), ("503", "")]),
        (Measure("codes"), [("503", "H12")], [("499", "H27"), ("500", ""), ("500", "MY_OWN")]),
        (Measure("status", "503"), [("503", "H12")], [("502", ""), ("", "H12")]),
        (Measure("status", "5xx"), [("503", ""), ("500", "")], [("404", ""), ("(other)", "")]),
    ],
)
def test_of_a_single_request_it_can_be_told_as_well(
    measure: Measure, such: list[tuple[str, str]], others: list[tuple[str, str]]
) -> None:
    assert all(measure.is_of(*one) for one in such)
    assert not any(measure.is_of(*one) for one in others)


def test_more_than_usual_is_said_with_what_is_usual() -> None:
    days = [sums(10_000, 10)] * 7
    answer = judged("errors > 5x usual", [*WELL, *[sums(40, 4)] * 30], days_before=days)
    assert answer.verdict == "bad"
    assert answer.text == (
        "10.0 % of 240 requests failed in the last minute, over 5 times as many as at this time on other days"
    )
    assert answer.usual == "0.10 % at this time on other days"


def test_what_fails_every_day_is_not_more_than_usual() -> None:
    days = [sums(10_000, 400)] * 7
    assert judged("errors > 5x usual", [sums(40, 4)] * 30, days_before=days).verdict == "fine"


def test_one_day_that_was_bad_does_not_hide_the_next() -> None:
    days = [sums(10_000, 5_000), *[sums(10_000, 10)] * 6]
    tens = [sums(40, 4)] * 30
    assert judged("errors > 5x usual", tens, days_before=days).verdict == "bad"
    assert judged("errors > 5x yesterday", tens, days_before=days).verdict == "fine"


@pytest.mark.parametrize("days", [[], [sums(99)]])
def test_without_enough_requests_on_other_days_nothing_is_more_than_usual(days: list[Sums]) -> None:
    answer = judged("errors > 5x yesterday", [sums(40, 40)] * 30, days_before=days)
    assert answer.verdict == "unclear"
    assert answer.text == "too few requests at this time yesterday to compare with"


def test_a_day_of_which_only_the_end_is_known_is_no_day_before() -> None:
    began = {"shop": AT_S - 82_800}
    answer = judged("errors > 5x yesterday", [sums(40, 40)] * 30, days_before=[sums(500)], first_s=began)
    assert answer.verdict == "unclear"


def test_few_failures_yesterday_are_taken_for_the_most_that_they_may_be() -> None:
    """None of 100 may still be 2.6 %."""
    tens = [sums(400, 8)] * 30
    assert judged("errors > 5x yesterday", tens, days_before=[sums(100)]).verdict == "fine"
    assert judged("errors > 5x yesterday", tens, days_before=[sums(100_000)]).verdict == "bad"


def test_without_requests_it_is_fine() -> None:
    assert judged("errors > 2%", []).verdict == "fine"


def test_where_five_minutes_hold_few_requests_it_is_said_of_a_quarter_of_an_hour() -> None:
    tens = [*[sums(3)] * 5, sums(3, 1)] * 15
    answer = judged("errors > 2%", tens)
    assert (answer.verdict, answer.text) == (
        "bad",
        "5.56 % of 270 requests failed in the last 15 minutes, the limit is 2 %",
    )
    assert judged("errors > 5x yesterday", tens, days_before=[sums(10_000, 10)]).verdict == "bad"
    assert judged("errors > 2%", tens[-30:]).verdict == "unclear"
