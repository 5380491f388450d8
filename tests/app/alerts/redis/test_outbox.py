"""The outbox: each message until its target took it, in order, for ten minutes and never without end."""

from __future__ import annotations

import time

import pytest
import redis

from app.alerts.message import Message
from app.alerts.redis import lease, outbox
from app.alerts.redis.board import commit
from app.alerts.redis.outbox import Delivery, TargetStatus, retry_delay_s, retry_s
from app.store import bounds, keys
from tests.app.alerts.redis.made import AT_S, message, step

ME = "me"


@pytest.fixture
def store(redis_client: redis.Redis) -> redis.Redis:
    lease.acquire(redis_client, ME)
    return redis_client


def put(store: redis.Redis, *messages: Message, now_s: float = AT_S) -> None:
    assert commit(store, ME, step(), messages, now_s=now_s)


def ids(found: list[Delivery]) -> list[str]:
    return [one.message.id for one in found]


def taken(store: redis.Redis, now_s: float = AT_S, target: str = "", holder: str = ME) -> Delivery:
    found = outbox.due(store, now_s, target)[0]
    assert outbox.claim(store, holder, found, now_s)
    return found


def test_what_was_delivered_is_off(store: redis.Redis) -> None:
    put(store, message())
    found = taken(store)
    outbox.delivered(store, found, AT_S + 1)
    assert outbox.due(store, AT_S + 1_000) == []
    assert outbox.statuses(store) == [TargetStatus("ops", delivered_s=AT_S + 1)]
    assert store.exists(keys.ALERT_OUTBOX, keys.ALERT_OUTBOX_MESSAGES) == 0
    assert not outbox.claim(store, ME, found, AT_S + 1)


def test_what_is_being_sent_is_not_due(store: redis.Redis) -> None:
    put(store, message())
    taken(store)
    assert outbox.due(store, AT_S + 1_000) == []
    assert outbox.read_outbox(store).next_s("ops") is None


def test_what_failed_is_due_again_at_its_time(store: redis.Redis) -> None:
    put(store, message())
    assert outbox.failed(store, ME, taken(store), "it answered 500", AT_S + 2, AT_S)
    assert outbox.due(store, AT_S + 1.9) == []
    assert outbox.read_outbox(store).next_s("ops") == AT_S + 2
    (again,) = outbox.due(store, AT_S + 2)
    assert (again.attempts, again.begun_s, again.reason) == (1, AT_S, "it answered 500")
    (status,) = outbox.statuses(store)
    assert status == TargetStatus("ops", waiting=1, failed_s=AT_S, reason="it answered 500")


def test_what_was_given_up_is_counted_and_says_why(store: redis.Redis) -> None:
    put(store, message(), message("i2"))
    for at_s in (AT_S, AT_S + 1):
        outbox.failed(store, ME, taken(store), "it answered 500", None, at_s)
    assert outbox.statuses(store) == [
        TargetStatus("ops", failed_s=AT_S + 1, reason="it answered 500", given_up=2, given_up_s=AT_S + 1)
    ]


def test_a_later_message_of_an_incident_waits_for_the_earlier_and_other_incidents_do_not(
    store: redis.Redis,
) -> None:
    put(store, message(), message("i2"))
    put(store, message(number=2, kind="resolved"))
    assert ids(outbox.due(store, AT_S)) == ["i1.1", "i2.1"]
    first = taken(store)
    outbox.failed(store, ME, first, "refused", AT_S + 2, AT_S)
    assert ids(outbox.due(store, AT_S)) == ["i2.1"]
    outbox.delivered(store, taken(store, AT_S + 2), AT_S + 2)
    assert ids(outbox.due(store, AT_S + 2)) == ["i2.1", "i1.2"]


def test_one_target_waits_for_no_other(store: redis.Redis) -> None:
    put(store, message(to=("ops", "mail")), message(number=2, kind="resolved", to=("ops", "mail")))
    taken(store, target="ops")
    outbox.delivered(store, taken(store, target="mail"), AT_S)
    assert [(one.target, one.message.id) for one in outbox.due(store, AT_S)] == [("mail", "i1.2")]


def test_a_claim_whose_holder_died_is_due_at_once_with_the_same_id(store: redis.Redis) -> None:
    put(store, message())
    taken(store)
    lease.release(store, ME)
    assert ids(outbox.due(store, AT_S)) == ["i1.1"]
    lease.acquire(store, "other")
    (again,) = outbox.due(store, AT_S)
    assert (again.message.id, again.attempts) == ("i1.1", 1)


def test_who_dies_whenever_it_is_sent_sends_it_less_and_less_often(store: redis.Redis) -> None:
    put(store, message())
    waits = []
    at_s = float(AT_S)
    for number in range(1, 7):
        lease.release(store, f"life {number - 1}" if number > 1 else ME)
        lease.acquire(store, f"life {number}")
        ready_s = outbox.read_outbox(store).next_s("ops")
        assert ready_s is not None
        waits.append(max(ready_s, at_s) - at_s)
        at_s = max(ready_s, at_s)
        taken(store, at_s, holder=f"life {number}")
    assert waits == [0, 0, 4, 8, 16, 32]


def test_who_lost_the_lease_may_still_say_that_it_was_delivered(store: redis.Redis) -> None:
    """It is true, and spares the target a second one."""
    put(store, message())
    found = taken(store)
    lease.release(store, ME)
    lease.acquire(store, "other")
    outbox.delivered(store, found, AT_S)
    assert outbox.due(store, AT_S) == []


def test_delays_grow_to_a_minute() -> None:
    assert [retry_delay_s(attempts) for attempts in range(1, 8)] == [2, 4, 8, 16, 32, 60, 60]
    assert retry_delay_s(10_000) == 60


def test_it_is_tried_for_ten_minutes_the_last_time_at_their_end() -> None:
    at_s, times = 1_000.0, []
    while at_s is not None:
        times.append(at_s)
        found = retry_s(1_000, len(times), at_s)
        if found is None:
            break
        at_s = found
    assert times[:6] == [1_000, 1_002, 1_006, 1_014, 1_030, 1_062]
    assert times[-1] == 1_600


@pytest.mark.parametrize(
    ("after_s", "expected_s"), [(None, 2), (1, 2), (30, 30), (590, 590), (86_400, 600), (-5, 2)]
)
def test_a_target_may_ask_to_wait_but_not_beyond_ten_minutes(after_s: float, expected_s: float) -> None:
    assert retry_s(AT_S, 1, AT_S, after_s) == AT_S + expected_s


def test_beyond_the_bound_the_oldest_repeats_are_given_up_first_then_the_oldest(store: redis.Redis) -> None:
    most = bounds.ALERT_OUTBOX_MAX
    put(store, *(message(f"i{number}") for number in range(most - 2)))
    put(store, message("r1", kind="repeat"), message("r2", kind="repeat"))
    claimed = taken(store)
    put(store, message("new 1"))
    assert store.hlen(keys.ALERT_OUTBOX) == store.hlen(keys.ALERT_OUTBOX_MESSAGES) == most
    waiting = outbox.read_outbox(store).waiting
    assert "r1.1 ops" not in waiting
    assert "r2.1 ops" in waiting
    put(store, message("new 2"), message("new 3"))
    waiting = outbox.read_outbox(store).waiting
    gone = {f"i{number}.1 ops" for number in range(most - 2)} - waiting.keys()
    assert gone == {"i1.1 ops"}  # What is being sent is left alone.
    assert claimed.id in waiting
    (status,) = outbox.statuses(store)
    assert (status.waiting, status.given_up) == (most, 3)
    assert status.reason == f"more than {most} messages waited"


def test_what_nobody_can_deliver_is_given_up_after_ten_minutes(store: redis.Redis) -> None:
    put(store, message(to=("ops", "gone")), message("later", to=("ops",)))
    store.hset(keys.ALERT_OUTBOX_MESSAGES, "later.1 ops", '{"version": 9}')
    assert outbox.give_up_undeliverable(store, ME, ["ops"], AT_S + 600) == []
    given_up = outbox.give_up_undeliverable(store, ME, ["ops"], AT_S + 601)
    assert set(given_up) == {
        ("gone", "i1.1", "the settings name no such target"),
        ("ops", "later.1", "another version wrote it, and this one cannot read it"),
    }
    assert ids(outbox.due(store, AT_S + 601)) == ["i1.1"]
    assert [(one.name, one.given_up) for one in outbox.statuses(store)] == [("gone", 1), ("ops", 1)]


def test_the_end_of_an_incident_is_no_failure_of_a_target_that_was_taken_out_meanwhile(
    store: redis.Redis,
) -> None:
    put(store, message(kind="resolved", to=("gone",)))
    assert outbox.give_up_undeliverable(store, ME, ["ops"], AT_S + 601) == []
    assert not outbox.read_outbox(store).waiting
    assert outbox.statuses(store) == []


def test_what_fails_each_time_without_a_word_is_sent_again_with_growing_pauses(store: redis.Redis) -> None:
    put(store, message())
    for attempts, pause_s in ((1, 0.0), (2, 4.0), (3, 8.0)):
        seen = outbox.read_outbox(store).without_claims_of(ME, "ops")
        (delivery,) = outbox.take(store, seen, AT_S + 400, "ops")
        assert outbox.claim(store, ME, delivery, AT_S + attempts)
        seen = outbox.read_outbox(store).without_claims_of(ME, "ops")
        assert seen.next_s("ops") == AT_S + attempts + pause_s
        assert outbox.read_outbox(store).without_claims_of(ME, "mail").next_s("ops") is None


def test_what_a_process_claimed_that_died_is_given_up_as_well_once_its_target_is_gone(
    store: redis.Redis,
) -> None:
    put(store, message())
    taken(store)
    lease.release(store, ME)
    lease.acquire(store, "other")
    assert outbox.give_up_undeliverable(store, "other", ["mail"], AT_S + 601) == [
        ("ops", "i1.1", "the settings name no such target")
    ]
    assert not outbox.read_outbox(store).waiting


def test_what_cannot_be_read_keeps_nothing_behind_it(store: redis.Redis) -> None:
    put(store, message("later"), message())
    store.hset(keys.ALERT_OUTBOX_MESSAGES, "later.1 ops", '{"version": 9}')
    assert ids(outbox.due(store, AT_S, "ops", most=1)) == ["i1.1"]


def test_a_clock_that_was_ahead_keeps_nothing_waiting(store: redis.Redis) -> None:
    put(store, message())
    outbox.failed(store, ME, taken(store), "refused", AT_S + 86_400, AT_S + 86_398)
    assert ids(outbox.due(store, AT_S)) == ["i1.1"]


def test_targets_that_come_and_go_are_bounded(store: redis.Redis) -> None:
    for number in range(bounds.ALERT_TARGETS_MAX + 5):
        put(store, message(f"i{number}", to=(f"t{number}",)))
        outbox.delivered(store, taken(store), AT_S + number)
    names = {one.name for one in outbox.statuses(store)}
    assert len(names) == bounds.ALERT_TARGETS_MAX
    assert {"t4", "t0"}.isdisjoint(names)


def test_what_is_no_json_hides_nothing_else(store: redis.Redis) -> None:
    put(store, message())
    store.hset(keys.ALERT_OUTBOX, mapping={"bad": "no json", "worse": "[]"})
    store.hset(keys.ALERT_TARGETS, "ops", "no json")
    outbox.delivered(store, taken(store), AT_S)
    assert outbox.statuses(store) == [TargetStatus("ops", delivered_s=AT_S)]


def test_a_full_outbox_is_read_quickly(store: redis.Redis) -> None:
    put(store, *(message(f"i{number}") for number in range(bounds.ALERT_OUTBOX_MAX)))
    began_s = time.perf_counter()
    assert len(outbox.due(store, AT_S, "ops", most=1)) == 1
    assert time.perf_counter() - began_s < 1
