"""Whatever a sender invents, the worker asks for a bounded number of rows and fields."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pytest
import redis

from app.message import RouterMessage
from app.store import bounds
from app.store.apply import apply
from app.store.bounds import APPS_MAX, CODES_MAX, DOCUMENTED_CODES, OTHER
from app.store.claims import offsets_claim
from app.store.keys import digest
from app.store.schema import OTHER_TOTALS_FIELDS
from consumers.metrics.admission import Admission
from consumers.metrics.aggregate import Aggregator
from tests.consumers.metrics.test_aggregate import NOW_S, message
from tests.support.stored import text_hash


def work(store: redis.Redis, batches: Sequence[Sequence[RouterMessage]], routes_max: int = 500) -> list[int]:
    """Counts the batches with one worker; the rows of each."""
    aggregator = Aggregator(lambda line: line.path, Admission(store, routes_max))
    rows = []
    for at, batch in enumerate(batches, int(store.hget("positions", "0") or 0)):
        claim = offsets_claim("positions", [(0, at, at + 1, False)])
        changes = aggregator.changes(batch, NOW_S)
        rows.append(len(changes.rows))
        apply(store, "metrics", claim, changes, routes_max)
    return rows


def slowest_script_ms(store: redis.Redis) -> float:
    slow: list[dict[str, Any]] = store.slowlog_get(1_000)
    return max((entry["duration"] / 1e3 for entry in slow if b"EVAL" in entry["command"][:8]), default=0.0)


def statuses(store: redis.Redis, route: str, app: str = "") -> dict[str, str]:
    return text_hash(store, f"{f'app:{app}:' if app else ''}{digest(route)}::statuses")


def test_a_crawlers_paths_are_one_row_before_redis_sees_them(redis_client: redis.Redis) -> None:
    work(redis_client, [[message(f'path="/real/{at}" status=200', app="shop") for at in range(500)]])
    crawl = [message(f'path="/no{at}/way{at}" status=404', app="shop") for at in range(5_000)]
    crawl += [message('path="/real/7" status=200', app="shop")]
    assert work(redis_client, [crawl]) == [3]  # All routes, (other), /real/7: each for both scopes.
    assert statuses(redis_client, OTHER) == statuses(redis_client, OTHER, "shop") == {"404": "5000"}
    assert statuses(redis_client, "/real/7", "shop") == {"200": "2"}


@pytest.mark.slow
def test_no_script_takes_redis_long_whatever_a_batch_holds(redis_client: redis.Redis) -> None:
    # Before, each of these was one script of 0.5 to 13 s; the bound here leaves room for a busy machine.
    redis_client.config_set("slowlog-log-slower-than", 1_000)
    redis_client.config_set("slowlog-max-len", 1_000)
    redis_client.slowlog_reset()
    crawl = [message(f'path="/a{at}/b{at}" service={at}ms status=200', app="shop") for at in range(20_000)]
    many = [message(f'path="/{at % 20}" status=200', app=f"app-{at % 500}") for at in range(10_000)]
    hour = [message(f'path="/{at % 400}" service={at}ms', at_s=NOW_S - at // 5) for at in range(18_000)]
    work(redis_client, [crawl, many, hour])
    assert 0 < slowest_script_ms(redis_client) < 400
    assert sum(map(int, text_hash(redis_client, "tailrace:apps").values())) == 48_000
    assert text_hash(redis_client, "tailrace:all:mix")["count"] == "48000"


def test_two_workers_that_admit_at_once_keep_the_bound_of_routes(redis_client: redis.Redis) -> None:
    one, other = (Aggregator(lambda line: line.path, Admission(redis_client, 10)) for _ in range(2))
    first = one.changes([message(f'path="/a{at}" status=200') for at in range(10)], NOW_S)
    second = other.changes([message(f'path="/b{at}" status=200') for at in range(10)], NOW_S)
    for at, changes in enumerate((first, second)):
        claim = offsets_claim("positions", [(0, at, at + 1, False)])
        apply(redis_client, "metrics", claim, changes, 10)
    assert set(text_hash(redis_client, "routes")) == {OTHER, *(f"/a{at}" for at in range(10))}
    assert statuses(redis_client, OTHER) == {"200": "10"}


def test_after_redis_was_cleared_routes_are_admitted_anew(redis_client: redis.Redis) -> None:
    aggregator = Aggregator(lambda line: line.path, Admission(redis_client, 3))
    for round in range(2):
        redis_client.flushall()
        for at, path in enumerate("abc"):
            claim = offsets_claim("positions", [(0, at, at + 1, False)])
            batch = [message(f'path="/{path}{round}"')]
            apply(redis_client, "metrics", claim, aggregator.changes(batch, NOW_S), 3)
        assert set(text_hash(redis_client, "routes")) == {f"/{path}{round}" for path in "abc"}


@pytest.mark.parametrize(
    ("status", "counted"),
    [("200", "200"), ("999", "999"), ("20", OTHER), ("2000", OTHER), ("abc", OTHER), ("٢٠٠", OTHER)],
)
def test_a_status_is_three_digits(redis_client: redis.Redis, status: str, counted: str) -> None:
    work(redis_client, [[message(f'path="/x" status={status}')]])
    assert statuses(redis_client, "/x") == {counted: "1"}


@pytest.mark.parametrize(
    ("code", "counted"),
    [("H12", "H12"), ("R14", "R14"), ("H1234", OTHER), ("h12", OTHER), ("<b>", OTHER), ("H", OTHER)],
)
def test_a_code_is_a_letter_and_up_to_three_digits(
    redis_client: redis.Redis, code: str, counted: str
) -> None:
    work(redis_client, [[message(f'path="/x" code={code}')]])
    assert text_hash(redis_client, "tailrace:all:mix")[f"c:{counted}"] == "1"


def test_invented_codes_are_bounded_and_displace_no_real_one(redis_client: redis.Redis) -> None:
    invented = [f"{letter}{number}" for letter in "ABCDEFG" for number in range(1_000)]
    batches = [[message(f'path="/x" code={code}') for code in invented[at::5]] for at in range(5)]
    batches.append([message(f'path="/x" code={code}') for code in sorted(DOCUMENTED_CODES)])
    work(redis_client, batches)
    codes = {
        name[2:]: n for name, n in text_hash(redis_client, "tailrace:all:mix").items() if name[1:2] == ":"
    }
    assert len(codes) <= CODES_MAX + OTHER_TOTALS_FIELDS + len(DOCUMENTED_CODES) + len([OTHER])
    assert {codes[code] for code in DOCUMENTED_CODES} <= {"1", "2"}
    assert sum(map(int, codes.values())) == 7_000 + len(DOCUMENTED_CODES)


def test_apps_are_bounded_by_form_and_number(redis_client: redis.Redis) -> None:
    odd = [message('path="/x"', app=name) for name in ("a:b", "x" * 65, "é", "")]
    batches = [odd, [message('path="/x"', app=f"app-{at}") for at in range(APPS_MAX + 50)]]
    work(redis_client, batches)
    apps = text_hash(redis_client, "tailrace:apps")
    assert len(apps) <= APPS_MAX + 1
    assert apps[""] == "1"
    assert int(apps[OTHER]) >= 50 + 3
    assert sum(map(int, apps.values())) == 4 + APPS_MAX + 50


def test_hosts_beyond_the_bound_count_together_and_known_ones_go_on(redis_client: redis.Redis) -> None:
    hosts = [f"h{at}.example" for at in range(3_000)]
    work(redis_client, [[message(f'path="/x" host={host}') for host in hosts]])
    work(redis_client, [[message(f'path="/x" host={host}') for host in reversed(hosts[:600])]])
    kept = text_hash(redis_client, f"tailrace:{digest('/x')}:hosts")
    assert len(kept) == bounds.NAMES_MAX + 1
    assert kept["h0.example"] == "2"
    assert sum(map(int, kept.values())) == 3_600


def test_aggregation_is_linear_in_apps() -> None:
    # A count of work, not of time: each cell is looked at for its own app and for all apps together.
    from tests.consumers.metrics.test_aggregate import EveryName

    def rows(apps: int) -> float:
        batch = [message('path="/x"', app=f"a{at % apps}") for at in range(2_000)]
        aggregator = Aggregator(lambda line: line.path, EveryName())
        started = time.process_time()
        aggregator.changes(batch, NOW_S)
        return time.process_time() - started

    rows(10)
    # 100 times as many apps were 100 times as many loops over all cells: 1,000 x 1,000 steps.
    assert rows(1_000) < 60 * max(rows(10), 0.002)
