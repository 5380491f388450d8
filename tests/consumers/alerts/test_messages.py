"""A message goes out whatever fails beside it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.alerts.board import Board, Incident, Notice
from app.alerts.compose import plain_message
from app.alerts.context import Context
from app.alerts.engine import Step
from app.alerts.message import Message
from consumers.alerts import messages
from consumers.alerts.messages import MessageMaker
from tests.app.alerts.redis.made import AT_S, incident

TOLD = Notice("firing", 1, incident(), ("ops",))


def context(found: Incident) -> Context:
    return Context(dyno="web.3 stands out")


def make(notice: Notice, found: Context, at_s: int) -> Message:
    return replace(plain_message(notice, at_s), dyno=found.dyno)


def fail(*arguments: object) -> Message:
    raise RuntimeError("nobody expects this")


def fail_with_context(notice: Notice, found: Context, at_s: int) -> Message:
    return make(notice, found, at_s) if found == Context() else fail()


def told(maker: MessageMaker, *notices: Notice) -> list[Message]:
    return maker.messages(Step(Board(), notices), AT_S)[0]


def test_it_has_its_context_and_goes_to_those_that_the_notice_names() -> None:
    to_mail = Notice("firing", 2, incident(), ("mail", "pager"))
    first, second = told(MessageMaker(context, make), TOLD, to_mail)
    assert (first.dyno, first.to, second.to) == ("web.3 stands out", ("ops",), ("mail", "pager"))


def test_without_its_context_if_that_fails() -> None:
    def broken(found: Incident) -> Context:
        raise RuntimeError("nobody expects this")

    (found,) = told(MessageMaker(broken, make), TOLD)
    assert (found.id, found.dyno) == (TOLD.id, "")


def test_without_its_context_if_that_cannot_be_put_into_words() -> None:
    (found,) = told(MessageMaker(context, fail_with_context), TOLD)
    assert (found.id, found.dyno) == (TOLD.id, "")


def test_in_plain_words_if_nothing_else_works() -> None:
    (found,) = told(MessageMaker(context, fail), TOLD)
    assert (found.id, found.incident, found.to) == ("i1.1", "i1", ("ops",))
    assert found.title == "shop: 20.3 % of 1,240 requests failed"
    assert [one.route for one in found.findings] == ["/i1/0"]


def test_plain_words_are_bounded_and_escaped_as_all_others() -> None:
    many = incident(app="shop\x1b[2J", alerts=100)
    (found,) = told(MessageMaker(context, fail), Notice("firing", 1, many, ("ops",)))
    assert found.title.startswith("shop\\x1b[2J: ")
    assert (len(found.findings), found.more_findings) == (10, 90)


def test_context_is_looked_for_a_few_times_and_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    maker = MessageMaker(context, make)
    many = [Notice("firing", 1, incident(f"i{number}")) for number in range(39)]
    assert [bool(one.dyno) for one in told(maker, *many)] == [True] * 20 + [False] * 19
    monkeypatch.setattr(messages, "CONTEXTS_S", 0.0)
    assert not any(one.dyno for one in told(maker, *many))


def test_what_surrounds_an_incident_is_looked_for_once_for_all_targets_and_the_page() -> None:
    asked: list[str] = []

    def counted(found: Incident) -> Context:
        asked.append(found.alerts[0].key)
        return Context(dyno="web.3 stands out")

    whole, notices = whole_and_parts()
    alike = [replace(one, incident=replace(one.incident, resolved_s=None)) for one in notices]
    both, _ = MessageMaker(counted, make).messages(
        Step(Board(incidents={"i1": whole}), (*alike, *alike)), AT_S
    )
    assert [one.dyno for one in both] == ["web.3 stands out"] * 4
    assert asked == [state.key for state in whole.alerts]


def whole_and_parts() -> tuple[Incident, list[Notice]]:
    """An incident of two alerts, one of which has just ended for the only target that hears of it."""
    whole = incident(alerts=2)
    first, second = whole.alerts
    return whole, [
        Notice("resolved", 1, replace(whole, alerts=(first,), resolved_s=AT_S), ("ops",)),
        Notice("firing", 2, replace(whole, alerts=(second,)), ("mail",)),
    ]


def test_the_page_shows_what_is_told_where_a_target_is_told_all_of_it() -> None:
    maker = MessageMaker(context, make)
    step = Step(Board(incidents={"i1": TOLD.incident}), (TOLD,))
    assert maker.messages(step, AT_S) == (told(maker, TOLD), told(maker, TOLD))
    assert maker.messages(replace(step, notices=()), AT_S) == ([], [])


def test_the_page_shows_an_incident_whole_where_each_target_is_told_a_part() -> None:
    maker = MessageMaker(context, make)
    whole, notices = whole_and_parts()
    _, (shown,) = maker.messages(Step(Board(incidents={"i1": whole}), tuple(notices)), AT_S)
    assert (shown.kind, shown.resolved_s, shown.to) == ("firing", None, ("ops",))
    assert [one.route for one in shown.findings] == ["/i1/0", "/i1/1"]
    assert shown.dyno == "web.3 stands out"


def test_the_page_shows_the_end_of_an_incident_though_nobody_was_told_of_that_last() -> None:
    ended = incident(resolved_s=AT_S + 10)
    _, (shown,) = MessageMaker(context, make).messages(Step(Board(), resolved=(ended,)), AT_S + 10)
    assert (shown.kind, shown.resolved_s) == ("resolved", AT_S + 10)
    untold = replace(ended, told_s=None)
    assert MessageMaker(context, make).messages(Step(Board(), resolved=(untold,)), AT_S + 10) == ([], [])
