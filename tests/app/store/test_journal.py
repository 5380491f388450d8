"""Large batches: each step is short, each row is added once, whoever adds it."""

from __future__ import annotations

import random
from threading import Event
from typing import cast

import pytest
import redis

from app.errors import StaleBatch
from app.store import keys
from app.store.apply import Changes, apply, limits
from app.store.claims import OffsetsClaim, offsets_claim
from app.store.journal import PUSH_BYTES, UNITS_MAX_LEAST, UNITS_MAX_MOST, UNNAMED_S, Journal, StepCost
from app.store.rows import PORTION_UNITS, Row, portions
from tests.support import rows
from tests.support.reference import differences, hashes_in

POSITIONS = "tailrace:positions:g"
START = 1_800_000_000


def claim(at: int = 0) -> OffsetsClaim:
    return offsets_claim(POSITIONS, [(0, at, at + 1, at > 0)])


def row(route: str, windows: int = 3, fields: int = 40) -> Row:
    counts: dict[str | int, int] = {"n": 1, **dict.fromkeys(range(fields), 1)}
    return rows.row(
        route,
        service=rows.Times(5_000, 1, 5.0, dict.fromkeys(range(fields), 1)),
        statuses={"200": 1},
        mix={"count": 1, "bytes": 7},
        dynos={"web.1": 1},
        windows=[(10, START + 10 * number, counts) for number in range(windows)],
    )


def changes(rows: int = 200, **more: int) -> Changes:
    return Changes([row(f"/{at}", **more) for at in range(rows)], {"": rows}, {"messages": rows})


def journal(store: redis.Redis, routes_max: int = 500) -> Journal:
    return Journal(store, "g", limits(routes_max))


def left(store: redis.Redis) -> int:
    return store.llen(keys.journal("g"))


def counted(store: redis.Redis) -> int:
    digests = cast(list[bytes], store.hvals("routes"))
    return sum(int(store.hget(f"tailrace:{digest.decode()}:mix", "count") or 0) for digest in digests)


def test_a_large_batch_settles_at_once_and_leaves_the_rest_in_the_journal(store: redis.Redis) -> None:
    rest = journal(store)
    assert apply(store, "g", claim(), changes(), 500, rest)
    assert rest.left == left(store) > 10
    assert store.hget(POSITIONS, "0") == b"1"
    assert store.hget("tailrace:group:g", "messages") == b"200"
    assert 0 < counted(store) < 200
    rest.finish()
    assert left(store) == 0
    assert counted(store) == 200


def test_a_small_batch_needs_no_journal(store: redis.Redis) -> None:
    rest = journal(store)
    assert apply(store, "g", claim(), changes(5), 500, rest)
    assert rest.left == left(store) == 0
    assert counted(store) == 5


def test_in_portions_or_at_once_the_figures_are_the_same(store: redis.Redis) -> None:
    rest = journal(store, routes_max=40)
    rest.cost.units_max = UNITS_MAX_LEAST
    apply(store, "g", claim(), changes(60, windows=70), 40, rest)
    rest.finish()
    found = hashes_in(store)
    store.flushall()
    whole = journal(store, routes_max=40)
    whole.cost.units_max = 10**9
    apply(store, "g", claim(), changes(60, windows=70), 40, whole)
    assert whole.left == 0
    assert differences(found, hashes_in(store)) == []


def test_what_a_killed_worker_left_is_added_once_by_the_next(store: redis.Redis) -> None:
    apply(store, "g", claim(), changes(), 500, journal(store))
    assert counted(store) < 200
    with pytest.raises(StaleBatch):
        apply(store, "g", claim(), changes(), 500, journal(store))
    others = [journal(store) for _ in range(3)]
    turns = 0
    while left(store):
        others[turns % 3].recover()
        others[turns % 3]._recover_at_s = 0.0
        turns += 1
    assert turns > 3
    assert counted(store) == 200


def test_a_stop_leaves_the_rest_and_a_keepalive_is_called_after_each_step(store: redis.Redis) -> None:
    rest, stop, calls = journal(store), Event(), []

    def keepalive() -> None:
        calls.append(left(store))
        if len(calls) == 2:
            stop.set()

    apply(store, "g", claim(), changes(), 500, rest)
    rest.finish(keepalive, stop)
    assert len(calls) == 2
    assert rest.left == calls[-1] > 0


def test_a_full_redis_keeps_the_portion_whole(store: redis.Redis) -> None:
    rest = journal(store)
    apply(store, "g", claim(), changes(), 500, rest)
    before = {key: store.dump(key) for key in store.scan_iter()}
    store.config_set("maxmemory", 1)
    try:
        with pytest.raises(redis.RedisError, match=r"OOM|memory"):
            rest.finish()
        assert {key: store.dump(key) for key in store.scan_iter()} == before
    finally:
        store.config_set("maxmemory", 0)
    rest.finish()
    assert counted(store) == 200


def large_changes() -> Changes:
    """About 3 MB of portions."""
    return changes(600, windows=30, fields=100)


def kept_lists(store: redis.Redis) -> list[bytes]:
    """Keys of the lists that batches keep beside the journal."""
    return list(store.scan_iter(keys.journal_part("g", "*")))


def test_the_settling_step_takes_few_portions_with_it_however_many_there_are(store: redis.Redis) -> None:
    # 6,600 portions, 15 MB, in the step that settles kept Redis for 110 ms and more.
    rest = journal(store)
    pushed = sum(map(len, portions(large_changes().rows)))
    assert pushed > 2.5 * PUSH_BYTES
    assert apply(store, "g", claim(), large_changes(), 500, rest)
    (key,) = kept_lists(store)
    assert store.ttl(key) == -1
    beside = sum(map(len, cast(list[bytes], store.lrange(key, 0, -1))))
    assert pushed - PUSH_BYTES <= beside < pushed
    assert rest.left == left(store) > 0
    rest.finish()
    assert left(store) == 0
    assert counted(store) == 600
    assert not kept_lists(store)


def test_with_a_list_beside_the_journal_the_figures_are_the_same(
    store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for push_bytes in (20_000, 10**9):
        monkeypatch.setattr("app.store.journal.PUSH_BYTES", push_bytes)
        apply(store, "g", claim(), changes(60, windows=70), 40)
        found.append(hashes_in(store))
        store.flushall()
    assert differences(*found) == []


def test_two_workers_of_which_one_is_killed_add_each_portion_beside_the_journal_once(
    store: redis.Redis,
) -> None:
    apply(store, "g", claim(), large_changes(), 1_000, journal(store, 1_000))
    apply(store, "g", claim(1), large_changes(), 1_000, journal(store, 1_000))
    assert len(kept_lists(store)) == 2
    heir = journal(store, 1_000)
    while left(store):
        heir.recover()
        heir._recover_at_s = 0.0
    assert counted(store) == 1_200
    assert not kept_lists(store)


def test_a_batch_that_is_not_settled_leaves_no_list(store: redis.Redis) -> None:
    apply(store, "g", claim(), changes(1), 500)
    with pytest.raises(StaleBatch):
        apply(store, "g", claim(), large_changes(), 500, journal(store))
    assert not kept_lists(store)
    key = journal(store).keep([b"1 2 []"])
    assert 0 < store.ttl(key) <= UNNAMED_S


def test_a_batch_whose_list_is_gone_is_not_settled(
    store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As when Redis is replaced by an older copy of itself in between.
    rest = journal(store)
    monkeypatch.setattr(rest, "keep", lambda some: keys.journal_part("g", "gone"))
    with pytest.raises(redis.ResponseError, match="not there any more"):
        apply(store, "g", claim(), large_changes(), 500, rest)
    assert not store.exists(POSITIONS, keys.journal("g"))
    monkeypatch.undo()
    assert apply(store, "g", claim(), large_changes(), 500, rest)


def test_no_portion_costs_much_more_than_its_share() -> None:
    rng = random.Random(1)
    some = [row(f"/{at}", rng.choice((0, 1, 30, 400)), rng.choice((1, 90))) for at in range(100)]
    units = [int(portion.partition(b" ")[0]) for portion in portions(some)]
    assert max(units) <= PORTION_UNITS
    assert sum(units) > 50 * PORTION_UNITS


def test_steps_grow_and_shrink_with_what_they_took() -> None:
    cost = StepCost()
    for _ in range(8):
        cost.note(4_000, 0.004)
    assert cost.units_max == UNITS_MAX_MOST
    for _ in range(8):
        cost.note(4_000, 0.024)
    assert cost.units_max == 2_000
    for _ in range(8):
        cost.note(4_000, 3.0)
    assert cost.units_max == UNITS_MAX_LEAST
    cost.note(1, 9.0)  # Too small to tell.
    assert cost.units_max == UNITS_MAX_LEAST


def test_windows_that_are_full_already_make_a_step_shorter(store: redis.Redis) -> None:
    # Cheap steps raise what one may cost; then each new line falls into a window of 3,000 fields.
    rest = journal(store)
    held: dict[str | int, int] = {"n": 1, **dict.fromkeys(map(str, range(3_000)), 1)}
    full = rows.row("/full", windows=[(10, START + 10 * at, held) for at in range(120)])
    apply(store, "g", claim(), Changes([full], {}, {}), 500)
    rest.cost.units_max = UNITS_MAX_MOST
    thin = row("/full", windows=120, fields=1)
    apply(store, "g", claim(1), Changes([thin], {}, {}), 500, rest)
    # 15 windows a portion; eight portions in one step took Redis 133 ms.
    assert len(list(portions([thin]))) - rest.left <= 2
    rest.finish()
    assert store.hget(f"tailrace:{keys.digest('/full')}:mix", "count") == b"2"
