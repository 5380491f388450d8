"""A board of alerts in Redis, as the process that judges writes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import redis

from app.alerts.board import AlertState, Board, Incident, Notice, NoticeKind, Silence, Telling
from app.alerts.compose import message_of
from app.alerts.condition import Judgement
from app.alerts.context import Context
from app.alerts.engine import Step
from app.alerts.facts import Subject
from app.alerts.message import Message, Request
from app.alerts.redis.board import commit
from app.alerts.redis.lease import acquire
from app.alerts.redis.outbox import claim, delivered, due, failed
from app.alerts.redis.silences import add_silence
from app.platform.release import Release
from app.store.keys import digest

HOLDER = "alerts.1"


def alert(now_s: int, app: str = "shop", route: str = "", rule: str = "errors", **others: Any) -> AlertState:
    """One that fires for a minute, of an app or its route."""
    state = AlertState(
        rule=rule,
        subject=Subject(app, route, digest(route) if route else ""),
        family="failures",
        state="firing",
        bad_since_s=now_s - 120,
        judgement=Judgement("bad", "20.3 % of 1,240 requests failed, the limit is 2 %", 0.203, 0.02),
        fired_s=now_s - 60,
        incident=f"i-{app}",
    )
    return replace(state, **others)


def incident(*alerts: AlertState, **others: Any) -> Incident:
    """The one that these alerts belong to."""
    first = alerts[0]
    found = Incident(
        id=first.incident,
        app=first.subject.app,
        severity="critical",
        began_s=first.bad_since_s,
        fired_s=first.fired_s or first.bad_since_s,
        alerts=alerts,
    )
    return replace(found, **others)


def message(of: Incident, now_s: int, kind: NoticeKind = "firing", context: Context | None = None) -> Message:
    """What is told of it."""
    return message_of(Notice(kind, 1, of, of.to), context or Context(), "", now_s)


def store_board(
    store: redis.Redis,
    at_s: int,
    *alerts: AlertState,
    incidents: Sequence[Incident] = (),
    resolved: Sequence[Incident] = (),
    messages: Sequence[Message] = (),
    incomplete: str = "",
) -> None:
    """Takes the lease, and writes the board of this moment in place of the one before."""
    assert acquire(store, HOLDER)
    board = Board(
        evaluated_s=at_s,
        at_s=at_s,
        incomplete=incomplete,
        alerts={one.key: one for one in alerts},
        incidents={one.id: one for one in incidents},
    )
    assert commit(store, HOLDER, Step(board, (), tuple(resolved)), messages)


def fill_alerts(store: redis.Redis, now_s: int) -> None:
    """Something of everything: an incident that goes on with all that a message can have, one that ended, a
    pending alert, silences, a target that took its message and one that did not."""
    ended = incident(
        alert(now_s - 1_200, app="api", incident="i-ended"), resolved_s=now_s - 600, told_s=now_s - 600
    )
    store_board(store, now_s - 600, resolved=[ended], messages=[message(ended, now_s - 600, "resolved")])
    firing, pending = alert(now_s, route="/checkout"), alert(now_s, route="/cart", state="pending")
    telling = Telling(("ops", "pager"), now_s - 40, (firing.key,), "critical")
    going_on = incident(firing, to=telling.to, told_s=now_s - 40, tellings=(telling,))
    context = Context(
        dyno="web.3 has 96 % of the failures and 10 % of the requests",
        requests=(Request("8601b555", now_s * 1_000, "GET", "/checkout", "503", "H12", "web.3", 30_000.0),),
        release=Release("shop", 42, (now_s - 540) * 1_000, "deploy", "v42: deploy 9154a1d2", "9154a1d2"),
    )
    told = message(going_on, now_s, context=context)
    store_board(store, now_s, firing, replace(pending, fired_s=None), incidents=[going_on], messages=[told])
    for delivery in due(store, now_s + 1):
        assert claim(store, HOLDER, delivery, now_s + 1)
        if delivery.target == "ops":
            delivered(store, delivery, now_s + 1)
        else:
            assert failed(store, HOLDER, delivery, "it answers 500", None, now_s + 1)
    add_silence(store, Silence("slow", "shop", now_s + 3_600), now_s)
