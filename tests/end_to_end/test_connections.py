"""Websockets and streams through `web` and a real worker: requests, but in no latency."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

import pytest
import redis
import requests

from app.store.keys import digest
from servers.logplex_client import LogplexClient
from servers.messages import router_line, router_syslog
from servers.ports import free_port
from servers.processes import Processes, wait_until
from tests.support.stored import text_hash


def test_ten_websockets_among_a_hundred_requests_change_no_percentile(
    redis_url: str, redis_client: redis.Redis, tmp_path: Path
) -> None:
    rules = tmp_path / "tailrace.yml"
    rules.write_text("streams:\n  - /events\n", "utf-8")
    usual = [router_line("/shop", service_ms=20, connect_ms=1, status=200) for _ in range(100)]
    open_ones = [router_line("/cable", service_ms=531_114, connect_ms=1, status=101) for _ in range(10)]
    open_ones += [router_line("/events", service_ms=60_000, connect_ms=1, status=200) for _ in range(5)]
    refused = [router_line("/cable", service_ms=20, connect_ms=1, status=426)]
    at_s = time.time() - 15
    port = free_port()
    environ = {"REDIS_URL": redis_url, "DRAIN_AUTH": "none", "TAILRACE_CONFIG": str(rules)}
    with Processes(environ) as processes:
        processes.start_web(port)
        processes.start_worker("metrics")
        client = LogplexClient(f"http://127.0.0.1:{port}/logs", "d.1")
        lines = [*usual, *open_ones, *refused]
        assert client.post([router_syslog(line, at_s) for line in lines], "frame") == "202"
        wait_until(
            lambda: redis_client.hget("tailrace:group:metrics", "messages") == b"116", "count of all", 60
        )

        def ask(path: str) -> Any:
            return requests.get(f"http://127.0.0.1:{port}{path}", timeout=10)

        for window in ("1h", "all"):
            total = ask(f"/api/routes?window={window}").json()["total"]
            assert (total["count"], total["connections"], total["errors"]) == (116, 15, 0)
            assert total["service"]["count"] == total["connect"]["count"] == 101
            assert total["service"]["p95"] == pytest.approx(20, rel=0.011)
            assert total["service"]["max"] == pytest.approx(20, rel=0.011)
            assert total["lifetime"]["count"] == 15
            assert total["lifetime"]["p50"] == pytest.approx(531_114, rel=0.011)
            rows = {
                row["route"]: row
                for row in csv.DictReader(ask(f"/api/routes.csv?window={window}").text.splitlines())
            }
            assert {route: row["connections"] for route, row in rows.items()} == {
                "/shop": "0",
                "/cable": "10",
                "/events": "5",
            }
            assert float(rows["/cable"]["lifetime_p95_ms"]) == pytest.approx(531_114, rel=0.011)
            assert float(rows["/cable"]["service_max_ms"]) == pytest.approx(20, rel=0.011)
            assert rows["/events"]["service_p95_ms"] == rows["/events"]["connect_p95_ms"] == ""
            assert rows["/shop"]["lifetime_p50_ms"] == ""
        route = ask(f"/api/routes/{digest('/cable')}?window=1h").json()
        assert [bar["count"] for bar in route["service_histogram"]] == [1]
        assert [bar["count"] for bar in route["connect_histogram"]] == [1]
        assert route["figures"]["lifetime"]["count"] == 10
        metrics = ask("/metrics").text
        assert 'tailrace_app_service_seconds_count{app=""} 101.0' in metrics
        assert 'tailrace_app_connections_total{app=""} 15.0' in metrics
        assert 'tailrace_app_connection_seconds_bucket{app="",le="60.0"} 5.0' in metrics
    # The talk's averages are latencies, too.
    assert text_hash(redis_client, f"{digest('/cable')}::service") == {
        "sum": "20",
        "count": "1",
        "average": "20",
    }
    assert not redis_client.exists(f"{digest('/events')}::service")
