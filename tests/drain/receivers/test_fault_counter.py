"""Counting faults costs Redis one call a second, and none is lost while it is unreachable."""

from __future__ import annotations

import threading
import time
from typing import cast

import pytest
import redis

from app.redis_client import connect
from app.settings import Settings
from app.store import sender_faults
from app.store.keys import SENDER_FAULTS, UNKNOWN_TOKENS
from app.store.sender_faults import UnknownToken, token_digest, unknown_tokens
from drain.receivers import fault_counter
from drain.receivers.fault_counter import TOKENS_MAX, FaultCounter
from servers.processes import wait_until
from servers.redis_server import RedisServer
from tests.support.stopping import stopped


def calls(store: redis.Redis) -> int:
    """Scripts that Redis has run."""
    stats = cast(dict[str, dict[str, int]], store.info("commandstats"))
    return sum(stats.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("eval", "evalsha"))


def test_a_storm_of_faults_is_one_call_and_every_one_counts(redis_client: redis.Redis) -> None:
    redis_client.config_resetstat()
    counter = FaultCounter(redis_client)

    def storm() -> None:
        for number in range(1_000):
            counter.record("token", "logplex", f"d.{number}")

    threads = [threading.Thread(target=storm) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: redis_client.hget(SENDER_FAULTS, "token logplex") == b"4000", "the counts")
    assert 1 <= calls(redis_client) <= 6
    found = unknown_tokens(redis_client.hgetall(UNKNOWN_TOKENS))
    assert found[0].token_digest == "(other)"
    assert len(found) <= 50


def test_tokens_of_one_second_are_bounded_and_the_others_count_together(redis_client: redis.Redis) -> None:
    counter = FaultCounter(redis_client)
    for number in range(TOKENS_MAX + 30):
        counter.record("token", "logplex", f"d.{number}")
    counter.record("token", "logplex", "d.0")
    counter.flush()
    first, second, *_ = unknown_tokens(redis_client.hgetall(UNKNOWN_TOKENS))
    assert (first.token_digest, first.count) == ("(other)", 30)
    assert second == UnknownToken(token_digest("d.0"), 2, second.last_s)


def test_a_scanner_s_token_is_not_kept(redis_client: redis.Redis) -> None:
    counter = FaultCounter(redis_client)
    counter.record("token", "other", "d.1")
    counter.flush()
    assert redis_client.hget(SENDER_FAULTS, "token other") == b"1"
    assert not redis_client.hexists(SENDER_FAULTS, "token other:token")
    assert not redis_client.exists(UNKNOWN_TOKENS)


def test_counts_wait_for_redis_and_are_handed_over_without_a_further_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fault_counter, "FLUSH_EVERY_S", 0.05)
    monkeypatch.setattr(fault_counter, "RETRY_AFTER_S", 0.1)
    with RedisServer() as server:
        store = redis.Redis.from_url(server.url)
        store.set(SENDER_FAULTS, "in the way")
        counter = FaultCounter(connect(Settings(redis_url=server.url), connections=1, timeout_s=1))
        counter.record("password", "logplex", "d.1")
        time.sleep(0.3)
        counter.record("password", "logplex", "d.2", count=2)
        store.delete(SENDER_FAULTS)
        wait_until(lambda: store.hget(SENDER_FAULTS, "password logplex") == b"3", "the counts")
        assert store.hget(SENDER_FAULTS, "password logplex:token") == token_digest("d.2").encode()
        store.close()


def test_an_answer_that_comes_too_late_counts_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fault_counter, "FLUSH_EVERY_S", 60)
    monkeypatch.setattr(fault_counter, "RETRY_AFTER_S", 60)
    with RedisServer() as server:
        client = redis.Redis.from_url(server.url)
        pid = int(cast(dict[str, int], client.info("server"))["process_id"])
        counter = FaultCounter(connect(Settings(redis_url=server.url), connections=1, timeout_s=0.3))
        counter.record("token", "logplex", "d.1")
        counter.flush()
        counter.record("token", "logplex", "d.1", count=3)
        with stopped(pid):
            counter.flush()
        wait_until(lambda: client.hget(SENDER_FAULTS, "token logplex") == b"4", "the late batch")
        counter.record("token", "logplex", "d.2", count=2)
        for _ in range(3):
            counter.flush()
        assert client.hget(SENDER_FAULTS, "token logplex") == b"6"
        found = {token.token_digest: token.count for token in unknown_tokens(client.hgetall(UNKNOWN_TOKENS))}
        assert found == {token_digest("d.1"): 4, token_digest("d.2"): 2}
        client.close()


def test_a_process_ends_although_redis_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fault_counter, "FLUSH_EVERY_S", 0.01)
    counter = FaultCounter(connect(Settings(redis_url="redis://127.0.0.1:1/0"), connections=1, timeout_s=0.2))
    counter.record("password", "logplex")

    def waiting() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]

    wait_until(lambda: any(thread.daemon for thread in waiting()), "the retry")
    monkeypatch.setattr(sender_faults, "record", lambda *counts: None)
    counter.flush()
