"""Alerting on a real Redis: each moment once, by one process, whatever fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest
import redis

from app.alerts.board import Silence
from app.alerts.compose import plain_message
from app.alerts.condition import Judgement
from app.alerts.context import Context
from app.alerts.facts import Facts, Subject
from app.alerts.redis import lease, outbox
from app.alerts.redis.board import read_board
from app.alerts.redis.history import read_board_and_open
from app.alerts.redis.silences import add_silence
from app.alerts.rule import Rule
from app.store import keys
from consumers.alerts.alerting import Alerting, moment_of
from consumers.alerts.delivery import Deliveries
from consumers.alerts.messages import MessageMaker
from tests.app.alerts.scripted import T0, Scripted, during
from tests.consumers.alerts.posting import KINDS

BAD = Scripted(during((20, 300)))


@dataclass(slots=True)
class Script:
    """Facts of one app, and what was asked for."""

    incomplete: Callable[[int], str] = lambda second: ""
    asked: list[int] = field(default_factory=list)
    watched: list[Sequence[Subject]] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)

    def read(self, rules: Sequence[Rule], at_s: int, now_s: float, watched: Sequence[Subject] = ()) -> Facts:
        if self.faults:
            raise self.faults.pop()
        self.asked.append(at_s - T0)
        self.watched.append(watched)
        is_past = at_s < moment_of(now_s)
        return Facts(at_s, "" if is_past else self.incomplete(at_s - T0), apps=("shop",))


@dataclass(slots=True)
class Clock:
    second: float = 3.0

    def __call__(self) -> float:
        return T0 + self.second


def process(
    store: redis.Redis,
    holder: str = "first",
    rules: Sequence[Rule] = (Rule("errors", (BAD,)),),
    script: Script | None = None,
    clock: Clock | None = None,
) -> Alerting:
    """One without threads: the target is another process's."""
    return Alerting(
        store=store,
        holder=holder,
        rules=rules,
        reader=script or Script(),
        maker=MessageMaker(
            lambda incident: Context(), lambda notice, context, at_s: plain_message(notice, at_s)
        ),
        targets=("ops",),
        deliveries=Deliveries(store, holder, {}, KINDS),
        clock=clock or Clock(),
    )


def run(work: Alerting, clock: Clock, until: int) -> None:
    while clock.second <= until:
        work.step(lambda: None)
        clock.second += 2


def waiting(store: redis.Redis) -> list[str]:
    return sorted(one.message.kind for one in outbox.due(store, 2 * T0))


def test_a_moment_is_the_newest_whole_ten_seconds_whose_lines_are_there() -> None:
    assert [moment_of(T0 + second) - T0 for second in (2.9, 3, 12.9, 13)] == [-10, 0, 0, 10]


def test_each_moment_is_judged_once_and_an_incident_told_once(redis_client: redis.Redis) -> None:
    script, clock = Script(), Clock()
    run(process(redis_client, script=script, clock=clock), clock, 120)
    assert script.asked == list(range(0, 120, 10))
    assert waiting(redis_client) == ["firing"]
    assert script.watched[-1] == (Subject("shop"),)
    board = read_board(redis_client)
    assert (board.evaluated_s, board.at_s) == (T0 + 110, T0 + 110)


def test_one_process_judges_and_the_next_goes_on_from_its_board(redis_client: redis.Redis) -> None:
    scripts, clock = (Script(), Script()), Clock()
    first = process(redis_client, "first", script=scripts[0], clock=clock)
    second = process(redis_client, "second", script=scripts[1], clock=clock)
    while clock.second < 60:
        first.step(lambda: None)
        second.step(lambda: None)
        clock.second += 2
    assert scripts[1].asked == []
    first.close()
    run(second, clock, 130)
    assert scripts[0].asked + scripts[1].asked == list(range(0, 130, 10))
    assert waiting(redis_client) == ["firing"]


def test_a_moment_that_another_process_has_judged_is_not_judged_again(redis_client: redis.Redis) -> None:
    scripts, clock = (Script(), Script()), Clock()
    first = process(redis_client, "first", script=scripts[0], clock=clock)
    first.step(lambda: None)
    first.close()
    process(redis_client, "second", script=scripts[1], clock=clock).step(lambda: None)
    assert (scripts[0].asked, scripts[1].asked) == ([0], [])


def test_after_a_time_without_complete_figures_the_moments_between_are_judged(
    redis_client: redis.Redis,
) -> None:
    script = Script(lambda second: "metrics is behind" if 100 <= second < 400 else "")
    clock = Clock()
    rule = Rule("errors", (Scripted(during((150, 380))),))
    run(process(redis_client, rules=[rule], script=script, clock=clock), clock, 850)
    assert script.asked[40:] == [400, 150, 210, 270, 330, 390, *range(410, 850, 10)]
    assert waiting(redis_client)[:1] == ["firing"]
    assert read_board(redis_client).incidents == {}
    assert redis_client.zcard(keys.ALERT_HISTORY_ENDS) == 1


def test_what_no_process_could_judge_is_judged_afterwards_for_fifteen_minutes(
    redis_client: redis.Redis,
) -> None:
    script, clock = Script(), Clock()
    work = process(redis_client, script=script, clock=clock)
    work.step(lambda: None)
    clock.second = 7_200 + 3
    work.step(lambda: None)
    assert script.asked == [0, 7_200, *range(7_200 - 840, 7_200, 60)]


def test_while_figures_are_not_complete_nothing_fires_and_the_board_says_why(
    redis_client: redis.Redis,
) -> None:
    clock = Clock()
    script = Script(lambda second: "metrics is 42 s behind")
    run(process(redis_client, script=script, clock=clock), clock, 100)
    board = read_board(redis_client)
    assert (board.incomplete, board.evaluated_s, board.at_s) == ("metrics is 42 s behind", 0, T0 + 90)
    assert waiting(redis_client) == []


def test_what_is_silenced_is_not_sent(redis_client: redis.Redis) -> None:
    clock = Clock()
    add_silence(redis_client, Silence("errors", "", T0 + 3_600), T0)
    run(process(redis_client, clock=clock), clock, 100)
    assert waiting(redis_client) == []
    assert len(read_board(redis_client).incidents) == 1


def test_a_step_that_redis_fails_is_taken_again(redis_client: redis.Redis) -> None:
    script, clock = Script(faults=[redis.ConnectionError("gone")]), Clock(33)
    work = process(redis_client, script=script, clock=clock)
    with pytest.raises(redis.ConnectionError):
        work.step(lambda: None)
    work.step(lambda: None)
    assert script.asked == [30]


def test_who_lost_the_lease_while_it_read_stores_nothing_and_sends_nothing(
    redis_client: redis.Redis,
) -> None:
    class Slow(Script):
        def read(
            self, rules: Sequence[Rule], at_s: int, now_s: float, watched: Sequence[Subject] = ()
        ) -> Facts:
            lease.release(redis_client, "first")
            lease.acquire(redis_client, "second")
            return Facts(at_s, apps=("shop",))

    clock = Clock(43)
    work = process(redis_client, script=Slow(), clock=clock)
    for _ in range(3):
        work.step(lambda: None)
        clock.second += 10
    assert set(redis_client.scan_iter(keys.ALERTS + "*")) == {keys.ALERT_LEASE.encode()}
    assert lease.holder(redis_client) == "second"


def test_a_moment_that_takes_longer_than_the_lease_lasts_is_stored(redis_client: redis.Redis) -> None:
    class Slow(Script):
        def read(
            self, rules: Sequence[Rule], at_s: int, now_s: float, watched: Sequence[Subject] = ()
        ) -> Facts:
            redis_client.delete(keys.ALERT_LEASE)
            return Facts(at_s, apps=("shop",))

    process(redis_client, script=Slow()).step(lambda: None)
    assert read_board(redis_client).evaluated_s == T0
    assert lease.holder(redis_client) == "first"


class Broken(Scripted):
    __slots__ = ()

    def judge(self, facts: Facts, subject: Subject, min_requests: int) -> Judgement:
        raise KeyError(subject.app)


def test_a_rule_that_raises_stops_no_other_and_is_shown_as_a_matter_of_tailrace(
    redis_client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    rules = [
        Rule("broken", (Broken(during()),)),
        Rule("errors", (BAD,)),
        Rule("own", (replace(OWN, text="tailrace"),)),
    ]
    clock = Clock()
    caplog.set_level(logging.ERROR)
    run(process(redis_client, rules=rules, clock=clock), clock, 100)
    board = read_board(redis_client)
    assert {(one.rule, one.subject.part) for one in board.alerts.values()} == {
        ("errors", ""),
        ("own", "rule:broken"),
    }
    (record,) = caplog.records
    assert record.getMessage() == "a rule cannot be judged: rule=broken"


OWN = Scripted(lambda second, subject: "bad" if subject.part else "fine", family="tailrace", scope="tailrace")


def test_what_fires_by_a_rule_that_begins_to_raise_goes_on(redis_client: redis.Redis) -> None:
    clock = Clock()
    first = process(redis_client, clock=clock)
    run(first, clock, 60)
    first.close()
    run(process(redis_client, "second", rules=[Rule("errors", (Broken(during()),))], clock=clock), clock, 400)
    assert len(read_board(redis_client).incidents) == 1
    assert waiting(redis_client) == ["firing"]


def test_the_lease_is_given_to_another_process_once_nothing_is_being_sent(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = process(redis_client)
    work.step(lambda: None)
    monkeypatch.setattr(Deliveries, "is_sending", True)
    work.give_way()
    assert lease.holder(redis_client) == "first"
    monkeypatch.setattr(Deliveries, "is_sending", False)
    work.give_way()
    assert lease.holder(redis_client) == ""
    work.give_way()
    work.step(lambda: None)
    assert lease.holder(redis_client) == "first"


def test_what_waits_for_a_target_that_is_gone_is_given_up_with_a_line_in_the_log(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    run(process(redis_client, clock=clock), clock, 60)
    monkeypatch.setattr(outbox, "GIVE_UP_S", -1)
    lease.release(redis_client, "first")
    process(redis_client, "second", clock=clock).step(lambda: None)
    assert "is not delivered" in caplog.text
    (status,) = outbox.statuses(redis_client)
    assert (status.name, status.given_up) == ("ops", 1)


def test_each_target_is_told_its_part_and_the_page_shows_the_whole(redis_client: redis.Redis) -> None:
    rules = (Rule("errors", (BAD,)), Rule("slow", (replace(BAD, family="slowness"),), to=("ops",)))
    clock = Clock()
    work = process(redis_client, rules=rules, clock=clock)
    work.targets = ("ops", "mail")
    run(work, clock, 60)
    sent = {one.target: one.message for one in outbox.due(redis_client, 2 * T0)}
    assert {one.rule for one in sent["ops"].findings} == {"errors", "slow"}
    assert {one.rule for one in sent["mail"].findings} == {"errors"}
    assert sent["ops"].incident == sent["mail"].incident
    _, going_on = read_board_and_open(redis_client)
    (told,) = going_on
    assert told.message is not None
    assert {one.rule for one in told.message.findings} == {"errors", "slow"}
    assert told.message.to == ("mail", "ops")


def test_without_any_target_it_is_on_the_board_alone(redis_client: redis.Redis) -> None:
    clock = Clock()
    work = process(redis_client, clock=clock)
    work.targets = ()
    run(work, clock, 60)
    assert len(read_board(redis_client).incidents) == 1
    assert outbox.statuses(redis_client) == []
