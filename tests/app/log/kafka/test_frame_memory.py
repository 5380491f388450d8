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


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


def test_a_frame_is_a_block_for_each_512_of_its_messages(redis_client: redis.Redis) -> None:
    memory = loaded(redis_client)
    is_new = memory.of(0)
    for index in (0, 1, 511, 512, 1_023, 1_024):
        assert is_new("f", index)
    assert memory.changes([0]) == [
        {
            "key": SEEN,
            "turn": False,
            "frames": {
                "0:f": f"{1 << 511 | 3:x}",
                "1:f": f"{1 << 511 | 1:x}",
                "2:f": "1",
            },
        }
    ]


def test_a_batch_writes_what_it_has_changed_and_nothing_else(redis_client: redis.Redis) -> None:
    memory = loaded(redis_client)
    memory.of(0)("a", 1)
    keep(redis_client, memory)
    is_new = memory.of(0)
    assert not is_new("a", 1)
    assert memory.changes([0])[0]["frames"] == {}
    assert is_new("a", 2)
    assert memory.changes([0])[0]["frames"] == {"0:a": "6"}


def test_a_generation_is_full_at_its_number_of_blocks(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_memory, "BLOCKS_PER_GENERATION", 2)
    memory = loaded(redis_client)
    turns = []
    for number in range(5):
        memory.of(0)(f"f{number}", 0)
        turns.append(memory.changes([0])[0]["turn"])
        keep(redis_client, memory)
        assert memory.changes([0]) == [{"key": SEEN, "turn": False, "frames": {}}]
    assert turns == [False, False, True, False, True]


def test_partitions_do_not_know_of_each_other(redis_client: redis.Redis) -> None:
    memory = FrameMemory(redis_client, "g")
    memory.load([0, 3])
    assert memory.of(0)("f", 0)
    assert memory.of(3)("f", 0)
    assert [change["key"] for change in memory.changes([3, 0])] == ["tailrace:seen:g:3", SEEN]
    assert settle(redis_client, offsets_claim("p", [], memory.changes([0, 3])))
    again = FrameMemory(redis_client, "g")
    again.load(iter([3]))
    assert not again.of(3)("f", 0)
    for partitions in ([0, 3, 5], [5, 0, 3], [3, 5, 0]):
        several = FrameMemory(redis_client, "g")
        several.load(partitions)
        assert [several.of(partition)("f", 0) for partition in (0, 3, 5)] == [False, False, True]
    with pytest.raises(KeyError):
        again.of(0)


def test_what_is_forgotten_is_read_anew(redis_client: redis.Redis) -> None:
    memory = loaded(redis_client)
    memory.forget(7)
    memory.of(0)("f", 0)
    memory.forget(0)
    with pytest.raises(KeyError):
        memory.of(0)
    memory.load([0])
    assert memory.of(0)("f", 0)
