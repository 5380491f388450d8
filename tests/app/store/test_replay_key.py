"""The key of the marks: one for all processes, created by the first that replays."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from app.store import keys, replay_key
from app.store.replay_key import ReplayKey
from servers.redis_server import RedisServer


def test_all_processes_have_the_key_of_the_first(redis_url: str, redis_client: redis.Redis) -> None:
    def ask(number: int) -> bytes:
        with redis.Redis.from_url(redis_url) as store:
            return ReplayKey(store, "", creates=True)()

    with ThreadPoolExecutor(16) as threads:
        found = set(threads.map(ask, range(64)))
    assert found == {redis_client.get(keys.REPLAY_KEY)}
    (key,) = found
    assert len(key) == 2 * replay_key.KEY_BYTES
    assert redis_client.ttl(keys.REPLAY_KEY) == -1


def test_an_old_redis_keeps_it_too(old_redis_server: RedisServer) -> None:
    with redis.Redis.from_url(old_redis_server.url) as store:
        store.delete(keys.REPLAY_KEY)
        first, second = (ReplayKey(store, "", creates=True)() for _ in range(2))
        assert first == second != b""
        store.delete(keys.REPLAY_KEY)


def test_who_only_reads_creates_none_and_finds_it_at_the_next_batch(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_key, "REREAD_AFTER_S", 60.0)
    reading = ReplayKey(redis_client, "", creates=False)
    assert reading() == b""
    assert redis_client.exists(keys.REPLAY_KEY) == 0
    created = ReplayKey(redis_client, "", creates=True)()
    assert reading() == b"", "it is read once for many lines"
    reading.expire()
    assert reading() == created


def test_a_deleted_key_is_replaced_everywhere(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_key, "REREAD_AFTER_S", 0.0)
    creating, reading = (ReplayKey(redis_client, "", creates=creates) for creates in (True, False))
    before = creating()
    redis_client.delete(keys.REPLAY_KEY)
    assert reading() == b""
    after = creating()
    assert reading() == after != before


def test_redis_is_asked_rarely(redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_key, "REREAD_AFTER_S", 600.0)
    for creates in (False, True):
        key = ReplayKey(redis_client, "", creates=creates)
        first = key()
        redis_client.set(keys.REPLAY_KEY, "another")
        assert key() == first
        redis_client.delete(keys.REPLAY_KEY)


def test_with_a_key_of_ones_own_redis_is_not_asked() -> None:
    nowhere = redis.Redis(port=1)
    assert ReplayKey(nowhere, "k" * 32, creates=True)() == b"k" * 32
    with pytest.raises(redis.ConnectionError):
        ReplayKey(nowhere, "", creates=True)()


@pytest.mark.parametrize("creates", [True, False])
def test_something_else_under_its_name_stops_nothing(
    redis_client: redis.Redis,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    creates: bool,
) -> None:
    monkeypatch.setattr(replay_key, "REREAD_AFTER_S", 0.0)
    redis_client.hset(keys.REPLAY_KEY, "a", "b")
    key = ReplayKey(redis_client, "", creates=creates)
    with caplog.at_level(logging.WARNING):
        assert key() == key() != b""
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert f"{keys.REPLAY_KEY} is not a string" in caplog.text
    assert key().decode() not in caplog.text
