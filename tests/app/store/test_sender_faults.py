"""Counts of refused frames in Redis: bounded, of all processes together, and without a token in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
import redis

from app.store import replies
from app.store.keys import SENDER_FAULTS, UNKNOWN_TOKENS, sender_faults_taken, sender_faults_window
from app.store.sender_faults import (
    TAKEN_KEPT_S,
    UNKNOWN_TOKEN_KEPT_S,
    UNKNOWN_TOKENS_MAX,
    Batch,
    Kind,
    SenderKind,
    Tally,
    record,
    sender_faults,
    token_digest,
    unknown_tokens,
)
from servers.redis_server import RedisServer
from tests.support.sender_faults import record_faults

NOW_S = 1_800_000_000
TOKEN_FAULT: dict[tuple[Kind, SenderKind], Tally] = {("token", "logplex"): Tally(1, NOW_S)}


@pytest.fixture(params=["new", "old"])
def any_store(request: pytest.FixtureRequest, redis_client: redis.Redis) -> Iterator[redis.Redis]:
    """The system's Redis, and the oldest that is supported."""
    if request.param == "new":
        yield redis_client
        return
    server: RedisServer = request.getfixturevalue("old_redis_server")
    client = redis.Redis.from_url(server.url)
    client.flushall()
    yield client
    client.close()


def test_what_processes_hand_over_is_summed_and_the_last_one_s_token_stays(any_store: redis.Redis) -> None:
    record_faults(any_store, {("password", "logplex"): Tally(3, NOW_S - 5, "aaa")}, {}, NOW_S)
    record_faults(any_store, {("password", "logplex"): Tally(4, NOW_S, "")}, {}, NOW_S)
    record_faults(any_store, {("too_large", "other"): Tally(1, NOW_S - 9, "")}, {}, NOW_S)
    minute = replies.counts(any_store.hgetall(sender_faults_window(60, NOW_S // 60 * 60)))
    assert minute == {"password logplex": 7, "too_large other": 1}
    found = sender_faults(any_store.hgetall(SENDER_FAULTS), minute)
    assert [(fault.kind, fault.sender, fault.count_ever, fault.last_s) for fault in found] == [
        ("password", "logplex", 7, NOW_S),
        ("too_large", "other", 1, NOW_S - 9),
    ]
    assert [fault.token_digest for fault in found] == ["aaa", ""]
    assert not any_store.exists(UNKNOWN_TOKENS)


def test_a_batch_that_comes_again_counts_once(any_store: redis.Redis) -> None:
    tokens = {"aaa": Tally(3, NOW_S)}
    first = Batch("a", 1, {("token", "logplex"): Tally(3, NOW_S, "aaa")}, tokens)
    second = Batch("a", 2, {("token", "logplex"): Tally(1, NOW_S, "aaa")}, {"aaa": Tally(1, NOW_S)})
    for batch in (first, first, second, first, second, Batch("b", 1, first.faults, tokens)):
        record(any_store, batch, NOW_S)
    minute = replies.counts(any_store.hgetall(sender_faults_window(60, NOW_S // 60 * 60)))
    assert minute == {"token logplex": 7}
    assert any_store.hget(SENDER_FAULTS, "token logplex") == b"7"
    assert [token.count for token in unknown_tokens(any_store.hgetall(UNKNOWN_TOKENS))] == [7]
    assert 0 < any_store.ttl(sender_faults_taken("a")) <= TAKEN_KEPT_S


def test_the_least_frequent_of_too_many_unknown_tokens_go(any_store: redis.Redis) -> None:
    record_faults(any_store, TOKEN_FAULT, {"busy": Tally(30, NOW_S - 60)}, NOW_S)
    for batch in range(5):
        invented = {f"{batch}-{number}": Tally(1, NOW_S + batch) for number in range(100)}
        record_faults(any_store, TOKEN_FAULT, {**invented, "busy": Tally(1, NOW_S)}, NOW_S)
    found = unknown_tokens(any_store.hgetall(UNKNOWN_TOKENS))
    assert len(found) == UNKNOWN_TOKENS_MAX
    assert (found[0].token_digest, found[0].count, found[0].last_s) == ("busy", 35, NOW_S)
    assert any_store.hlen(UNKNOWN_TOKENS) == 2 * UNKNOWN_TOKENS_MAX


def test_a_token_that_is_not_seen_for_a_week_is_forgotten(any_store: redis.Redis) -> None:
    record_faults(any_store, TOKEN_FAULT, {"gone": Tally(9_000, NOW_S)}, NOW_S)
    later_s = NOW_S + UNKNOWN_TOKEN_KEPT_S + 1
    record_faults(any_store, TOKEN_FAULT, {"new": Tally(1, later_s)}, later_s)
    assert [token.token_digest for token in unknown_tokens(any_store.hgetall(UNKNOWN_TOKENS))] == ["new"]


def test_a_full_redis_still_counts(any_store: redis.Redis) -> None:
    any_store.set("other", b"x" * 1_000_000)
    any_store.config_set("maxmemory-policy", "noeviction")
    any_store.config_set("maxmemory", any_store.info("memory")["used_memory"] // 2)
    try:
        record_faults(any_store, {("password", "logplex"): Tally(3, NOW_S, "aaa")}, {}, NOW_S)
    finally:
        any_store.config_set("maxmemory", 0)
    assert any_store.hget(SENDER_FAULTS, "password logplex") == b"3"


@pytest.mark.parametrize("key", [SENDER_FAULTS, UNKNOWN_TOKENS])
def test_a_key_that_is_somebody_else_s_is_left_alone(any_store: redis.Redis, key: str) -> None:
    any_store.set(key, "theirs")
    with pytest.raises(redis.ResponseError, match="somebody else"):
        record_faults(any_store, {("token", "logplex"): Tally(3, NOW_S, "")}, {"a": Tally(3, NOW_S)}, NOW_S)
    assert any_store.keys() == [key.encode()]


def test_kinds_of_another_version_are_not_shown() -> None:
    answer = {b"password logplex": b"1", b"password logplex:at": b"5", b"later logplex": b"2", b"x": b"3"}
    assert [fault.kind for fault in sender_faults(answer, {})] == ["password"]


@pytest.mark.parametrize("token", ["d.8601b555-6a83-4c12-8269-97c8e32cdb22", "\xe9\ud800"])
def test_a_digest_is_what_the_runbook_s_command_prints(token: str) -> None:
    whole = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
    assert token_digest(token) == whole[:12]
    assert token_digest("") == ""
