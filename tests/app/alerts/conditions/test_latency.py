"""Slow requests: a percentile is above its limit if too many requests are, however they are spread."""

from __future__ import annotations

import random

import pytest

from app.alerts.condition import Judgement
from app.alerts.conditions import latency
from app.alerts.when import parse_when
from app.binomial import upper_rank
from app.store.sums import Sums
from tests.app.alerts.made_facts import SHOP, facts_of, sums


def judged(when: str, tens: list[Sums], days_before: list[Sums] | None = None) -> Judgement:
    (condition,) = parse_when(when)
    return condition.judge(facts_of(condition.needs, tens, days_before=days_before or []), SHOP, 20)


def timed(times_ms: dict[float, int]) -> Sums:
    return sums(sum(times_ms.values()), times_ms=times_ms)


FAST = timed({100: 40})


def test_it_says_the_percentile_and_how_many_took_longer() -> None:
    days = [timed({100: 9_600, 300: 400})]
    answer = judged("p95 > 800ms", [*[FAST] * 24, *[timed({100: 30, 2_000: 10})] * 6], days)
    assert answer.verdict == "bad"
    assert answer.text == (
        "p95 was 2.02 s in the last minute, the limit is 800 ms: 25.0 % of 240 requests took longer"
    )
    assert answer.value == pytest.approx(2_000, rel=0.01)
    assert answer.limit == 800
    assert answer.usual.endswith(" ms at this time yesterday")


@pytest.mark.parametrize(("name", "slow"), [("p50", 20), ("p90", 4), ("p95", 2), ("p99", 1)])
def test_as_many_slow_requests_as_the_percentile_allows_are_not_bad(name: str, slow: int) -> None:
    well = timed({100: 40 if name != "p99" else 99, 2_000: 0})
    at_limit = timed({100: (99 if name == "p99" else 40 - slow), 2_000: slow})
    assert judged(f"{name} > 1s", [at_limit] * 30).verdict == "fine"
    assert judged(f"{name} > 1s", [well] * 30).verdict == "fine"
    twice = timed({100: (97 if name == "p99" else 40 - 2 * slow), 2_000: 3 if name == "p99" else 2 * slow})
    assert judged(f"{name} > 1s", [twice] * 30).verdict == "bad"


def test_a_limit_is_exact_to_the_sketch() -> None:
    assert judged("p95 > 800ms", [timed({790: 40})] * 30).verdict == "fine"
    assert judged("p95 > 800ms", [timed({830: 40})] * 30).verdict == "bad"


def test_slow_requests_by_chance_are_hardly_ever_bad() -> None:
    chance = random.Random(7)
    for _ in range(200):
        tens = []
        for _ in range(30):
            slow = sum(chance.random() < 0.03 for _ in range(20))
            tens.append(timed({100: 20 - slow, 2_000: slow}))
        assert judged("p95 > 1s", tens).verdict != "bad"


def test_slower_than_usual_is_said_with_what_is_usual() -> None:
    days = [timed({100: 960, 300: 40})] * 7
    answer = judged("p95 > 3x usual", [timed({100: 20, 900: 20})] * 30, days)
    assert answer.verdict == "bad"
    assert answer.text == (
        "p95 was 907 ms in the last minute, over 3 times as long as at this time on other days: "
        "50.0 % of 240 requests took over 301 ms"
    )
    assert answer.usual == "100 ms at this time on other days"
    assert judged("p95 > 3x usual", [timed({100: 39, 900: 1})] * 30, days).verdict == "fine"


def test_the_slowest_of_other_days_is_left_out() -> None:
    days = [timed({9_000: 1_000}), *[timed({100: 1_000})] * 6]
    assert judged("p95 > 3x usual", [timed({900: 40})] * 30, days).verdict == "bad"
    assert judged("p95 > 3x yesterday", [timed({900: 40})] * 30, days).verdict == "fine"


def test_what_is_usual_is_worked_out_once_for_all_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    ranks: list[int] = []

    def counted(samples: int, share: float, alpha: float) -> int | None:
        ranks.append(samples)
        return upper_rank(samples, share, alpha)

    monkeypatch.setattr(latency, "upper_rank", counted)
    conditions = [parse_when(f"p95 > {factor}x usual")[0] for factor in range(2, 102)]
    days = [timed({100: 1_000})] * 7
    facts = facts_of(conditions[0].needs, [timed({900: 40})] * 30, days_before=days)
    verdicts = [condition.judge(facts, SHOP, 20).verdict for condition in conditions]
    assert (verdicts.count("bad"), verdicts.count("fine")) == (7, 93)
    assert ranks == [6_000]


def test_with_too_few_requests_yesterday_nothing_is_slower_than_usual() -> None:
    """The 95th percentile of 71 requests may be anything (test_binomial.py)."""
    tens = [timed({9_000: 40})] * 30
    assert judged("p95 > 3x yesterday", tens, [timed({100: 71})]).verdict == "unclear"
    assert judged("p95 > 3x yesterday", tens, [timed({100: 72})]).verdict == "bad"
    assert judged("p95 > 3x yesterday", tens).verdict == "unclear"


def test_what_has_no_service_time_is_neither_slow_nor_fast() -> None:
    assert judged("p95 > 800ms", [sums(40)] * 30) == Judgement("fine")


def test_without_requests_nothing_is_slow_any_more() -> None:
    for when in ("p95 > 800ms", "p95 > 3x yesterday"):
        assert judged(when, [], [timed({100: 1_000})]).verdict == "fine"


def test_where_five_minutes_hold_few_requests_it_is_said_of_a_quarter_of_an_hour() -> None:
    tens = [timed({100: 3}), timed({100: 3}), timed({100: 2, 9_000: 1})] * 30
    answer = judged("p95 > 1s", tens)
    assert (answer.verdict, answer.text) == (
        "bad",
        "p95 was 9.05 s in the last 15 minutes, the limit is 1 s: 11.1 % of 270 requests took longer",
    )
    assert judged("p95 > 3x yesterday", tens, [timed({100: 1_000})]).verdict == "bad"
    assert judged("p95 > 1s", tens[-30:]).verdict == "unclear"
