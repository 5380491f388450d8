"""The table of routes against a plain Python reference, from a real Redis."""

from __future__ import annotations

import random
from collections import Counter

import pytest
import redis

from app.store import keys, queries
from app.store.keys import digest
from servers.figures import SeenRequest, fill
from servers.redis_server import RedisServer

SPANS_S = (300, 3_600, 86_400, 7 * 86_400)


def traffic(now_s: float, count: int, *, within_s: int, seed: int = 1) -> list[SeenRequest]:
    rng = random.Random(seed)
    return [
        SeenRequest(
            at_s=now_s - rng.random() ** 3 * within_s,
            path=rng.choice(["/", "/products", "/cart", "/search"]),
            service_ms=round(rng.lognormvariate(4, 0.8)),
            status=rng.choice(["200", "200", "200", "302", "404", "500", "503"]),
            method=rng.choice(["GET", "POST"]),
            app=rng.choice(["shop", "api", ""]),
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize("span_s", SPANS_S)
@pytest.mark.parametrize("app", ["", "shop"])
def test_the_table_counts_what_happened_in_the_span(
    redis_client: redis.Redis, span_s: int, app: str, now_s: float
) -> None:
    requests = traffic(now_s, 4_000, within_s=9 * 86_400)
    fill(redis_client, requests, now_s)
    table = queries.routes_table(redis_client, app, queries.Span(span_s), now_s)
    assert table.from_s is not None
    inside = [seen for seen in requests if seen.at_s >= table.from_s and app in ("", seen.app)]
    grain_s = table.rounded_to_s
    assert grain_s is not None
    assert now_s - span_s - grain_s < table.from_s < now_s - span_s + grain_s
    assert table.to_s == int(now_s)
    assert {row.route: row.figures.count for row in table.routes} == Counter(seen.path for seen in inside)
    assert table.total.count == len(inside)
    assert table.total.statuses == Counter(seen.status for seen in inside)
    assert table.total.methods == Counter(seen.method for seen in inside)
    assert table.total.errors == sum(seen.status.startswith("5") for seen in inside)
    assert table.total.bytes == 100 * len(inside)
    for row in table.routes:
        times = sorted(seen.service_ms or 0 for seen in inside if seen.path == row.route)
        assert row.figures.service.p95 == pytest.approx(times[int(0.95 * (len(times) - 1))], rel=0.011)
        assert row.digest == digest(row.route)


def test_since_ever_counts_all(redis_client: redis.Redis, now_s: float) -> None:
    requests = traffic(now_s, 2_000, within_s=100 * 86_400)
    fill(redis_client, requests, now_s)
    table = queries.routes_table(redis_client, "", None, now_s)
    assert table.total.count == 2_000
    assert table.total.statuses == Counter(seen.status for seen in requests)
    assert table.total.service.max == max(seen.service_ms or 0 for seen in requests)
    assert table.total.rate is None
    assert [row.spark for row in table.routes] == [[], [], [], []]


def test_the_busiest_route_comes_first(redis_client: redis.Redis, now_s: float) -> None:
    fill(
        redis_client, [SeenRequest(now_s - 60, path) for path in ("/a", "/b", "/b", "/c", "/b", "/c")], now_s
    )
    assert [row.route for row in queries.routes_table(redis_client, "", queries.Span(300), now_s).routes] == [
        "/b",
        "/c",
        "/a",
    ]


def test_a_route_without_a_request_in_the_span_is_left_out(redis_client: redis.Redis, now_s: float) -> None:
    fill(redis_client, [SeenRequest(now_s - 4_000, "/old"), SeenRequest(now_s - 60, "/new")], now_s)
    assert [
        row.route for row in queries.routes_table(redis_client, "", queries.Span(3_600), now_s).routes
    ] == ["/new"]


def test_a_rate_is_over_the_whole_span_where_there_was_traffic_before(
    redis_client: redis.Redis, now_s: float
) -> None:
    fill(redis_client, [SeenRequest(now_s - 90_000)] + [SeenRequest(now_s - 100)] * 300, now_s)
    assert queries.routes_table(redis_client, "", queries.Span(300), now_s).total.rate == 1.0


def test_a_rate_is_over_the_time_since_the_first_request_ever(
    redis_client: redis.Redis, now_s: float
) -> None:
    # The drain is two minutes old: an hour's rate would be far too low.
    fill(redis_client, [SeenRequest(now_s - 14 - second) for second in range(110)], now_s)
    table = queries.routes_table(redis_client, "", queries.Span(3_600), now_s)
    assert table.total.rate == pytest.approx(1.0, rel=0.1)


def test_requests_still_on_their_way_are_counted_but_make_no_rate(
    redis_client: redis.Redis, now_s: float
) -> None:
    fill(redis_client, [SeenRequest(now_s - 9_000)] + [SeenRequest(now_s - 1)] * 50, now_s)
    table = queries.routes_table(redis_client, "", queries.Span(300), now_s)
    assert (table.total.count, table.total.rate) == (50, 0.0)


def test_a_sparkline_is_the_rate_of_each_step(redis_client: redis.Redis, now_s: float) -> None:
    fill(redis_client, [SeenRequest(now_s - 250)] * 20 + [SeenRequest(now_s - 15)] * 10, now_s)
    (row,) = queries.routes_table(redis_client, "", queries.Span(300), now_s).routes
    assert len(row.spark) == 30
    assert sum(row.spark) * 10 == pytest.approx(30)
    assert row.spark[-2] + row.spark[-1] == 1.0


def test_seldom_used_routes_are_left_out_of_a_long_span_and_said(
    redis_client: redis.Redis, now_s: float
) -> None:
    requests = [SeenRequest(now_s - 7_300, f"/{number}") for number in range(150)]
    requests += [SeenRequest(now_s - 7_200, f"/{number}") for number in range(90)]
    fill(redis_client, requests, now_s)
    table = queries.routes_table(redis_client, "", queries.Span(30 * 86_400), now_s)
    assert table.left_out > 0
    assert len(table.routes) + table.left_out == 150
    assert [row.figures.count for row in table.routes[:90]] == [2] * 90
    assert table.total.count == 240


def test_an_empty_redis_gives_an_empty_table(redis_client: redis.Redis, now_s: float) -> None:
    for span in (queries.Span(300), None):
        table = queries.routes_table(redis_client, "", span, now_s)
        assert (table.routes, table.total.count, table.total.service.p50) == ([], 0, None)
    assert queries.apps(redis_client) == queries.Apps([], 0)


def test_apps_are_listed_by_requests(redis_client: redis.Redis, now_s: float) -> None:
    fill(redis_client, [SeenRequest(now_s, app=app) for app in ("api", "shop", "shop", "")], now_s)
    found = queries.apps(redis_client)
    assert found.apps == [queries.AppCount("shop", 2), queries.AppCount("api", 1)]
    assert found.unnamed == 1


def test_one_route_has_its_histogram_dynos_and_hosts(redis_client: redis.Redis, now_s: float) -> None:
    slow = SeenRequest(now_s - 60, "/slow", service_ms=30_000, status="503", code="H12", dyno="web.2")
    fill(
        redis_client,
        [
            SeenRequest(now_s - 60, "/slow"),
            SeenRequest(now_s - 60, "/slow"),
            slow,
            SeenRequest(now_s - 60, "/x"),
        ],
        now_s,
    )
    detail = queries.route_detail(redis_client, "", digest("/slow"), queries.Span(300), now_s)
    assert detail is not None
    assert (detail.route, detail.figures.count, detail.figures.codes) == ("/slow", 3, {"H12": 1})
    assert detail.dynos == {"web.1": 2, "web.2": 1}
    assert detail.hosts == {"shop.example.com": 3}
    bars = [(bar.to_ms, bar.count) for bar in detail.service_histogram if bar.count]
    assert bars == [(20, 2), (30_000, 1)]


def test_a_host_is_one_host_however_it_is_spelled(redis_client: redis.Redis, now_s: float) -> None:
    spellings = ["Shop.example.com", "shop.example.com:443", "shop.example.com.", "shop.example.com:8443"]
    fill(redis_client, [SeenRequest(now_s, "/x", host=host) for host in spellings], now_s)
    hosts = f"tailrace:{digest('/x')}:hosts"
    assert redis_client.hgetall(hosts) == {b"shop.example.com": b"3", b"shop.example.com:8443": b"1"}
    # As an earlier version counted it:
    redis_client.hset(hosts, "SHOP.example.com", 5)
    detail = queries.route_detail(redis_client, "", digest("/x"), None, now_s)
    assert detail is not None
    assert detail.hosts == {"shop.example.com": 8, "shop.example.com:8443": 1}


def test_all_routes_together_are_one_route_too(redis_client: redis.Redis, now_s: float) -> None:
    fill(redis_client, traffic(now_s, 500, within_s=200), now_s)
    for span in (queries.Span(300), None):
        detail = queries.route_detail(redis_client, "", "all", span, now_s)
        assert detail is not None
        assert detail.figures.count == 500
        assert sum(bar.count for bar in detail.service_histogram) == 500


def test_an_unknown_digest_is_no_route(redis_client: redis.Redis, now_s: float) -> None:
    fill(redis_client, [SeenRequest(now_s)], now_s)
    assert queries.route_detail(redis_client, "", digest("/nowhere"), queries.Span(300), now_s) is None


def test_names_of_any_bytes_break_no_table(redis_client: redis.Redis, now_s: float) -> None:
    requests = [
        SeenRequest(now_s - 60, "/\udcff\x01é<script>", method="G\x00T"),
        SeenRequest(now_s - 60, "/ok"),
    ]
    redis_client.hset("routes", b"/\xff\xfe", digest("/ok"))
    fill(redis_client, requests[1:], now_s)
    name, number = keys.chunk(10, int(now_s - 60) // 10 * 10)
    add = """
        local window = cmsgpack.unpack(redis.call('HGET', KEYS[1], ARGV[1]))
        window['m\\255'] = 1
        redis.call('HSET', KEYS[1], ARGV[1], cmsgpack.pack(window))
    """
    redis_client.eval(add, 1, keys.windows("", "all") + name, str(number))
    table = queries.routes_table(redis_client, "", queries.Span(300), now_s)
    assert "/ok" in [row.route for row in table.routes]
    assert "\N{REPLACEMENT CHARACTER}" in table.total.methods


def test_a_table_of_many_routes_takes_a_handful_of_round_trips(
    redis_client: redis.Redis, now_s: float
) -> None:
    fill(redis_client, [SeenRequest(now_s - 60, f"/{number}") for number in range(300)], now_s)
    queries.routes_table(redis_client, "", queries.Span(3_600), now_s)
    redis_client.config_resetstat()
    queries.routes_table(redis_client, "", queries.Span(3_600), now_s)
    stats = redis_client.info("commandstats")
    assert isinstance(stats, dict)
    asked = {name.removeprefix("cmdstat_"): found["calls"] for name, found in stats.items()}
    # 301 rows of 63 windows, summed where they are: 101 calls in one pipeline.
    assert asked["evalsha"] < 110
    assert "keys" not in asked
    assert "scan" not in asked


def test_the_oldest_redis_gives_the_same_table(
    redis_client: redis.Redis, old_redis_server: RedisServer, now_s: float
) -> None:
    old = redis.Redis.from_url(old_redis_server.url)
    old.flushall()
    requests = traffic(now_s, 500, within_s=3_600)
    tables = []
    for store in (redis_client, old):
        fill(store, requests, now_s)
        tables.append(
            [queries.routes_table(store, "shop", span, now_s) for span in (queries.Span(3_600), None)]
        )
    assert tables[0] == tables[1]
