"""Which alerts come together, and what is told of them: updates, repeats, silences."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.alerts.board import AlertState, Silence
from app.alerts.condition import Judgement
from app.alerts.facts import Subject
from app.alerts.incidents import SHOWN_MAX, rank
from app.alerts.rule import EACH
from tests.app.alerts.scripted import CART, CHECKOUT, T0, Scripted, Told, during, facts, rule, run

FOREVER = during((0, 100_000))
FIRING = AlertState("a", CHECKOUT, "failures", "firing", T0, Judgement("bad", "x"))


def test_a_whole_app_and_its_routes_that_fail_together_are_told_in_one_message_the_app_first() -> None:
    told = run(
        [
            rule("route", Scripted(during((0, 600)), value=90.0), route=EACH),
            rule("app", Scripted(during((10, 600)))),
        ],
        range(0, 1_000, 10),
    )
    assert [kind for kind, _ in told.words] == ["firing", "resolved"]
    assert [one.rule for one in told.notices[0].incident.alerts] == ["app", "route", "route"]


@pytest.mark.parametrize(("worse", "better", "limit"), [(90.0, 20.0, 2.0), (0.1, 0.9, 1.0), (0.0, 0.1, 1.0)])
def test_what_is_furthest_beyond_its_limit_comes_first(worse: float, better: float, limit: float) -> None:
    states = [
        replace(FIRING, rule=name, judgement=Judgement("bad", "x", value, limit))
        for name, value in (("a", better), ("b", worse))
    ]
    assert [one.rule for one in sorted(states, key=rank)] == ["b", "a"]


def test_what_joins_later_is_told_after_ten_minutes() -> None:
    checkout = rule("a", Scripted(during((0, 2_000), of=[CHECKOUT])), route=EACH)
    cart = rule("b", Scripted(during((100, 2_000), of=[CART])), route=EACH)
    told = run([checkout, cart], range(0, 1_000, 10))
    assert told.words == [("firing", 20), ("update", 620)]
    assert len({one.incident.id for one in told.notices}) == 1


def test_the_first_critical_alert_of_a_warning_is_told_at_once() -> None:
    slow = rule("slow", Scripted(FOREVER, family="slowness"))
    failing = rule("errors", Scripted(during((100, 2_000))))
    told = run([slow, failing], range(0, 300, 10))
    assert told.words == [("firing", 20), ("update", 100)]
    assert [one.incident.severity for one in told.notices] == ["warning", "critical"]


def test_another_family_more_than_ten_minutes_later_is_another_incident() -> None:
    slow = rule("slow", Scripted(FOREVER, family="slowness"))
    for second, count in ((600, 1), (610, 2)):
        told = run([slow, rule("errors", Scripted(during((second, 9_000))))], range(0, 700, 10))
        assert len(told.board.incidents) == count


def test_apps_are_apart() -> None:
    told = Told()
    for second in (0, 10, 20):
        told([rule("a", Scripted(FOREVER))], facts(second, apps=("shop", "api")))
    assert sorted(one.incident.app for one in told.notices) == ["api", "shop"]


def test_it_is_repeated_as_often_as_the_rule_says() -> None:
    told = run([rule("a", Scripted(FOREVER), repeat_s=600)], range(0, 1_500, 10))
    assert told.words == [("firing", 20), ("repeat", 620), ("repeat", 1_220)]
    never = run([rule("a", Scripted(FOREVER), repeat_s=0)], range(0, 1_500, 10))
    assert never.words == [("firing", 20)]


@pytest.mark.parametrize("silence", [Silence("", "", T0 + 500), Silence("a", "shop", T0 + 500)])
def test_what_goes_on_when_its_silence_ends_is_told_then(silence: Silence) -> None:
    rules = [rule("a", Scripted(FOREVER))]
    told = run(rules, range(0, 900, 10), [silence])
    assert told.words == [("firing", 500)]
    silent = run(rules, [0, 10, 20], [silence]).board.incidents
    assert [one.silenced_until_s for one in silent.values()] == [T0 + 500]


def test_what_ends_while_it_is_silenced_is_never_told() -> None:
    told = run([rule("a", Scripted(during((0, 100))))], range(0, 900, 10), [Silence("a", "", T0 + 500)])
    assert told.words == []
    assert len(told.resolved) == 1


def test_the_end_of_what_was_told_is_told_though_it_is_silenced_since() -> None:
    rules = [rule("a", Scripted(during((0, 300))))]
    told = run(rules, range(0, 100, 10))
    for second in range(100, 900, 10):
        told(rules, facts(second), [Silence("a", "", T0 + 5_000)])
    assert told.words == [("firing", 20), ("resolved", 600)]


def test_a_silence_of_another_rule_or_app_changes_nothing() -> None:
    silences = [Silence("b", "", T0 + 500), Silence("a", "api", T0 + 500), Silence("a", "", T0)]
    assert run([rule("a", Scripted(FOREVER))], [0, 10, 20], silences).words == [("firing", 20)]


def test_a_silenced_alert_of_an_incident_is_not_in_its_message() -> None:
    told = run(
        [rule("a", Scripted(FOREVER)), rule("b", Scripted(FOREVER))],
        [0, 10, 20],
        [Silence("a", "", T0 + 500)],
    )
    assert [one.rule for one in told.notices[0].incident.alerts] == ["b"]


def test_an_incident_lists_a_bounded_number_of_alerts() -> None:
    routes = {f"d{number}": f"/{number}" for number in range(300)}
    many = [Subject("shop", route, digest) for digest, route in routes.items()]
    told = Told()
    for second in (0, 10, 20):
        moment = replace(facts(second), routes={"shop": routes})
        told([rule("a", Scripted(during((0, 900), of=many)), route=EACH)], moment)
    (incident,) = told.board.incidents.values()
    assert len(incident.alerts) == SHOWN_MAX
    assert [len(one.keys) for one in incident.tellings] == [len(told.board.alerts)] == [300]
