"""One moment after the other: what the board remembers, and what is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.alerts.board import ALERTS_MAX, Board
from app.alerts.engine import CATCH_UP_S, moments
from app.alerts.facts import Facts, Subject
from app.alerts.rule import EACH
from app.store.queries.alert import Alert
from tests.app.alerts.scripted import SHOP, T0, Scripted, Told, during, facts, rule, run, saying

NO_WORKER = Alert("no_worker:metrics", "alarm", "No metrics worker is running", "", "", 1)


def test_what_is_fine_is_not_on_the_board() -> None:
    told = run([rule()], [0, 10])
    assert told.board == Board(evaluated_s=T0 + 10, at_s=T0 + 10)
    assert told.notices == []


def test_an_alert_is_told_once_and_its_end_once() -> None:
    told = run([rule(condition=Scripted(during((100, 400))))])
    assert told.words == [("firing", 120), ("resolved", 700)]
    assert not told.board.alerts
    assert not told.board.incidents
    (ended,) = told.resolved
    assert (ended.began_s, ended.resolved_s) == (T0 + 100, T0 + 400)
    assert [one.incident.id for one in told.notices] == [ended.id] * 2
    assert [one.id for one in told.notices] == [f"{ended.id}.1", f"{ended.id}.2"]


def test_the_same_moment_again_changes_and_tells_nothing() -> None:
    rules = [rule(condition=Scripted(during((0, 100))))]
    told = run(rules, [0, 10, 20])
    again = told(rules, facts(20))
    assert again.board == told.steps[-2].board
    assert again.notices == () == again.resolved


def test_the_same_board_and_facts_make_the_same_ids() -> None:
    rules = [rule(condition=Scripted(during((100, 400))))]
    first, second = run(rules), run(rules)
    assert first.notices
    assert first.notices == second.notices
    assert first.steps == second.steps


def test_an_incident_after_another_has_an_id_of_its_own() -> None:
    told = run([rule(condition=Scripted(during((0, 100), (600, 700))))], range(0, 1_100, 10))
    assert [kind for kind, _ in told.words] == ["firing", "resolved"] * 2
    assert len({one.id for one in told.resolved}) == 2


def test_nothing_fires_and_nothing_ends_while_figures_are_not_complete() -> None:
    rules = [rule(condition=Scripted(during((0, 30), (200, 900))), app="shop"), rule("late", for_s=50)]
    told = run(rules, range(0, 60, 10))
    before = told.board
    for second in range(60, 600, 10):
        made = told(rules, facts(second, incomplete="metrics is 42 s behind"))
        assert made.board.alerts == before.alerts
    assert told.board.incomplete == "metrics is 42 s behind"
    assert told.board.evaluated_s == before.evaluated_s
    assert told.board.at_s == T0 + 590
    assert told.words == [("firing", 20)]


def test_what_was_about_to_be_told_is_told_though_figures_are_not_complete_any_more() -> None:
    rules = [rule(condition=Scripted(during((0, 100))))]
    told = run(rules, [0])
    told(rules, facts(10, incomplete="no worker"))
    told(rules, facts(20, incomplete="no worker"))
    assert told.words == [("firing", 20)]


def test_tailraces_own_rules_fire_while_figures_are_not_complete() -> None:
    own = rule("tailrace", Scripted(during((0, 100)), "tailrace", "tailrace"))
    told = Told()
    for second in range(0, 500, 10):
        told([own, rule()], facts(second, "no worker" if second < 100 else "", [NO_WORKER]))
    assert told.words == [("firing", 20), ("resolved", 400)]
    first = told.notices[0].incident
    assert (first.app, first.severity) == ("", "critical")
    assert first.alerts[0].subject == Subject(part="no_worker:metrics")


def test_moments_of_the_past_do_not_end_what_tailrace_says_of_itself() -> None:
    own = rule("tailrace", Scripted(during((0, 2_000)), "tailrace", "tailrace"))
    told = Told()
    for second in range(0, 600, 10):
        told([own], facts(second, "no worker", [NO_WORKER]))
    firing = dict(told.board.alerts)
    for at_s in moments(told.board, T0 + 600):
        is_past = at_s < T0 + 600
        told([own], replace(facts(at_s - T0), is_past=is_past, health=() if is_past else (NO_WORKER,)))
        assert list(told.board.alerts) == list(firing)
    assert told.words == [("firing", 20)]


def test_what_was_missed_is_judged_in_steps_of_a_minute_15_minutes_back_at_most() -> None:
    assert moments(Board(), T0) == [T0]
    assert moments(Board(evaluated_s=T0 - 10), T0) == [T0]
    assert moments(Board(evaluated_s=T0 - 60), T0) == [T0]
    assert moments(Board(evaluated_s=T0 - 130), T0) == [T0 - 70, T0 - 10, T0]
    long_ago = moments(Board(evaluated_s=T0 - 86_400), T0)
    assert long_ago == [*range(T0 - CATCH_UP_S + 60, T0, 60), T0]
    assert moments(Board(evaluated_s=T0 + 50), T0) == [T0]


@pytest.mark.parametrize("gap", [(130, 400), (50, 620), (210, 1_000)])
def test_after_catching_up_the_incidents_are_those_of_complete_figures(gap: tuple[int, int]) -> None:
    spans = ((100, 300), (700, 900))
    rules = [rule(condition=Scripted(during(*spans)))]
    whole = run(rules, range(0, 1_300, 10))
    told = Told()
    for second in range(0, 1_300, 10):
        if gap[0] <= second < gap[1]:
            told(rules, facts(second, "metrics is 42 s behind"))
            continue
        for at_s in moments(told.board, T0 + second):
            told(rules, facts(at_s - T0))
    assert [kind for kind, _ in told.words] == [kind for kind, _ in whole.words]
    for one, other in zip(told.resolved, whole.resolved, strict=True):
        assert abs(one.fired_s - other.fired_s) < 60


def test_alerts_whose_rule_is_gone_end() -> None:
    told = run([rule(condition=Scripted(during((0, 900)))), rule("late", for_s=600)], range(0, 60, 10))
    other = rule("other")
    told([other], facts(60))
    assert told.board.alerts == {}
    assert told.words[-1] == ("resolved", 60)


def test_alerts_of_an_app_that_the_rule_is_not_about_any_more_end() -> None:
    always = Scripted(during((0, 900)))
    told = run([rule(condition=always)], range(0, 60, 10))
    told([rule(condition=always, app="api")], facts(60))
    assert [one.subject.app for one in told.board.alerts.values()] == ["api"]


def test_the_board_is_bounded_and_says_what_was_left_out() -> None:
    each = rule("each", Scripted(during((0, 900))), route=EACH)
    rules = [replace(each, name=f"each {number}") for number in range(3)]
    routes = {f"d{number}": f"/{number}" for number in range(800)}
    many = replace(facts(0), routes={"shop": routes})
    told = Told()
    told([*rules, rule("all", Scripted(during((0, 900))))], many)
    assert len(told.board.alerts) == ALERTS_MAX
    assert told.board.left_out == 3 * 800 + 1 - ALERTS_MAX
    assert "all shop  " in told.board.alerts, "a whole app comes before routes"


def test_a_clock_that_was_far_ahead_stops_nothing() -> None:
    always = Scripted(during((-1_000_000, 900), (86_400, 90_000)))
    rules = [rule(condition=always), rule("late", always, for_s=120)]
    told = run(rules, [86_400, 86_410, 86_420])
    for second in range(0, 300, 10):
        told(rules, facts(second))
    assert told.board.evaluated_s == T0 + 290
    assert {one.state for one in told.board.alerts.values()} == {"firing"}
    assert all((one.fired_s or 0) <= T0 + 290 for one in told.board.alerts.values())


def test_unclear_facts_of_an_app_that_is_not_there_any_more_end_its_alert_after_a_day() -> None:
    rules = [rule(condition=Scripted(saying({0: "bad", 100: "unclear"})))]
    rules = [replace(rules[0], repeat_s=0)]
    told = run(rules, range(0, 86_400, 10))
    assert list(told.board.alerts) == ["errors shop  "]
    for second in range(86_400, 87_000, 10):
        told(rules, facts(second))
    assert told.words == [("firing", 20), ("resolved", 86_490)]


def test_an_app_without_a_name_is_an_app() -> None:
    told = run([rule(condition=Scripted(during((0, 100))))], [0, 10, 20], make=_of_the_nameless)
    assert told.notices[0].incident.app == ""
    assert told.notices[0].incident.alerts[0].subject == replace(SHOP, app="")


def _of_the_nameless(second: int) -> Facts:
    return facts(second, apps=("",))
