"""Which moments of the past are judged, and which rules."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest

from app.alerts.condition import Family, Judgement, Scope, Severity
from app.alerts.facts import Facts, Needs, Stretch, Subject
from app.alerts.rule import Rule
from app.cli.alerts.past import earliest_s, is_kept, moments, split_rules

NOW_S = 1_795_600_007.0
NOW = int(NOW_S)


@dataclass(frozen=True, slots=True)
class Made:
    """A condition that is never asked."""

    text: str = "errors > 2%"
    family: Family = "failures"
    severity: Severity = "critical"
    scope: Scope = "routes"
    needs: Needs = Needs()

    def judge(self, facts: Facts, subject: Subject, min_requests: int) -> Judgement:
        return Judgement("fine")


def test_the_last_hour_is_judged_every_ten_seconds() -> None:
    found = moments(NOW - 1_800, NOW - 3, NOW_S)
    assert found[0] == -(-(NOW - 1_800) // 10) * 10
    assert {later - at for at, later in pairwise(found)} == {10}
    assert NOW - 13 < found[-1] <= NOW - 3


def test_what_is_over_an_hour_ago_is_judged_every_minute() -> None:
    found = moments(NOW - 6 * 3_600, NOW - 2 * 3_600, NOW_S)
    assert {later - at for at, later in pairwise(found)} == {60}
    assert all(at % 60 == 0 for at in found)


def test_a_day_is_both_without_a_gap_or_a_moment_twice() -> None:
    found = moments(0, NOW, NOW_S)
    assert found == sorted(set(found))
    assert found[0] == earliest_s(NOW_S)
    assert {later - at for at, later in pairwise(found)} <= {10, 20, 30, 40, 50, 60}
    assert 1_450 < len(found) < 1_800


def test_what_is_kept_in_whole_hours_alone_is_not_judged() -> None:
    assert moments(NOW - 10 * 86_400, NOW - 2 * 86_400, NOW_S) == []
    assert moments(NOW - 10 * 86_400, NOW, NOW_S)[0] >= NOW - 86_400


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        (Made(needs=Needs(kinds=frozenset({"dynos"}))), "dynos"),
        (Made(needs=Needs(kinds=frozenset({"comparisons"}))), "releases are compared"),
        (Made(scope="tailrace"), "Tailrace itself"),
        (Made("never"), "off"),
    ],
)
def test_rules_on_what_has_no_past_are_left_out_with_the_reason(condition: Made, reason: str) -> None:
    kept = Rule("kept", (Made(),))
    others = () if condition.text == "never" else (Made(),)
    judged, left_out = split_rules([kept, Rule("both", (*others, condition))])
    assert judged == [kept]
    (one,) = left_out
    assert one.rule == "both"
    assert reason in one.reason


def test_a_rule_is_judged_once_all_that_it_looks_back_at_is_kept() -> None:
    now = Rule("now", (Made(needs=Needs(frozenset({Stretch(30), Stretch(300), Stretch(86_700, 86_400)}))),))
    for at_s in (earliest_s(NOW_S), NOW - 7_200, NOW - 60):
        assert is_kept(now, at_s, NOW_S)
    assert not is_kept(now, NOW - 2 * 86_400, NOW_S)


def test_at_every_moment_short_stretches_are_whole_windows_that_are_kept() -> None:
    for at_s in moments(0, NOW - 40, NOW_S):
        for stretch in (Stretch(30), Stretch(60), Stretch(300)):
            span = stretch.span(at_s, NOW - at_s)
            assert span is not None
            assert at_s - 60 < span[1] <= at_s
            assert span[1] - span[0] in (stretch.from_s, max(60, stretch.from_s))
