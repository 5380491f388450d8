"""`python -m app report`, as a person runs it, on a real Redis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis

from app.store.frame_events import Loss, record_once
from app.store.workers import WorkerStatus, report_status
from servers.figures import SeenRequest, fill

ROOT = Path(__file__).parents[4]


def report(redis_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", "report", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "REDIS_URL": redis_url},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def filled_url(redis_url: str, redis_client: redis.Redis) -> str:
    now_s = time.time()
    requests = [SeenRequest(now_s - 60 - age, "/a|b`", app="shop") for age in range(20)]
    requests += [
        SeenRequest(now_s - 60, "/\x1b[31mred", app="shop"),
        SeenRequest(now_s - 60, "/c", app="api"),
    ]
    requests += [SeenRequest(now_s - 60, "/slow", status="503", code="H12", service_ms=30_000, app="shop")]
    fill(redis_client, requests, now_s)
    report_status(redis_client, WorkerStatus("metrics.h.1", "metrics", int(now_s * 1000), 0, 0.0, True, 0))
    record_once(redis_client, "frame", "shop", [Loss("L10", 12)], [], int(now_s))
    return redis_url


def test_text_says_all_that_matters(filled_url: str) -> None:
    found = report(filled_url, "--since", "15m")
    assert (found.returncode, found.stderr) == (0, "")
    lines = found.stdout.splitlines()
    assert lines[0].startswith("Tailrace: all apps, last 15m (")
    assert any(line.split()[:2] == ["requests", "23,"] for line in lines)
    assert any("H12 1 (Request timeout)" in line for line in lines)
    assert any("12 messages from shop were lost" in line for line in lines)
    assert any(line.split()[0] == "/slow" and line.endswith("H12:1") for line in lines if line)
    assert "\x1b" not in found.stdout


def test_aborted_requests_and_connections_are_told_beside_the_errors(
    redis_url: str, redis_client: redis.Redis
) -> None:
    now_s = time.time()
    requests = [
        *[SeenRequest(now_s - 60, "/shop")] * 94,
        *[SeenRequest(now_s - 60, "/shop", status="499", code="H27")] * 3,
        SeenRequest(now_s - 60, "/shop", status="200", code="H18"),
        *[SeenRequest(now_s - 60, "/cable", status="101", service_ms=531_114)] * 2,
    ]
    fill(redis_client, requests[:94], now_s)
    before = report(redis_url, "--since", "15m").stdout
    assert "ABORTED" not in before
    assert "connections" not in before
    fill(redis_client, requests[94:], now_s)
    lines = [line.split() for line in report(redis_url, "--since", "15m").stdout.splitlines()]
    facts = {words[0]: " ".join(words[1:]) for words in lines if words}
    assert facts["errors"] == "1, 1.00 %"
    assert facts["aborted"] == "3"
    assert facts["connections"].startswith("2, open for median 8.92 min")
    assert facts["service"].startswith("median 20 ms")
    table = [words for words in lines if words and words[0] in ("ROUTE", "/shop", "/cable")]
    assert table[0][4:6] == ["ERRORS", "ABORTED"]
    assert table[0][-3:] == ["CONNECTIONS", "LIFETIME", "H-CODES"]
    assert table[1][-4:] == ["0", "-", "H27:3", "H18:1"]
    assert table[2][-3:] == ["2", "8.92", "min"]
    markdown = report(redis_url, "--since", "15m", "--format", "markdown").stdout.splitlines()
    rows = [line for line in markdown if line.startswith("|")]
    assert "| Aborted |" in rows[0]
    assert len({line.count("|") for line in rows}) == 1
    total = json.loads(report(redis_url, "--since", "all", "--format", "json").stdout)["table"]["total"]
    assert (total["errors"], total["aborted"], total["connections"]) == (1, 3, 2)
    assert total["lifetime"]["max"] == 531_114


def test_json_is_for_machines(filled_url: str) -> None:
    found = json.loads(report(filled_url, "--format", "json", "--app", "shop", "--routes", "1").stdout)
    assert found["table"]["total"]["count"] == 22
    assert [row["route"] for row in found["table"]["routes"]] == ["/a|b`"]
    assert found["alerts"][0]["code"] == "losses:shop"
    assert found["health"]["requests"] == 23


def test_markdown_keeps_its_table_whatever_the_route(filled_url: str) -> None:
    lines = report(filled_url, "--format", "markdown").stdout.splitlines()
    head = next(line for line in lines if line.startswith("| Route"))
    row = next(line for line in lines if "/a" in line)
    assert row.startswith("| `/a\\|b'` | 20 |")
    assert row.replace("\\|", "").count("|") == head.count("|")


@pytest.mark.parametrize("name", ["all", "ever"])  # `ever` was its name before 0.1.0.
def test_all_time_has_no_rate(filled_url: str, name: str) -> None:
    found = report(filled_url, "--since", name)
    assert ", all time (until " in found.stdout
    assert "/s\n" not in found.stdout


def test_an_empty_redis_gives_an_empty_report(redis_url: str) -> None:
    found = report(redis_url)
    assert found.returncode == 0
    assert "requests  0" in found.stdout
    assert "No metrics worker is running" in found.stdout


def test_an_app_that_was_never_seen_is_said_beside_its_zeros(filled_url: str) -> None:
    found = report(filled_url, "--app", "shpo")
    assert (found.returncode, "requests  0" in found.stdout) == (0, True)
    assert found.stderr == "unknown app 'shpo'. Known apps: shop, api\n"
    assert report(filled_url, "--app", "api").stderr == ""


def test_without_redis_it_says_so_in_one_line() -> None:
    found = report("redis://:SECRET@127.0.0.1:1/0")
    assert found.returncode == 2
    assert found.stderr == (
        "Redis at redis://********@127.0.0.1:1/0: Error 111 connecting to 127.0.0.1:1. Connection refused. "
        "(see REDIS_URL)\n"
    )


def test_a_database_that_is_not_there_is_named_as_the_fault(redis_url: str) -> None:
    found = report(redis_url.rpartition("/")[0] + "/9999")
    assert found.returncode == 2
    assert "no database with the number at the end of REDIS_URL" in found.stderr


def test_a_number_of_routes_that_is_none_is_refused(redis_url: str) -> None:
    found = report(redis_url, "--routes", "-1")
    assert found.returncode == 2
    assert "must be a whole number, 0 for all" in found.stderr


def test_a_bad_span_is_explained(redis_url: str) -> None:
    found = report(redis_url, "--since", "1w")
    assert found.returncode == 2
    assert "from 10s to 31d, such as 15m or 24h, or `all`" in found.stderr


def test_help_has_examples() -> None:
    found = report("redis://127.0.0.1:1/0", "--help")
    assert found.returncode == 0
    assert "python -m app report --since 24h --app shop --format markdown" in found.stdout
