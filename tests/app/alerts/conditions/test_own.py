"""Tailrace's own alerts: each of them is known by exactly one condition."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.alerts.conditions.own import NAMES, kind_of
from app.alerts.facts import Facts, Subject
from app.alerts.when import parse_when
from app.store.queries.alert import Alert, Severity
from servers.processes import ROOT
from tests.app.alerts.made_facts import AT_S


def alert(code: str, severity: Severity = "warning", app: str = "") -> Alert:
    return Alert(code, severity, f"Title of {code}", "What it means.", "What to do.", 7, app)


def verdict(when: str, subject: Subject, *health: Alert) -> str:
    (condition,) = parse_when(when)
    assert condition.scope == "tailrace"
    return condition.judge(
        Facts(AT_S, incomplete="metrics is 42 s behind", health=health), subject, 20
    ).verdict


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("frames_refused:token", "refused"),
        ("frames_refused:password", "refused"),
        ("losses:shop", "losses"),
        ("log_lost:metrics", "losses"),
        ("no_worker:metrics", "tailrace"),
        ("lag:metrics", "tailrace"),
        ("refused:metrics", "tailrace"),
        ("sender_report:L15:shop", "tailrace"),
    ],
)
def test_an_alert_is_told_by_one_condition(code: str, name: str) -> None:
    subject = Subject(part=code)
    assert [one for one in NAMES if verdict(one, subject, alert(code)) == "bad"] == [name]


def test_it_says_what_the_page_says() -> None:
    (condition,) = parse_when("tailrace")
    found = condition.judge(Facts(AT_S, health=(alert("memory"),)), Subject(part="memory"), 20)
    assert (found.text, found.value, found.action) == (
        "Title of memory. What it means.",
        7,
        "What to do.",
    )


def test_each_part_is_asked_by_itself() -> None:
    health = alert("losses:shop", app="shop"), alert("losses:blog", app="blog")
    assert verdict("losses", Subject("shop", part="losses:shop"), *health) == "bad"
    assert verdict("losses", Subject("shop", part="losses:shop"), *health[1:]) == "fine"
    assert verdict("losses", Subject(), *health) == "bad"


def test_a_note_is_told_to_nobody() -> None:
    assert verdict("tailrace", Subject(part="newline"), alert("newline", "note")) == "fine"


def test_of_several_an_alarm_comes_first() -> None:
    (condition,) = parse_when("tailrace")
    health = alert("memory"), alert("no_worker:metrics", "alarm")
    assert condition.judge(Facts(AT_S, health=health), Subject(), 20).text.startswith("Title of no_worker")


def test_every_code_in_the_source_belongs_to_a_condition() -> None:
    source = "".join(path.read_text("utf-8") for path in Path(ROOT, "app/store/queries").glob("*alerts.py"))
    codes = set(re.findall(r'code=f?"([a-z_]+)', source))
    assert {"losses", "frames_refused", "no_worker", "log_full"} <= codes
    assert {code for code in codes if kind_of(code) == "losses"} == {
        "losses",
        "log_lost",
        "dead_letters_dropped",
    }
    assert {code for code in codes if kind_of(code) == "refused"} == {"frames_refused"}
