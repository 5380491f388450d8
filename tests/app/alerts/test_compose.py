"""Messages in words: titles, findings, releases, links and what to do, whatever a sender invents."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args
from urllib.parse import parse_qs, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from app.alerts.board import AlertState, NoticeKind
from app.alerts.compose import link_of, release_sentence, test_message
from app.alerts.condition import Judgement
from app.alerts.context import Context
from app.alerts.facts import Subject
from app.alerts.measures import Measure
from app.alerts.message import Message, Request
from app.alerts.text import lines_of
from app.store import keys
from tests.app.alerts.told import AT_S, BEGAN_S, FAILED, HOSTILE, URL, V42, alert, incident, message, title

build_test_message = test_message
del test_message


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
    worse = "p95 went from 120 ms to 1.40 s after v42, and 1 other route is worse"
    assert title(alert("", worse, "release")) == "shop: p95 went from 120 ms to 1.40 s after v42"
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


def test_requests_that_were_aborted_or_have_a_status_of_4xx_are_not_said_to_fail() -> None:
    text = "7.1 % of 900 requests were aborted by their clients in the last 5 minutes, the limit is 5 %"
    given_up = "7.1 % of requests to /a were aborted by their clients in the last 5 minutes"
    aborted = [alert(route, text, measure=Measure("aborted")) for route in ("/a", "/b", "/c")]
    assert title(*aborted) == f"shop: {given_up}; alerts on 2 other routes"
    burns = [
        alert(route, "the budget of 30 days burns 22 times too fast; ...", measure=None) for route in "ab"
    ]
    assert (
        title(*burns) == "shop: the budget of 30 days burns 22 times too fast on a; alerts on 1 other route"
    )


def test_routes_that_fail_are_not_named_with_requests_that_are_counted_for_something_else() -> None:
    gone = alert("", "68 requests had the status 410 in the last minute", measure=Measure("status", "410"))
    failing = [alert(route) for route in ("/a", "/b")]
    assert title(gone, *failing) == "shop: 68 requests had the status 410 in the last minute"
    assert title(*failing, gone) == "shop: requests to /a and /b fail"


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
    crashed = alert("", "web.3 crashed 3 times in the last 10 minutes", dyno="web.3")
    for of_a_dyno in (memory, crashed):
        assert "/#/dynos/web.3?app=shop" in link_of(incident(of_a_dyno), URL, AT_S)
    assert link_of(incident(alert()), "", AT_S) == ""


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
