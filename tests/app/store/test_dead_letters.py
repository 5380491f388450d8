"""The dead letters: kept with the reason, bounded, and counted for ever."""

from __future__ import annotations

import pytest
import redis

from app.store import dead_letters
from app.store.dead_letters import DEAD_LETTERS, VALUE_MAX_BYTES, add, count, dead_letter, drop, read


def test_a_letter_is_read_as_it_was_added(redis_client: redis.Redis) -> None:
    value = bytes(range(256))
    add(redis_client, [dead_letter("line", "drain", "no syslog line", value, "shop")])
    (found,) = read(redis_client)
    assert (found.kind, found.source, found.reason, found.app) == ("line", "drain", "no syslog line", "shop")
    assert found.value == value
    assert found.is_whole
    assert found.time_ms > 1_700_000_000_000


def test_a_long_value_is_cut_and_says_so(redis_client: redis.Redis) -> None:
    add(redis_client, [dead_letter("body", "drain", "r" * 900, b"x" * (VALUE_MAX_BYTES + 1))])
    (found,) = read(redis_client)
    assert len(found.value) == VALUE_MAX_BYTES
    assert found.bytes_before_cut == VALUE_MAX_BYTES + 1
    assert not found.is_whole
    assert len(found.reason) == 500


def test_many_letters_are_read_in_order_and_by_id(redis_client: redis.Redis) -> None:
    add(redis_client, [dead_letter("line", "drain", str(number), b"") for number in range(450)])
    found = list(read(redis_client))
    assert [letter.reason for letter in found] == [str(number) for number in range(450)]
    assert list(read(redis_client, found[7].id, found[7].id)) == [found[7]]


def test_dropped_letters_are_gone_and_still_counted_ever(redis_client: redis.Redis) -> None:
    add(redis_client, [dead_letter("line", "drain", "", b"") for _ in range(3)])
    ids = [letter.id for letter in read(redis_client)]
    assert drop(redis_client, ids[:2]) == 2
    assert drop(redis_client, ids[:2]) == 0
    assert drop(redis_client, []) == 0
    assert count(redis_client) == 1
    assert redis_client.hget("tailrace:counts", "dead_letters") == b"3"


def test_the_oldest_go_when_there_are_too_many(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "DEAD_LETTERS_MAX", 200)
    for number in range(10):
        add(redis_client, [dead_letter("line", "drain", str(number), b"") for _ in range(100)])
    assert 200 <= count(redis_client) <= 400  # Redis trims whole nodes of about 100 entries.
    assert [letter.reason for letter in read(redis_client)][-1] == "9"
    assert redis_client.hget("tailrace:counts", "dead_letters") == b"1000"


def test_an_entry_without_its_fields_is_read_as_empty(redis_client: redis.Redis) -> None:
    redis_client.xadd(DEAD_LETTERS, {"some": "thing"})
    (found,) = read(redis_client)
    assert (found.kind, found.value, found.is_whole) == ("", b"", True)
