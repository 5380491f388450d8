"""Figures for Prometheus: exact, bounded, and never an error page."""

from __future__ import annotations

import time

import pytest
import redis
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics import exposition, parser
from prometheus_client.parser import text_string_to_metric_families

from app.log import open_log
from app.redis_client import connect
from app.settings import Settings
from app.store import dead_letters
from app.store.frame_events import OTHER_DRAIN, Loss, Report, record_once
from app.store.sender_faults import Kind, SenderKind, Tally
from app.store.workers import WorkerStatus, report_status
from drain.dashboard import RouteCollector
from servers.figures import SeenRequest, fill, fill_facts
from tests.support import platform_events, told_app
from tests.support.sender_faults import record_faults

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape(store: redis.Redis, limit: int = 10, settings: Settings | None = None) -> Samples:
    registry = CollectorRegistry()
    registry.register(RouteCollector(store, limit, open_log(settings or Settings())))
    text = generate_latest(registry).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, tuple(sorted(labels.items()))]


def test_apps_and_routes_are_counted(redis_client: redis.Redis) -> None:
    now_s = time.time()
    slow = SeenRequest(now_s, "/b", app="shop", service_ms=30_000, status="503", code="H12")
    fill(
        redis_client,
        [SeenRequest(now_s, "/a", app="shop")] * 3
        + [slow, SeenRequest(now_s, "/a", app="api"), SeenRequest(now_s, "/c")],
        now_s,
    )
    samples = scrape(redis_client)
    assert of(samples, "tailrace_redis_up") == 1
    assert of(samples, "tailrace_app_requests_total", app="shop") == 4
    assert of(samples, "tailrace_app_requests_total", app="") == 1
    assert of(samples, "tailrace_route_requests_total", app="shop", route="/a") == 3
    assert (
        of(samples, "tailrace_route_responses_total", **{"app": "shop", "route": "/b", "class": "5xx"}) == 1
    )
    assert of(samples, "tailrace_app_router_errors_total", app="shop", code="H12") == 1
    assert of(samples, "tailrace_app_bytes_total", app="api") == 100


def test_failed_and_aborted_requests_are_counters_of_their_own(redis_client: redis.Redis) -> None:
    now_s = time.time()
    requests = [
        *[SeenRequest(now_s, "/a", code="H18")] * 5,
        SeenRequest(now_s, "/a", status="503"),
        SeenRequest(now_s, "/a", status="499", code="H27"),
        *[SeenRequest(now_s, "/a")] * 9,
    ]
    fill(redis_client, requests, now_s)
    samples = scrape(redis_client)
    for name, labels in (("app", {"app": ""}), ("route", {"app": "", "route": "/a"})):
        assert of(samples, f"tailrace_{name}_failed_requests_total", **labels) == 6
        assert of(samples, f"tailrace_{name}_aborted_requests_total", **labels) == 1
        assert of(samples, f"tailrace_{name}_requests_total", **labels) == 16


def test_connections_are_counted_and_are_in_no_histogram_of_latencies(redis_client: redis.Redis) -> None:
    now_s = time.time()
    websocket = SeenRequest(now_s, "/cable", status="101", service_ms=531_114)
    fill(redis_client, [websocket] * 10 + [SeenRequest(now_s, "/cable", status="426")], now_s)
    samples = scrape(redis_client)
    assert of(samples, "tailrace_app_connections_total", app="") == 10
    assert of(samples, "tailrace_route_connections_total", app="", route="/cable") == 10
    assert of(samples, "tailrace_app_service_seconds_count", app="") == 1
    assert of(samples, "tailrace_app_service_seconds_sum", app="") < 1
    assert of(samples, "tailrace_app_connect_seconds_count", app="") == 1
    assert of(samples, "tailrace_app_connection_seconds_bucket", app="", le="300.0") == 0
    assert of(samples, "tailrace_app_connection_seconds_bucket", app="", le="900.0") == 10


def test_service_times_are_a_histogram_in_seconds(redis_client: redis.Redis) -> None:
    now_s = time.time()
    fill(
        redis_client, [SeenRequest(now_s, service_ms=value) for value in (5, 20, 250, 30_000, 45_000)], now_s
    )
    samples = scrape(redis_client)
    counts = {"0.005": 1, "0.01": 1, "0.025": 2, "0.25": 3, "0.5": 3, "30.0": 4, "+Inf": 5}
    for edge, count in counts.items():
        assert of(samples, "tailrace_app_service_seconds_bucket", app="", le=edge) == count
    assert of(samples, "tailrace_app_service_seconds_count", app="") == 5
    assert of(samples, "tailrace_app_service_seconds_sum", app="") == pytest.approx(75.275, rel=0.01)


def test_the_number_of_series_is_bounded(redis_client: redis.Redis) -> None:
    now_s = time.time()
    requests = [SeenRequest(now_s, f"/{number}") for number in range(400)] + [SeenRequest(now_s, "/busy")] * 2
    fill(redis_client, requests, now_s)
    samples = scrape(redis_client, limit=5)
    routes = {dict(labels)["route"] for name, labels in samples if name == "tailrace_route_requests_total"}
    assert len(routes) == 5
    assert "/busy" in routes
    assert of(samples, "tailrace_app_requests_total", app="") == 402
    assert len(samples) < 5 * 28 + 95


def test_no_counter_falls_when_another_route_becomes_busier(redis_client: redis.Redis) -> None:
    now_s = time.time()
    fill(redis_client, [SeenRequest(now_s, "/a")] * 3 + [SeenRequest(now_s, "/b")] * 2, now_s)
    before = scrape(redis_client, limit=1)
    fill(redis_client, [SeenRequest(now_s, "/b")] * 5, now_s)
    after = scrape(redis_client, limit=1)
    fallen = [name for name in before if name in after and after[name] < before[name]]
    assert [name for name in fallen if not name[0].startswith("tailrace_group")] == []


def test_what_senders_report_and_get_wrong_is_told(redis_client: redis.Redis) -> None:
    now_s = int(time.time())
    reports = [Report(OTHER_DRAIN, 500), Report("L14", 2)]
    record_once(redis_client, "a", "shop", [], [], now_s, reports)
    faults: dict[tuple[Kind, SenderKind], Tally] = {("password", "logplex"): Tally(3, now_s, "abc")}
    record_faults(redis_client, faults, {}, now_s)
    samples = scrape(redis_client)
    assert of(samples, "tailrace_other_drains_losses_total", app="shop") == 500
    assert of(samples, "tailrace_sender_reports_total", app="shop", code="L14") == 2
    assert of(samples, "tailrace_sender_faults_total", kind="password", sender="logplex") == 3


def test_workers_losses_and_dead_letters_are_told(redis_client: redis.Redis) -> None:
    now_ms = int(time.time() * 1000)
    report_status(redis_client, WorkerStatus("metrics.h.1", "metrics", now_ms, 120, 3.5, True, now_ms))
    letter = dead_letters.dead_letter("line", "drain", "why", b"x")
    record_once(redis_client, "frame", "shop", [Loss("L10", 12)], [letter], now_ms // 1000)
    redis_client.hset("tailrace:counts", "dead_letters_dropped", 2)
    samples = scrape(redis_client)
    assert of(samples, "tailrace_group_lag_messages", group="metrics") == 120
    assert of(samples, "tailrace_group_lag_seconds", group="metrics") == 3.5
    assert of(samples, "tailrace_group_workers", group="metrics") == 1
    assert of(samples, "tailrace_losses_total", app="shop") == 12
    assert of(samples, "tailrace_dead_letters") == 1
    assert of(samples, "tailrace_dead_letters_bytes") > dead_letters.OVERHEAD_BYTES
    assert of(samples, "tailrace_dead_letters_dropped_total") == 2


def test_a_redis_without_a_limit_has_no_series_of_one(redis_client: redis.Redis) -> None:
    assert of(scrape(redis_client), "tailrace_redis_memory_bytes") > 100_000
    assert ("tailrace_redis_memory_limit_bytes", ()) not in scrape(redis_client)
    redis_client.config_set("maxmemory", 500_000_000)
    try:
        assert of(scrape(redis_client), "tailrace_redis_memory_limit_bytes") == 500_000_000
    finally:
        redis_client.config_set("maxmemory", 0)


def test_hostile_names_cannot_make_series_of_their_own(redis_client: redis.Redis) -> None:
    now_s = time.time()
    fill(redis_client, [SeenRequest(now_s, '/a"} 1\ntailrace_redis_up 7\n')], now_s)
    samples = scrape(redis_client)
    assert of(samples, "tailrace_redis_up") == 1


def test_without_redis_there_is_one_series_that_says_so() -> None:
    away = connect(Settings(redis_url="redis://127.0.0.1:1/0"), connections=1, timeout_s=1)
    assert scrape(away) == {("tailrace_redis_up", ()): 0.0}


def test_with_the_log_on_kafka_what_expired_unread_is_the_groups_own_count(redis_client: redis.Redis) -> None:
    redis_client.hset("tailrace:group:metrics", mapping={"messages": 5, "lost": 7})
    redis_client.hset("tailrace:log:router:meta", mapping={"added": 9, "kept": 9, "bytes": 900})
    samples = scrape(redis_client, settings=Settings(kafka_url="kafka://127.0.0.1:1"))
    assert of(samples, "tailrace_log_lost_messages_total", group="metrics") == 7
    assert not any(name == "tailrace_log_bytes" for name, _ in samples)


def test_dynos_and_hosts_are_counted_by_app(redis_client: redis.Redis) -> None:
    now_s = time.time()
    bad = SeenRequest(
        now_s, app="shop", dyno="web.3", service_ms=40, status="500", host="WWW.example.com:443"
    )
    aborted = SeenRequest(now_s, app="shop", dyno="web.3", service_ms=31_000, status="499")
    fill(
        redis_client,
        [bad, bad, aborted, SeenRequest(now_s, app="api", dyno="web.3"), SeenRequest(now_s, dyno="web.3")],
        now_s,
    )
    samples = scrape(redis_client)
    requests = {
        app: of(samples, "tailrace_dyno_requests_total", app=app, dyno="web.3") for app in ("shop", "")
    }
    assert requests == {"shop": 3, "": 1}
    assert of(samples, "tailrace_dyno_failed_requests_total", app="shop", dyno="web.3") == 2
    assert of(samples, "tailrace_dyno_aborted_requests_total", app="shop", dyno="web.3") == 1
    assert of(samples, "tailrace_host_requests_total", app="shop", host="www.example.com") == 2
    for edge, count in {"0.025": 0, "0.05": 2, "30.0": 2, "+Inf": 3}.items():
        found = of(samples, "tailrace_dyno_service_seconds_bucket", app="shop", dyno="web.3", le=edge)
        assert found == count
    assert of(samples, "tailrace_dyno_service_seconds_sum", app="shop", dyno="web.3") == pytest.approx(
        31.08, rel=0.01
    )


def test_dynos_and_hosts_have_the_edges_of_routes(redis_client: redis.Redis) -> None:
    fill(redis_client, [SeenRequest(time.time(), app="shop")], time.time())
    edges: dict[str, set[str]] = {"route": set(), "dyno": set(), "host": set()}
    for name, labels in scrape(redis_client):
        for what, found in edges.items():
            if name == f"tailrace_{what}_service_seconds_bucket":
                found.add(dict(labels)["le"])
    assert edges["dyno"] == edges["host"] == edges["route"] != set()


def test_dynos_are_bounded_and_no_counter_of_them_falls(redis_client: redis.Redis) -> None:
    now_s = time.time()
    before: Samples = {}
    for round_ in range(3):
        fill(
            redis_client,
            [
                SeenRequest(now_s, app="shop", dyno=f"web.{at}")
                for at in range(30 + 100 * round_)
                for _ in "ab"
            ],
            now_s,
        )
        samples = scrape(redis_client, limit=20)
        dynos = {dict(labels)["dyno"] for name, labels in samples if name == "tailrace_dyno_requests_total"}
        assert len(dynos) == 20
        fallen = [
            row for row, value in before.items() if "_total" in row[0] and samples.get(row, value) < value
        ]
        assert fallen == []
        before = {row: value for row, value in samples.items() if "tailrace_dyno" in row[0]}


def test_dynos_that_were_not_seen_for_a_day_have_no_series(redis_client: redis.Redis) -> None:
    now_s = time.time()
    requests = [
        SeenRequest(now_s - 90_000, app="shop", dyno="old"),
        SeenRequest(now_s, app="shop", dyno="new"),
    ]
    fill(redis_client, requests, now_s)
    dynos = {
        dict(labels)["dyno"]
        for name, labels in scrape(redis_client)
        if name == "tailrace_dyno_requests_total"
    }
    assert dynos == {"new"}


def test_what_the_platform_says_stands_beside_the_requests(redis_client: redis.Redis) -> None:
    now_s = time.time()
    requests = [SeenRequest(now_s, app="shop", dyno="web.3", status="500"), SeenRequest(now_s, app="api")]
    fill(redis_client, requests, now_s)
    fill_facts(redis_client, "shop", told_app.facts(now_s), now_s)
    samples = scrape(redis_client)
    web = {"app": "shop", "dyno": "web.3"}
    assert of(samples, "tailrace_dyno_failed_requests_total", **web) == 1
    assert of(samples, "tailrace_dyno_up", **web) == 1
    share = of(samples, "tailrace_dyno_memory_bytes", **web) / of(
        samples, "tailrace_dyno_memory_quota_bytes", **web
    )
    assert share == pytest.approx(1.8)
    assert of(samples, "tailrace_dyno_load1", **web) == pytest.approx(1.8)
    assert of(samples, "tailrace_dyno_memory_errors_last_hour", **web, code="R14") == 18
    assert of(samples, "tailrace_dyno_restarts_last_hour", **web) == 1
    worker = {"app": "shop", "dyno": "worker.1"}
    assert of(samples, "tailrace_dyno_up", **worker) == 0
    assert of(samples, "tailrace_dyno_crashes_last_hour", **worker) == 1
    assert of(samples, "tailrace_release_info", app="shop", version="v42", commit="9154a1d2") == 1
    at_s = of(samples, "tailrace_release_timestamp_seconds", app="shop")
    assert at_s == pytest.approx(now_s - told_app.RELEASED_AGO_S, abs=1)
    assert not any(
        name.startswith("tailrace_release") and ("app", "api") in labels for name, labels in samples
    )
    addon = {"kind": "heroku-postgres", "source": "DATABASE", "addon": "postgresql-curly-12345"}
    assert (
        of(samples, "tailrace_addon_sample", app="shop", **addon, measure="memory-total", unit="kB")
        == 3_944_484
    )


def test_dynos_of_the_platform_are_bounded_and_the_same_ones_each_time(redis_client: redis.Redis) -> None:
    now_s = time.time()
    at_ms = int(now_s * 1000) - 30_000
    fill(redis_client, [SeenRequest(now_s, app="shop")], now_s)
    names = [f"web.{at}" for at in range(1, 40)] + [f"run.{1000 + at}" for at in range(10)]
    fill_facts(redis_client, "shop", [platform_events.up(at_ms, name) for name in names], now_s)
    for _ in "ab":
        samples = scrape(redis_client, limit=5)
        dynos = {dict(labels)["dyno"] for name, labels in samples if name == "tailrace_dyno_up"}
        assert dynos == {"web.1", "web.2", "web.3", "web.4", "web.5"}


def test_every_series_is_as_openmetrics_wants_it(redis_client: redis.Redis) -> None:
    now_s = time.time()
    fill(redis_client, [SeenRequest(now_s, app="shop", dyno="web.3", status="500")], now_s)
    fill_facts(redis_client, "shop", told_app.facts(now_s), now_s)
    registry = CollectorRegistry()
    registry.register(RouteCollector(redis_client, 10, open_log(Settings())))
    text = exposition.generate_latest(registry).decode()  # type: ignore[no-untyped-call]
    families = parser.text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    kinds = {family.name: family.type for family in families}
    assert {kind for name, kind in kinds.items() if name.startswith("tailrace_dyno_memory")} == {"gauge"}
    assert kinds["tailrace_dyno_requests"] == "counter"
