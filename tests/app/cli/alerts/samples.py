"""A view of alerts that is made up: an incident that goes on, one that ended, silences, targets, budgets."""

from __future__ import annotations

from app.alerts.board import AlertState, Incident, Silence
from app.alerts.condition import Judgement
from app.alerts.facts import Subject
from app.alerts.message import Finding, Message, Request
from app.alerts.redis.budgets import Budget
from app.alerts.redis.outbox import TargetStatus
from app.alerts.redis.view import Alarm, AlertsView, RuleView

NOW_S = 1_795_600_000
TEXT = "20.3 % of 1,240 requests failed, the limit is 2 %"
STATE = AlertState(
    rule="errors",
    subject=Subject("shop", "/checkout", "d" * 64),
    family="failures",
    state="firing",
    bad_since_s=NOW_S - 240,
    judgement=Judgement("bad", TEXT, 0.203, 0.02),
    fired_s=NOW_S - 180,
)
INCIDENT = Incident(
    id="i1",
    app="shop",
    severity="critical",
    began_s=NOW_S - 240,
    fired_s=NOW_S - 180,
    alerts=(STATE,),
    told_s=NOW_S - 160,
)
MESSAGE = Message(
    id="i1.1",
    incident="i1",
    kind="firing",
    severity="critical",
    app="shop",
    title="shop: 20.3 % of requests to /checkout fail",
    since_s=NOW_S - 240,
    at_s=NOW_S - 160,
    findings=(Finding("errors", "shop", "/checkout", TEXT, "0.1 %", 0.203, 0.02, NOW_S - 240, True),),
    more_findings=2,
    requests=(
        Request("8601b555", (NOW_S - 200) * 1000, "GET", "/checkout", "503", "H12", "web.3", 30_000.0),
    ),
    release="7 min after v42, 9154a1d2: deploy",
    action="See what fails.",
)
VIEW = AlertsView(
    rules=[
        RuleView("errors", "errors > 2%", "", "each", 60, (), True, "firing", 3, NOW_S + 600),
        RuleView("slow", "p95 > 800ms", "shop", "", 0, ("ops",), False, "ok"),
    ],
    open=[Alarm(INCIDENT, MESSAGE)],
    history=[],
    silences=[Silence("", "shop", NOW_S + 3_600)],
    targets=[TargetStatus("ops", 2, NOW_S - 90, NOW_S - 30, "it answers 500", 1, NOW_S - 900)],
    budgets=[Budget("checkout", "shop", "/checkout", 0.999, 30 * 86_400, -0.25, 100_000, 125, NOW_S)],
    evaluated_s=NOW_S - 8,
    evaluated_by="alerts.1",
)
