"""A release that made something worse, once its comparison is complete."""

from __future__ import annotations

from dataclasses import replace

from app.alerts.condition import Judgement
from app.alerts.facts import Facts, Subject
from app.alerts.when import parse_when
from app.comparison.result import Comparison, FigureComparison, FigureName, RouteComparison, Word
from app.platform.release import Release
from tests.app.alerts.made_facts import AT_S, CHECKOUT, SHOP

V42 = Release("shop", 42, 0, "deploy", "v42: deploy 9154a1d2")


def row(route: str, digest: str, **words: Word) -> RouteComparison:
    names: dict[str, FigureName] = {"errors": "errors", "p95": "p95"}
    values = {"errors": (0.001, 0.203), "p95": (120.0, 1_400.0)}
    figures = [
        FigureComparison(names[name], *values[name], None, None, None, word) for name, word in words.items()
    ]
    return RouteComparison(route, digest, 1_000, 1_000, "worse", figures)


def judged(found: Comparison | None, subject: Subject = SHOP) -> Judgement:
    (condition,) = parse_when("release worse")
    assert condition.needs.kinds == {"comparisons"}
    return condition.judge(Facts(AT_S, comparisons={"shop": found} if found else {}), subject, 20)


WORSE = Comparison(
    "shop",
    release=V42,
    total=row("", "", errors="worse", p95="no difference shown"),
    routes=[row("/checkout", "d1", errors="worse", p95="worse"), row("/cart", "d2", errors="better")],
)


def test_it_says_which_figures_are_worse_after_which_release() -> None:
    answer = judged(WORSE)
    assert answer.verdict == "bad"
    assert answer.text == "errors went from 0.10 % to 20.3 % after v42, and 1 other route is worse"
    assert answer.usual == "0.10 % before v42"


def test_a_route_is_judged_by_its_own_figures() -> None:
    assert judged(WORSE, CHECKOUT).text == (
        "errors went from 0.10 % to 20.3 % after v42; p95 went from 120 ms to 1.40 s"
    )
    assert judged(WORSE, Subject("shop", "/cart", "d2")).verdict == "fine"
    assert judged(WORSE, Subject("shop", "/none", "d3")).verdict == "fine"


def test_where_one_route_alone_is_worse_it_is_named() -> None:
    found = replace(WORSE, total=row("", "", errors="no difference shown"))
    assert judged(found).text.startswith("errors of /checkout went from 0.10 % to 20.3 % after v42; p95 went")


def test_what_was_worse_at_the_same_time_yesterday_is_not_the_releases() -> None:
    yesterday = Comparison(
        "shop", total=row("", "", errors="worse"), routes=[row("/checkout", "d1", errors="worse")]
    )
    assert judged(replace(WORSE, routes=[], yesterday=yesterday)).verdict == "fine"
    assert judged(replace(WORSE, yesterday=yesterday)).text.startswith("p95 of /checkout went from 120 ms to")


def test_before_the_comparison_is_complete_nothing_is_said() -> None:
    assert judged(replace(WORSE, is_complete=False)).verdict == "unclear"
    assert judged(Comparison("shop", refused="no release")).verdict == "unclear"


def test_without_a_release_in_the_last_hour_it_is_fine() -> None:
    assert judged(None).verdict == "fine"
