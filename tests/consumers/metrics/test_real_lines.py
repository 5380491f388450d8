"""Lines as Heroku's router writes them, each with what it counts for: failed, aborted, times, lifetimes."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest
import redis

from app.connections import open_connection_matcher
from app.routes import route_namer
from app.settings import Settings
from app.store import queries
from app.store.apply import apply
from app.store.claims import offsets_claim
from app.store.keys import digest
from consumers.metrics.admission import Admission
from consumers.metrics.aggregate import Aggregator
from servers.messages import router_message
from tests.support.stored import text_hash

SETTINGS = Settings(stream_rules=("/events",))


@dataclass(frozen=True, slots=True)
class RealLine:
    """A line, and what it counts for."""

    what: str
    line: str
    failed: int = 0
    aborted: int = 0
    service_ms: float | None = None
    lifetime_ms: float | None = None
    """Of a connection."""


HOST = "host=shop.example.com request_id=6903a168-b79b-ec27-03c8-b8f64d8d8792"
TLS = "protocol=http1.1 tls=true tls_version=tls1.3"
FWD = "fwd=138.68.186.89 dyno=web.1 connect=0ms"
NO_DYNO = "fwd=138.68.186.89 dyno= connect="
GET_X = f'method=GET path="/x" {HOST}'
GET_EVENTS = f'method=GET path="/events" {HOST}'

LINES = (
    RealLine(
        "a request of HTTP/2",
        f'at=info method=GET path="/" {HOST} {FWD} service=0ms status=200 bytes=0 protocol=http2.0 tls=true '
        "tls_version=tls1.3",
        service_ms=0,
    ),
    RealLine(
        "not modified, fwd empty",
        f'at=info method=GET path="/static/a.css" {HOST} fwd="" dyno=web.1 connect=0ms service=2ms '
        "status=304 bytes=0 protocol=http1.1 tls=true tls_version=unknown",
        service_ms=2,
    ),
    RealLine(
        "without TLS",
        f"at=info {GET_X} {FWD} service=7ms status=200 bytes=16268 protocol=http1.1 tls=false",
        service_ms=7,
    ),
    RealLine(
        "H18 with the status that was already sent",
        f'sock=backend at=error code=H18 desc="Server Request Interrupted" method=POST path="/api/stream" '
        f"{HOST} {FWD} service=710ms status=200 bytes=0 protocol=http1.1 tls=true tls_version=unknown",
        failed=1,
        service_ms=710,
    ),
    RealLine(
        "H27",
        f'sock=client at=warning code=H27 desc="Client Request Interrupted" {GET_X} {FWD} '
        f"service=12000ms status=499 bytes= {TLS}",
        aborted=1,
        service_ms=12_000,
    ),
    RealLine(
        "H28",
        f'at=warning code=H28 desc="Client Connection Idle" {GET_X} {FWD} service=55000ms '
        f"status=499 bytes=18 {TLS}",
        aborted=1,
        service_ms=55_000,
    ),
    RealLine(
        "a decoded path",
        f'at=info method=GET path="/api/Lexicon 1951/Book/8" {HOST} {FWD} service=31ms status=200 bytes=5570 '
        "protocol=http2.0 tls=true tls_version=tls1.3",
        service_ms=31,
    ),
    RealLine(
        "a websocket",
        f'at=info method=GET path="/cable" {HOST} {FWD} service=531114ms status=101 bytes=2018 {TLS}',
        lifetime_ms=531_114,
    ),
    RealLine(
        "a websocket that the router closed",
        f'at=error code=H15 desc="Idle connection" method=GET path="/cable" {HOST} {FWD} service=55449ms '
        f"status=101 bytes=18 {TLS}",
        failed=1,
        lifetime_ms=55_449,
    ),
    RealLine(
        "a websocket that the app refused",
        f'at=info method=GET path="/cable" {HOST} {FWD} service=3ms status=426 bytes=0 {TLS}',
        service_ms=3,
    ),
    RealLine(
        "server-sent events",
        f'at=info method=GET path="/events?last=7" {HOST} {FWD} service=180000ms status=200 bytes=913 {TLS}',
        lifetime_ms=180_000,
    ),
    RealLine(
        "server-sent events whose client left",
        f'sock=client at=warning code=H27 desc="Client Request Interrupted" {GET_EVENTS} {FWD} '
        f"service=180000ms status=499 bytes= {TLS}",
        aborted=1,
        lifetime_ms=180_000,
    ),
    RealLine(
        "server-sent events that went idle",
        f'at=error code=H15 desc="Idle connection" {GET_EVENTS} {FWD} service=55449ms '
        f"status=503 bytes=18 {TLS}",
        failed=1,
        lifetime_ms=55_449,
    ),
    RealLine(
        "server-sent events without a login",
        f"at=info {GET_EVENTS} {FWD} service=3ms status=401 bytes=0 {TLS}",
        service_ms=3,
    ),
    RealLine(
        "server-sent events of a crashed app",
        f'at=error code=H10 desc="App crashed" {GET_EVENTS} {NO_DYNO} service=4ms status=503 bytes= {TLS}',
        failed=1,
        service_ms=4,
    ),
    RealLine(
        "H24 without a status",
        f'at=error code=H24 desc="Forced close" {GET_X} {FWD} service=80000ms status= bytes=18 {TLS}',
        failed=1,
        service_ms=80_000,
    ),
    RealLine(
        "H26 with its cause",
        f'at=error code=H26 desc="Request Error" cause="unsupported expect header value" {GET_X} '
        f"{NO_DYNO} service= status=417 bytes= {TLS}",
        failed=1,
    ),
    RealLine(
        "H31 with its agent",
        f'at=error code=H31 desc="Misdirected Request" {GET_X} {NO_DYNO} '
        f'service=0ms status=421 bytes= protocol=http2.0 tls=true tls_version=tls1.3 agent="Mozilla/5.0"',
        failed=1,
        service_ms=0,
    ),
    RealLine(
        "H12 of the legacy router",
        f'at=error code=H12 desc="Request timeout" {GET_X} fwd="138.68.186.89" dyno=web.1 '
        "connect=1ms service=30001ms status=503 bytes=0 protocol=https",
        failed=1,
        service_ms=30_001,
    ),
    RealLine(
        "H14, all empty",
        f'at=error code=H14 desc="No web processes running" {GET_X} fwd="138.68.186.89" dyno= '
        "connect= service= status=503 bytes= protocol=https",
        failed=1,
    ),
    RealLine(
        "the app's own 500",
        f"at=info {GET_X} {FWD} service=9ms status=500 bytes=0 {TLS}",
        failed=1,
        service_ms=9,
    ),
    RealLine(
        "499 without a code",
        f"at=info {GET_X} {FWD} service=9ms status=499 bytes=0 {TLS}",
        aborted=1,
        service_ms=9,
    ),
)


def count(store: redis.Redis, lines: list[str], now_s: float) -> None:
    """As the metrics worker does with SETTINGS, in one batch."""
    names = Admission(store, SETTINGS.routes_max)
    matcher = open_connection_matcher(SETTINGS)
    aggregator = Aggregator(route_namer(SETTINGS), names, is_connection=matcher)
    messages = [router_message(line, now_s - 15, id=f"f.{at}") for at, line in enumerate(lines)]
    changes = aggregator.changes(messages, int(now_s))
    claim = offsets_claim("tailrace:positions:metrics", [(0, 0, len(lines), False)])
    assert apply(store, "metrics", claim, changes, SETTINGS.routes_max)


@pytest.mark.parametrize("real", LINES, ids=lambda real: real.what)
def test_a_real_line_counts_for_what_it_was(redis_client: redis.Redis, real: RealLine) -> None:
    now_s = time.time()
    count(redis_client, [real.line], now_s)
    for span in (queries.Span(300), None):
        table = queries.routes_table(redis_client, "", span, now_s)
        (row,) = table.routes
        for found in (row.figures, table.total):
            assert (found.count, found.errors, found.aborted) == (1, real.failed, real.aborted)
            assert found.error_rate == real.failed
            assert found.connections == (real.lifetime_ms is not None)
            for latency, wanted_ms in ((found.service, real.service_ms), (found.lifetime, real.lifetime_ms)):
                assert latency.count == (wanted_ms is not None)
                assert latency.p50 == (None if wanted_ms is None else pytest.approx(wanted_ms, rel=0.011))
            if real.lifetime_ms is not None:
                assert found.connect.count == 0
        talk = text_hash(redis_client, f"{digest(row.route)}::service")
        assert talk.get("average") == (None if real.service_ms is None else f"{real.service_ms:g}")
        has_connect = real.lifetime_ms is None and "connect= " not in real.line
        assert redis_client.exists(f"{digest(row.route)}::connect") == has_connect
    series = queries.series(redis_client, "", "all", queries.Span(300), now_s)
    assert sum(1 for rate in series.errors_per_s if rate) == real.failed
    assert sum(1 for p99 in series.service_p99 if p99 is not None) == (real.service_ms is not None)


def test_all_of_them_together_are_their_sum(redis_client: redis.Redis) -> None:
    now_s = time.time()
    count(redis_client, [real.line for real in LINES], now_s)
    for span in (queries.Span(300), None):
        total = queries.routes_table(redis_client, "", span, now_s).total
        assert total.count == len(LINES)
        assert total.errors == sum(real.failed for real in LINES)
        assert total.aborted == sum(real.aborted for real in LINES)
        assert total.connections == total.lifetime.count == 5
        assert total.service.count == sum(real.service_ms is not None for real in LINES)
        assert total.service.max == pytest.approx(80_000, rel=0.011)


def test_six_failures_of_the_router_without_a_5xx_are_six_errors(redis_client: redis.Redis) -> None:
    now_s = time.time()
    h18, h24 = (real.line for real in LINES if real.what.startswith(("H18", "H24")))
    count(redis_client, [*[h18] * 5, h24], now_s)
    for span in (queries.Span(300), None):
        total = queries.routes_table(redis_client, "", span, now_s).total
        assert (total.count, total.errors, total.error_rate) == (6, 6, 1.0)


def test_a_version_before_reads_the_totals_that_are_written_now(redis_client: redis.Redis) -> None:
    """While both are running. It takes all fields of this hash but two for whole numbers."""
    websocket = next(real.line for real in LINES if real.what == "a websocket")
    count(redis_client, [websocket.replace("531114ms", "531114.75ms")], time.time())
    totals = text_hash(redis_client, "tailrace:all:mix")
    assert totals["max_lifetime"] == "531115"
    assert all(
        int(value) >= 0 for name, value in totals.items() if name not in ("max_service", "max_connect")
    )
