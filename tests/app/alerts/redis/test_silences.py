"""Silences: each until it ends, so many at most."""

from __future__ import annotations

import pytest
import redis

from app.alerts.board import Silence
from app.alerts.redis.silences import add_silence, end_silence, silences
from app.errors import TooManySilences
from app.store import bounds, keys

NOW_S = 1_767_312_000


def test_those_in_force_are_read_the_one_that_ends_first_before_others(redis_client: redis.Redis) -> None:
    later, sooner = Silence("errors", "shop", NOW_S + 3_600), Silence("", "a b:c", NOW_S + 60)
    add_silence(redis_client, later, NOW_S)
    add_silence(redis_client, sooner, NOW_S)
    assert silences(redis_client, NOW_S) == [sooner, later]
    assert silences(redis_client, NOW_S + 60) == [later]


def test_a_silence_replaces_one_of_the_same_rule_and_app(redis_client: redis.Redis) -> None:
    for until_s in (NOW_S + 60, NOW_S + 30):
        add_silence(redis_client, Silence("errors", "shop", until_s), NOW_S)
    add_silence(redis_client, Silence("errors", "", NOW_S + 90), NOW_S)
    assert [one.until_s for one in silences(redis_client, NOW_S)] == [NOW_S + 30, NOW_S + 90]


def test_a_silence_can_be_ended(redis_client: redis.Redis) -> None:
    add_silence(redis_client, Silence("errors", "shop", NOW_S + 60), NOW_S)
    assert not end_silence(redis_client, "errors", "")
    assert end_silence(redis_client, "errors", "shop")
    assert silences(redis_client, NOW_S) == []


def test_a_silence_lasts_a_month_at_most(redis_client: redis.Redis) -> None:
    add_silence(redis_client, Silence("errors", "", NOW_S + 10 * 366 * 86_400), NOW_S)
    assert silences(redis_client, NOW_S) == [Silence("errors", "", NOW_S + bounds.SILENCE_MAX_S)]


def test_there_are_so_many_at_most_and_those_that_ended_make_room(redis_client: redis.Redis) -> None:
    for number in range(bounds.SILENCES_MAX):
        add_silence(redis_client, Silence(f"r{number}", "", NOW_S + 60 + number), NOW_S)
    with pytest.raises(TooManySilences, match="end one"):
        add_silence(redis_client, Silence("one more", "", NOW_S + 60), NOW_S)
    add_silence(redis_client, Silence("r0", "", NOW_S + 90), NOW_S)
    add_silence(redis_client, Silence("one more", "", NOW_S + 600), NOW_S + 61)
    assert redis_client.hlen(keys.ALERT_SILENCES) == bounds.SILENCES_MAX


def test_what_is_no_silence_hides_none(redis_client: redis.Redis) -> None:
    add_silence(redis_client, Silence("errors", "shop", NOW_S + 60), NOW_S)
    redis_client.hset(
        keys.ALERT_SILENCES, mapping={"no json": "1", '["a"]': "2", '["a", "b"]': "soon", "7": "8"}
    )
    assert silences(redis_client, NOW_S) == [Silence("errors", "shop", NOW_S + 60)]
