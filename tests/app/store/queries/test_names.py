"""The tables of dynos and hosts against plain Python, from a real Redis."""

from __future__ import annotations

import random
from collections import Counter, defaultdict

import pytest
import redis

from app.hosts import comparable
from app.sketch import bucket, middle_ms, percentile
from app.store import queries
from app.store.queries.names import Kind, _known
from app.store.queries.routes import ROUTES_SHOWN
from app.store.queries.top import top_names
from servers.figures import SeenRequest, fill

KINDS: tuple[Kind, ...] = ("dynos", "hosts")


def traffic(now_s: float, count: int, within_s: int) -> list[SeenRequest]:
    """Requests of two apps and of none, whose dynos have the same names; web.3 of the shop fails."""
    rng = random.Random(1)
    made = []
    for _ in range(count):
        app, dyno = rng.choice(["shop", "api", ""]), rng.choice(["web.1", "web.2", "web.3", ""])
        is_bad = (app, dyno) == ("shop", "web.3")
        status, code = rng.choice([("200", ""), ("404", ""), ("499", ""), ("503", "H12"), ("503", "H27")])
        made.append(
            SeenRequest(
                at_s=now_s - 4 - rng.random() ** 3 * within_s,
                path=rng.choice(["/", "/cart"]),
                service_ms=rng.choice([None, round(rng.lognormvariate(4, 0.8))]),
                status="500" if is_bad else status,
                code="" if is_bad else code,
                app=app,
                dyno=dyno,
                host=rng.choice(["Shop.example.com", "shop.example.com:443", "www.example.com"]),
            )
        )
    return made


def name_of(seen: SeenRequest, kind: Kind) -> str:
    return seen.dyno if kind == "dynos" else comparable(seen.host)


def is_aborted(seen: SeenRequest) -> bool:
    return seen.status == "499" or seen.code == "H27"


@pytest.mark.parametrize("app", ["", "shop"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("seconds", "ago_s"), [(300, None), (3_600, None), (86_400, None), (1_200, 600), (7_200, 40_000)]
)
def test_a_table_counts_what_happened_in_the_span(
    redis_client: redis.Redis, app: str, kind: Kind, seconds: int, ago_s: int | None, now_s: float
) -> None:
    requests = traffic(now_s, 6_000, 86_000)
    fill(redis_client, requests, now_s)
    until_s = None if ago_s is None else int(now_s) - ago_s
    table = queries.names_table(redis_client, app, kind, queries.Span(seconds, until_s), now_s)
    end_s = table.to_s if until_s else now_s
    inside: dict[tuple[str, str], list[SeenRequest]] = defaultdict(list)
    for seen in requests:
        if table.from_s <= seen.at_s < end_s and app in ("", seen.app) and name_of(seen, kind):
            inside[seen.app, name_of(seen, kind)].append(seen)
    rows = {(row.app, row.name): row.figures for row in table.rows}
    counts = {row: len(some) for row, some in inside.items()}
    assert {row: found.count for row, found in rows.items()} == counts
    for row, some in inside.items():
        failed = sum(seen.status[0] == "5" and not is_aborted(seen) for seen in some)
        times_ms = [seen.service_ms for seen in some if seen.service_ms is not None]
        buckets = Counter(map(bucket, times_ms))
        assert (rows[row].errors, rows[row].aborted) == (failed, sum(map(is_aborted, some)))
        assert rows[row].error_rate == pytest.approx(failed / len(some), abs=1e-3)
        assert rows[row].service.count == len(times_ms)
        assert rows[row].service.p95 == pytest.approx(percentile(buckets, 0.95), rel=1e-3)
    assert [row.figures.count for row in table.rows] == sorted(counts.values(), reverse=True)
    assert len(rows) == (3 if kind == "dynos" else 2) * (1 if app else 3)


def test_the_rates_of_an_apps_dynos_add_up_to_that_of_the_app(
    redis_client: redis.Redis, now_s: float
) -> None:
    """Two minutes after the first request, too: then the rate is over two minutes."""
    requests = [SeenRequest(now_s - 10 - at, app="shop", dyno=f"web.{at % 3}") for at in range(120)]
    fill(redis_client, requests, now_s)
    span = queries.Span(3_600)
    dynos = queries.names_table(redis_client, "shop", "dynos", span, now_s)
    routes = queries.routes_table(redis_client, "shop", span, now_s)
    assert dynos.from_s == routes.from_s
    assert routes.total.rate == pytest.approx(1, rel=0.1)
    assert sum(row.figures.rate or 0 for row in dynos.rows) == pytest.approx(routes.total.rate, rel=1e-3)
    assert [len(row.spark) for row in dynos.rows] == [len(routes.routes[0].spark)] * 3


def test_without_a_span_it_goes_back_as_far_as_windows_are_kept(
    redis_client: redis.Redis, now_s: float
) -> None:
    fill(redis_client, [SeenRequest(now_s - age_s, app="shop") for age_s in (10, 80_000, 200_000)], now_s)
    for span in (None, queries.Span(30 * 86_400)):
        (row,) = queries.names_table(redis_client, "shop", "dynos", span, now_s).rows
        assert row.figures.count == 2


def test_of_a_span_before_that_there_is_nothing(redis_client: redis.Redis, now_s: float) -> None:
    fill(redis_client, [SeenRequest(now_s - 10)], now_s)
    table = queries.names_table(redis_client, "", "dynos", queries.Span(3_600, int(now_s) - 90_000), now_s)
    assert (table.rows, table.to_s - table.from_s) == ([], 3_600)


@pytest.mark.parametrize("app", ["", "nope", "no:app"])
def test_an_app_that_is_not_there_has_no_rows(redis_client: redis.Redis, app: str, now_s: float) -> None:
    assert queries.names_table(redis_client, app, "hosts", None, now_s).rows == []


def test_the_busiest_are_shown_where_there_are_many_and_the_others_counted(
    redis_client: redis.Redis, now_s: float
) -> None:
    dynos = ROUTES_SHOWN // 5 - 20
    requests = [
        SeenRequest(now_s - 20, app=f"app{app}", dyno=f"web.{dyno}")
        for app in range(6)
        for dyno in range(dynos)
        for _ in range(1 + dyno % 2)
    ]
    fill(redis_client, requests, now_s)
    table = queries.names_table(redis_client, "", "dynos", queries.Span(300), now_s)
    assert len(table.rows) == ROUTES_SHOWN
    assert table.left_out == 6 * dynos - ROUTES_SHOWN
    assert sum(row.figures.count == 2 for row in table.rows) == 6 * (dynos // 2)


def test_names_that_were_not_seen_in_the_span_cost_no_windows(
    redis_client: redis.Redis, now_s: float
) -> None:
    requests = [SeenRequest(now_s - 40_000, dyno=f"run.{at}") for at in range(150)]
    fill(redis_client, [*requests, SeenRequest(now_s - 20, dyno="web.1")], now_s)
    table = queries.names_table(redis_client, "", "dynos", queries.Span(300), now_s)
    assert [row.name for row in table.rows] == ["web.1"]
    known, left_out = _known(redis_client, "", "dynos", int(now_s) - 300)
    assert (known, left_out) == ([("", "web.1")], 0)


def test_totals_since_a_name_is_known(redis_client: redis.Redis, now_s: float) -> None:
    requests = traffic(now_s, 3_000, 80_000)
    fill(redis_client, requests, now_s)
    found = top_names(redis_client, ["shop", "api"], "dynos", 2, now_s)
    assert Counter(app for app, _ in found) == {"shop": 2, "api": 2}
    for (app, dyno), totals in found.items():
        some = [seen for seen in requests if (seen.app, seen.dyno) == (app, dyno)]
        times_ms = [seen.service_ms for seen in some if seen.service_ms is not None]
        assert totals.requests == len(some)
        assert totals.aborted == sum(map(is_aborted, some))
        assert totals.failed == sum(seen.status[0] == "5" and not is_aborted(seen) for seen in some)
        assert sum(totals.per_edge) == len(times_ms)
        # A sketch knows a time to 1 %, so one just above an edge may count below it.
        assert totals.per_edge[:5] == [
            sum(low * 1.01 < middle_ms(bucket(time_ms)) <= high * 1.01 for time_ms in times_ms)
            for low, high in ((-1, 5), (5, 10), (10, 25), (25, 50), (50, 100))
        ]
        assert totals.service_s == pytest.approx(sum(times_ms) / 1000, rel=0.01)
