"""The memory of frames seen, against a set that never forgets."""

from __future__ import annotations

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.log.kafka import frame_memory
from app.log.kafka.frame_memory import FrameMemory
from app.store.claims import offsets_claim
from app.store.settle import settle

SEEN = "tailrace:seen:g:0"


def keep(store: redis.Redis, memory: FrameMemory) -> None:
    """Settles what the memory has noted, as a batch does."""
    assert settle(store, offsets_claim("p", [], memory.changes([0])))
    memory.settled()


def loaded(store: redis.Redis) -> FrameMemory:
    memory = FrameMemory(store, "g")
    memory.load([0])
    return memory


_reads = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 1_100)), max_size=30)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(_reads, st.booleans()), max_size=8))
def test_each_line_is_new_once_whatever_the_batches_and_the_readers(
    redis_client: redis.Redis, batches: list[tuple[list[tuple[str, int]], bool]]
) -> None:
    redis_client.flushall()
    seen: set[tuple[str, int]] = set()
    memory = loaded(redis_client)
    for reads, is_restarted in batches:
        is_new = memory.of(0)
        for frame_id, index in reads:
            assert is_new(frame_id, index) is ((frame_id, index) not in seen)
            seen.add((frame_id, index))
        keep(redis_client, memory)
        if is_restarted:
            memory = loaded(redis_client)


def test_what_was_not_settled_is_new_to_the_next_reader(redis_client: redis.Redis) -> None:
    assert loaded(redis_client).of(0)("a", 1)
    assert loaded(redis_client).of(0)("a", 1)


def test_a_generation_turns_and_the_last_one_is_still_known(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_memory, "BLOCKS_PER_GENERATION", 3)
    memory = loaded(redis_client)
    for number in range(10):
        assert memory.of(0)(f"f{number}", 0)
        keep(redis_client, memory)
    for known in (memory, loaded(redis_client)):
        is_new = known.of(0)
        assert [is_new(f"f{number}", 0) for number in range(7, 10)] == [False] * 3
    assert redis_client.hlen(f"{SEEN}:new") <= 3
    assert redis_client.hlen(f"{SEEN}:old") == 3


def test_a_frame_that_goes_on_after_the_turn_keeps_what_was_seen_of_it(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_memory, "BLOCKS_PER_GENERATION", 2)
    memory = loaded(redis_client)
    for frame_id in ("a", "b"):
        memory.of(0)(frame_id, 0)
    keep(redis_client, memory)
    memory.of(0)("a", 1)
    keep(redis_client, memory)
    is_new = loaded(redis_client).of(0)
    assert [is_new("a", index) for index in range(3)] == [False, False, True]


def test_frame_ids_with_any_characters_are_told_apart(redis_client: redis.Redis) -> None:
    is_new = loaded(redis_client).of(0)
    assert is_new("1:a", 0)
    assert is_new("a", 512)
    assert is_new("a:1", 0)
    assert is_new("", 3)
    assert not is_new("a", 512)


def test_a_huge_index_costs_no_memory(redis_client: redis.Redis) -> None:
    memory = loaded(redis_client)
    assert memory.of(0)("a", 999_999_999)
    (change,) = memory.changes([0])
    assert len(str(change)) < 300
