"""A message goes out whatever fails beside it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.alerts.board import Incident, Notice
from app.alerts.context import Context
from app.alerts.message import Message
from consumers.alerts import messages
from consumers.alerts.messages import MessageMaker, plain
from tests.app.alerts.redis.made import AT_S, incident

TOLD = Notice("firing", 1, incident())


def context(found: Incident) -> Context:
    return Context(dyno="web.3 stands out")


def make(notice: Notice, found: Context, at_s: int) -> Message:
    return replace(plain(notice, at_s), dyno=found.dyno)


def fail(*arguments: object) -> Message:
    raise RuntimeError("nobody expects this")


def fail_with_context(notice: Notice, found: Context, at_s: int) -> Message:
    return make(notice, found, at_s) if found == Context() else fail()


def test_it_has_its_context_and_all_targets_unless_the_rule_names_some() -> None:
    maker = MessageMaker(context, make, ("ops", "mail"))
    to_mail = Notice("firing", 2, replace(incident(), to=("mail",)))
    first, second = maker.messages([TOLD, to_mail], AT_S)
    assert (first.dyno, first.to, second.to) == ("web.3 stands out", ("ops", "mail"), ("mail",))


def test_without_its_context_if_that_fails() -> None:
    def broken(found: Incident) -> Context:
        raise RuntimeError("nobody expects this")

    (found,) = MessageMaker(broken, make, ("ops",)).messages([TOLD], AT_S)
    assert (found.id, found.dyno) == (TOLD.id, "")


def test_without_its_context_if_that_cannot_be_put_into_words() -> None:
    (found,) = MessageMaker(context, fail_with_context, ("ops",)).messages([TOLD], AT_S)
    assert (found.id, found.dyno) == (TOLD.id, "")


def test_in_plain_words_if_nothing_else_works() -> None:
    (found,) = MessageMaker(context, fail, ("ops",)).messages([TOLD], AT_S)
    assert (found.id, found.incident, found.to) == ("i1.1", "i1", ("ops",))
    assert found.title == "shop: 20.3 % of 1,240 requests failed"
    assert [one.route for one in found.findings] == ["/i1/0"]


def test_context_is_looked_for_a_few_times_and_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    maker = MessageMaker(context, make, ("ops",))
    many = [Notice("firing", number, incident()) for number in range(1, 40)]
    assert [bool(one.dyno) for one in maker.messages(many, AT_S)] == [True] * 20 + [False] * 19
    monkeypatch.setattr(messages, "CONTEXTS_S", 0.0)
    assert not any(one.dyno for one in maker.messages(many, AT_S))
