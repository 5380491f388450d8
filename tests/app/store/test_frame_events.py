"""What a frame brings beside its router lines: kept once, bounded, and all of it or nothing."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import cast

import pytest
import redis

from app.store import frame_events, replies
from app.store.dead_letters import NewDeadLetter, dead_letter
from app.store.frame_events import MARKERS_REMEMBERED, Loss, record_once
from app.store.keys import COUNTS, DEAD_LETTERS, FRAME_EVENTS, LOSSES, loss_window
from tests.support.letters import count

NOW_S = 1_800_000_000
WINDOW = loss_window(60, NOW_S)


def letter(text: str = "x") -> NewDeadLetter:
    return dead_letter("line", "drain", "no syslog line", text.encode())


def hash_at(store: redis.Redis, key: str) -> dict[str, int]:
    found = cast(dict[bytes, bytes], store.hgetall(key))
    return {name.decode(): int(value) for name, value in found.items()}


@pytest.fixture
def full(store: redis.Redis) -> Iterator[redis.Redis]:
    """A Redis that takes no writes."""
    store.set("other", b"x" * 1_000_000)
    store.config_set("maxmemory-policy", "noeviction")
    store.config_set("maxmemory", store.info("memory")["used_memory"] // 2)
    yield store
    store.config_set("maxmemory", 0)


def test_a_frame_counts_once(store: redis.Redis) -> None:
    losses = [Loss("L10", 5), Loss("L10", 2), Loss("L12", 1)]
    assert record_once(store, "frame", "shop", losses, [letter()], NOW_S)
    assert not record_once(store, "frame", "shop", losses, [letter()], NOW_S)
    assert record_once(store, "other", "shop", [Loss("L10", 1)], [], NOW_S)
    assert replies.counts(store.hgetall(LOSSES)) == hash_at(store, WINDOW) == {"shop": 9}
    assert hash_at(store, COUNTS) == {"lost:L10": 8, "lost:L12": 1, "dead_letters": 1}
    assert count(store) == 1


def test_letters_alone_make_no_losses(store: redis.Redis) -> None:
    assert record_once(store, "frame", "shop", [], [letter()], NOW_S)
    assert not store.exists(LOSSES, WINDOW)


def test_guards_are_bounded_in_number_and_bytes(store: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_events, "MARKERS_REMEMBERED", 100)
    frames = [str(uuid.uuid4()) for _ in range(1_000)]
    for frame in frames:
        record_once(store, frame, "", [Loss("L10", 1)], [], NOW_S)
    assert store.scard(FRAME_EVENTS[0]) + store.scard(FRAME_EVENTS[1]) <= 200
    assert not any(record_once(store, frame, "", [Loss("L10", 1)], [], NOW_S) for frame in frames[-100:])
    assert 0 < store.ttl(FRAME_EVENTS[1]) <= frame_events.MARKER_KEPT_S
    assert not list(store.scan_iter("tailrace:aside:*"))


def test_all_guards_together_take_as_much_as_is_said(store: redis.Redis) -> None:
    pipeline = store.pipeline(transaction=False)
    for _ in range(2 * MARKERS_REMEMBERED):
        pipeline.sadd(FRAME_EVENTS[0], uuid.uuid4().bytes)
    pipeline.execute()
    taken = store.memory_usage(FRAME_EVENTS[0], samples=0) or 0
    assert 2_000_000 < taken < 3_500_000


def test_the_length_of_a_frame_id_costs_nothing(store: redis.Redis) -> None:
    record_once(store, "x" * 8_000, "", [Loss("L10", 1)], [], NOW_S)
    assert [len(guard) for guard in store.smembers(FRAME_EVENTS[0])] == [16]
    assert not record_once(store, "x" * 8_000, "", [Loss("L10", 1)], [], NOW_S)
    assert record_once(store, "x" * 7_999 + "y", "", [Loss("L10", 1)], [], NOW_S)


def test_counters_stay_at_their_end_and_everything_else_is_kept(store: redis.Redis) -> None:
    for frame in ("a", "b"):
        assert record_once(store, frame, "shop", [Loss("L10", 2**53)] * 3, [letter()], NOW_S)
    assert replies.counts(store.hgetall(LOSSES)) == hash_at(store, WINDOW) == {"shop": 2**53}
    assert hash_at(store, COUNTS) == {"lost:L10": 2**53, "dead_letters": 2}


def test_counters_that_an_older_version_drove_to_the_end_of_64_bits_are_no_fault(store: redis.Redis) -> None:
    end = 2**63 - 1
    store.hset(LOSSES, "shop", end)
    store.hset(COUNTS, "lost:L10", end)
    assert record_once(store, "frame", "shop", [Loss("L10", 1)], [letter()], NOW_S)
    assert replies.counts(store.hgetall(LOSSES)) == {"shop": end}
    assert hash_at(store, WINDOW) == {"shop": 1}
    assert count(store) == 1


@pytest.mark.parametrize("key", [LOSSES, WINDOW, COUNTS, DEAD_LETTERS, f"{DEAD_LETTERS}:account"])
@pytest.mark.parametrize("foreign", ["string", "list"])
def test_what_fails_writes_nothing_and_the_retry_counts_once(
    store: redis.Redis, key: str, foreign: str
) -> None:
    if foreign == "string":
        store.set(key, "somebody else's")
    else:
        store.rpush(key, "somebody else's")
    for _ in range(2):
        with pytest.raises(redis.ResponseError, match="somebody else"):
            record_once(store, "frame", "shop", [Loss("L10", 7)], [letter()], NOW_S)
        assert store.keys() == [key.encode()]
    store.delete(key)
    assert record_once(store, "frame", "shop", [Loss("L10", 7)], [letter()], NOW_S)
    assert not record_once(store, "frame", "shop", [Loss("L10", 7)], [letter()], NOW_S)
    assert replies.counts(store.hgetall(LOSSES)) == {"shop": 7}
    assert hash_at(store, COUNTS) == {"lost:L10": 7, "dead_letters": 1}


def test_a_full_redis_still_counts(full: redis.Redis) -> None:
    with pytest.raises(redis.RedisError):
        full.set("further", b"x")
    assert record_once(full, "frame", "shop", [Loss("L10", 7)], [letter()], NOW_S)
    assert not record_once(full, "frame", "shop", [Loss("L10", 7)], [letter()], NOW_S)
    assert replies.counts(full.hgetall(LOSSES)) == {"shop": 7}
    assert hash_at(full, COUNTS) == {"lost:L10": 7, "dead_letters": 1, "dead_letters_dropped": 1}
    assert count(full) == 0
