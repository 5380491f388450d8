"""Events are kept once each, in whatever order and however often they come; the tables stay small."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.platform.facts import Event
from app.store import apply as apply_module
from app.store import keys
from app.store.apply import Changes, apply, limits
from app.store.bounds import EVENTS_KEPT_S, EVENTS_MAX_BYTES
from app.store.claims import offsets_claim
from app.store.event_rows import EVENT_TIMES, META, TABLES, event_parts, unpack
from app.store.journal import Journal
from app.store.platform_rows import PlatformRow
from app.store.rows import PORTION_UNITS, Added, Row, portions
from app.store.settle import read_lua
from servers.redis_server import RedisServer
from tests.support.platform_events import (
    add,
    contents,
    moments,
    over_memory,
    released,
    scaled,
    size_of,
    stored,
    up,
)
from tests.support.reference import differences, hashes_in

NOW_S = int(time.time()) // 600 * 600
NOW_MS = NOW_S * 1000
BEFORE_PLATFORM = (Path(__file__).parent / "golden" / "rows_before_platform.lua").read_text("utf-8")
"""What added rows before there were any of the platform."""


def test_an_event_is_kept_with_all_that_it_says(store: redis.Redis) -> None:
    said = [
        Event("deploy", NOW_MS - 3, "Deploy 9154a1d2", commit="9154a1d2", user="a@example.com"),
        Event("config", NOW_MS - 2, "Set A, B config vars", names=("A", "B")),
        Event("exit", NOW_MS - 1, "Process exited with status 0", "web.1", status=0),
        Event("error", NOW_MS, "Error R14 (Memory quota exceeded)", "web.1", code="R14"),
    ]
    add(store, {"shop": said}, NOW_S)
    found = [row.event for table in TABLES for row in stored(store, "shop", table)]
    assert sorted(found, key=lambda event: event.at_ms) == said


def test_each_app_and_each_kind_of_table_has_its_own(store: redis.Redis) -> None:
    of_dyno = replace(up(NOW_MS), kind="other", text="Stopping all processes with SIGTERM")
    add(store, {"shop": [released(NOW_MS, 2), scaled(NOW_MS), of_dyno], "": [up(NOW_MS)]}, NOW_S)
    counts = {
        (app, table): len(stored(store, app, table)) for app in ("shop", "", "blog") for table in TABLES
    }
    assert {name for name, count in counts.items() if count == 1} == {
        *(("shop", "releases"), ("shop", "actions"), ("shop", "dynos"), ("", "dynos"))
    }
    assert sum(counts.values()) == 4


def test_the_same_message_in_two_frames_is_one_event(store: redis.Redis) -> None:
    said = [released(NOW_MS - 7, 2), up(NOW_MS - 5), over_memory(NOW_MS - 2)]
    add(store, {"shop": [*said, *said]}, NOW_S)
    add(store, {"shop": said}, NOW_S + 60)
    rows = [row for table in TABLES for row in stored(store, "shop", table)]
    assert sorted(moments(rows)) == [NOW_MS - 7, NOW_MS - 5, NOW_MS - 2]
    assert [row.count for row in rows] == [1, 1, 1]


def test_what_differs_in_dyno_sentence_or_moment_is_another_event(store: redis.Redis) -> None:
    said = [
        *(up(NOW_MS), up(NOW_MS, "web.2"), up(NOW_MS + 1)),
        replace(up(NOW_MS), text="State changed from crashed to up"),
    ]
    add(store, {"shop": said}, NOW_S)
    assert sorted(moments(stored(store, "shop", "dynos"))) == [NOW_MS, NOW_MS, NOW_MS, NOW_MS + 1]


def test_what_repeats_endlessly_takes_a_row_each_ten_minutes(store: redis.Redis) -> None:
    times = [NOW_MS - at * 21_000 for at in range(171)]
    for at in range(0, 171, 7):
        add(store, {"shop": [over_memory(at_ms) for at_ms in times[at : at + 7]]}, NOW_S)
    rows = stored(store, "shop", "dynos")
    assert len(rows) == 7
    assert sum(row.count for row in rows) == 171
    assert (rows[0].event.at_ms, rows[-1].last_ms) == (times[-1], times[0])
    for row in rows:
        own = sorted(at_ms for at_ms in times if row.event.at_ms <= at_ms <= row.last_ms)
        assert (list(row.times_ms), row.count) == (own[:EVENT_TIMES], len(own))


def test_a_fast_crash_loop_takes_a_row_a_minute_of_each_sentence(store: redis.Redis) -> None:
    add(store, {"shop": [up(NOW_MS + at * 1_000) for at in range(600)]}, NOW_S)
    rows = stored(store, "shop", "dynos")
    assert len(rows) == 10
    assert {row.count for row in rows} == {60}


# --- in any order, and again -----------------------------------------------------------------

KINDS: tuple[Callable[[int], Event], ...] = (
    over_memory,
    lambda at_ms: over_memory(at_ms, "web.2"),
    up,
    lambda at_ms: up(at_ms, "web.2"),
    lambda at_ms: released(at_ms, 1 + at_ms % 3),
    scaled,
)
SOME_EVENTS = st.lists(
    st.builds(lambda make, age_ms: make(NOW_MS - age_ms), st.sampled_from(KINDS), st.integers(0, 2_400_000)),
    max_size=60,
    unique_by=lambda event: (event.kind, event.dyno, event.text, event.at_ms),
)
SMALL = dict.fromkeys(TABLES, 1_500)
"""Room for five rows."""


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=SOME_EVENTS, seed=st.integers(0, 10**6), is_small=st.booleans())
def test_the_order_of_events_and_batches_changes_nothing(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, events: list[Event], seed: int, is_small: bool
) -> None:
    monkeypatch.setattr(apply_module, "EVENTS_MAX_BYTES", SMALL if is_small else EVENTS_MAX_BYTES)
    chance = random.Random(seed)
    found = []
    with redis.Redis.from_url(redis_server.url) as store:
        for _ in range(3):
            store.flushall()
            rest = list(events)
            chance.shuffle(rest)
            while rest:
                size = chance.randint(1, len(rest))
                add(store, {"shop": rest[:size]}, NOW_S)
                del rest[:size]
            found.append(contents(store, "shop"))
    assert found[0] == found[1] == found[2]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    events=st.lists(
        st.builds(
            lambda make, at: make(NOW_MS - at * 300_000 - at),
            st.sampled_from(KINDS),
            st.integers(0, EVENT_TIMES - 1),
        ),
        max_size=40,
    ),
    seed=st.integers(0, 10**6),
    is_small=st.booleans(),
)
def test_batches_that_come_again_change_nothing(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, events: list[Event], seed: int, is_small: bool
) -> None:
    monkeypatch.setattr(apply_module, "EVENTS_MAX_BYTES", SMALL if is_small else EVENTS_MAX_BYTES)
    chance = random.Random(seed)
    with redis.Redis.from_url(redis_server.url) as store:
        store.flushall()
        add(store, {"shop": events}, NOW_S)
        once = contents(store, "shop")
        for _ in range(3):
            add(store, {"shop": chance.sample(events, len(events))}, NOW_S)
            add(store, {"shop": chance.sample(events, len(events) // 2)}, NOW_S)
        assert contents(store, "shop") == once


# --- bounds ----------------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("chars", [1, 60, 2_000])
def test_a_full_table_takes_no_more_than_its_bytes(store: redis.Redis, table: str, chars: int) -> None:
    """Of short, usual and very long sentences."""
    kind, dyno = {"releases": ("config", ""), "actions": ("other", ""), "dynos": ("exit", "web.1")}[table]
    count = EVENTS_MAX_BYTES[table] // (250 + min(chars, 900)) * 3 // 2
    made = [
        Event(kind, NOW_MS - (count - at) * 60_000, f"{at} " + "x" * chars, dyno)  # type: ignore[arg-type]
        for at in range(count)
    ]
    made = [event for event in made if event.at_ms > NOW_MS - EVENTS_KEPT_S * 1000]
    for at in range(0, count, 1_000):
        add(store, {"shop": made[at : at + 1_000]}, NOW_S)
    size = size_of(store, "shop", table)
    assert 0.7 * EVENTS_MAX_BYTES[table] < size < 1.05 * EVENTS_MAX_BYTES[table]
    rows = stored(store, "shop", table)
    assert [row.event.at_ms for row in rows] == [event.at_ms for event in made[-len(rows) :]]
    lost_ms = store.hget(keys.event_facts("shop", table), "lost_ms")
    assert int(lost_ms or 0) == made[-len(rows) - 1].at_ms


def test_a_table_of_rows_with_many_moments_takes_no_more_than_its_bytes(store: redis.Redis) -> None:
    """40 dynos that exceed their memory for 20 hours."""
    for hour in range(20, 0, -1):
        times = range(NOW_MS - hour * 3_600_000, NOW_MS - (hour - 1) * 3_600_000, 60_000)
        add(store, {"shop": [over_memory(at_ms, f"web.{at}") for at_ms in times for at in range(40)]}, NOW_S)
    assert store.hget(keys.event_facts("shop", "dynos"), "lost_ms") != b"0"
    assert (
        0.9 * EVENTS_MAX_BYTES["dynos"] < size_of(store, "shop", "dynos") < 1.05 * EVENTS_MAX_BYTES["dynos"]
    )


def test_an_old_event_that_comes_late_displaces_none(
    store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apply_module, "EVENTS_MAX_BYTES", SMALL)
    add(store, {"shop": [released(NOW_MS - at * 1_000, at) for at in range(40)]}, NOW_S)
    kept = stored(store, "shop", "releases")
    assert [row.event.at_ms for row in kept] == [NOW_MS - at * 1_000 for at in reversed(range(len(kept)))]
    before = contents(store, "shop")
    add(store, {"shop": [released(NOW_MS - 30_500, 99), released(NOW_MS - 86_400_000, 98)]}, NOW_S)
    assert contents(store, "shop") == before
    add(store, {"shop": [released(NOW_MS + 1, 41)]}, NOW_S)
    assert stored(store, "shop", "releases")[-1].event.version == 41


def test_events_end_after_a_month(store: redis.Redis) -> None:
    month_ms = EVENTS_KEPT_S * 1000
    add(
        store,
        {"shop": [released(NOW_MS - month_ms + 1_000, 1), released(NOW_MS - month_ms - 1_000, 0)]},
        NOW_S,
    )
    assert [row.event.version for row in stored(store, "shop", "releases")] == [1]
    add(store, {"shop": [released(NOW_MS, 2)]}, NOW_S + 60)
    assert [row.event.version for row in stored(store, "shop", "releases")] == [2]
    assert store.hget(keys.event_facts("shop", "releases"), "lost_ms") == b"0"
    for key in (keys.events("shop", "releases"), keys.event_facts("shop", "releases")):
        assert EVENTS_KEPT_S - 3_600 < store.ttl(key) <= EVENTS_KEPT_S + 660


def test_whatever_a_sender_invents_is_bounded_and_printable(store: redis.Redis) -> None:
    odd = "\x1b[31m\u202e\ud800\n\x00"
    said = [
        Event("other", NOW_MS, odd * 10_000, odd * 10_000),
        Event("config", NOW_MS, odd, names=tuple(f"{odd}{at}" * 50 for at in range(5_000)), user=odd * 900),
        Event("release", NOW_MS, "é" * 9_000, version=10**400, commit=odd * 900, state=odd, code=odd * 99),
        Event("exit", NOW_MS, "", "web.1", status=-(10**400)),
    ]
    add(store, {"shop": said}, NOW_S)
    found = [row.event for table in TABLES for row in stored(store, "shop", table)]
    assert len(found) == 4
    for event in found:
        texts = (event.text, event.dyno, event.commit, *event.names, event.state, event.code, event.user)
        assert all(text.isprintable() for text in texts)
        assert len(orjson.dumps(event)) < 4_000
        assert event.version == 0
        assert event.status is None
    config = next(event for event in found if event.kind == "config")
    assert len(config.names) > 5


@pytest.mark.parametrize(
    "row", ["", "1 0", "x 0 {}", "1 x {}", "1 0 []", "1 0 {", '1 0 {"text":"x"}', "1 0+a:b {}"]
)
def test_a_row_of_someone_else_is_refused(row: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        unpack(row)


def test_a_later_version_may_tell_more() -> None:
    row = unpack('1000 5 {"kind":"state","text":"up","dyno":"web.1","further":[1]}')
    assert row.event == Event("state", 1_005, "up", "web.1")


# --- on the way ------------------------------------------------------------------------------


def flood(count: int) -> list[Event]:
    return [up(NOW_MS - at * 60_000, f"web.{at}") for at in range(count)]


def test_no_part_and_no_portion_costs_more_than_a_step_may() -> None:
    parts = list(event_parts([*flood(500), *(released(NOW_MS - at, at) for at in range(500))], NOW_S))
    made = list(portions([], [PlatformRow("shop", parts)]))
    assert max(int(portion.split(b" ", 1)[0]) for portion in made) <= PORTION_UNITS


def test_events_that_wait_in_the_journal_are_added_once_by_whoever_comes(store: redis.Redis) -> None:
    rest = Journal(store, "g", limits(500))
    rest.cost.units_max = 1
    said = [*flood(300), *(over_memory(NOW_MS - at * 1_000) for at in range(300))]
    add(store, {"shop": said}, NOW_S, rest)
    assert rest.left > 0
    other = Journal(store, "g", limits(500))
    other.recover()
    other.finish()
    assert other.left == 0
    found = contents(store, "shop")
    assert sum(row.count for row in stored(store, "shop", "dynos")) == 600
    store.flushall()
    add(store, {"shop": said}, NOW_S)
    assert contents(store, "shop") == found


def test_an_earlier_worker_passes_over_events_and_counts_the_rest(store: redis.Redis) -> None:
    routes = [Row(("", "shop"), "/a", Added(counts={":mix": {"count": 1}}, windows=[(10, NOW_S, {"n": 1})]))]
    apply(store, "g", offsets_claim(keys.positions("g"), [(0, 0, 1, False)]), Changes(routes, {}, {}), 500)
    wanted = hashes_in(store)
    store.flushall()
    parts = list(event_parts([*flood(50), released(NOW_MS, 2)], NOW_S))
    platform = [PlatformRow("shop", parts), PlatformRow("", parts)]
    store.rpush(keys.journal("g"), *portions(routes, platform))
    new = {"events", "event_facts", "events_max", "event_row_bytes", "event_times"}
    script = BEFORE_PLATFORM + read_lua("earlier_rows.lua") + read_lua("journal.lua")
    left, _, refused, _ = store.register_script(script)(
        keys=[keys.earlier_journal("g"), keys.journal("g"), keys.group("g")],
        args=[orjson.dumps({name: value for name, value in limits(500).items() if name not in new}), 8_000],
    )
    assert (left, refused) == (0, 0)
    assert differences(hashes_in(store), wanted) == []


@pytest.mark.parametrize("key", [keys.events("shop", "dynos"), keys.event_facts("shop", "dynos")])
def test_a_key_that_someone_else_uses_costs_its_table_and_nothing_else(store: redis.Redis, key: str) -> None:
    store.set(key, "mine")
    add(store, {"shop": [up(NOW_MS), released(NOW_MS, 2)], "blog": [up(NOW_MS)]}, NOW_S)
    add(store, {"shop": [up(NOW_MS + 1)]}, NOW_S)
    assert store.get(key) == b"mine"
    assert len(stored(store, "shop", "releases")) == len(stored(store, "blog", "dynos")) == 1
    assert store.hget(keys.group("g"), "refused") == b"2"
    assert len(store.keys("*events:dynos*")) == 3


@pytest.mark.parametrize("of_facts", [False, True])
def test_a_table_of_which_redis_evicted_a_key_begins_anew(store: redis.Redis, of_facts: bool) -> None:
    add(store, {"shop": flood(50)}, NOW_S)
    store.delete(keys.event_facts("shop", "dynos") if of_facts else keys.events("shop", "dynos"))
    add(store, {"shop": [up(NOW_MS, "web.77")]}, NOW_S)
    assert [row.event.dyno for row in stored(store, "shop", "dynos")] == ["web.77"]
    facts = store.hgetall(keys.event_facts("shop", "dynos"))
    assert len(facts) == len(META) + 1
    assert 200 < int(facts[b"bytes"]) < 400
