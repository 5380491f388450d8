"""Rows of dynos and hosts in a rolling deploy, in the journal, and in a Redis that refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
import redis

from app.store import keys
from app.store.apply import Changes, apply, limits
from app.store.bounds import NAMES_MAX
from app.store.claims import OffsetsClaim, offsets_claim
from app.store.journal import Journal
from app.store.rows import Added, Name, Row, portions
from app.store.schema import NAME_TOTALS_HASH
from app.store.settle import read_lua
from tests.support import golden
from tests.support.reference import differences, hashes_in

START = 2_209_032_000
EARLIER_ROWS = (Path(__file__).parent / "golden" / "rows_before_names.lua").read_text("utf-8")
"""rows.lua as it was before there were rows of names."""

NEW_LIMITS = {"names", "names_silent_s", "name_totals"}


def name_row(name: str, kind: str = "dynos", app: str = "shop", windows: int = 3, last_s: int = START) -> Row:
    added = Added(
        counts={NAME_TOTALS_HASH: {"count": windows, "failed": 1, "us": 5_000, "le5": windows}},
        windows=[(10, START + 10 * at, {"n": 1, 20: 1}) for at in range(windows)],
    )
    return Row((app,), "", added, name=Name(kind, name, last_s))


def claim(at: int = 0) -> OffsetsClaim:
    return offsets_claim(keys.positions("g"), [(0, at, at + 1, at > 0)])


def add_from_journal(store: redis.Redis, rows_lua: str, its_limits: dict[str, Any]) -> tuple[int, int]:
    """(portions left, parts refused) after one step of a worker with this script."""
    script = rows_lua + read_lua("earlier_rows.lua") + read_lua("journal.lua")
    step = store.register_script(script)
    left, _, refused, _ = step(
        keys=[keys.earlier_journal("g"), keys.journal("g"), keys.group("g")],
        args=[orjson.dumps(its_limits), 8_000],
    )
    return left, refused


def test_an_earlier_worker_adds_the_same_windows_and_totals_and_refuses_nothing(store: redis.Redis) -> None:
    rows = [name_row(name, kind) for kind in ("dynos", "hosts") for name in ("web.1", "é\x01")]
    routes = [Row(("", "shop"), "/a", Added(counts={":mix": {"count": 1}}, windows=[(10, START, {"n": 1})]))]
    apply(store, "g", claim(), Changes(routes, {}, {}, names=rows), 500)
    wanted = hashes_in(store)
    store.flushall()
    store.rpush(keys.journal("g"), *portions([*routes, *rows]))
    earlier_limits = {name: value for name, value in limits(500).items() if name not in NEW_LIMITS}
    assert add_from_journal(store, EARLIER_ROWS, earlier_limits) == (0, 0)
    found = hashes_in(store)
    names = {key for key in wanted if ":names:" in key}
    assert len(names) == 2
    # It knows no table of names: the next batch of a worker that does notes them.
    assert differences(found, {key: value for key, value in wanted.items() if key not in names}) == []
    apply(store, "g", claim(1), Changes([], {}, {}, names=[name_row("web.1")]), 500)
    assert store.zscore(keys.names("shop", "dynos"), "web.1") == START


def test_names_whose_rows_wait_in_the_journal_count_once(store: redis.Redis) -> None:
    rows = [name_row(f"web.{at}", windows=12) for at in range(60)]
    rest = Journal(store, "g", limits(500))
    rest.cost.units_max = 1
    apply(store, "g", claim(), Changes([], {}, {}, names=rows), 500, rest)
    assert rest.left > 0
    Journal(store, "g", limits(500)).recover()
    while rest.left:
        rest.finish()
    found = hashes_in(store)
    for at in range(60):
        digest = keys.name_digest("dynos", f"web.{at}")
        assert found[f"tailrace:app:shop:{digest}:totals"]["count"] == "12"
        assert found[f"tailrace:app:shop:{digest}:10:{START + 110}"]["n"] == "1"


@pytest.mark.parametrize("journal", golden.EARLIER_JOURNALS, ids=lambda path: path.name)
def test_portions_of_earlier_versions_still_count(store: redis.Redis, journal: Path) -> None:
    golden.load(store, golden.read(journal))
    rest = Journal(store, golden.GROUP, limits(golden.ROUTES_MAX))
    rest.recover()
    rest.finish()
    assert rest.left == 0
    assert not store.keys("*names:*")


def test_when_a_name_was_seen_is_written_a_minute_apart(store: redis.Redis) -> None:
    table = keys.names("shop", "dynos")
    seen = []
    for at, last_s in enumerate((START, START + 50, START + 60, START - 500)):
        apply(store, "g", claim(at), Changes([], {}, {}, names=[name_row("web.1", last_s=last_s)]), 500)
        seen.append(store.zscore(table, "web.1"))
    assert seen == [START, START, START + 60, START + 60]


def test_a_name_that_comes_back_begins_anew(store: redis.Redis) -> None:
    """Its windows are true and stay; its totals went with the name."""
    for at, (name, last_s) in enumerate(
        [
            *((f"web.{number}", START) for number in range(NAMES_MAX)),
            ("new", START + 3_700),
            ("web.0", START + 7_500),
        ]
    ):
        apply(store, "g", claim(at), Changes([], {}, {}, names=[name_row(name, last_s=last_s)]), 500)
    found = hashes_in(store)
    digest = keys.name_digest("dynos", "web.0")
    assert len(found[keys.names("shop", "dynos")]) == NAMES_MAX
    assert found[f"tailrace:app:shop:{digest}:totals"]["count"] == "3"
    assert found[f"tailrace:app:shop:{digest}:10:{START}"]["n"] == "2"


def test_a_table_that_someone_else_uses_costs_its_names_and_nothing_else(store: redis.Redis) -> None:
    store.set(keys.names("shop", "dynos"), "mine")
    assert apply(
        store,
        "g",
        claim(),
        Changes([], {"shop": 1}, {"messages": 1}, names=[name_row("web.1"), name_row("a.example", "hosts")]),
        500,
    )
    assert store.get(keys.names("shop", "dynos")) == b"mine"
    assert store.zcard(keys.names("shop", "hosts")) == 1
    assert store.hgetall(keys.group("g")) == {b"messages": b"1", b"refused": b"1"}
