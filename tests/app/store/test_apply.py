"""Rows into Redis, in one atomic step with their claim."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any, cast

import pytest
import redis

from app.errors import StaleBatch
from app.message import BadValue
from app.store import apply as apply_module
from app.store.apply import Changes, Row, Times, apply
from app.store.claims import OffsetsClaim, offsets_claim
from app.store.dead_letters import read
from app.store.keys import digest
from tests.support.stored import expires_at_s, windows_in

POSITIONS = "tailrace:positions:g"


def claim(at: int = 0, to: int = 1, is_stored: bool = False) -> OffsetsClaim:
    return offsets_claim(POSITIONS, [(0, at, to, is_stored)])


def row(route: str = "/foo", app: str = "", **more: Any) -> Row:
    return Row(
        **{
            "app": app,
            "route": route,
            "service": Times(),
            "connect": Times(),
            "statuses": {},
            "mix": {"count": 1, "bytes": 0},
            "dynos": {},
            "hosts": {},
            "windows": [],
            **more,
        }
    )


def changes(*rows: Row, **more: Any) -> Changes:
    return Changes(**{"rows": list(rows), "apps": {"": len(rows)}, "totals": {"messages": len(rows)}, **more})


def hash_at(store: redis.Redis, key: str) -> Mapping[str, str]:
    found = cast(dict[bytes, bytes], store.hgetall(key))
    return {field.decode(): value.decode() for field, value in found.items()}


def everything(store: redis.Redis) -> dict[bytes, bytes | None]:
    return {key: store.dump(key) for key in store.scan_iter()}


def test_a_row_is_written_under_the_keys_of_the_talk(store: redis.Redis) -> None:
    times = Times(sum_us=12_000, count=2, max_ms=7, sketch={300: 1, 317: 1})
    assert apply(store, "g", claim(), changes(row(connect=times, statuses={"200": 2})), 500)
    foo = digest("/foo")
    assert foo == "6f64c6e6261f492ac220b0a4cd9a14c6373181b92a4a8040c1fcde5db31ffc94"
    assert hash_at(store, "routes") == {"/foo": foo}
    assert hash_at(store, f"{foo}::connect") == {"sum": "12", "count": "2", "average": "6"}
    assert hash_at(store, f"{foo}::statuses") == {"200": "2"}
    assert not store.exists(f"{foo}::service"), "what was not measured is not there"
    assert hash_at(store, f"tailrace:{foo}:mix") == {"count": "1", "bytes": "0", "max_connect": "7"}
    assert hash_at(store, f"tailrace:{foo}:connect") == {"300": "1", "317": "1"}


def test_an_app_has_the_same_keys_under_its_name(store: redis.Redis) -> None:
    apply(store, "g", claim(), changes(row(app="shop", statuses={"200": 1})), 500)
    assert hash_at(store, "app:shop:routes") == {"/foo": digest("/foo")}
    assert hash_at(store, f"app:shop:{digest('/foo')}::statuses") == {"200": "1"}
    assert not store.exists("routes")


def test_the_row_of_all_routes_has_only_keys_of_our_own(store: redis.Redis) -> None:
    apply(store, "g", claim(), changes(row(route="", statuses={"200": 1})), 500)
    assert store.keys("tailrace:all:*") == [b"tailrace:all:mix"]
    assert all(key.startswith(b"tailrace:") for key in everything(store))


def test_sums_of_fractions_stay_exact(store: redis.Redis) -> None:
    for at in range(1_000):
        service = Times(sum_us=100, count=1, max_ms=0.1)
        apply(store, "g", claim(at, at + 1, at > 0), changes(row(service=service)), 500)
    assert hash_at(store, f"{digest('/foo')}::service") == {"sum": "100", "count": "1000", "average": "0.1"}


def test_an_average_has_at_most_three_decimals(store: redis.Redis) -> None:
    apply(store, "g", claim(), changes(row(service=Times(sum_us=1_000_000, count=3, max_ms=900))), 500)
    assert hash_at(store, f"{digest('/foo')}::service")["average"] == "333.333"


def test_the_maximum_only_rises(store: redis.Redis) -> None:
    for at, max_ms in enumerate((5, 9.25, 7, 0.5)):
        apply(store, "g", claim(at, at + 1), changes(row(service=Times(1, 1, max_ms))), 500)
    assert hash_at(store, f"tailrace:{digest('/foo')}:mix")["max_service"] == "9.25"


def test_a_stale_batch_changes_nothing(store: redis.Redis) -> None:
    apply(store, "g", claim(), changes(row(statuses={"200": 1})), 500)
    before = everything(store)
    with pytest.raises(StaleBatch):
        apply(store, "g", claim(), changes(row(statuses={"200": 1}), bad=[BadValue(b"x", "bad")]), 500)
    assert everything(store) == before


def test_a_batch_on_a_cleared_redis_counts_and_says_so(store: redis.Redis) -> None:
    assert apply(store, "g", claim(7, 9, True), changes(row(statuses={"200": 1})), 500) is False
    assert hash_at(store, f"{digest('/foo')}::statuses") == {"200": "1"}


def test_many_workers_at_once_settle_each_batch_once(store: redis.Redis) -> None:
    port = store.connection_pool.connection_kwargs["port"]
    outcomes: list[bool] = []

    def work() -> None:
        own = redis.Redis(port=port)
        for at in range(50):
            try:
                outcomes.append(
                    apply(own, "g", claim(at, at + 1, at > 0), changes(row(statuses={"200": 1})), 500)
                )
            except StaleBatch:
                continue
        own.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hash_at(store, f"{digest('/foo')}::statuses") == {"200": str(len(outcomes))}
    assert int(hash_at(store, POSITIONS)["0"]) == len(outcomes)


def test_routes_beyond_the_limit_count_as_other_and_known_ones_go_on(store: redis.Redis) -> None:
    apply(store, "g", claim(), changes(*[row(f"/{n}", statuses={"200": 1}) for n in range(5)]), 3)
    assert set(hash_at(store, "routes")) == {"/0", "/1", "/2", "(other)"}
    assert hash_at(store, f"{digest('(other)')}::statuses") == {"200": "2"}
    apply(store, "g", claim(1, 2), changes(row("/2", statuses={"200": 1}), row("/9", statuses={"200": 1})), 3)
    assert hash_at(store, f"{digest('/2')}::statuses") == {"200": "2"}
    assert hash_at(store, f"{digest('(other)')}::statuses") == {"200": "3"}
    assert hash_at(store, "routes")["(other)"] == digest("(other)")


def test_each_app_has_a_limit_of_its_own(store: redis.Redis) -> None:
    rows = [row(f"/{app}{n}", app) for app in ("a", "b") for n in range(3)]
    apply(store, "g", claim(), changes(*rows), 3)
    assert len(hash_at(store, "app:a:routes")) == len(hash_at(store, "app:b:routes")) == 3


def test_names_of_dynos_and_hosts_are_bounded(store: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply_module, "NAMES_MAX", 3)
    apply(store, "g", claim(), changes(row(dynos={f"web.{n}": 2 for n in range(5)})), 500)
    dynos = hash_at(store, f"tailrace:{digest('/foo')}:dynos")
    assert dynos["(other)"] == "4"
    assert len(dynos) == 4
    apply(store, "g", claim(1, 2), changes(row(dynos={"web.0": 1, "web.99": 1})), 500)
    dynos = hash_at(store, f"tailrace:{digest('/foo')}:dynos")
    assert sum(map(int, dynos.values())) == 12


def test_windows_lie_in_chunks_that_expire_when_the_last_of_them_was_kept_long_enough(
    store: redis.Redis,
) -> None:
    chunk_start = int(time.time()) // 600 * 600
    key = f"tailrace:{digest('/foo')[:16]}:10:{chunk_start}"
    first, last, next_one = chunk_start, chunk_start + 590, chunk_start + 600
    windows = [
        (10, first, {"n": 1, "s200": 2, 300: 1, -1: 1}),
        (10, last, {"n": 4, 0: 4}),
        (10, next_one, {"n": 1}),
    ]
    apply(store, "g", claim(0, 1), changes(row(windows=windows)), 500)
    assert expires_at_s(store, key) == chunk_start + 600 + 3_600
    store.expireat(key, chunk_start + 5_000)
    apply(store, "g", claim(1, 2), changes(row(windows=windows)), 500)
    assert expires_at_s(store, key) == chunk_start + 5_000  # It is set once.
    prefix = key.rpartition(":")[0]
    assert windows_in(store, key) == {
        f"{prefix}:{first}": {"n": "2", "s200": "4", "300": "2", "-1": "2"},
        f"{prefix}:{last}": {"n": "8", "0": "8"},
    }
    assert windows_in(store, f"{prefix}:{next_one}") == {f"{prefix}:{next_one}": {"n": "2"}}


def test_dead_letters_and_totals_are_part_of_the_step(store: redis.Redis) -> None:
    found = changes(bad=[BadValue(b"\xff", "not JSON"), BadValue(b"y" * 70_000, "long")])
    found.totals = {"messages": 5, "bad": 2}
    apply(store, "g", claim(), found, 500)
    letters = list(read(store))
    assert [(letter.kind, letter.source, letter.reason) for letter in letters] == [
        ("message", "g", "not JSON"),
        ("message", "g", "long"),
    ]
    assert letters[0].value == b"\xff"
    assert hash_at(store, "tailrace:counts") == {"dead_letters": "2"}
    assert hash_at(store, "tailrace:group:g") == {"messages": "5", "bad": "2"}


def test_an_empty_batch_moves_the_position_alone(store: redis.Redis) -> None:
    apply(store, "g", claim(0, 9), Changes(rows=[], apps={}, totals={}), 500)
    assert store.keys() == [POSITIONS.encode()]


def test_names_with_any_characters_come_through(store: redis.Redis) -> None:
    route, host = '/a"b\\c\x00d%s é日 🚀', "ho\nst\x7f"
    apply(store, "g", claim(), changes(row(route, hosts={host: 1}, mix={"m:\u0000": 1})), 500)
    assert hash_at(store, "routes") == {route: digest(route)}
    assert hash_at(store, f"tailrace:{digest(route)}:hosts") == {host: "1"}


def test_a_full_redis_takes_nothing_of_the_batch_and_all_of_it_later(store: redis.Redis) -> None:
    store.hset(POSITIONS, "0", "0")
    before = everything(store)
    store.config_set("maxmemory", 1)
    try:
        with pytest.raises(redis.RedisError, match=r"OOM|memory"):
            apply(store, "g", claim(0, 1, True), changes(row(statuses={"200": 1})), 500)
        assert everything(store) == before
    finally:
        store.config_set("maxmemory", 0)
    assert apply(store, "g", claim(0, 1, True), changes(row(statuses={"200": 1})), 500)


def test_a_key_that_someone_else_uses_costs_its_row_and_no_more(
    store: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    store.set(f"{digest('/foo')}::statuses", "someone else's")
    rows = [row("/foo", statuses={"200": 1}), row("/bar", statuses={"200": 1})]
    assert apply(store, "g", claim(), changes(*rows), 500)
    assert hash_at(store, f"{digest('/bar')}::statuses") == {"200": "1"}
    assert hash_at(store, "tailrace:group:g") == {"messages": "2", "refused": "1"}
    assert "WRONGTYPE" in caplog.text
    assert store.hget(POSITIONS, "0") == b"1"


def test_a_count_that_would_overflow_costs_its_row_and_no_more(store: redis.Redis) -> None:
    store.hset(f"tailrace:{digest('/foo')}:mix", "bytes", str(2**63 - 1))
    rows = [row("/foo", mix={"bytes": 1}), row("/bar", mix={"bytes": 1})]
    apply(store, "g", claim(), changes(*rows), 500)
    assert hash_at(store, f"tailrace:{digest('/bar')}:mix") == {"bytes": "1"}
    assert hash_at(store, "tailrace:group:g")["refused"] == "1"
