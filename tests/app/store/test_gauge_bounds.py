"""What a sender may invent of dynos, add-ons, measures and values is bounded and does no harm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import pytest
import redis

from app.platform.facts import Fact
from app.store import gauge_rows, keys
from app.store.bounds import ADDONS_MAX, MEASURES_MAX, NAMES_MAX, ONE_OFFS_MAX, OTHER, PROCESSES_MAX
from servers.figures import fill_facts
from tests.support.gauge_reference import gauges_in
from tests.support.platform_facts import addon, memory, state
from tests.support.stored import text_hash

NOW_S = 2_209_032_000 + 1_800
"""In 2040, half past an hour, so that Redis expires no window by its own clock."""


def names_of(store: redis.Redis, kind: str) -> set[bytes]:
    return set(store.zrange(keys.names("shop", kind), 0, -1))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "most", "name"),
    [
        ("runtime", NAMES_MAX, "web.{}"),
        ("one-offs", ONE_OFFS_MAX, "run.{}"),
        ("processes", PROCESSES_MAX, "type{}.1"),
    ],
)
def test_a_sender_that_invents_dynos_gets_as_many_as_there_is_room_for(
    store: redis.Redis, kind: str, most: int, name: str
) -> None:
    invented: Sequence[Fact] = [memory(name.format(at), NOW_S, 1) for at in range(most + 500)]
    fill_facts(store, "shop", invented, NOW_S)
    found = names_of(store, kind)
    assert len(found) == most + 1
    assert OTHER.encode() in found
    digest = keys.name_digest(kind, OTHER)
    window = gauges_in(store)[f"{keys.windows('shop', digest)}60:{NOW_S // 3_600 * 3_600} 30"]
    assert window["m"][0] == 500
    assert not store.exists(keys.total("shop", digest, keys.LATEST))


def test_more_dynos_than_a_batch_may_hand_over_count_together(store: redis.Redis) -> None:
    fill_facts(store, "shop", [memory(f"web{at}.1", NOW_S, 1) for at in range(2_500)], NOW_S)
    windows = gauges_in(store)
    counted = [window["m"][0] for name, window in windows.items() if ":gauge-" in name and ":60:" in name]
    assert sum(counted) == 2_500
    assert len(counted) == NAMES_MAX + 1


def test_a_dyno_that_gives_way_takes_its_latest_values_with_it_and_nothing_of_requests(
    store: redis.Redis,
) -> None:
    of_requests = keys.total("shop", keys.name_digest("dynos", "run.1000"), ":totals")
    store.hset(of_requests, "count", 1)
    old = [memory(f"run.{1_000 + at}", NOW_S - 700, 1) for at in range(ONE_OFFS_MAX)]
    fill_facts(store, "shop", old, NOW_S)
    fill_facts(store, "shop", [memory("run.9999", NOW_S, 1)], NOW_S)
    assert len(names_of(store, "one-offs")) == ONE_OFFS_MAX
    assert b"run.9999" in names_of(store, "one-offs")
    latest = [name for name in gauges_in(store) if name.endswith(":latest")]
    assert len(latest) == ONE_OFFS_MAX
    assert store.exists(of_requests)


def test_addons_beyond_the_bound_are_not_kept_and_that_is_known(store: redis.Redis) -> None:
    fill_facts(store, "shop", [addon(NOW_S, {"size": 1}, f"pg-{at}") for at in range(ADDONS_MAX + 5)], NOW_S)
    assert len(names_of(store, "addons")) == ADDONS_MAX + 1
    found = gauges_in(store)
    assert len([name for name in found if name.endswith(":latest")]) == ADDONS_MAX
    assert len(found) == 3 * ADDONS_MAX


def test_measures_beyond_the_bound_are_counted_and_not_kept(store: redis.Redis) -> None:
    first = {f"m{at}": 1.0 for at in range(MEASURES_MAX - 1)}
    fill_facts(store, "shop", [addon(NOW_S, first)], NOW_S)
    many = {f"n{at}": 2.0 for at in range(300)}
    for _ in range(2):
        fill_facts(store, "shop", [addon(NOW_S, first | many)], NOW_S)
    name = str(gauge_rows.AddonName("heroku-postgres", "DATABASE", "postgresql-curly-1"))
    digest = keys.name_digest("addons", name)
    latest: Any = orjson.loads(store.get(keys.total("shop", digest, keys.LATEST)))  # type: ignore[arg-type]
    assert len(latest["values"]) == MEASURES_MAX
    assert latest["left_out"] > 0
    windows = {key: window for key, window in gauges_in(store).items() if not key.endswith(":latest")}
    assert {len(window) for window in windows.values()} == {MEASURES_MAX}
    assert all(window[gauge_rows.measure_code("m0")][0] == 3 for window in windows.values())


def test_values_that_can_not_be_measure_nothing(store: redis.Redis) -> None:
    bad = (float("nan"), float("inf"), -float("inf"), -1.0)
    facts: list[Fact] = [memory("web.1", NOW_S, value) for value in bad]
    facts += [addon(NOW_S, {"size": value}) for value in bad[:3]]
    facts += [memory("", NOW_S, 1)]
    fill_facts(store, "shop", facts, NOW_S)
    assert gauges_in(store) == {}
    fill_facts(store, "shop", [*facts, memory("web.1", NOW_S, 1), addon(NOW_S, {"size": -1})], NOW_S)
    assert len(gauges_in(store)) == 3 + 2 + 3


def test_names_that_no_platform_gives_are_kept_as_text_that_is_safe(store: redis.Redis) -> None:
    facts: list[Fact] = [
        memory("web\n\udcff.1", NOW_S, 1),
        memory("w" * 500 + ".1", NOW_S, 1),
        addon(NOW_S, {"size": 1}, "a\tb\udcff" + "c" * 500),
        state("web.1", NOW_S, "up\udcff" * 100),
    ]
    fill_facts(store, "shop", facts, NOW_S)
    assert names_of(store, "runtime") == {OTHER.encode(), b"web.1"}
    (name,) = names_of(store, "addons")
    assert len(name) < 200
    assert text_hash(store, keys.group("metrics")).get("refused") is None
