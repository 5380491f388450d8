"""The view of alerts as text: what is urgent first, and nothing that looks green while nothing is known."""

from __future__ import annotations

from dataclasses import replace

from app.alerts.redis.view import Alarm, AlertsView
from app.cli.alerts.text import view_lines
from tests.app.cli.alerts.samples import INCIDENT, MESSAGE, NOW_S, VIEW


def said(view: AlertsView) -> str:
    return "\n".join(view_lines(view, NOW_S))


def test_what_fires_comes_first_with_its_reason() -> None:
    lines = view_lines(VIEW, NOW_S)
    assert lines[:3] == [
        "Judged 8 s ago by alerts.1.",
        "",
        "CRITICAL  shop: 20.3 % of requests to /checkout fail",
    ]
    assert lines[3] == "  since 2026-11-25T09:42:40Z, for 4 min; told at 2026-11-25T09:44:00Z"
    assert lines[4].startswith("  - /checkout: 20.3 % of 1,240 requests failed")
    assert lines[5:9] == [
        "  - and 2 more alerts",
        "  Began 7 min after v42, 9154a1d2: deploy",
        "  09:43:20 UTC  GET /checkout  503 H12  web.3  30.0 s  8601b555",
        "  See what fails.",
    ]


def test_each_rule_has_its_state_and_silence() -> None:
    (line,) = (line for line in view_lines(VIEW, NOW_S) if line.startswith("errors "))
    assert line.split("  ")[1].strip() == "firing (3)"
    assert line.endswith("2026-11-25T09:56:40Z")


def test_a_target_says_what_its_trouble_is() -> None:
    (line,) = (line for line in view_lines(VIEW, NOW_S) if line.startswith("ops "))
    assert line.split("  ")[-1] == "it answers 500"
    assert [part.strip() for part in line.split("  ") if part.strip()][1:5] == [
        "2",
        "1 min ago",
        "30 s ago",
        "1",
    ]


def test_silences_and_budgets_are_said() -> None:
    assert "Silenced: every rule, shop, until 2026-11-25T10:46:40Z (60 min more)" in said(VIEW)
    assert "99.9 % of 30 d" in said(VIEW)
    assert "overdrawn by 25.0 %" in said(VIEW)


def test_where_nothing_is_judged_it_says_so_first() -> None:
    view = AlertsView(incomplete="no rule was judged yet")
    lines = view_lines(view, NOW_S)
    assert lines[0] == "NOT KNOWN: no rule was judged yet"
    assert "Nothing is known to fire." in lines


def test_without_a_target_it_says_that_nobody_is_told() -> None:
    assert "No target: nobody is told." in said(replace(VIEW, targets=[]))


def test_what_ended_has_its_length() -> None:
    ended = Alarm(replace(INCIDENT, resolved_s=NOW_S - 60), MESSAGE)
    assert f"2026-11-25T09:42:40Z  3 min  {MESSAGE.title}" in said(replace(VIEW, open=[], history=[ended]))
    assert "Nothing fires." in said(replace(VIEW, open=[]))


def test_one_that_is_silenced_or_not_told_yet_says_so() -> None:
    waiting = replace(INCIDENT, told_s=None, silenced_until_s=NOW_S + 60)
    assert "not told yet, silenced until 2026-11-25T09:47:40Z" in said(
        replace(VIEW, open=[Alarm(waiting, MESSAGE)])
    )


def test_what_others_wrote_cannot_control_the_terminal() -> None:
    hostile = replace(MESSAGE, title="\x1b[2J shop", release="v1 \u202e desrever")
    assert all(
        line.isprintable() for line in view_lines(replace(VIEW, open=[Alarm(INCIDENT, hostile)]), NOW_S)
    )
