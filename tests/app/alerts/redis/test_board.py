"""The board as Redis keeps it: what a moment makes is written whole or not at all, and within bounds."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
import redis

from app.alerts.board import Board
from app.alerts.redis import history, lease, outbox
from app.alerts.redis.board import commit, read_board
from app.store import bounds, keys
from tests.app.alerts.redis.made import AT_S, alert, board, ended, incident, message, step

ME = "me"


@pytest.fixture
def store(redis_client: redis.Redis) -> redis.Redis:
    lease.acquire(redis_client, ME)
    return redis_client


def test_there_is_an_empty_one_at_first(store: redis.Redis) -> None:
    assert read_board(store) == Board()


def test_what_is_written_is_read(store: redis.Redis) -> None:
    made = replace(
        board(incident(alerts=3), incident("i2", app="")), incomplete="metrics is behind", left_out=7
    )
    assert commit(store, ME, replace(step(), board=made), [], before=Board())
    assert read_board(store) == made


def test_each_moment_leaves_what_it_made_and_nothing_else(store: redis.Redis) -> None:
    first = board(incident("i1"), incident("i2"))
    commit(store, ME, replace(step(), board=first), [message("i1"), message("i2")], before=Board())
    changed = replace(incident("i2"), notices=2)
    second = board(changed, incident("i3"), at_s=AT_S + 10)
    made = replace(step(), board=second, resolved=(ended(incident("i1"), AT_S + 10),))
    assert commit(store, ME, made, [message("i3")], before=first)
    assert read_board(store) == second
    assert {told.incident.id: told.message for told in history.read_board_and_open(store)[1]} == {
        "i2": message("i2"),
        "i3": message("i3"),
    }
    assert [told.message for told in history.read_history(store, AT_S, AT_S + 60)] == [message("i1")]


def test_a_moment_writes_only_what_changed(store: redis.Redis) -> None:
    first = board(incident("i1", alerts=50))
    commit(store, ME, replace(step(), board=first), [], before=Board())
    store.hset(keys.ALERT_BOARD, "incident i1", "marked")
    commit(store, ME, replace(step(), board=replace(first, at_s=AT_S + 10)), [], before=first)
    assert store.hget(keys.ALERT_BOARD, "incident i1") == b"marked"


def test_each_target_has_its_own_delivery(store: redis.Redis) -> None:
    commit(store, ME, step(incident()), [message(to=("ops", "mail", "ops"))], before=Board())
    found = outbox.due(store, AT_S)
    assert [(one.target, one.message.to) for one in found] == [("ops", ("ops",)), ("mail", ("mail",))]
    assert {one.message.id for one in found} == {"i1.1"}


@pytest.mark.parametrize(
    "key",
    [
        *(keys.ALERT_BOARD, keys.ALERTS_TOLD, keys.ALERT_HISTORY, keys.ALERT_HISTORY_ENDS),
        *(keys.ALERT_OUTBOX, keys.ALERT_OUTBOX_MESSAGES, keys.ALERT_TARGETS),
    ],
)
def test_a_key_that_is_somebody_elses_leaves_all_others_as_they_are(store: redis.Redis, key: str) -> None:
    store.set(key, "somebody's")
    with pytest.raises(redis.ResponseError, match="somebody else's"):
        commit(store, ME, step(incident()), [message()])
    assert set(store.scan_iter(keys.ALERTS + "*")) == {key.encode(), keys.ALERT_LEASE.encode()}


def test_what_a_later_version_wrote_is_read_as_far_as_it_is_known(store: redis.Redis) -> None:
    made = board(incident("i1"), incident("i2"))
    commit(store, ME, replace(step(), board=made), [], before=Board())
    for field, change in (
        ("board", {"colour": "red", "left_out": "many"}),
        ("incident i1", {"severity": "catastrophic"}),
        ("incident i2", {"mood": [1, 2]}),
    ):
        found = orjson.loads(store.hget(keys.ALERT_BOARD, field) or b"")
        store.hset(keys.ALERT_BOARD, field, orjson.dumps({**found, **change}))
    store.hset(keys.ALERT_BOARD, mapping={"alert x": "no json", "incident x": "[]", "other": "{}"})
    assert read_board(store) == replace(made, incidents={"i2": incident("i2")})


def test_what_an_earlier_version_wrote_has_defaults(store: redis.Redis) -> None:
    made = board(incident())
    commit(store, ME, replace(step(), board=made), [], before=Board())
    field = f"alert {alert('/i1/0').key}"
    found = orjson.loads(store.hget(keys.ALERT_BOARD, field) or b"")
    del found["fired_s"], found["judgement"]["usual"]
    store.hset(keys.ALERT_BOARD, field, orjson.dumps(found))
    read = read_board(store).alerts[alert("/i1/0").key]
    assert (read.fired_s, read.judgement.usual) == (None, "")


def test_what_cannot_be_read_goes_with_the_next_moment(store: redis.Redis) -> None:
    store.hset(keys.ALERT_BOARD, mapping={"alert x": "no json", "incident x": "[]"})
    commit(store, ME, step(), [], before=read_board(store))
    assert set(store.hkeys(keys.ALERT_BOARD)) == {b"board"}


def end(store: redis.Redis, name: str, at_s: int, alerts: int = 1, began_s: int = AT_S) -> None:
    gone = incident(name, alerts=alerts, began_s=began_s)
    commit(store, ME, step(at_s=at_s, resolved=(ended(gone, at_s),)), [message(name)])


def names(store: redis.Redis, from_s: int, to_s: int, app: str = "", most: int = 200) -> list[str]:
    return [told.incident.id for told in history.read_history(store, from_s, to_s, app, most=most)]


def test_the_history_has_what_overlaps_a_span_the_newest_first(store: redis.Redis) -> None:
    for number in range(5):
        end(store, f"i{number}", AT_S + 100 * number + 50, began_s=AT_S + 100 * number)
    assert names(store, AT_S, AT_S + 1_000) == ["i4", "i3", "i2", "i1", "i0"]
    assert names(store, AT_S + 120, AT_S + 220) == ["i2", "i1"]
    assert names(store, AT_S + 160, AT_S + 190) == []
    assert names(store, AT_S, AT_S + 1_000, most=2) == ["i4", "i3"]
    assert names(store, AT_S, AT_S + 1_000, app="shop", most=1) == ["i4"]
    assert names(store, AT_S, AT_S + 1_000, app="blog") == []


def test_an_incident_that_was_not_told_is_in_the_history_without_a_message(store: redis.Redis) -> None:
    commit(store, ME, step(resolved=(ended(incident(), AT_S),)), [])
    (told,) = history.read_history(store, 0, AT_S)
    assert told.message is None
    assert told.incident.id == "i1"


def test_the_history_has_the_last_message_also_if_it_comes_with_the_end(store: redis.Redis) -> None:
    commit(store, ME, step(incident()), [message()])
    last = message(number=2, kind="resolved")
    commit(store, ME, step(at_s=AT_S + 10, resolved=(ended(incident(), AT_S + 10),)), [last])
    (told,) = history.read_history(store, AT_S, AT_S + 60)
    assert told.message == last
    assert store.hlen(keys.ALERTS_TOLD) == 0


def test_the_history_is_bounded_in_time(store: redis.Redis) -> None:
    end(store, "old", AT_S)
    end(store, "new", AT_S + bounds.ALERTS_KEPT_S + 1, began_s=AT_S + bounds.ALERTS_KEPT_S)
    assert names(store, 0, 2 * AT_S) == ["new"]


def test_the_history_is_bounded_in_number_and_bytes(
    store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.alerts.redis.board.ALERT_HISTORY_MAX", 3)
    for number in range(6):
        end(store, f"i{number}", AT_S + number)
    assert names(store, 0, 2 * AT_S) == ["i5", "i4", "i3"]
    size = sum(map(len, [store.hget(keys.ALERT_HISTORY, name) or b"" for name in ("i3", "i4", "i5")]))
    assert int(store.hget(keys.ALERT_HISTORY, "bytes") or 0) == size
    monkeypatch.setattr("app.alerts.redis.board.ALERT_HISTORY_MAX_BYTES", size - 1)
    end(store, "i5", AT_S + 5)
    assert names(store, 0, 2 * AT_S) == ["i5", "i4"]


def test_an_incident_of_many_alerts_is_kept_with_the_worst(store: redis.Redis) -> None:
    end(store, "wide", AT_S, alerts=1_000)
    (told,) = history.read_history(store, 0, AT_S)
    assert told.incident.alerts == incident("wide", alerts=1_000).alerts[: bounds.ALERTS_OF_INCIDENT_MAX]


def test_a_message_is_stored_with_so_many_findings_at_most(store: redis.Redis) -> None:
    wide = replace(message(), findings=message().findings * 30, more_findings=5)
    commit(store, ME, step(incident()), [wide])
    (found,) = outbox.due(store, AT_S)
    assert (len(found.message.findings), found.message.more_findings) == (bounds.ALERT_FINDINGS_MAX, 15)


def test_redis_6_2_writes_and_reads_it_too(old_redis_server: object) -> None:
    with redis.Redis.from_url(old_redis_server.url) as old:  # type: ignore[attr-defined]
        old.flushall()
        lease.acquire(old, ME)
        made = board(incident(alerts=2))
        gone = (ended(incident("i0"), AT_S),)
        assert commit(old, ME, replace(step(), board=made, resolved=gone), [message()], before=Board())
        assert read_board(old) == made
        assert names(old, 0, AT_S) == ["i0"]
        assert [one.id for one in outbox.due(old, AT_S)] == ["i1.1 ops"]
