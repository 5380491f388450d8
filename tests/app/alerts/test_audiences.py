"""Whom an incident is told to: each target hears of one cause once, and only what is for it."""

from __future__ import annotations

from dataclasses import replace

from app.alerts.board import Silence
from app.alerts.facts import Subject
from app.alerts.notices import audiences
from app.alerts.rule import EACH
from tests.app.alerts.scripted import CHECKOUT, T0, Scripted, Told, during, facts, rule, run

TARGETS = ("ops", "mail", "pager")
FOREVER = during((0, 100_000))


def test_targets_that_the_same_rules_are_for_are_one_audience() -> None:
    rules = [rule("all"), rule("a", to=("ops",)), rule("b", to=("ops", "mail"))]
    assert audiences(rules, TARGETS) == [("mail",), ("ops",), ("pager",)]
    assert audiences(rules[:2], TARGETS) == [("mail", "pager"), ("ops",)]
    assert audiences([rule("all")], TARGETS) == [("mail", "ops", "pager")]
    assert audiences(rules, []) == [()]


def test_one_cause_is_one_message_to_each_target_whichever_rules_are_for_it() -> None:
    own = rule("checkout", Scripted(during((0, 600), of=[CHECKOUT])), route=EACH, to=("ops",))
    default = rule("errors", Scripted(during((10, 600))))
    told = run([own, default], range(0, 1_000, 10), targets=TARGETS)
    assert told.heard("ops") == [
        ("firing", 20, ["errors", "checkout"]),
        ("resolved", 900, ["errors", "checkout"]),
    ]
    assert told.heard("mail") == told.heard("pager")
    assert told.heard("mail") == [("firing", 30, ["errors"]), ("resolved", 900, ["errors"])]
    (incident,) = told.resolved
    assert {one.incident.id for one in told.notices} == {incident.id}
    assert incident.to == ("mail", "ops", "pager")
    assert len(incident.alerts) == 2


def test_targets_that_hear_the_same_get_the_same_message() -> None:
    quiet = rule("quiet", Scripted(during()), to=("ops",))
    told = run([quiet, rule("errors", Scripted(FOREVER))], range(0, 60, 10), targets=TARGETS)
    (notice,) = told.notices
    assert sorted(notice.to) == ["mail", "ops", "pager"]
    assert notice.number == 1


def test_who_was_told_nothing_is_told_no_end() -> None:
    told = run([rule("a", Scripted(during((0, 100))), to=("ops",))], range(0, 900, 10), targets=TARGETS)
    assert [kind for kind, _, _ in told.heard("ops")] == ["firing", "resolved"]
    assert told.heard("mail") == told.heard("pager") == []


def test_a_target_is_told_the_end_of_what_is_for_it_though_the_incident_goes_on() -> None:
    slow = rule("slow", Scripted(FOREVER, family="slowness"), to=("mail",))
    errors = rule("errors", Scripted(during((0, 100))), to=("pager",))
    told = run([slow, errors], range(0, 600, 10), targets=TARGETS)
    assert told.heard("pager") == [("firing", 20, ["errors"]), ("resolved", 400, ["errors"])]
    end = told.notices[-1].incident
    assert (end.resolved_s, end.severity) == (T0 + 100, "critical")
    assert told.heard("mail") == [("firing", 20, ["slow"])]
    (incident,) = told.board.incidents.values()
    assert incident.resolved_s is None


def test_what_fires_again_for_a_target_is_told_again_though_the_incident_never_ended() -> None:
    slow = rule("slow", Scripted(FOREVER, family="slowness"), to=("mail",))
    errors = rule("errors", Scripted(during((0, 100), (800, 2_000))), to=("pager",))
    told = run([slow, errors], range(0, 900, 10), targets=TARGETS)
    assert [(kind, second) for kind, second, _ in told.heard("pager")] == [
        ("firing", 20),
        ("resolved", 400),
        ("firing", 820),
    ]
    assert len({one.id for one in told.notices}) == len(told.notices) == 4


def test_the_severity_and_the_beginning_are_those_of_what_the_target_hears() -> None:
    slow = rule("slow", Scripted(FOREVER, family="slowness"), to=("mail",))
    errors = rule("errors", Scripted(during((100, 9_000))), to=("pager",))
    told = run([slow, errors], range(0, 200, 10), targets=TARGETS)
    by_target = {one.to: one.incident for one in told.notices}
    assert (by_target["mail",].severity, by_target["mail",].began_s) == ("warning", T0)
    assert (by_target["pager",].severity, by_target["pager",].began_s) == ("critical", T0 + 100)


def test_each_target_is_told_again_as_often_as_its_own_rules_say() -> None:
    often = rule("often", Scripted(FOREVER), to=("ops",), repeat_s=600)
    seldom = rule("seldom", Scripted(FOREVER), to=("mail",), repeat_s=3_600)
    told = run([often, seldom], range(0, 1_300, 10), targets=TARGETS)
    assert [kind for kind, _, _ in told.heard("ops")] == ["firing", "repeat", "repeat"]
    assert [kind for kind, _, _ in told.heard("mail")] == ["firing"]


def test_a_silence_is_for_all_who_would_hear_it() -> None:
    rules = [rule("a", Scripted(FOREVER), to=("ops",)), rule("b", Scripted(FOREVER), to=("mail",))]
    told = run(rules, range(0, 60, 10), [Silence("a", "", T0 + 500)], targets=TARGETS)
    assert (told.heard("ops"), len(told.heard("mail"))) == ([], 1)


def test_a_target_that_is_new_hears_of_what_goes_on_and_the_others_do_not_hear_of_it_again() -> None:
    told = Told(targets=("ops",))
    rules = [rule("a", Scripted(during((0, 300))))]
    for second in range(0, 900, 10):
        told.targets = ("ops",) if second < 100 else ("mail", "ops")
        told(rules, facts(second))
    assert told.heard("ops") == [("firing", 20, ["a"]), ("resolved", 600, ["a"])]
    assert told.heard("mail") == [("firing", 100, ["a"]), ("resolved", 600, ["a"])]
    assert sorted(told.notices[-1].to) == ["mail", "ops"]


def test_a_rule_that_is_for_all_now_is_told_to_those_that_have_not_heard_of_it() -> None:
    told = Told(targets=("mail", "ops"))
    for second in range(0, 100, 10):
        told([rule("a", Scripted(FOREVER), to=("ops",) if second < 50 else ())], facts(second))
    assert told.heard("ops") == [("firing", 20, ["a"])]
    assert told.heard("mail") == [("firing", 50, ["a"])]


def test_a_rule_that_is_gone_is_told_to_nobody_who_was_not_told_of_it() -> None:
    own, default = rule("own", Scripted(FOREVER), to=("ops",)), rule("errors", Scripted(during((0, 300))))
    told = Told(targets=("mail", "ops"))
    for second in range(0, 900, 10):
        told([own, default] if second < 100 else [default], facts(second))
    assert told.heard("mail") == [("firing", 20, ["errors"]), ("resolved", 600, ["errors"])]
    assert told.heard("ops")[0] == ("firing", 20, ["errors", "own"])


def test_the_first_target_there_is_hears_of_what_goes_on() -> None:
    told = Told()
    for second in range(0, 200, 10):
        told.targets = ("ops",) if second >= 100 else ()
        told([rule("a", Scripted(FOREVER))], facts(second))
    assert told.heard("ops") == [("firing", 100, ["a"])]


def test_a_process_without_a_target_forgets_nothing_of_what_it_was_told() -> None:
    told = Told(targets=("mail", "ops"))
    for second in range(0, 900, 10):
        told.targets = {100: ("mail",), 200: (), 300: ("mail", "ops")}.get(second, told.targets)
        told([rule("a", Scripted(during((0, 300))))], facts(second))
    assert told.heard("ops") == told.heard("mail")
    assert told.heard("ops") == [("firing", 20, ["a"]), ("resolved", 600, ["a"])]


def test_the_end_waits_for_a_target_that_another_process_has() -> None:
    told = Told(targets=("mail", "ops"))
    for second in range(0, 900, 10):
        told.targets = ("mail", "ops") if second < 100 else ("mail",)
        told([rule("a", Scripted(during((0, 300))))], facts(second))
    assert told.heard("ops") == told.heard("mail")
    assert [kind for kind, _, _ in told.heard("ops")] == ["firing", "resolved"]


def test_a_rule_that_is_for_others_now_ends_for_those_that_heard_of_it() -> None:
    told = Told(targets=TARGETS)
    for second in range(0, 100, 10):
        to = () if second < 50 else ("ops",)
        told([rule("a", Scripted(FOREVER), to=to)], facts(second))
    assert [kind for kind, _, _ in told.heard("mail")] == ["firing", "resolved"]
    assert [kind for kind, _, _ in told.heard("ops")] == ["firing"]


def test_a_target_is_told_of_its_own_alert_where_an_incident_has_more_than_it_lists() -> None:
    routes = {f"d{number}": f"/{number}" for number in range(150)}
    many = [Subject("shop", route, digest) for digest, route in routes.items()]
    failing = rule("failing", Scripted(during((0, 9_000), of=many)), route=EACH, to=("mail",))
    slow = rule("slow", Scripted(during((0, 200), of=many[:1]), family="slowness"), route=EACH, to=("ops",))
    told = Told(targets=TARGETS)
    for second in range(0, 700, 10):
        told([failing, slow], replace(facts(second), routes={"shop": routes}))
    (incident,) = told.board.incidents.values()
    assert {one.rule for one in incident.alerts} == {"failing"}
    assert told.heard("ops") == [("firing", 20, ["slow"]), ("resolved", 500, ["slow"])]
