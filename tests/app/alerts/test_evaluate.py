"""Which rule is asked of what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from app.alerts.board import Board
from app.alerts.condition import Family, Verdict
from app.alerts.evaluate import SUBJECTS_MAX, evaluate, judge
from app.alerts.facts import Facts, Subject
from app.alerts.rule import EACH, Rule
from app.alerts.when import parse_when
from app.store.queries.alert import Alert
from tests.app.alerts.scripted import CART, CHECKOUT, ROUTES, SHOP, Scripted, during, facts, rule, run

BAD = Scripted(during((0, 100)))
LOSSES = Alert("losses:shop", "warning", "Messages were lost", "", "", 1, "shop")
NO_WORKER = Alert("no_worker:metrics", "alarm", "No worker", "", "", 1)


def asked(one: Rule, of: Facts) -> list[Subject]:
    return [judged.subject for judged in evaluate(Board(), [one], of).values()]


def test_a_rule_without_app_is_asked_of_each_app_and_one_with_app_of_that_alone() -> None:
    both = facts(0, apps=("", "shop", "api"))
    assert asked(rule(condition=BAD), both) == [Subject(""), Subject("shop"), Subject("api")]
    assert asked(rule(condition=BAD, app="api"), both) == [Subject("api")]


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ("", [SHOP]),
        (EACH, [CHECKOUT, CART]),
        ("/cart", [CART]),
        ("/:page", [CHECKOUT, CART]),
        ("/*rest", [CHECKOUT, CART]),
        ("/api/*rest", []),
    ],
)
def test_a_pattern_chooses_routes(route: str, expected: list[Subject]) -> None:
    assert asked(rule(condition=BAD, route=route), facts(0)) == expected


def test_a_route_with_a_name_in_it_is_chosen_by_its_own_pattern() -> None:
    users = replace(facts(0), routes={"shop": {"d7": "/users/:id"}})
    assert asked(rule(condition=BAD, route="/users/:id"), users) == [Subject("shop", "/users/:id", "d7")]


def test_what_only_apps_can_be_asked_is_asked_of_apps() -> None:
    memory = Scripted(during((0, 100)), "memory", "apps")
    assert asked(rule(condition=memory, route=EACH), facts(0)) == [SHOP]


def test_tailraces_own_rules_are_asked_of_what_is_wrong_with_it() -> None:
    own = Scripted(during((0, 100)), "tailrace", "tailrace")
    health = [NO_WORKER, LOSSES]
    both = [Subject(part="no_worker:metrics"), Subject("shop", part="losses:shop")]
    assert asked(rule(condition=own), facts(0, health=health)) == both
    assert asked(rule(condition=own, app="shop"), facts(0, health=health)) == both[1:]
    found = evaluate(Board(), [rule(condition=own)], facts(0, health=health)).values()
    assert [one.severity for one in found] == ["critical", "warning"]


@pytest.mark.parametrize(
    ("family", "text", "severity"),
    [
        ("failures", "errors > 2%", "critical"),
        ("failures", "crashed > 2", "critical"),
        ("traffic", "silence 5m", "critical"),
        ("traffic", "requests < 1/min", "warning"),
        ("slowness", "p95 > 1s", "warning"),
        ("memory", "R14 > 3", "warning"),
    ],
)
def test_failures_and_silence_are_critical(family: Family, text: str, severity: str) -> None:
    (condition,) = parse_when(text)
    assert (condition.family, condition.severity) == (family, severity)


def test_an_alert_is_as_severe_as_its_condition() -> None:
    families: list[Family] = ["failures", "slowness"]
    rules = [rule(family, Scripted(during((0, 100)), family)) for family in families]
    found = evaluate(Board(), rules, facts(0)).values()
    assert [one.severity for one in found] == ["critical", "warning"]


def _saying(verdict: Verdict, family: Family = "failures", text: str = "errors") -> Scripted:
    return Scripted(lambda second, subject: verdict, family, text=text)


@pytest.mark.parametrize(
    ("verdicts", "together"),
    [
        (["bad", "bad"], "bad"),
        (["bad", "unclear"], "unclear"),
        (["unclear", "fine"], "fine"),
        (["fine", "bad"], "fine"),
        (["bad", "fine"], "fine"),
    ],
)
def test_all_conditions_must_be_bad_and_one_that_is_fine_is_enough(
    verdicts: Sequence[Verdict], together: Verdict
) -> None:
    one = Rule("both", tuple(_saying(verdict) for verdict in verdicts))
    assert judge(one, facts(0), SHOP).verdict == together


def test_a_rule_is_about_the_condition_that_is_not_only_about_traffic() -> None:
    one = Rule("both", (_saying("bad", "traffic", "requests"), _saying("bad", "slowness", "p95")))
    (judged,) = evaluate(Board(), [one], facts(0)).values()
    assert judged.family == "slowness"
    assert judged.judgement.text == "p95 is bad, and requests is bad", "a title takes what comes first"


def test_a_rule_without_conditions_says_nothing() -> None:
    assert evaluate(Board(), [Rule("none", ())], facts(0)) == {}


def test_a_rule_is_asked_of_a_bounded_number_of_routes_those_on_the_board_first() -> None:
    each = rule(condition=Scripted(during((0, 900))), route=EACH)
    board = run([each], [0]).board
    many = replace(facts(10), routes={"shop": {f"x{number}": f"/{number}" for number in range(5_000)}})
    found = [one.subject for one in evaluate(board, [each], many).values()]
    assert found[:2] == [CHECKOUT, CART]
    assert len(found) == SUBJECTS_MAX
    assert ROUTES["shop"].keys() == {"d1", "d2"}
