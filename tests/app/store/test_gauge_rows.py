"""States and samples in the atomic step: exactly once, in any order, and bounded."""

from __future__ import annotations

import random
from pathlib import Path

import hypothesis.strategies as st
import orjson
import pytest
import redis
from hypothesis import HealthCheck, given, settings

from app.errors import StaleBatch
from app.platform.facts import Event, Fact, Sample, Samples
from app.store import keys
from app.store.apply import Changes, apply, limits
from app.store.claims import offsets_claim
from app.store.journal import Journal
from app.store.platform_rows import PART_UNITS_MAX, PlatformRow
from app.store.rows import portions
from app.store.settle import read_lua
from consumers.metrics.platform.gauges import gauge_parts
from servers.figures import fill_facts
from tests.support import golden
from tests.support.gauge_reference import GaugeReference, gauges_in
from tests.support.platform_facts import addon, memory, samples, state

NOW_S = 2_209_032_000 + 1_800
"""In 2040, half past an hour, so that Redis expires no window by its own clock."""

EARLIER_ROWS = (Path(__file__).parent / "golden" / "rows_before_names.lua").read_text("utf-8")


def random_fact(rng: random.Random) -> Fact:
    at_ms = NOW_S * 1000 - int(rng.random() ** 4 * 40 * 86_400_000)
    dyno = rng.choice(["web.1", "web.2", "worker.1", "run.1234", "job.4711"])
    match rng.randrange(5):
        case 0:
            unit = rng.choice(["MB", "kB", "bytes", "GB"])
            names = rng.sample(
                ["memory_total", "memory_rss", "memory_swap", "memory_quota", "memory_pgpgin"], 3
            )
            values = tuple(Sample(name, round(rng.random() * 1e5, 2), unit) for name in names)
            return Samples(at_ms, "dyno", dyno, "", values)
        case 1:
            names = rng.sample(["load_avg_1m", "load_avg_5m", "load_avg_15m"], 2)
            return Samples(
                at_ms, "dyno", dyno, "", tuple(Sample(name, round(rng.random() * 9, 2), "") for name in names)
            )
        case 2:
            names = rng.sample(["db_size", "load-avg-1m", "tables", "hit-rate"], 3)
            values = tuple(
                Sample(name, rng.choice([rng.random(), rng.randrange(10**12), -1.5]), "") for name in names
            )
            return Samples(
                at_ms, rng.choice(["heroku-postgres", "heroku-redis"]), "DATABASE", "postgresql-é", values
            )
        case 3:
            kind = rng.choice(["exit", "error"])
            status, code = rng.choice([0, 1, 137, 139, 143]), rng.choice(["R14", "R15", "R10"])
            if kind == "exit":
                return Event("exit", at_ms, "", dyno=dyno, status=status)
            return Event("error", at_ms, "", dyno=dyno, code=code)
        case _:
            name = rng.choice(["starting", "up", "down", "crashed", "complete"])
            return Event("state", at_ms, "", dyno=dyno, state=name)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**9), batches=st.integers(1, 6), count=st.integers(1, 150))
def test_whatever_is_said_in_whatever_order_redis_has_what_plain_python_works_out(
    store: redis.Redis, seed: int, batches: int, count: int
) -> None:
    store.flushall()
    rng = random.Random(seed)
    reference = GaugeReference(NOW_S)
    for _ in range(batches):
        facts = [random_fact(rng) for _ in range(count)]
        app = rng.choice(["", "shop"])
        fill_facts(store, app, facts, NOW_S)
        reference.add_all(app, facts)
    assert reference.differences(store) == []


def test_latest_values_are_the_same_whatever_comes_late_or_twice(store: redis.Redis) -> None:
    said: list[Fact] = [
        samples("web.1", NOW_S - 40, memory_total=100, memory_quota=512),
        samples("web.1", NOW_S - 20, memory_total=300),
        state("web.1", NOW_S - 60, "starting"),
        state("web.1", NOW_S - 50, "up"),
        state("web.1", NOW_S - 50, "starting"),
        state("web.1", NOW_S - 50, "unheard of"),
        state("web.1", NOW_S - 50, "never seen"),
        addon(NOW_S - 30, {"db_size": 10.5}),
        addon(NOW_S - 30, {"db_size": 9.5}),
    ]
    found = []
    for order in (said, said[::-1], [*said[4:], *said[:6], *said]):
        store.flushall()
        for fact in order:
            fill_facts(store, "shop", [fact], NOW_S)
        latest = {name: value for name, value in gauges_in(store).items() if name.endswith(":latest")}
        found.append(latest)
    assert found[0] == found[1] == found[2]
    web = found[0][keys.total("shop", keys.name_digest("runtime", "web.1"), keys.LATEST)]
    assert web["m"] == [(NOW_S - 20) * 1000, 30_000, ""]
    assert web["quota"] == [(NOW_S - 40) * 1000, 51_200, ""]
    assert web["state"][2] == "up"


def test_a_batch_that_is_tried_again_counts_once(store: redis.Redis) -> None:
    facts: list[Fact] = [
        memory("web.1", NOW_S, 512),
        state("web.1", NOW_S, "starting"),
        addon(NOW_S, {"db_size": 1}),
    ]
    row = PlatformRow("shop", (), gauge_parts(facts, NOW_S))
    claim = offsets_claim(keys.positions("g"), [(0, 0, 3, False)])
    changes = Changes([], {}, {}, platform=[row])
    assert apply(store, "g", claim, changes, 500)
    with pytest.raises(StaleBatch):
        apply(store, "g", claim, changes, 500)
    reference = GaugeReference(NOW_S)
    reference.add_all("shop", facts)
    assert reference.differences(store) == []


def test_what_waits_in_the_journal_counts_once_and_each_step_is_of_bounded_cost(store: redis.Redis) -> None:
    """A worker that was down for hours gets an app of 200 dynos in one batch."""
    facts = [
        samples(f"web.{dyno}", NOW_S - at_s, memory_total=dyno, load_avg_1m=1)
        for dyno in range(1, 201)
        for at_s in range(0, 3_600, 300)
    ]
    parts = gauge_parts(facts, NOW_S)
    assert max(part.units for part in parts) <= PART_UNITS_MAX
    rest = Journal(store, "g", limits(500))
    rest.cost.units_max = 1
    claim = offsets_claim(keys.positions("g"), [(0, 0, 1, False)])
    apply(store, "g", claim, Changes([], {}, {}, platform=[PlatformRow("shop", (), parts)]), 500, rest)
    assert rest.left > 10
    other = Journal(store, "g", limits(500))
    other.recover()
    while rest.left:
        rest.finish()
    reference = GaugeReference(NOW_S)
    reference.add_all("shop", facts)
    assert reference.differences(store) == []


def test_an_earlier_worker_passes_over_what_it_does_not_know(store: redis.Redis) -> None:
    row = PlatformRow(
        "shop", (), gauge_parts([memory("web.1", NOW_S, 512), addon(NOW_S, {"db_size": 1})], NOW_S)
    )
    store.rpush(keys.journal("g"), *portions([], [row]))
    script = EARLIER_ROWS + read_lua("earlier_rows.lua") + read_lua("journal.lua")
    new_limits = {"names", "names_silent_s", "name_totals", "gauges"}
    earlier_limits = {name: value for name, value in limits(500).items() if name not in new_limits}
    left, _, refused, fault = store.register_script(script)(
        keys=[keys.earlier_journal("g"), keys.journal("g"), keys.group("g")],
        args=[orjson.dumps(earlier_limits), 8_000],
    )
    assert (left, refused, fault) == (0, 0, b"")
    assert store.keys() == []


@pytest.mark.parametrize("journal", golden.EARLIER_JOURNALS, ids=lambda path: path.name)
def test_portions_of_earlier_versions_count_no_gauges(store: redis.Redis, journal: Path) -> None:
    golden.load(store, golden.read(journal))
    rest = Journal(store, golden.GROUP, limits(golden.ROUTES_MAX))
    rest.recover()
    rest.finish()
    assert rest.left == 0
    assert gauges_in(store) == {}


def test_a_clock_that_is_far_ahead_counts_as_now_and_what_is_too_old_as_nothing(store: redis.Redis) -> None:
    fill_facts(store, "shop", [memory("web.1", NOW_S + 10 * 86_400, 1)], NOW_S)
    assert f"{keys.windows('shop', keys.name_digest('runtime', 'web.1'))}60:{NOW_S // 3_600 * 3_600} 30" in (
        gauges_in(store)
    )
    store.flushall()
    fill_facts(store, "shop", [memory("web.1", NOW_S - 40 * 86_400, 1), state("web.1", 0, "up")], NOW_S)
    assert gauges_in(store) == {}
    assert not store.keys("*names*")


def test_a_key_that_someone_else_uses_costs_that_gauge_alone(store: redis.Redis) -> None:
    store.set(keys.names("shop", "processes"), "mine")
    fill_facts(store, "shop", [memory("web.1", NOW_S, 1), memory("worker.1", NOW_S, 1)], NOW_S)
    assert store.zcard(keys.names("shop", "runtime")) == 2
    assert store.hget(keys.group("metrics"), "refused") == b"2"


@pytest.mark.parametrize("kind", ["runtime", "one-offs", "processes", "addons"])
@pytest.mark.parametrize("app", ["", "shop"])
def test_keys_of_gauges_count_as_figures(kind: str, app: str) -> None:
    digest = keys.name_digest(kind, "web.1")
    for key in (
        keys.windows(app, digest) + "60:0",
        keys.total(app, digest, keys.LATEST),
        keys.names(app, kind),
    ):
        found = keys.FIGURES_PATTERN.match(key.encode())
        assert found is not None
        assert (found["app"] or b"").decode() == app
