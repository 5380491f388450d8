"""What the page, the API and the command line show of alerts, on a real Redis."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
import redis

from app.alerts.board import AlertState, Incident, NoticeKind, Silence
from app.alerts.condition import Judgement
from app.alerts.context import Context
from app.alerts.facts import Subject
from app.alerts.message import Message
from app.alerts.redis.outbox import claim, due, failed
from app.alerts.redis.silences import add_silence
from app.alerts.redis.view import STOPPED_AFTER_S, AlertsView, RuleView, alerts_view
from app.alerts.rule import Rule
from app.settings import Settings
from app.store import keys
from app.store.queries.spans import Span
from tests.app.alerts.scripted import Scripted, during
from tests.support import alert_board
from tests.support.alert_board import HOLDER, incident, message, store_board

NOW_S = int(time.time())
ERRORS = Rule("errors of ours", (Scripted(during()),))
OWN = Rule("own health of ours", (Scripted(during(), scope="tailrace"),))
SETTINGS = Settings(alert_rules=(ERRORS, OWN))


def alert(app: str = "shop", route: str = "", rule: str = ERRORS.name, **others: Any) -> AlertState:
    return alert_board.alert(NOW_S, app, route, rule, **others)


def told(found: Incident, kind: NoticeKind = "firing") -> Message:
    return message(found, NOW_S, kind, Context(dyno="web.3 stands out"))


def view(store: redis.Redis, app: str = "", span: Span | None = None, now_s: float = NOW_S) -> AlertsView:
    return alerts_view(store, SETTINGS, app, span, now_s)


def rule_of(found: AlertsView, rule: Rule = ERRORS) -> RuleView:
    (one,) = (one for one in found.rules if one.name == rule.name)
    return one


def test_before_anything_was_judged_nothing_is_ok(redis_client: redis.Redis) -> None:
    found = view(redis_client)
    assert found.evaluated_s is None
    assert "no process does" in found.incomplete
    assert {rule.state for rule in found.rules} == {"unknown"}


def test_rules_that_are_judged_and_hold_are_ok(redis_client: redis.Redis) -> None:
    store_board(redis_client, NOW_S)
    found = view(redis_client)
    assert (found.evaluated_s, found.evaluated_by, found.incomplete) == (NOW_S, HOLDER, "")
    assert {rule.state for rule in found.rules} == {"ok"}


def test_a_rule_on_requests_of_an_app_that_never_had_one_is_not_fine(redis_client: redis.Redis) -> None:
    store_board(redis_client, NOW_S)
    typo = Rule("typo", (Scripted(during()),), app="shpo")
    settings = Settings(alert_rules=(typo, replace(ERRORS, app="shop")))
    redis_client.hset(keys.APPS, "shop", 1)
    found = alerts_view(redis_client, settings, "", None, NOW_S)
    assert (rule_of(found, typo).state, rule_of(found).state) == ("unknown", "ok")


def test_rules_that_nobody_judges_any_more_are_unknown(redis_client: redis.Redis) -> None:
    store_board(redis_client, NOW_S)
    assert view(redis_client, now_s=NOW_S + STOPPED_AFTER_S).incomplete == ""
    later = view(redis_client, now_s=NOW_S + STOPPED_AFTER_S + 1)
    assert f"{HOLDER} should do it" in later.incomplete
    assert {rule.state for rule in later.rules} == {"unknown"}
    redis_client.delete("tailrace:alerts:lease")
    assert "no process does it now" in view(redis_client, now_s=NOW_S + 300).incomplete


def test_while_figures_are_incomplete_only_tailrace_s_own_rules_are_known(redis_client: redis.Redis) -> None:
    store_board(redis_client, NOW_S, incomplete="metrics is 42 s behind")
    found = view(redis_client)
    assert found.incomplete == "metrics is 42 s behind"
    assert (rule_of(found).state, rule_of(found, OWN).state) == ("unknown", "ok")


@pytest.mark.parametrize("incomplete", ["", "metrics is 42 s behind"])
def test_a_rule_has_the_worst_state_of_what_it_is_asked_of(
    redis_client: redis.Redis, incomplete: str
) -> None:
    cart = alert(route="/cart", state="pending", fired_s=None)
    store_board(redis_client, NOW_S, alert(), cart, incomplete=incomplete)
    assert (rule_of(view(redis_client)).state, rule_of(view(redis_client)).subjects) == ("firing", 2)


def test_an_open_incident_has_its_last_message(redis_client: redis.Redis) -> None:
    one = incident(alert())
    store_board(redis_client, NOW_S, alert(), incidents=[one], messages=[told(one)])
    (alarm,) = view(redis_client).open
    assert alarm.incident == one
    assert alarm.message.dyno == "web.3 stands out"


def test_one_that_was_not_told_yet_says_what_will_be(redis_client: redis.Redis) -> None:
    store_board(redis_client, NOW_S, alert(), incidents=[incident(alert())])
    (alarm,) = view(redis_client).open
    assert alarm.message.kind == "firing"
    assert alarm.message.findings[0].text == "20.3 % of 1,240 requests failed, the limit is 2 %"


def test_critical_incidents_come_first_then_the_newest(redis_client: redis.Redis) -> None:
    old = incident(alert(incident="old"), began_s=NOW_S - 900)
    new = incident(alert(incident="new"))
    mild = incident(alert(incident="mild"), severity="warning", began_s=NOW_S - 10)
    store_board(redis_client, NOW_S, incidents=[mild, old, new])
    assert [alarm.incident.id for alarm in view(redis_client).open] == ["new", "old", "mild"]


def test_history_is_what_overlaps_the_span(redis_client: redis.Redis) -> None:
    for name, end_s in (("a", NOW_S - 7_200), ("b", NOW_S - 600), ("c", NOW_S - 60)):
        ended = incident(alert(incident=name), began_s=end_s - 300, resolved_s=end_s)
        store_board(redis_client, end_s, resolved=[ended], messages=[told(ended, "resolved")])
    ids = [alarm.incident.id for alarm in view(redis_client, span=Span(3_600)).history]
    assert ids == ["c", "b"]
    assert len(view(redis_client).history) == 3
    assert [a.incident.id for a in view(redis_client, span=Span(600, NOW_S - 7_000)).history] == ["a"]


def test_an_app_has_its_own_incidents_and_those_of_tailrace_itself(redis_client: redis.Redis) -> None:
    ours, theirs, nameless = alert("shop"), alert("api"), alert("")
    own = AlertState(
        OWN.name,
        Subject(part="no_worker"),
        "tailrace",
        "firing",
        NOW_S,
        Judgement("bad", "x"),
        incident="own",
    )
    shown = [ours, theirs, nameless, own]
    store_board(redis_client, NOW_S, *shown, incidents=[incident(one) for one in shown])
    assert {alarm.incident.id for alarm in view(redis_client).open} == {"i-shop", "i-api", "i-", "own"}
    found = view(redis_client, "shop")
    assert {alarm.incident.id for alarm in found.open} == {"i-shop", "own"}
    assert (rule_of(found).subjects, rule_of(found, OWN).subjects) == (1, 1)
    assert rule_of(view(redis_client, "other")).state == "ok"


def test_a_silence_stands_at_its_rule_and_app(redis_client: redis.Redis) -> None:
    store_board(redis_client, NOW_S)
    add_silence(redis_client, Silence(ERRORS.name, "shop", NOW_S + 600), NOW_S)
    assert [silence.app for silence in view(redis_client).silences] == ["shop"]
    assert rule_of(view(redis_client)).silenced_until_s is None
    assert rule_of(view(redis_client, "shop")).silenced_until_s == NOW_S + 600
    assert view(redis_client, "api").silences == []
    add_silence(redis_client, Silence("", "", NOW_S + 60), NOW_S)
    assert rule_of(view(redis_client), OWN).silenced_until_s == NOW_S + 60


def test_a_target_that_takes_nothing_is_shown_with_the_reason(redis_client: redis.Redis) -> None:
    one = incident(alert(), to=("ops",))
    store_board(redis_client, NOW_S, alert(), incidents=[one], messages=[told(one)])
    (delivery,) = due(redis_client, NOW_S + 1)
    assert claim(redis_client, HOLDER, delivery, NOW_S + 1)
    assert failed(redis_client, HOLDER, delivery, "it answers 500", None, NOW_S + 2)
    (target,) = (one for one in view(redis_client).targets if one.name == "ops")
    assert (target.given_up, target.reason, target.given_up_s) == (1, "it answers 500", NOW_S + 2)
    # Nobody names it any more.
    assert "ops" not in [one.name for one in view(redis_client, now_s=NOW_S + 2 * 86_400).targets]
