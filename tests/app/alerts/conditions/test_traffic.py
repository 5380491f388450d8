"""Too few, too many or no requests: literal where a person wrote a number, careful where nobody did."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.alerts.condition import Judgement
from app.alerts.conditions.silence import HOUR_AFTER
from app.alerts.facts import Subject
from app.alerts.spans import YESTERDAY
from app.alerts.when import parse_when
from app.store.sums import Sums
from tests.app.alerts.made_facts import AT_S, CHECKOUT, SHOP, facts_of, sums


def judged(
    when: str,
    tens: list[Sums],
    *,
    yesterday: int | None = None,
    subject: Subject = SHOP,
    first_s: dict[str, int] | None = None,
    last_s: dict[str, int] | None = None,
    after: int | None = None,
    lag_s: int = 0,
) -> Judgement:
    """`yesterday`: requests in the hour around; `after`: in the one that begins an hour later."""
    (condition,) = parse_when(when)
    days = [] if yesterday is None else [sums(yesterday)] * 7
    later = yesterday if after is None else after
    facts = facts_of(
        condition.needs,
        tens,
        subject=subject,
        days_before=days,
        first_s=first_s,
        last_s=last_s,
        others={HOUR_AFTER: sums(later or 0)},
    )
    return condition.judge(replace(facts, lag_s=lag_s), subject, 20)


HOUR = [sums(10)] * 360
"""A request a second."""
NOTHING = sums(0)


def test_too_few_requests_are_bad_and_enough_are_fine() -> None:
    answer = judged("requests < 10/min", [*HOUR[:330], *[sums(1)] * 30], yesterday=3_600)
    assert answer == Judgement(
        "bad",
        "30 requests in the last 5 minutes, the limit is 10 a minute",
        value=6,
        limit=10,
        usual="60 a minute at this time yesterday",
    )
    assert judged("requests < 10/min", HOUR).verdict == "fine"


def test_traffic_that_stops_is_bad_within_a_minute() -> None:
    answer = judged("requests < 30/min", [*HOUR, *[NOTHING] * 6])
    assert (answer.verdict, answer.text) == (
        "bad",
        "no request in the last minute, the limit is 30 a minute",
    )


def test_too_many_requests_are_bad() -> None:
    assert judged("requests > 1000/min", [*HOUR, *[sums(500)] * 6]).verdict == "bad"
    assert judged("requests > 1000/min", HOUR).verdict == "fine"


def test_an_app_that_has_just_begun_does_not_have_too_few() -> None:
    first = {"shop": AT_S - 3_600}
    assert judged("requests < 100/min", [sums(10)] * 12, first_s=first).verdict == "unclear"
    assert judged("requests < 100/min", [sums(10)] * 60, first_s=first).verdict == "bad"


def test_half_of_yesterday_is_compared_a_minute_with_a_minute() -> None:
    assert judged("requests < 0.5x yesterday", [sums(4)] * 30, yesterday=3_600).verdict == "bad"
    assert judged("requests < 0.5x yesterday", [sums(6)] * 30, yesterday=3_600).verdict == "fine"
    answer = judged("requests < 0.5x usual", [sums(4)] * 30, yesterday=3_600)
    assert answer.text == (
        "120 requests in the last 5 minutes, fewer than 0.5 times as many as at this time on other days"
    )
    assert judged("requests > 3x usual", [sums(40)] * 30, yesterday=3_600).verdict == "bad"


def test_it_is_compared_with_the_hour_that_this_time_of_yesterday_lies_in() -> None:
    for minutes in range(0, 60, 5):
        at_s = AT_S + 60 * minutes
        assert YESTERDAY.span(at_s) == (AT_S - 86_400, AT_S - 82_800)
    (condition,) = parse_when("requests < 0.5x yesterday")
    facts = facts_of(condition.needs, [sums(4)] * 30, at_s=AT_S + 1_800, days_before=[sums(3_600)])
    assert condition.judge(facts, SHOP, 20).limit == 30


@pytest.mark.parametrize("yesterday", [None, 0, 100])
def test_with_few_requests_yesterday_nothing_is_said(yesterday: int | None) -> None:
    assert judged("requests < 0.5x yesterday", [], yesterday=yesterday).verdict == "unclear"


def test_requests_that_are_not_counted_yet_are_not_missing() -> None:
    """Of 10,000 a minute, the last 20 s are not counted after a restart."""
    tens = [*[sums(1_666)] * 28, *[NOTHING] * 2]
    assert judged("requests < 7000/min", tens).verdict == "bad"
    assert judged("requests < 7000/min", tens, lag_s=20).verdict == "unclear"
    assert judged("requests < 0.7x yesterday", tens, yesterday=600_000, lag_s=20).verdict == "unclear"
    assert judged("requests > 3000/min", tens, lag_s=20).verdict == "bad"
    assert judged("silence 1m", [sums(10), *[NOTHING] * 6], last_s=last(1)).verdict == "bad"
    assert judged("silence 1m", [sums(10), *[NOTHING] * 6], last_s=last(1), lag_s=20).verdict == "unclear"


# --- silence ---------------------------------------------------------------------------------


def quiet(minutes: int, tens: list[Sums] | None = None) -> list[Sums]:
    """The last hour, of which so many minutes at the end were without a request."""
    return [*(tens or HOUR)[minutes * 6 :], *[NOTHING] * (minutes * 6)]


def last(minutes: int) -> dict[str, int]:
    return {"shop": AT_S - 60 * minutes - 10}


def test_a_silence_of_ones_own_is_taken_at_its_word() -> None:
    assert judged("silence 5m", quiet(4), last_s=last(4)).verdict == "fine"
    answer = judged("silence 5m", quiet(7), last_s=last(7))
    assert (answer.verdict, answer.text, answer.value, answer.limit) == (
        "bad",
        "no request for 7 min",
        420,
        300,
    )
    assert answer.began_s == AT_S - 420, "people are told since when there was none"
    assert judged("silence 5m", [sums(1), *[NOTHING] * 30], last_s=last(5)).verdict == "bad"


def test_what_never_had_a_request_is_not_silent() -> None:
    assert judged("silence 5m", [], first_s={}).verdict == "fine"


def test_a_route_can_be_silent_too() -> None:
    assert judged("silence 5m", quiet(5), subject=CHECKOUT).text == "no request for 5 min"


def test_what_begins_as_it_is_judged_is_not_silent() -> None:
    begun = {"shop": AT_S - 600}  # To the hour.
    for when in ("silence 1m", "silence 5m"):
        for last_s in (AT_S, AT_S + 10):
            answer = judged(when, [NOTHING] * 60, first_s=begun, last_s={"shop": last_s})
            assert answer.verdict == "unclear"
        assert judged(when, [NOTHING] * 60, first_s=begun, subject=CHECKOUT).verdict == "unclear"
        assert judged(when, [NOTHING] * 60, first_s=begun, last_s={}).verdict == "unclear"
    assert judged("silence 1m", quiet(1), first_s=begun, last_s={}).verdict == "bad"
    assert judged("silence 1m", quiet(1), first_s=begun, last_s=last(1)).verdict == "bad"
    assert judged("silence 1m", quiet(1), first_s=begun, subject=CHECKOUT).verdict == "bad"


def test_an_app_that_had_traffic_is_silent() -> None:
    answer = judged("silence 5m unless usual", quiet(5), yesterday=3_600, last_s=last(5))
    assert (answer.verdict, answer.text) == ("bad", "no request for 5 min, where 300 are usual")


def test_an_app_that_is_silent_at_this_time_every_day_is_not_unusual() -> None:
    found = judged("silence 5m unless usual", quiet(5), yesterday=40, last_s=last(5))
    assert (found.verdict, found.text) == ("unclear", "no request for 5 min, which is not unusual")


def test_an_app_with_few_requests_is_silent_only_after_so_long_that_40_are_missing() -> None:
    few = [sums(1) if at % 3 == 0 else NOTHING for at in range(360)]
    for minutes, verdict in ((5, "unclear"), (19, "unclear"), (21, "bad")):
        answer = judged("silence 5m unless usual", quiet(minutes, few), yesterday=120, last_s=last(minutes))
        assert answer.verdict == verdict


def test_of_an_app_without_a_yesterday_more_must_be_missing() -> None:
    slow = [sums(1) if at % 2 == 0 else NOTHING for at in range(360)]
    new = {"shop": AT_S - 7_200}
    for minutes, verdict in ((19, "unclear"), (21, "bad")):
        answer = judged("silence 5m unless usual", quiet(minutes, slow), first_s=new, last_s=last(minutes))
        assert answer.verdict == verdict


def test_a_job_of_an_hour_may_end_on_its_first_day_while_other_apps_go_on() -> None:
    new, others = {"shop": AT_S - 4 * 3_600}, {**last(5), "api": AT_S - 20}
    job = quiet(5)
    assert judged("silence 5m unless usual", job, first_s=new, last_s=others).verdict == "unclear"
    longer = quiet(5, HOUR * 3)
    assert judged("silence 5m unless usual", longer, first_s=new, last_s=others).verdict == "bad"


def test_on_the_first_day_it_is_a_silence_if_no_app_has_a_request() -> None:
    new = {"shop": AT_S - 3_600, "api": AT_S - 3_600}
    none = {**last(5), "api": AT_S - 400}
    assert judged("silence 5m unless usual", quiet(5), first_s=new, last_s=none).verdict == "bad"


def test_what_was_silent_for_so_long_that_nothing_of_it_is_kept_is_no_new_silence() -> None:
    assert judged("silence 5m", [], first_s={}, last_s=last(60 * 24 * 40)).verdict == "unclear"


def test_a_job_that_ended_yesterday_within_the_next_hours_may_end_today() -> None:
    found = judged("silence 5m unless usual", quiet(5), yesterday=3_600, after=0, last_s=last(5))
    assert found.verdict == "unclear"


def test_one_request_in_an_hour_says_nothing_of_the_rest_of_it() -> None:
    rare = [*[NOTHING] * 4, sums(1), *[NOTHING] * 355]
    assert judged("silence 5m unless usual", rare, yesterday=3_600, last_s=last(59)).verdict == "unclear"


def test_a_silence_that_lasts_goes_on_and_ends_after_a_day() -> None:
    for minutes, verdict in ((30, "bad"), (31, "unclear"), (24 * 60 + 1, "fine")):
        tens = quiet(minutes) if minutes < 60 else [NOTHING] * 360
        answer = judged("silence 5m unless usual", tens, yesterday=3_600, last_s=last(minutes))
        assert answer.verdict == verdict


def test_a_silence_is_over_with_the_first_request() -> None:
    tens = [*quiet(10)[1:], sums(1)]
    assert (
        judged("silence 5m unless usual", tens, yesterday=3_600, last_s={"shop": AT_S - 10}).verdict == "fine"
    )
