"""Rows on their way to Redis."""

from __future__ import annotations

import json
from typing import Any

import redis

from app.store.apply import Changes, apply
from app.store.claims import offsets_claim
from app.store.rows import Added, Row, portions
from tests.support.reference import differences, hashes_in


def told(portion: bytes) -> tuple[int, list[dict[str, Any]], bytes]:
    """Units, rows and windows of a portion."""
    units, size, rest = portion.split(b" ", 2)
    return int(units), json.loads(rest[: int(size)]), rest[int(size) :]


def added(fields: int) -> Added:
    start_s = 1_800_000_000
    windows: list[Any] = [(10, start_s + 10 * at, {"n": 1, "b": at}) for at in range(3)]
    return Added(counts={":mix": {f"m:{at}": 1 for at in range(fields)}}, windows=windows)


def test_a_row_of_two_apps_is_sent_once_and_costs_twice() -> None:
    (one,) = map(told, portions([Row(("",), "/a", added(5))]))
    (both,) = map(told, portions([Row(("", "shop"), "/a", added(5))]))
    assert [row["scopes"] for row in both[1]] == [["", "app:shop:"]]
    assert both[2] == one[2]
    assert both[0] == 2 * one[0]


def test_a_row_whose_totals_cost_a_portion_is_one_for_each_app() -> None:
    found = [told(portion) for portion in portions([Row(("", "shop"), "/a", added(700))])]
    assert [[row["scopes"] for row in rows] for _, rows, _ in found] == [[[""]], [["app:shop:"]]]


def test_a_row_of_two_apps_and_two_rows_of_one_are_the_same_to_redis(store: redis.Redis) -> None:
    claim = offsets_claim("p", [(0, 0, 1, False)])
    apply(store, "g", claim, Changes([Row(("", "shop"), "/a", added(5))], {}, {}), 500)
    both = hashes_in(store)
    store.flushall()
    rows = [Row((app,), "/a", added(5)) for app in ("", "shop")]
    apply(store, "g", claim, Changes(rows, {}, {}), 500)
    assert "app:shop:routes" in both
    assert differences(both, hashes_in(store)) == []
