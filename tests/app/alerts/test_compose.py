"""Messages in words: titles, findings, releases, links and what to do, whatever a sender invents."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
from dataclasses import replace
from typing import get_args
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.alerts.board import AlertState, Incident, Notice, NoticeKind
from app.alerts.compose import link_of, message_of, release_sentence, test_message
from app.alerts.condition import Family, Judgement
from app.alerts.context import Context
from app.alerts.facts import Subject
from app.alerts.message import Message, Request
from app.alerts.text import lines_of
from app.cli.main import COMMANDS
from app.platform.release import Release
from app.store import keys

AT_S = 1_795_600_000
BEGAN_S = AT_S - 240
URL = "https://tailrace.example.com"
FAILED = "20.3 % of 1,240 requests failed, the limit is 2 %"
V42 = Release("shop", 42, (BEGAN_S - 420) * 1000, "deploy", "v42: deploy 9154a1d2", commit="9154a1d2ffff")

build_test_message = test_message
del test_message


def alert(
    route: str = "/checkout",
    text: str = FAILED,
    family: Family = "failures",
    app: str = "shop",
    ended_s: int | None = None,
    **judged: str,
) -> AlertState:
    subject = Subject(app, route, keys.digest(route) if route else "")
    judgement = Judgement("bad", text, 0.203, 0.02, "0.1 % at this time yesterday", **judged)
    return AlertState(
        "errors",
        subject,
        family,
        "firing",
        BEGAN_S,
        judgement,
        fired_s=BEGAN_S + 60,
        ended_s=ended_s,
    )


def incident(*alerts: AlertState, app: str = "shop") -> Incident:
    return Incident("i1", app, "critical", BEGAN_S, BEGAN_S + 60, alerts)


def message(
    one: Incident, kind: NoticeKind = "firing", context: Context | None = None, base_url: str = URL
) -> Message:
    return message_of(Notice(kind, 1, one, ("ops",)), context or Context(), base_url, AT_S)


def title(*alerts: AlertState, app: str = "shop", kind: NoticeKind = "firing") -> str:
    return message(incident(*alerts, app=app), kind).title


def test_the_title_says_what_is_wrong_with_which_requests() -> None:
    assert title(alert()) == "shop: 20.3 % of requests to /checkout fail"
    assert title(alert("")) == "shop: 20.3 % of requests fail"
    assert title(alert(app=""), app="") == "20.3 % of requests to /checkout fail"
    recent = "20.3 % of 1,240 requests failed in the last 5 minutes, the limit is 2 %"
    assert title(alert(text=recent)) == "shop: 20.3 % of requests to /checkout fail"
    slow = "12 % of 900 requests took over 800 ms, the limit is 5 %"
    assert title(alert(text=slow, family="slowness")) == (
        "shop: 12 % of requests to /checkout took over 800 ms"
    )
    assert title(alert("", "no requests for 5 min", "traffic")) == "shop: no requests for 5 min"
    assert title(alert(text="31 H12 in a minute, the limit is 5")) == "shop: 31 H12 in a minute on /checkout"
    burns = "the budget of 30 days burns 22 times too fast; 64 % is left: 2.2 % of 1,200 requests ..."
    assert title(alert(text=burns)) == "shop: the budget of 30 days burns 22 times too fast on /checkout"


def test_routes_that_fail_together_are_one_title() -> None:
    routes = ["/checkout", "/cart", "/a", "/b", "/c"]
    assert title(*map(alert, routes)) == "shop: requests to /checkout, /cart and 3 more fail"
    assert title(*map(alert, routes[:2])) == "shop: requests to /checkout and /cart fail"
    assert title(*map(alert, routes[:3])) == "shop: requests to /checkout, /cart and /a fail"
    assert title(alert(""), *map(alert, routes)) == (
        "shop: 20.3 % of requests fail: /checkout, /cart and 3 more"
    )
    assert title(alert(""), alert()) == "shop: 20.3 % of requests to /checkout fail"


def test_the_title_is_about_what_still_fires() -> None:
    assert title(alert("/cart", ended_s=AT_S), alert()) == "shop: 20.3 % of requests to /checkout fail"


def test_a_repeat_an_update_and_the_end_say_so() -> None:
    assert title(alert(), kind="repeat") == "still, for 4 min: shop: 20.3 % of requests to /checkout fail"
    assert title(alert(), kind="update") == "more: shop: 20.3 % of requests to /checkout fail"
    over = replace(incident(alert(ended_s=AT_S)), resolved_s=BEGAN_S + 720)
    told = message(over, "resolved", Context(release=V42))
    assert told.title == "resolved after 12 min: shop: 20.3 % of requests to /checkout fail"
    assert told.resolved_s == BEGAN_S + 720
    assert [finding.is_firing for finding in told.findings] == [False]
    assert told.action == ""


def test_of_tailrace_itself_it_is_the_title_of_its_alert() -> None:
    action = "Start one: `heroku ps:scale metrics=1`"
    text = "No metrics worker is running. No worker has reported, so the figures are frozen."
    judgement = Judgement("bad", text, action=action)
    own = AlertState("tailrace", Subject(part="no_worker:metrics"), "tailrace", "firing", BEGAN_S, judgement)
    told = message(incident(own, app=""))
    assert told.title == "Tailrace: No metrics worker is running"
    assert told.action == action
    assert told.link == f"{URL}/"


def test_the_worst_findings_come_first_and_the_rest_are_counted() -> None:
    routes = [f"/r{at}" for at in range(14)]
    states = [alert(route) for route in routes]
    states[1] = alert("/r1", ended_s=AT_S)
    told = message(incident(*states))
    assert [finding.route for finding in told.findings] == ["/r0", *routes[2:11]]
    assert told.more_findings == 4
    first = told.findings[0]
    assert (first.text, first.usual, first.value, first.limit) == (
        FAILED,
        "0.1 % at this time yesterday",
        0.203,
        0.02,
    )
    assert (told.id, told.incident, told.to, told.severity) == ("i1.1", "i1", ("ops",), "critical")


def test_the_release_before_is_named_with_what_it_was() -> None:
    assert release_sentence(V42, BEGAN_S) == "7 min after v42, 9154a1d2: deploy"
    config = replace(V42, cause="config", commit="", names=("LOG_LEVEL",))
    assert release_sentence(config, BEGAN_S) == "7 min after v42: config LOG_LEVEL"
    assert release_sentence(replace(V42, version=0, cause=""), BEGAN_S) == "7 min after a release, 9154a1d2"
    assert release_sentence(V42, V42.at_ms // 1000 - 1) == ""
    assert release_sentence(None, BEGAN_S) == ""


def test_the_link_opens_the_route_at_that_time() -> None:
    parts = urlsplit(link_of(incident(alert()), f"{URL}/base", AT_S))
    assert (parts.netloc, parts.path) == ("tailrace.example.com", "/base/")
    path, query = parts.fragment.split("?")
    assert path == f"/routes/{keys.digest('/checkout')}"
    assert parse_qs(query) == {
        "app": ["shop"],
        "from": ["2026-11-25T09:27:40Z"],
        "to": ["2026-11-25T09:46:40Z"],
    }
    assert "/#/?app=shop" in link_of(incident(alert(), alert("/cart")), URL, AT_S)
    memory = alert("", "web.3 uses 134 % of its memory", "memory", dyno="web.3")
    assert "/#/dynos/web.3?app=shop" in link_of(incident(memory), URL, AT_S)
    assert link_of(incident(alert()), "", AT_S) == ""


def test_a_rollback_is_advised_only_just_after_what_it_could_undo() -> None:
    def advice(release: Release | None, *alerts: AlertState) -> str:
        return message(incident(*alerts or [alert()]), context=Context(release=release)).action

    assert "If v42 is the cause, go back: `heroku rollback -a shop`." in advice(V42)
    assert "`python -m app compare --app shop --release v42`" in advice(V42)
    for other in (
        None,
        replace(V42, at_ms=(BEGAN_S - 7_200) * 1000),
        replace(V42, at_ms=AT_S * 1000),
        replace(V42, cause="scale"),
        replace(V42, cause="rollback"),
    ):
        assert "rollback" not in advice(other)
    assert "rollback" not in advice(V42, alert("", "no requests for 5 min", "traffic"))


def commands(text: str) -> list[list[str]]:
    return [words for found in re.findall(r"`([^`]*)`", text) if (words := shlex.split(found))[0] == "python"]


@pytest.mark.parametrize("family", get_args(Family))
@pytest.mark.parametrize("route", ["/checkout", "/a b/'c'/$(id)", "(not found)", ""])
@pytest.mark.parametrize("app", ["shop", ""])
def test_every_command_that_is_advised_exists(family: Family, route: str, app: str) -> None:
    told = message(incident(alert(route, family=family, app=app), app=app), context=Context(release=V42))
    assert told.action
    for words in commands(told.action):
        assert words[:3] == ["python", "-m", "app"]
        parser = argparse.ArgumentParser(allow_abbrev=False, exit_on_error=False)
        importlib.import_module(COMMANDS[words[3]][1]).add_arguments(parser)
        found = vars(parser.parse_args(words[4:]))
        assert found.get("app", app) in (app, None)
        if route and "route" in found:
            assert found["route"] in (route, [route])


def test_a_test_says_that_it_is_one() -> None:
    told = build_test_message("ops", URL, AT_S)
    assert (told.kind, told.to, told.link) == ("test", ("ops",), f"{URL}/")
    assert lines_of(told)[0] == "Tailrace: a test of this target"


def texts(told: Message) -> list[str]:
    found = [told.title, told.app, told.dyno, told.release, told.link, told.action]
    for finding in told.findings:
        found += [finding.rule, finding.app, finding.route, finding.text, finding.usual]
    for one in told.requests:
        found += [one.request_id, one.method, one.path, one.status, one.code, one.dyno]
    return found


KINDS = st.sampled_from(get_args(NoticeKind))
HOSTILE = st.text(max_size=50) | st.sampled_from(
    ["a\nb", "\x1b[2J", "`$(id)`", "\u202e", "\udc80", "x" * 9_000, "{app}"]
)


@given(
    st.lists(HOSTILE, min_size=1, max_size=12),
    HOSTILE,
    HOSTILE,
    HOSTILE,
    st.sampled_from(get_args(NoticeKind)),
)
def test_nothing_that_a_sender_invents_breaks_out(
    routes: list[str], text: str, dyno: str, name: str, kind: NoticeKind
) -> None:
    alerts = [alert(route, text, app=name, dyno=dyno, action=text) for route in routes]
    release = replace(V42, commit=text, names=(name, dyno))
    seen = Request(name, AT_S * 1000, text, routes[0], name, dyno, dyno, None)
    told = message(incident(*alerts, app=name), kind, Context(dyno, (seen,) * 5, release))
    for said in texts(told):
        assert said.isprintable()
        assert len(said) <= 4_000
    assert len(told.title) <= 200
    assert len(told.findings) <= 10
    assert len(told.requests) == 3
    assert "\n" not in "".join(lines_of(told))


@given(HOSTILE, HOSTILE)
def test_no_route_runs_anything_in_a_shell(route: str, app: str) -> None:
    told = message(incident(alert(route, app=app), app=app))
    for found in re.findall(r"`([^`]*)`", told.action):
        words = shlex.split(found)
        assert words[:3] == ["python", "-m", "app"] or words[0] == "heroku"
        ours = [word for word in words if word not in (route, app)]
        assert all(re.fullmatch(r"[\w:.-]+", word) for word in ours), words
