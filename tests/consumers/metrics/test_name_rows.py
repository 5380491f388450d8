"""Dynos and hosts with windows of their own: exact, and bounded whatever a sender invents."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from typing import cast

import pytest
import redis

from app.message import RouterMessage
from app.store import keys, queries
from app.store.apply import apply
from app.store.bounds import NAMES_MAX, OTHER
from app.store.claims import offsets_claim
from app.store.queries.names import Kind
from app.store.rows import portions
from consumers.metrics.admission import Admission
from consumers.metrics.aggregate import Aggregator
from tests.consumers.metrics.test_aggregate import NOW_S, EveryName, message
from tests.support.reference import Reference, differences, hashes_in
from tests.support.stored import text_hash

DAY_S = 86_400
POSITIONS = keys.positions("metrics")


@pytest.fixture(params=["redis_server", "old_redis_server"])
def store(request: pytest.FixtureRequest) -> Iterator[redis.Redis]:
    """Both versions of Redis, empty."""
    client = redis.Redis.from_url(request.getfixturevalue(request.param).url)
    client.flushall()
    yield client
    client.close()


def work(
    store: redis.Redis, batches: Sequence[Sequence[RouterMessage]], worker: Aggregator | None = None
) -> list[int]:
    """Counts the batches; how many rows of dynos and hosts each handed to Redis."""
    worker = worker or Aggregator(lambda line: line.path, Admission(store, 500))
    sent = []
    for at, batch in enumerate(batches, int(store.hget(POSITIONS, "0") or 0)):
        changes = worker.changes(batch, NOW_S)
        sent.append(len(changes.names))
        apply(store, "metrics", offsets_claim(POSITIONS, [(0, at, at + 1, False)]), changes, 500)
    return sent


def of(dyno: str, at_s: float = NOW_S - 20, app: str = "shop", more: str = "") -> RouterMessage:
    return message(f'at=info path="/" dyno={dyno} service=20ms status=200 {more}', at_s, app)


def names(store: redis.Redis, kind: Kind = "dynos", app: str = "shop") -> set[str]:
    return {name.decode() for name in cast(list[bytes], store.zrange(keys.names(app, kind), 0, -1))}


def counts(store: redis.Redis, kind: Kind = "dynos", app: str = "shop") -> dict[str, int]:
    """Name -> requests in its windows."""
    rows = queries.names_table(store, app, kind, None, NOW_S).rows
    return {row.name: row.figures.count for row in rows}


def totals(store: redis.Redis, name: str, kind: Kind = "dynos", app: str = "shop") -> dict[str, str]:
    return text_hash(store, keys.total(app, keys.name_digest(kind, name), ":totals"))


@pytest.mark.parametrize(("batches", "lines", "dynos"), [(30, 1, 3), (20, 9, 2), (2, 900, 3), (3, 400, 190)])
def test_batches_of_any_size_come_out_as_line_by_line_in_plain_python(
    store: redis.Redis, batches: int, lines: int, dynos: int
) -> None:
    """With few pairs of dyno and host, and with many."""
    chance = random.Random(lines)

    def line() -> str:
        code = chance.choice(["", "", "", "code=H12 ", "code=H18 ", "code=H26 ", "code=H27 "])
        return (
            f"at={chance.choice(['info', 'info', 'info', 'error'])} {code}"
            f'path="/" host={chance.choice(["a.example", "b.example", ""])} '
            f"dyno={chance.choice([*(f'web.{at}' for at in range(dynos)), ''])} "
            f"service={chance.choice(['', '1ms', '5.25ms', '31000ms', f'{chance.randrange(9_999)}ms'])} "
            f"status={chance.choice(['200', '404', '500', '503', '101', '499', ''])}"
        )

    reference = Reference(NOW_S)
    made = [
        [
            message(line(), NOW_S - chance.choice([1, 15, 40, 1_500, 80_000]), chance.choice(["", "shop"]))
            for _ in range(lines)
        ]
        for _ in range(batches)
    ]
    for batch in made:
        reference.add_all(batch)
    work(store, made)
    assert differences(hashes_in(store), reference.hashes()) == []


def test_a_dyno_counts_in_its_own_app_alone(store: redis.Redis) -> None:
    work(
        store,
        [[of("web.1", app="shop"), of("web.1", app="api"), of("web.1", app="api"), of("web.1", app="")]],
    )
    assert [counts(store, app=app)["web.1"] for app in ("shop", "api")] == [1, 2]
    rows = queries.names_table(store, "", "dynos", None, NOW_S).rows
    assert {(row.app, row.name): row.figures.count for row in rows} == {
        ("", "web.1"): 1,
        ("shop", "web.1"): 1,
        ("api", "web.1"): 2,
    }


def test_what_connections_took_is_in_no_latency(store: redis.Redis) -> None:
    socket = message('at=info path="/" dyno=web.1 service=600000ms status=101', NOW_S - 20, "shop")
    work(store, [[socket, of("web.1")]])
    (row,) = queries.names_table(store, "shop", "dynos", None, NOW_S).rows
    assert (row.figures.count, row.figures.service.count) == (2, 1)
    assert row.figures.service.max == pytest.approx(20, 0.01)


ODD = {
    "control characters": "web.\x01\x1b[2J\x7f",
    "a quote and a backslash": 'we"b\\1',
    "another script": "dyno-é-\u202e",
    "bytes that are no UTF-8, as the drain reads them": "web.\ufffd\ufffd",
    "a name that is a key's": "names:dynos",
}


@pytest.mark.parametrize("name", ODD.values(), ids=ODD)
def test_a_name_of_any_characters_is_a_name(store: redis.Redis, name: str) -> None:
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    work(store, [[message(f'at=info path="/" dyno="{quoted}" status=200', NOW_S - 20, "shop")]] * 2)
    assert names(store) == {name}
    assert counts(store) == {name: 2}
    assert totals(store, name)["count"] == "2"


def test_long_names_are_cut_and_then_one(store: redis.Redis) -> None:
    work(store, [[of("x" * 64), of("x" * 65), of("x" * 9_000), of("y", more=f"host={'h' * 9_000}")]])
    assert counts(store) == {"x" * 64: 3, "y": 1}
    assert counts(store, "hosts") == {"h" * 255: 1}


def test_a_dyno_named_like_the_others_is_one_of_them(store: redis.Redis) -> None:
    work(store, [[of(OTHER), of("web.1")]])
    assert counts(store) == {OTHER: 1, "web.1": 1}


# --- bounds --------------------------------------------------------------------------------


def test_ten_thousand_invented_names_are_a_bounded_number_of_rows(store: redis.Redis) -> None:
    real = [of("web.1")] * 20
    invented = [of(f"run.{at}") for at in range(10_000)]
    worker = Aggregator(lambda line: line.path, Admission(store, 500))
    sent = work(store, [real, invented + real, invented + real], worker)
    assert sent[0] == 1
    assert sent[1] <= NAMES_MAX + 2
    assert sent[2] <= NAMES_MAX + 2
    found = counts(store)
    assert len(found) == NAMES_MAX + 1
    assert found["web.1"] == 60
    assert sum(found.values()) == 20_060
    assert int(totals(store, OTHER)["count"]) == found[OTHER] == 20_060 - 60 - 2 * (NAMES_MAX - 1)


def test_invented_names_are_bounded_where_the_worker_knows_no_better(store: redis.Redis) -> None:
    """The script decides: workers may admit new names at the same time."""
    for part in range(4):
        batch = [of(f"run.{at}") for at in range(part * 100, part * 100 + 100)]
        work(store, [batch], Aggregator(lambda line: line.path, EveryName()))
    found = counts(store)
    assert len(found) == len(names(store)) == NAMES_MAX + 1
    assert found[OTHER] == 200


def test_ten_thousand_names_of_three_days_leave_a_bounded_number_of_keys(store: redis.Redis) -> None:
    """As deploys bring them: each name is seen once, and gives way to the next."""
    first_s = NOW_S - 3 * DAY_S
    batches = [
        [of(f"web-{deploy * 100 + at}", first_s + deploy * 2_580) for at in range(100)]
        for deploy in range(100)
    ]
    work(store, batches)
    kept = names(store)
    assert kept == {f"web-{at}" for at in range(9_800, 10_000)}
    assert len(cast(list[bytes], store.keys("*dyno-*:totals"))) == NAMES_MAX
    # Windows of a day: of a third of the names, in two chunks or three.
    assert len(cast(list[bytes], store.keys("*dyno-*"))) < 3_500 * 3


def test_a_full_table_forgets_what_was_not_seen_for_an_hour_and_nothing_else(store: redis.Redis) -> None:
    worker = Aggregator(lambda line: line.path, Admission(store, 500))
    old_s = NOW_S - 20 - 3_600 - 70
    work(store, [[of(f"old.{at}", old_s) for at in range(NAMES_MAX)]], worker)
    work(store, [[of(f"old.{at}") for at in range(0, NAMES_MAX, 2)]], worker)  # Half of them are seen again.
    assert len(names(store)) == NAMES_MAX
    work(store, [[of(f"new.{at}") for at in range(150)]], worker)
    kept = names(store)
    assert {name for name in kept if name.startswith("old")} == {f"old.{at}" for at in range(0, NAMES_MAX, 2)}
    assert sum(name.startswith("new") for name in kept) == NAMES_MAX // 2
    assert counts(store)[OTHER] == 50
    assert totals(store, "old.1") == {}
    assert totals(store, "old.2")["count"] == "2"
    work(store, [[of("old.1")]], worker)  # The worker still takes it for known.
    assert counts(store)[OTHER] == 51


def test_what_a_worker_counts_late_displaces_nothing(store: redis.Redis) -> None:
    work(store, [[of(f"web.{at}") for at in range(NAMES_MAX)]])
    work(store, [[of(f"old.{at}", NOW_S - 5 * DAY_S) for at in range(10)]])
    assert names(store) == {OTHER, *(f"web.{at}" for at in range(NAMES_MAX))}


def test_after_redis_was_cleared_names_are_admitted_anew(store: redis.Redis) -> None:
    worker = Aggregator(lambda line: line.path, Admission(store, 500))
    for _ in range(2):
        store.flushall()
        work(store, [[of("web.1")]], worker)
        assert counts(store) == {"web.1": 1}


def test_known_names_cost_no_round_trip(store: redis.Redis) -> None:
    asked = []

    class Counting(Admission):
        def names(self, wanted):  # type: ignore[no-untyped-def]
            before = store.info("commandstats").get("cmdstat_zmscore", {}).get("calls", 0)
            found = super().names(wanted)
            asked.append(store.info("commandstats").get("cmdstat_zmscore", {}).get("calls", 0) - before)
            return found

    worker = Aggregator(lambda line: line.path, Counting(store, 500))
    work(store, [[of("web.1")], [of("web.1")], [of("web.1")], [of("web.2")]], worker)
    assert asked == [1, 1, 0, 1]


def test_a_digest_is_what_a_script_works_out() -> None:
    assert keys.name_digest("hosts", "é") == "host-" + hashlib.sha1("é".encode()).hexdigest()[:11]
    assert len(keys.name_digest("dynos", "web.1")) == keys.DIGEST_CHARS


def test_the_rows_of_names_are_portions_of_bounded_cost() -> None:
    batch = [of(f"run.{at}", NOW_S - at) for at in range(3_000)]
    changes = Aggregator(lambda line: line.path, EveryName()).changes(batch, NOW_S)
    assert all(int(portion.split(b" ", 1)[0]) <= 1_000 for portion in portions(changes.names))
