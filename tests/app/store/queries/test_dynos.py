"""The table of dynos: requests beside what the platform says, and who is in it, from a real Redis."""

from __future__ import annotations

import random
from collections.abc import Sequence
from statistics import fmean

import pytest
import redis

from app.platform.facts import Event, Fact
from app.store import queries
from app.store.queries.dynos import DynoRow, DynosTable
from servers.figures import SeenRequest, fill, fill_facts
from tests.support.platform_facts import memory, r14, samples, state

DAY_S = 86_400


def metrics(dyno: str, from_s: float, to_s: float, mb: float = 256) -> list[Fact]:
    """Of log-runtime-metrics, every 20 s."""
    return [
        samples(dyno, at_s, memory_total=mb, memory_quota=512, load_avg_1m=0.5)
        for at_s in range(int(from_s), int(to_s), 20)
    ]


def names(table: DynosTable) -> list[str]:
    return [row.name for row in table.rows]


def row(table: DynosTable, name: str, app: str = "shop") -> DynoRow:
    return next(row for row in table.rows if (row.app, row.name) == (app, name))


def test_a_leaking_dyno_with_errors_is_one_look(redis_client: redis.Redis, now_s: float) -> None:
    seen = [
        SeenRequest(now_s - at, dyno=f"web.{dyno}", app="shop", status="500" if dyno == 3 else "200")
        for at in range(10, 200)
        for dyno in (1, 2, 3)
    ]
    fill(redis_client, seen, now_s)
    facts = [fact for dyno in (1, 2) for fact in metrics(f"web.{dyno}", now_s - 600, now_s, 200)]
    facts += metrics("web.3", now_s - 600, now_s, 921.6)
    facts += [r14("web.3", now_s - at) for at in range(20, 600, 20)]
    facts += [state("web.3", now_s - 400, "starting"), state("web.3", now_s - 390, "up")]
    fill_facts(redis_client, "shop", facts, now_s)
    table = queries.dynos_table(redis_client, "shop", queries.Span(900), now_s)
    assert names(table) == ["web.1", "web.2", "web.3"]
    found = row(table, "web.3")
    assert found.figures.error_rate == 1
    assert found.runtime.memory_share == 1.8
    assert found.runtime.state == "up"
    assert found.runtime.state_since_ms == int((now_s - 390) * 1000)
    assert (found.runtime.restarts, found.runtime.crashes) == (1, 0)
    assert (found.runtime.r14, found.runtime.r15) == (29, 0)
    (web,) = table.processes
    assert (web.process, web.dynos, web.up, web.r14, web.restarts) == ("web", 3, 3, 29, 1)
    assert web.memory_highest_mb == 921.6
    assert web.quota_mb == 512
    assert web.memory_average_mb == pytest.approx((200 + 200 + 921.6) / 3, abs=0.01)
    assert table.without_metrics == []


@pytest.mark.parametrize("seconds", [10, 60, 300, 900, 3_600, 6 * 3_600, DAY_S])
def test_figures_and_sparks_are_those_of_the_minutes_that_the_span_touches(
    redis_client: redis.Redis, now_s: float, seconds: int
) -> None:
    rng = random.Random(seconds)
    said = sorted((now_s - rng.random() ** 3 * 1.1 * DAY_S, round(rng.random() * 600, 2)) for _ in range(900))
    fill_facts(redis_client, "shop", [memory("web.1", at_s, mb) for at_s, mb in said], now_s)
    fill(redis_client, [SeenRequest(now_s - 5, app="shop")], now_s)
    table = queries.dynos_table(redis_client, "shop", queries.Span(seconds), now_s)
    found = row(table, "web.1")
    runtime = found.runtime
    assert len(runtime.memory_spark) == len(runtime.load_spark) == len(found.spark)
    within = [mb for at_s, mb in said if table.from_s // 60 * 60 <= at_s]
    assert runtime.memory_highest_mb == max(within)
    assert runtime.memory_average_mb == pytest.approx(fmean(within), abs=0.006)
    if seconds == DAY_S:  # in steps of an hour
        # Whole steps end with the last 10 s that are complete: now_s is 4 s later.
        end_s = int(now_s) - 4
        within_minutes = range((end_s - 1) // 3_600 * 3_600, -(-end_s // 60) * 60)
        last = [mb for at_s, mb in said if int(at_s) in within_minutes]
        assert runtime.memory_spark[-1] == pytest.approx(fmean(last), abs=0.006)


def test_a_dyno_without_requests_is_there_while_it_runs(redis_client: redis.Redis, now_s: float) -> None:
    facts = [
        state("worker.1", now_s - 20 * 3_600, "up"),
        state("worker.2", now_s - 40 * 3_600, "up"),
        state("crashed.1", now_s - 5_000, "crashed"),
        *metrics("clock.1", now_s - 700, now_s),
        state("down.1", now_s - 5_000, "down"),
        state("run.1234", now_s - 5_000, "up"),
        state("run.1234", now_s - 4_000, "complete"),
        *metrics("web.9", now_s - 5_000, now_s - 4_000),
        state("web.9", now_s - 5_000, "up"),
    ]
    fill_facts(redis_client, "shop", facts, now_s)
    table = queries.dynos_table(redis_client, "shop", queries.Span(600), now_s)
    assert names(table) == ["clock.1", "crashed.1", "worker.1"]
    assert {found.name: found.runtime.state for found in table.rows} == {
        "clock.1": "up",
        "crashed.1": "crashed",
        "worker.1": "up",
    }
    assert {found.process: (found.dynos, found.up) for found in table.processes} == {
        "clock": (1, 1),
        "crashed": (1, 0),
        "worker": (1, 1),
    }
    longer = queries.dynos_table(redis_client, "shop", queries.Span(7_200), now_s)
    assert names(longer) == ["clock.1", "crashed.1", "down.1", "run.1234", "web.9", "worker.1"]
    assert row(longer, "run.1234").runtime.state == "complete"
    assert row(longer, "web.9").runtime.state == "silent"
    assert row(longer, "web.9").figures.count == 0
    assert row(longer, "web.9").spark == [0.0] * len(longer.rows[0].spark)


def test_a_dyno_that_serves_is_not_silent_where_metrics_were_switched_off(
    redis_client: redis.Redis, now_s: float
) -> None:
    facts = [*metrics("web.1", now_s - 5_000, now_s - 4_000), state("web.1", now_s - 5_100, "up")]
    fill_facts(redis_client, "shop", facts, now_s)
    fill(redis_client, [SeenRequest(now_s - 30, app="shop")], now_s)
    table = queries.dynos_table(redis_client, "shop", queries.Span(600), now_s)
    assert row(table, "web.1").runtime.state == "up"
    assert table.without_metrics == ["shop"]


def test_apps_with_requests_whose_dynos_send_no_metrics_are_named(
    redis_client: redis.Redis, now_s: float
) -> None:
    """R14s say the memory of a dyno as well, whether or not log-runtime-metrics is on."""
    apps = ("with", "without", "swapping", "quiet")
    fill(redis_client, [SeenRequest(now_s - 30, app=app) for app in apps[:3]], now_s)
    fill_facts(redis_client, "with", metrics("web.1", now_s - 100, now_s), now_s)
    fill_facts(redis_client, "quiet", [state("worker.1", now_s - 100, "up")], now_s)
    swapping: Sequence[Fact] = [memory("web.1", now_s - 30, 600), r14("web.1", now_s - 30)]
    fill_facts(redis_client, "swapping", swapping, now_s)
    table = queries.dynos_table(redis_client, "", queries.Span(600), now_s)
    assert table.without_metrics == ["swapping", "without"]
    for seconds in (10, 60):
        shorter = queries.dynos_table(redis_client, "with", queries.Span(seconds), now_s)
        assert shorter.without_metrics == []
    assert queries.dynos_table(redis_client, "without", queries.Span(60), now_s).without_metrics == [
        "without"
    ]


def test_all_apps_together_keep_dynos_of_the_same_name_apart(redis_client: redis.Redis, now_s: float) -> None:
    """Also an app of workers alone, and lines without an app's name."""
    fill(redis_client, [SeenRequest(now_s - 30, app="shop"), SeenRequest(now_s - 30, app="")], now_s)
    for at, app in enumerate(("shop", "", "jobs"), 1):
        fill_facts(redis_client, app, metrics("web.1", now_s - 100, now_s, 100 * at), now_s)
    table = queries.dynos_table(redis_client, "", queries.Span(600), now_s)
    assert {found.app: found.runtime.memory_mb for found in table.rows} == {"shop": 100, "": 200, "jobs": 300}
    assert {found.app for found in table.processes} == {"shop", "", "jobs"}


def test_a_span_in_the_past_does_not_show_what_came_later(redis_client: redis.Redis, now_s: float) -> None:
    facts = [
        *metrics("web.1", now_s - 8_000, now_s - 3_700, 200),
        *metrics("web.1", now_s - 3_700, now_s, 500),
        *metrics("web.2", now_s - 3_000, now_s, 500),
        state("web.1", now_s - 100, "crashed"),
        *[r14("web.1", now_s - at) for at in range(10, 600, 20)],
    ]
    fill_facts(redis_client, "shop", facts, now_s)
    until_s = int(now_s) - 5_000
    table = queries.dynos_table(redis_client, "shop", queries.Span(1_200, until_s), now_s)
    assert names(table) == ["web.1"]
    runtime = table.rows[0].runtime
    assert (runtime.memory_average_mb, runtime.memory_highest_mb) == (200, 200)
    assert (runtime.state, runtime.state_since_ms, runtime.memory_mb, runtime.r14) == ("", None, None, 0)
    assert runtime.quota_mb == 512
    assert table.to_s in range(until_s, until_s + 60)


def test_of_a_span_before_all_that_is_kept_of_dynos_process_types_are_known(
    redis_client: redis.Redis, now_s: float
) -> None:
    until_s = int(now_s) - 5 * DAY_S
    for at_s in range(until_s - 7_200, until_s, 600):  # as it came
        fill_facts(redis_client, "shop", [memory("web.1", at_s, 300)], at_s)
    table = queries.dynos_table(redis_client, "shop", queries.Span(3_600, until_s), now_s)
    assert table.rows == []
    (web,) = table.processes
    assert (web.process, web.dynos, web.memory_average_mb) == ("web", 0, 300)
    assert queries.dynos_table(redis_client, "shop", None, now_s).processes == []


def test_dynos_of_fir_have_their_process_type(redis_client: redis.Redis, now_s: float) -> None:
    facts: list[Fact] = [
        memory("web-7d9c5b8f6-x2x9k", now_s - 20, 100),
        memory("web-7d9c5b8f6-b7k2q", now_s - 20, 200),
        memory("web.2", now_s - 20, 1),
        memory("web.10", now_s - 20, 1),
    ]
    fill_facts(redis_client, "shop", facts, now_s)
    table = queries.dynos_table(redis_client, "shop", queries.Span(600), now_s)
    assert {found.process for found in table.rows} == {"web"}
    assert [name for name in names(table) if "." in name] == ["web.2", "web.10"]


def test_a_one_off_dyno_that_fails_counts_as_a_crash_and_a_shut_down_as_none(
    redis_client: redis.Redis, now_s: float
) -> None:
    def exit(dyno: str, status: int | None) -> Event:
        return Event("exit", int((now_s - 30) * 1000), "", dyno=dyno, status=status)

    facts: list[Fact] = [
        *(exit(f"run.{1_000 + status}", status) for status in (1, 2, 139)),
        *(exit(f"run.{2_000 + status}", status) for status in (0, 129, 130, 137, 143)),
        exit("run.3000", None),
        exit("web.1", 1),
        state("web.1", now_s - 30, "crashed"),
    ]
    fill_facts(redis_client, "shop", facts, now_s)
    table = queries.dynos_table(redis_client, "shop", queries.Span(600), now_s)
    assert {found.process: found.crashes for found in table.processes} == {"run": 3, "web": 1}


def test_an_app_of_200_dynos_is_shown_whole(redis_client: redis.Redis, now_s: float) -> None:
    dynos = [f"web.{at}" for at in range(1, 201)]
    fill_facts(
        redis_client,
        "shop",
        [memory(dyno, now_s - at_s, 100) for dyno in dynos for at_s in (20, 40, 4_000)],
        now_s,
    )
    for span in (queries.Span(600), queries.Span(7_200), None):
        table = queries.dynos_table(redis_client, "shop", span, now_s)
        assert names(table) == dynos
        assert table.left_out == 0
    assert table.processes[0].dynos == 200


def test_nothing_is_known_of_an_empty_redis(redis_client: redis.Redis, now_s: float) -> None:
    for span in (queries.Span(600), None, queries.Span(600, int(now_s) - 10 * DAY_S)):
        table = queries.dynos_table(redis_client, "", span, now_s)
        assert (table.rows, table.processes, table.without_metrics) == ([], [], [])
