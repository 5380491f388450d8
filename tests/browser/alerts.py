"""What the API answers about alerts, in every state: rules, incidents, targets, budgets."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from app.alerts.board import AlertState, Incident, Silence, Telling
from app.alerts.condition import Judgement, Severity
from app.alerts.facts import Subject
from app.alerts.message import Finding, Message, Request
from app.alerts.redis.budgets import Budget
from app.alerts.redis.outbox import TargetStatus
from app.alerts.redis.view import Alarm, AlertsView, RuleState, RuleView
from app.store.keys import digest

HOSTILE_TITLE = "shop: <img src=x onerror=window.hacked=8>\u202e fails"
REQUEST_ID = "8601b555-6a83-4c12-8269-97c8e32cdb22"


def now() -> int:
    return int(time.time())


def alarm(
    ident: str = "i1",
    title: str = "shop: 20.3 % of requests to /checkout fail",
    *,
    app: str = "shop",
    severity: Severity = "critical",
    ago_s: int = 252,
    lasted_s: int | None = None,
    rule: str = "errors",
    route: str = "/checkout",
    **further: Any,
) -> Alarm:
    """An incident that began so many seconds ago, and ended after `lasted_s`. `further`: of its message."""
    began_s = now() - ago_s
    resolved_s = None if lasted_s is None else began_s + lasted_s
    text = "20.3 % of 1,240 requests failed, the limit is 2 %"
    state = AlertState(
        rule=rule,
        subject=Subject(app, route, digest(route) if route else ""),
        family="failures",
        state="firing",
        bad_since_s=began_s,
        judgement=Judgement("bad", text, 0.203, 0.02, "0.1 % at this time yesterday"),
        fired_s=began_s + 60,
        incident=ident,
        severity=severity,
    )
    incident = Incident(
        id=ident,
        app=app,
        severity=severity,
        began_s=began_s,
        fired_s=began_s + 60,
        alerts=(state,),
        told_s=began_s + 80,
        tellings=(Telling((), began_s + 80, (state.key,), severity),),
        notices=1,
        resolved_s=resolved_s,
    )
    usual = "0.1 % at this time yesterday"
    message = Message(
        f"{ident}.1",
        ident,
        "firing",
        severity,
        app,
        title,
        began_s,
        began_s + 80,
        (Finding(rule, app, route, text, usual, 0.203, 0.02, began_s, True),),
    )
    return Alarm(incident, replace(message, **further))


def request(ident: str, ago_s: float, status: str, code: str, service_ms: float | None) -> Request:
    """A request to /checkout that failed."""
    at_ms = int((time.time() - ago_s) * 1000)
    return Request(ident, at_ms, "POST", "/checkout", status, code, "web.3", service_ms)


def reasoned(ident: str = "i1", **further: Any) -> Alarm:
    """An incident with all that a message can say."""
    found = alarm(ident, **further)
    message = replace(
        found.message,
        dyno="web.3 has 96 % of the failures and 10 % of the requests",
        release="7 min after v42, 9154a1d2: deploy",
        requests=(
            request(REQUEST_ID, 100, "503", "H12", 30_000.0),
            request("b5b2a1de-0c2e-4d0e-9a5e-0b2e4c4f5a11", 96, "500", "", 212.0),
            request("c9d8e7f6" * 25, 91, "503", "H13", None),
        ),
        action="Restart the dyno: `heroku ps:restart web.3 -a shop`. If it comes back, roll back: "
        "`heroku rollback v41 -a shop`.",
    )
    return replace(found, message=message)


def rule(name: str, when: str, state: RuleState = "ok", **further: Any) -> RuleView:
    usual = RuleView(name, when, "", "", 0, (), True, state)
    return replace(usual, **further)


def rules() -> list[RuleView]:
    """One in every state."""
    own = rule("slow", "p95 > 800ms", "pending", app="shop", route="each", for_s=120)
    return [
        rule("errors", "errors > 2%", "firing", subjects=1),
        replace(own, to=("ops",), is_default=False, subjects=3),
        rule("silence", "silence 5m"),
        rule("memory", "memory > 100%", "unknown", for_s=600),
    ]


def view(*open_alarms: Alarm, **further: Any) -> AlertsView:
    """What is answered now, with these incidents."""
    usual = AlertsView(rules(), list(open_alarms), evaluated_s=now() - 8, evaluated_by="alerts.h.1")
    return replace(usual, **further)


def full_view() -> AlertsView:
    """One with everything in it."""
    month_s = 30 * 86_400
    slow: dict[str, Any] = {"severity": "warning", "rule": "slow"}
    reports = "/reports/:date"
    return view(
        reasoned(),
        alarm("i2", "shop: p95 of /search is 1.4 s", ago_s=1_500, route="/search", **slow),
        alarm("i3", "api: 45 % of requests fail", app="api", ago_s=700, route=""),
        history=[
            alarm("h1", f"shop: p95 of {reports} is 8 s", ago_s=1_700, lasted_s=1_300, route=reports, **slow),
            alarm("h2", "shop: no request for 6 min", ago_s=3_000, lasted_s=480, rule="silence", route=""),
        ],
        silences=[Silence("memory", "shop", now() + 7_000)],
        targets=[
            TargetStatus("ops", delivered_s=now() - 240),
            TargetStatus("pager", 2, now() - 9_000, now() - 30, "answered 503", 1, now() - 7_500),
            TargetStatus("mail"),
        ],
        budgets=[
            Budget("checkout", "shop", "/checkout", 0.999, month_s, 0.62, 1_240_000, 471, now() - month_s),
            Budget("search", "shop", "/search", 0.99, month_s, -0.31, 310_000, 4_061, now() - 8 * 86_400),
            Budget("api", "api", "", 0.9995, month_s, None, 0, 0, now() - month_s),
        ],
    )
