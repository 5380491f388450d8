"""What becomes of an alert: pending, firing, ended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.alerts.condition import Verdict
from app.alerts.rule import Rule
from app.alerts.when import parse_when
from tests.app.alerts.scripted import T0, Scripted, Told, during, facts, rule, run, saying


def states(told: Told) -> list[str]:
    """Of the only alert, after each step."""
    return [next((one.state for one in made.board.alerts.values()), "fine") for made in told.steps]


@pytest.mark.parametrize(("for_s", "fires_at"), [(0, 100), (10, 110), (60, 160), (65, 170)])
def test_it_fires_once_it_was_bad_for_as_long_as_the_rule_says(for_s: int, fires_at: int) -> None:
    told = run([rule(condition=Scripted(during((100, 400))), for_s=for_s)], range(0, 300, 10))
    (alert,) = told.board.alerts.values()
    assert (alert.bad_since_s, alert.fired_s) == (T0 + 100, T0 + fires_at)


def test_what_began_before_it_could_be_judged_is_told_since_then_and_lasts_as_long_as_the_rule_says() -> None:
    silence = Rule("silence", parse_when("silence 5m"), for_s=60)
    last_s, first_s = {"shop": T0 - 310}, {"shop": T0 - 9_000}
    told = run(
        [silence],
        range(0, 300, 10),
        make=lambda second: replace(facts(second), last_s=last_s, first_s=first_s),
    )
    (alert,) = told.board.alerts.values()
    assert (alert.bad_since_s, alert.fired_s) == (T0 - 300, T0 + 60)
    (incident,) = told.board.incidents.values()
    assert incident.began_s == T0 - 300


def test_what_is_fine_before_that_is_forgotten_and_begins_anew() -> None:
    told = run([rule(condition=Scripted(during((0, 50), (60, 110))), for_s=60)], range(0, 300, 10))
    assert told.notices == []
    assert states(told)[:7] == ["pending"] * 5 + ["fine", "pending"]


def test_a_pending_alert_outlasts_unclear_figures_for_three_minutes() -> None:
    for lasts_s, expected in ((170, "firing"), (200, "pending")):
        said: dict[int, Verdict] = {0: "bad", 10: "unclear", lasts_s: "bad"}
        told = run([rule(condition=Scripted(saying(said)), for_s=100)], range(0, lasts_s + 10, 10))
        assert states(told)[-1] == expected


def test_an_unclear_alert_does_not_begin() -> None:
    assert states(run([rule(condition=Scripted(saying({0: "unclear"})))], [0, 10])) == ["fine"] * 2


def test_it_ends_after_five_minutes_in_which_it_was_never_bad() -> None:
    again = run([rule(condition=Scripted(during((0, 100), (200, 210))))], range(0, 600, 10))
    assert again.words == [("firing", 20), ("resolved", 510)]


def test_unclear_figures_end_nothing() -> None:
    said: dict[int, Verdict] = {0: "bad", 100: "fine", 110: "unclear", 900: "fine"}
    told = run([rule(condition=Scripted(saying(said)))], range(0, 1_000, 10))
    assert told.words == [("firing", 20), ("resolved", 900)]


def test_a_pending_alert_begins_anew_after_a_time_in_which_nobody_looked() -> None:
    rules = [rule(condition=Scripted(during((0, 9_000))), for_s=120)]
    told = run(rules, [0, 10])
    told(rules, facts(3_600))
    (alert,) = told.board.alerts.values()
    assert (alert.state, alert.bad_since_s) == ("pending", T0 + 3_600)
