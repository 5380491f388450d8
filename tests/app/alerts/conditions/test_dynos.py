"""What the platform says of dynos: how often, of any one of them."""

from __future__ import annotations

import pytest

from app.alerts.condition import Judgement
from app.alerts.facts import DynoFacts, Facts, Subject
from app.alerts.when import parse_when
from tests.app.alerts.made_facts import AT_S, SHOP


def judged(when: str, *dynos: DynoFacts) -> Judgement:
    (condition,) = parse_when(when)
    assert condition.needs.kinds == {"dynos"}
    assert condition.scope == "apps"
    return condition.judge(Facts(AT_S, dynos={"shop": dynos}), SHOP, 20)


def test_it_names_the_worst_dyno_and_how_many_others() -> None:
    answer = judged(
        "R14 > 3",
        DynoFacts("web.1", None, {"R14": 4}),
        DynoFacts("web.2", None, {"R14": 28, "R15": 1}),
        DynoFacts("web.3", None, {"R14": 3}),
    )
    assert answer == Judgement(
        "bad",
        "web.2 logged R14 28 times in the last 10 minutes, the limit is 3; so did 1 other dyno",
        value=28,
        limit=3,
        dyno="web.2",
    )


def test_the_limit_is_for_one_dyno_and_not_for_all_together() -> None:
    few = [DynoFacts(f"web.{number}", None, {"R14": 3}) for number in range(1, 9)]
    assert judged("R14 > 3", *few).verdict == "fine"


def test_without_a_limit_once_is_enough() -> None:
    assert judged("crashed", DynoFacts("web.1", None, {"crashed": 1})).text == (
        "web.1 crashed 1 time in the last 10 minutes"
    )
    assert judged("R15", DynoFacts("web.1", None, {"R14": 9})).verdict == "fine"


@pytest.mark.parametrize("when", ["R14 > 3", "memory > 100%"])
def test_of_an_app_whose_dynos_are_not_known_nothing_is_said(when: str) -> None:
    (condition,) = parse_when(when)
    assert condition.judge(Facts(AT_S), Subject("blog"), 20).verdict == "unclear"


def test_an_app_without_a_dyno_has_no_errors() -> None:
    assert judged("crashed > 2").verdict == "fine"


def test_memory_is_that_of_the_fullest_dyno() -> None:
    answer = judged(
        "memory > 90%", DynoFacts("web.1", 0.5), DynoFacts("web.2", 1.12), DynoFacts("web.3", 0.95)
    )
    assert answer == Judgement(
        "bad",
        "web.2 uses 112.0 % of its memory quota, the limit is 90 %; 1 other dyno too",
        value=1.12,
        limit=0.9,
        dyno="web.2",
    )


def test_memory_is_fine_again_once_it_is_well_below_the_limit() -> None:
    verdicts = [
        judged("memory > 100%", DynoFacts("web.1", share)).verdict for share in (1.01, 1.0, 0.96, 0.95)
    ]
    assert verdicts == ["bad", "unclear", "unclear", "fine"]


def test_memory_that_no_dyno_says_is_not_known() -> None:
    assert judged("memory > 100%", DynoFacts("web.1", None)).verdict == "unclear"


def test_what_has_to_do_with_memory_is_of_one_family() -> None:
    families = {when: parse_when(when)[0].family for when in ("R14", "R15", "memory > 90%", "R10", "crashed")}
    assert families == {
        "R14": "memory",
        "R15": "memory",
        "memory > 90%": "memory",
        "R10": "failures",
        "crashed": "failures",
    }
