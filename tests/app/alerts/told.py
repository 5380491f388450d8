"""Incidents and their messages for the tests of what is said."""

from __future__ import annotations

from hypothesis import strategies as st

from app.alerts.board import AlertState, Incident, Notice, NoticeKind
from app.alerts.compose import message_of
from app.alerts.condition import Family, Judgement
from app.alerts.context import Context
from app.alerts.facts import Subject
from app.alerts.measures import Measure
from app.alerts.message import Message
from app.platform.release import Release
from app.store import keys

AT_S = 1_795_600_000
BEGAN_S = AT_S - 240
URL = "https://tailrace.example.com"
FAILED = "20.3 % of 1,240 requests failed, the limit is 2 %"
ERRORS = Measure("errors")
V42 = Release("shop", 42, (BEGAN_S - 420) * 1000, "deploy", "v42: deploy 9154a1d2", commit="9154a1d2ffff")
HOSTILE = st.text(max_size=50) | st.sampled_from(
    ["a\nb", "\x1b[2J", "`$(id)`", "\u202e", "\udc80", "x" * 9_000, "{app}"]
)


def alert(
    route: str = "/checkout",
    text: str = FAILED,
    family: Family = "failures",
    app: str = "shop",
    ended_s: int | None = None,
    measure: Measure | None = ERRORS,
    dyno: str = "",
    action: str = "",
) -> AlertState:
    subject = Subject(app, route, keys.digest(route) if route else "")
    judgement = Judgement(
        "bad", text, 0.203, 0.02, "0.1 % at this time yesterday", dyno=dyno, action=action, measure=measure
    )
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
