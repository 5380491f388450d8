"""Alerts, incidents and messages for the tests of what Redis keeps of them."""

from __future__ import annotations

from dataclasses import replace

from app.alerts.board import AlertState, Board, Incident, NoticeKind, Telling
from app.alerts.condition import Judgement
from app.alerts.engine import Step
from app.alerts.facts import Subject
from app.alerts.message import Finding, Message

AT_S = 1_767_312_000


def alert(
    route: str = "/checkout", rule: str = "errors", incident: str = "i1", app: str = "shop"
) -> AlertState:
    return AlertState(
        rule=rule,
        subject=Subject(app, route, f"digest of {route}"),
        family="failures",
        state="firing",
        bad_since_s=AT_S - 60,
        judgement=Judgement("bad", "20.3 % of 1,240 requests failed", 0.203, 0.02, "0.1 % yesterday"),
        fired_s=AT_S,
        incident=incident,
    )


def incident(
    name: str = "i1", app: str = "shop", alerts: int = 1, began_s: int = AT_S, resolved_s: int | None = None
) -> Incident:
    return Incident(
        id=name,
        app=app,
        severity="critical",
        began_s=began_s,
        fired_s=began_s,
        alerts=tuple(alert(f"/{name}/{number}", incident=name, app=app) for number in range(alerts)),
        told_s=AT_S,
        to=("ops",),
        tellings=(Telling(("ops",), AT_S, ("errors shop",), "critical"),),
        notices=1,
        resolved_s=resolved_s,
    )


def message(
    name: str = "i1", number: int = 1, kind: NoticeKind = "firing", to: tuple[str, ...] = ("ops",)
) -> Message:
    return Message(
        id=f"{name}.{number}",
        incident=name,
        kind=kind,
        severity="critical",
        app="shop",
        title="shop: 20.3 % of requests to /checkout fail",
        since_s=AT_S - 60,
        at_s=AT_S,
        findings=(Finding("errors", "shop", "/checkout", "20.3 %", "0.1 %", 0.203, 0.02, AT_S - 60, True),),
        to=to,
    )


def board(*incidents: Incident, at_s: int = AT_S) -> Board:
    alerts = {one.key: one for incident in incidents for one in incident.alerts}
    return Board(at_s, at_s, "", alerts, {incident.id: incident for incident in incidents})


def step(*incidents: Incident, at_s: int = AT_S, resolved: tuple[Incident, ...] = ()) -> Step:
    return Step(board(*incidents, at_s=at_s), resolved=resolved)


def ended(one: Incident, at_s: int) -> Incident:
    return replace(one, resolved_s=at_s)
