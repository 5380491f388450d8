"""The dead letters: kept with the reason, bounded in bytes and number, and counted for ever."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from typing import cast

import pytest
import redis

from app.store.dead_letters import (
    DEAD_LETTERS_MAX,
    DEAD_LETTERS_MAX_BYTES,
    SHARE_OF_MAXMEMORY,
    STEP_LETTERS,
    VALUE_MAX_BYTES,
    NewDeadLetter,
    arguments,
    dead_letter,
    drop,
    enforce_limit,
    limit_bytes,
    newest_id,
    read,
)
from app.store.keys import DEAD_LETTERS
from app.store.keys import DEAD_LETTERS_ACCOUNT as ACCOUNT
from servers.processes import wait_until
from tests.support.letters import add, count

MAXMEMORY = 50_000_000
LIMIT = int(MAXMEMORY * SHARE_OF_MAXMEMORY)


@pytest.fixture
def small(store: redis.Redis) -> Iterator[redis.Redis]:
    """A Redis with a limit, which refuses writes when it is full."""
    store.config_set("maxmemory", MAXMEMORY)
    store.config_set("maxmemory-policy", "noeviction")
    yield store
    store.flushall()
    store.config_set("maxmemory", 0)


def large(number: int) -> NewDeadLetter:
    return dead_letter("line", "drain", f"{number:05}", bytes([number % 256]) * VALUE_MAX_BYTES)


def add_old(store: redis.Redis, number: int, value: bytes) -> None:
    """A letter as versions without an account wrote it."""
    fields = {
        "kind": "line",
        "source": "drain",
        "reason": str(number),
        "value": base64.b64encode(value).decode(),
        "bytes": str(len(value)),
        "app": "shop",
    }
    store.xadd(DEAD_LETTERS, cast(dict[redis.typing.FieldT, redis.typing.EncodableT], fields))


def account(store: redis.Redis) -> dict[str, int]:
    found = cast(dict[bytes, bytes], store.hgetall(ACCOUNT))
    return {name.decode(): int(value) for name, value in found.items() if name != b"upto"}


def counts(store: redis.Redis) -> dict[str, int]:
    found = cast(dict[bytes, bytes], store.hgetall("tailrace:counts"))
    return {name.decode(): int(value) for name, value in found.items()}


def reasons(store: redis.Redis) -> list[int]:
    return [int(letter.reason) for letter in read(store)]


def taken(store: redis.Redis) -> int:
    """Bytes of Redis's memory that the letters take."""
    return store.memory_usage(DEAD_LETTERS, samples=0) or 0


def wait_for_the_disk(store: redis.Redis) -> None:
    """Until what waits to be written to the append-only file, which Redis does not count, is written."""
    wait_until(lambda: store.info("memory")["mem_not_counted_for_evict"] < 10_000, "an empty buffer")


def fill_up(store: redis.Redis) -> None:
    """Other keys, until Redis takes no more. What it needs itself goes up and down a little."""
    wait_for_the_disk(store)
    for turn, size in enumerate((20_000, 20_000, 1_000, 100)):
        taken = refused = 0
        while refused < 30:
            assert taken < 10_000
            try:
                store.set(f"filling:{turn}:{taken}", b"x" * size)
                taken += 1
            except redis.RedisError:
                refused += 1
                time.sleep(0.01)


def test_a_letter_is_read_as_it_was_added(store: redis.Redis) -> None:
    value = bytes(range(256))
    add(store, [dead_letter("line", "drain", "no syslog line", value, "shop")])
    (found,) = read(store)
    assert (found.kind, found.source, found.reason, found.app) == ("line", "drain", "no syslog line", "shop")
    assert found.value == value
    assert found.is_complete
    assert found.time_ms > 1_700_000_000_000
    assert newest_id(store) == found.id


def test_a_long_value_is_cut_and_says_so(redis_client: redis.Redis) -> None:
    add(redis_client, [dead_letter("body", "drain", "r" * 900, b"x" * (VALUE_MAX_BYTES + 1))])
    (found,) = read(redis_client)
    assert len(found.value) == VALUE_MAX_BYTES
    assert found.bytes_before_cut == VALUE_MAX_BYTES + 1
    assert not found.is_complete
    assert len(found.reason) == 500


def test_many_letters_are_read_in_order_and_by_id(redis_client: redis.Redis) -> None:
    add(redis_client, [dead_letter("line", "drain", str(number), b"") for number in range(450)])
    found = list(read(redis_client))
    assert [letter.reason for letter in found] == [str(number) for number in range(450)]
    assert list(read(redis_client, found[7].id, found[7].id)) == [found[7]]
    assert newest_id(redis_client) == found[-1].id


def test_dropped_letters_are_gone_and_still_counted_ever(store: redis.Redis) -> None:
    add(store, [dead_letter("line", "drain", "", b"") for _ in range(3)])
    ids = [letter.id for letter in read(store)]
    assert drop(store, ids[:2]) == 2
    assert drop(store, ids[:2]) == 0
    assert drop(store, []) == 0
    assert count(store) == account(store)["kept"] == 1
    assert counts(store) == {"dead_letters": 3}, "what somebody drops is not what the bound drops"
    assert drop(store, ids) == 1
    assert account(store) == {"kept": 0, "bytes": 0}
    assert newest_id(store) == ""


def test_the_oldest_go_when_there_are_too_many(store: redis.Redis) -> None:
    further = 40
    add(store, [dead_letter("line", "drain", str(number), b"") for number in range(DEAD_LETTERS_MAX)])
    add(
        store,
        [dead_letter("line", "drain", str(DEAD_LETTERS_MAX + number), b"") for number in range(further)],
    )
    assert count(store) == DEAD_LETTERS_MAX
    assert reasons(store) == list(range(further, DEAD_LETTERS_MAX + further))
    assert counts(store) == {
        "dead_letters": DEAD_LETTERS_MAX + further,
        "dead_letters_dropped": further,
    }


def test_the_oldest_go_when_they_take_too_many_bytes(small: redis.Redis) -> None:
    for at in range(0, 400, 50):
        add(small, [large(number) for number in range(at, at + 50)])
    kept = count(small)
    assert LIMIT - 2 * VALUE_MAX_BYTES < account(small)["bytes"] <= LIMIT
    assert reasons(small) == list(range(400 - kept, 400)), "the newest are kept"
    assert counts(small) == {"dead_letters": 400, "dead_letters_dropped": 400 - kept}
    assert taken(small) < LIMIT * 1.1, "the account is about right"


@pytest.mark.parametrize("size", [0, 10, 300, 9_000, VALUE_MAX_BYTES])
def test_the_account_is_about_what_redis_takes(store: redis.Redis, size: int) -> None:
    add(store, [dead_letter("line", "drain", "why", b"x" * size) for _ in range(300)])
    # Redis's allocator rounds up, by a quarter at most.
    assert taken(store) <= account(store)["bytes"] * 1.25


def test_without_a_maxmemory_a_fixed_bound_holds() -> None:
    assert limit_bytes(0) == DEAD_LETTERS_MAX_BYTES
    assert limit_bytes(MAXMEMORY) == LIMIT
    assert limit_bytes(10**12) == DEAD_LETTERS_MAX_BYTES


def test_a_full_redis_keeps_new_letters_in_the_room_of_old_ones(small: redis.Redis) -> None:
    add(small, [large(number) for number in range(50)])
    fill_up(small)
    add(small, [large(50 + number) for number in range(20)])
    assert reasons(small) == list(range(20, 70))
    assert counts(small) == {"dead_letters": 70, "dead_letters_dropped": 20}


def test_a_full_redis_without_letters_takes_none_and_counts_them(small: redis.Redis) -> None:
    fill_up(small)
    add(small, [large(number) for number in range(3)])
    assert reasons(small) == []
    assert counts(small) == {"dead_letters": 3, "dead_letters_dropped": 3}


def test_more_than_one_step_takes_is_counted_as_dropped(redis_client: redis.Redis) -> None:
    sent = arguments((large(number) for number in range(1_000)), 1_000)
    assert sent[0] == 1_000 - (len(sent) - 1) // 6
    assert sum(len(value) for value in sent if isinstance(value, bytes)) <= 1_000_000
    empty = dead_letter("line", "drain", "", b"")
    assert arguments([empty] * 1_000, 1_000)[0] == 1_000 - STEP_LETTERS
    assert arguments([], 0) == [0]


# --- letters of versions without an account ------------------------------------------------


def test_letters_of_an_older_version_are_read_dropped_and_count(store: redis.Redis) -> None:
    value = bytes(range(256))
    for number in range(40):
        add_old(store, number, value)
    old = list(read(store))
    assert {(letter.value, letter.is_complete, letter.app) for letter in old} == {(value, True, "shop")}
    add(store, [dead_letter("line", "drain", "40", value)])
    assert reasons(store) == list(range(41))
    assert account(store)["kept"] == 41
    assert account(store)["bytes"] > 41 * len(value)
    assert drop(store, [letter.id for letter in old]) == 40
    assert reasons(store) == [40]
    assert account(store)["kept"] == 1


def test_a_redis_full_of_old_letters_finds_room_by_itself(store: redis.Redis) -> None:
    for number in range(450):
        add_old(store, number, b"x" * 65_536)
    wait_for_the_disk(store)
    maxmemory = store.info("memory")["used_memory"] * 3 // 4
    store.config_set("maxmemory", maxmemory)
    limit = limit_bytes(maxmemory)
    try:
        with pytest.raises(redis.RedisError):
            store.set("other", b"x" * 1_000)
        enforce_limit(store)
        kept = count(store)
        assert limit - 100_000 < account(store)["bytes"] <= limit
        assert reasons(store) == list(range(450 - kept, 450))
        assert counts(store) == {"dead_letters_dropped": 450 - kept}
        store.set("other", b"x" * 1_000_000)
    finally:
        store.config_set("maxmemory", 0)


def test_no_step_takes_long_however_many_old_letters_there_are(store: redis.Redis) -> None:
    for number in range(300):
        add_old(store, number, b"x" * 65_536)
    add(store, [dead_letter("line", "drain", "300", b"")])
    assert account(store)["bytes"] < 3_000_000, "one call counts about a megabyte"
    for number in range(301, 340):
        add(store, [dead_letter("line", "drain", str(number), b"")])
    assert account(store)["kept"] == count(store) == 340
    assert reasons(store) == list(range(340))


def test_an_older_version_beside_this_one_does_not_upset_the_account(store: redis.Redis) -> None:
    add(store, [dead_letter("line", "drain", "0", b"x")])
    add_old(store, 1, b"x")
    add(store, [dead_letter("line", "drain", "2", b"x")])
    assert account(store)["kept"] == 3
    ids = [letter.id for letter in read(store)]
    store.xdel(DEAD_LETTERS, *ids[:2])
    add(store, [dead_letter("line", "drain", "3", b"x")])
    assert (account(store)["kept"], reasons(store)) == (2, [2, 3])
    store.delete(DEAD_LETTERS)
    add(store, [dead_letter("line", "drain", "4", b"x")])
    assert (account(store)["kept"], reasons(store)) == (1, [4])


def test_an_entry_without_its_fields_is_read_as_empty(redis_client: redis.Redis) -> None:
    redis_client.xadd(DEAD_LETTERS, {"some": "thing"})
    (found,) = read(redis_client)
    assert (found.kind, found.value, found.is_complete) == ("", b"", True)


def test_a_stream_of_somebody_else_is_refused_before_anything_is_written(store: redis.Redis) -> None:
    store.set(DEAD_LETTERS, "somebody else's")
    for attempt in (
        lambda: add(store, [dead_letter("line", "drain", "", b"")]),
        lambda: enforce_limit(store),
        lambda: drop(store, ["1-1"]),
    ):
        with pytest.raises(redis.ResponseError, match="somebody else"):
            attempt()
    assert store.keys() == [DEAD_LETTERS.encode()]
