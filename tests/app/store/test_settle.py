"""The atomic step by itself: a claim is recorded once, or refused without a trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest
import redis

from app.errors import StaleBatch
from app.store.apply import Changes, apply
from app.store.claims import (
    Claim,
    EntriesClaim,
    OffsetsClaim,
    SeenFrames,
    Span,
    entries_claim,
    offsets_claim,
)
from app.store.settle import settle

POSITIONS = "tailrace:positions:g"


def offsets(*spans: Span, seen: Sequence[SeenFrames] = (), lost: int = 0) -> OffsetsClaim:
    return offsets_claim(POSITIONS, spans, seen, totals="totals", lost=lost)


def entries(store: redis.Redis, count: int, consumer: str = "c") -> EntriesClaim:
    """A claim on as many entries of a stream, read by a consumer that holds a lease."""
    if not store.exists("log"):
        store.xgroup_create("log", "g", "0", mkstream=True)
    ids = [cast(bytes, store.xadd("log", {"f": "x"})) for _ in range(count)]
    store.xreadgroup("g", consumer, {"log": ">"})
    store.set(f"lease:{consumer}", "1", px=5_000)
    return entries_claim(
        stream="log",
        meta="meta",
        gone="meta:gone:g",
        settled="meta:settled:g",
        group="g",
        consumer=consumer,
        lease=f"lease:{consumer}",
        lease_ms=15_000,
        ids=[entry_id.decode() for entry_id in ids],
        messages=10 * count,
    )


def everything(store: redis.Redis) -> dict[bytes, bytes | None]:
    return {key: store.dump(key) for key in store.scan_iter()}


def assert_stale(store: redis.Redis, claim: Claim) -> None:
    before = everything(store)
    with pytest.raises(StaleBatch):
        settle(store, claim)
    assert everything(store) == before


def test_offsets_move_from_where_they_are_to_where_the_batch_ends(store: redis.Redis) -> None:
    store.hset(POSITIONS, mapping={"0": "5", "1": "7", "2": "9"})
    assert settle(store, offsets((0, 5, 8, True), (1, 7, 9_007_199_254_740_991, True))) is True
    assert store.hgetall(POSITIONS) == {b"0": b"8", b"1": b"9007199254740991", b"2": b"9"}


def test_one_partition_that_is_elsewhere_makes_all_of_the_batch_stale(store: redis.Redis) -> None:
    store.hset(POSITIONS, mapping={"0": "5", "1": "8"})
    assert_stale(store, offsets((0, 5, 8, True), (1, 7, 12, True)))


def test_offsets_are_settled_once(store: redis.Redis) -> None:
    store.hset(POSITIONS, "0", "5")
    settle(store, offsets((0, 5, 8, True)))
    assert_stale(store, offsets((0, 5, 8, True)))


def test_offsets_of_a_redis_that_was_cleared_are_fresh(store: redis.Redis) -> None:
    assert settle(store, offsets((0, 5, 8, True))) is False
    assert store.hgetall(POSITIONS) == {b"0": b"8"}


def test_offsets_that_redis_never_held_are_no_sign_that_it_was_cleared(store: redis.Redis) -> None:
    assert settle(store, offsets((0, 5, 8, False))) is True


def test_the_memory_of_frames_turns_and_grows_in_the_same_step(store: redis.Redis) -> None:
    store.hset("m:new", "0:a", "1")
    seen: list[SeenFrames] = [{"key": "m", "turn": True, "frames": {"0:b": "f"}}]
    settle(store, offsets((0, 0, 1, False), seen=seen))
    assert store.hgetall("m:old") == {b"0:a": b"1"}
    assert store.hgetall("m:new") == {b"0:b": b"f"}
    assert_stale(store, offsets((0, 0, 1, False), seen=seen))


def test_what_expired_unread_is_counted_once_and_only_where_the_batch_is_settled(store: redis.Redis) -> None:
    claim = offsets((0, 0, 40, False), lost=13)
    settle(store, claim)
    assert_stale(store, claim)
    assert store.hget("totals", "lost") == b"13"


def test_a_key_that_someone_else_uses_does_not_keep_a_settled_batch_from_counting(store: redis.Redis) -> None:
    for key in ("totals", "m:new", "meta", "gone"):
        store.set(key, "someone else's")
    seen: list[SeenFrames] = [{"key": "m", "turn": False, "frames": {"0:b": "f"}}]
    settle(store, offsets((0, 0, 40, False), seen=seen, lost=13))
    assert store.hget(POSITIONS, "0") == b"40"
    assert settle(store, entries(store, 3)) is True
    assert store.xpending("log", "g")["pending"] == 0


def test_entries_are_acknowledged_and_the_lease_is_renewed(store: redis.Redis) -> None:
    claim = entries(store, 2_500)
    assert settle(store, claim) is True
    assert store.xpending("log", "g")["pending"] == 0
    assert store.hget("meta", "read:g") == b"25000"
    assert store.pttl("lease:c") > 10_000


def test_entries_are_settled_once(store: redis.Redis) -> None:
    claim = entries(store, 3)
    settle(store, claim)
    assert_stale(store, claim)


def test_without_a_lease_the_batch_is_stale(store: redis.Redis) -> None:
    claim = entries(store, 3)
    store.delete("lease:c")
    assert_stale(store, claim)


@pytest.mark.parametrize("moved", [0, 1, 2])
def test_one_entry_that_someone_else_holds_makes_all_of_the_batch_stale(
    store: redis.Redis, moved: int
) -> None:
    claim = entries(store, 3)
    store.xclaim("log", "g", "other", 0, [claim["ids"][moved]])
    assert_stale(store, claim)


def test_entries_that_wait_between_those_of_the_batch_make_it_stale(store: redis.Redis) -> None:
    claim = entries(store, 3)
    claim["ids"].pop(1)
    assert_stale(store, claim)


def test_entries_of_the_same_consumer_before_and_after_the_batch_do_not_matter(store: redis.Redis) -> None:
    before, claim, after = entries(store, 2), entries(store, 3), entries(store, 2)
    assert settle(store, claim) is True
    assert settle(store, before) is True
    assert settle(store, after) is True


def test_without_the_group_or_the_stream_the_batch_is_stale(store: redis.Redis) -> None:
    claim = entries(store, 3)
    store.xgroup_destroy("log", "g")
    assert_stale(store, claim)
    store.delete("log")
    assert_stale(store, claim)


def test_trimmed_entries_that_are_settled_after_all_are_not_noted_as_gone_any_more(
    store: redis.Redis,
) -> None:
    claim = entries(store, 3)
    store.xdel("log", claim["ids"][1])
    store.hset("meta:gone:g", claim["ids"][1], "10")
    assert settle(store, claim) is True
    assert not store.exists("meta:gone:g")


def test_a_script_that_redis_has_forgotten_is_sent_again(store: redis.Redis) -> None:
    settle(store, offsets((0, 0, 1, False)))
    store.script_flush()
    assert settle(store, offsets((0, 1, 2, True))) is True


@pytest.mark.parametrize("kind", ["sequence", "", None, 5])
def test_a_kind_of_claim_that_the_step_does_not_know_is_refused_and_changes_nothing(
    store: redis.Redis, kind: object
) -> None:
    claim = cast(Claim, {**entries(store, 2), **offsets((0, 0, 1, False)), "kind": kind})
    before = everything(store)
    with pytest.raises(redis.ResponseError, match="unknown kind of claim"):
        settle(store, claim)
    with pytest.raises(redis.ResponseError, match="unknown kind of claim"):
        apply(store, "g", claim, Changes(rows=[], apps={"shop": 1}, totals={}), 500)
    assert everything(store) == before


def test_a_claim_without_a_kind_is_refused(store: redis.Redis) -> None:
    claim = dict(entries(store, 2))
    del claim["kind"]
    with pytest.raises(redis.ResponseError, match="unknown kind of claim"):
        settle(store, cast(Claim, claim))
