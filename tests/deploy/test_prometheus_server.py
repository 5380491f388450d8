"""A real Prometheus scrapes a real `web` as docs/prometheus.md says, and evaluates every rule and panel."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
import yaml

from drain.monitoring.exports.files import RULES
from servers.processes import ROOT, wait_until
from tests.deploy.test_grafana_dashboard import expressions
from tests.drain.serving import PASSWORD, USER, serving
from tests.support.prometheus_server import PrometheusServer
from tests.support.promtool import binary
from tests.support.scraped import REDIS_LIMIT_BYTES, fill_all

WAIT_S = 60
EVALUATED_TWICE = "count_over_time(app:tailrace_failed:rate5m[1m]) > 1"


def documented() -> dict[str, Any]:
    """The configuration of the document, in its blocks of YAML."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "prometheus.md").read_text("utf-8"), re.DOTALL)
    found: dict[str, Any] = {}
    for block in blocks:
        found |= yaml.safe_load(block)
    assert found.pop("inhibit_rules")  # Alertmanager's.
    return found


def configuration(port: int) -> dict[str, Any]:
    """That of the document, for a `web` on loopback; quicker."""
    config = documented()
    (scrape,) = config["scrape_configs"]
    scrape["basic_auth"] = {"username": USER, "password": PASSWORD}
    scrape["static_configs"] = [{"targets": [f"127.0.0.1:{port}"]}]
    scrape |= {"scheme": "http", "scrape_interval": "1s"}
    return {**config, "global": {"evaluation_interval": "1s"}, "rule_files": [str(RULES)]}


@pytest.fixture(scope="module")
def prometheus(redis_server: Any) -> Iterator[PrometheusServer]:
    """One that has scraped twice, and evaluated its rules since then."""
    program = binary("prometheus")
    client = redis.Redis.from_url(redis_server.url)
    client.flushall()
    client.config_set("maxmemory", REDIS_LIMIT_BYTES)
    fill_all(client, time.time())
    try:
        with serving(REDIS_URL=redis_server.url, DRAIN_USER=USER, DRAIN_PASSWORD=PASSWORD) as web:
            assert web.post().status == 202
            with PrometheusServer(program, configuration(web.port)) as server:
                wait_until(lambda: bool(server.values(EVALUATED_TWICE)), "second evaluation", WAIT_S)
                yield server
    finally:
        client.config_set("maxmemory", 0)
        client.close()


def test_every_rule_is_evaluated_without_a_fault(prometheus: PrometheusServer) -> None:
    rules = [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
    assert len(rules) > 40
    assert {rule["name"]: rule.get("lastError") for rule in rules if rule["health"] != "ok"} == {}


def test_every_panel_shows_something(prometheus: PrometheusServer) -> None:
    # Nobody asks for anything here, so a share of the requests is NaN, which the panels leave out.
    empty = [expr for expr in expressions() if not prometheus.values(expr.removesuffix(" >= 0"))]
    assert [expr for expr in empty if "ALERTS" not in expr] == []


def test_figures_are_those_that_were_counted(prometheus: PrometheusServer) -> None:
    by_dyno = prometheus.values("tailrace_dyno_memory_bytes / tailrace_dyno_memory_quota_bytes")
    shares = {found["metric"]["dyno"]: float(found["value"][1]) for found in by_dyno}
    assert shares["web.3"] == pytest.approx(1.8)
    (target,) = prometheus.ask("targets")["activeTargets"]
    assert target["health"] == "up"
    assert target["labels"]["job"] == "tailrace"
