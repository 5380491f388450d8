"""`python -m app report`, as a person runs it, on a real Redis."""

from __future__ import annotations

import json
import os
import re
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
    head = next(at for at, line in enumerate(markdown) if line.startswith("| Route"))
    rows = markdown[head : markdown.index("", head)]
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
    assert row.startswith("| `/a\\|b'` | `shop` | 20 |")
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
    found = report(redis_url, "--since", "1y")
    assert found.returncode == 2
    assert "from 10s to 31d, such as 15m or 24h, or `all`" in found.stderr
    assert report(redis_url, "--since", "1w").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "1h", "--since", "1h"), "give --since (a length) or --from (a time), not both"),
        (("--since", "all", "--until", "1h"), "--since all takes neither --from nor --until"),
        (("--from", "10m", "--until", "1h"), "must be after --from"),
        (("--from", "2100-01-01T00:00Z"), "begins in the future, at 2100-01-01T00:00:00Z"),
        (("--from", "60d"), "are kept for 31 days"),
        (("--from", "soon"), "'soon' is not a time"),
        (("--until", "60d"), "are kept for 31 days"),
    ],
)
def test_a_bad_period_is_explained(redis_url: str, arguments: tuple[str, ...], said: str) -> None:
    found = report(redis_url, *arguments)
    assert (found.returncode, found.stdout) == (2, "")
    assert said in found.stderr
    assert found.stderr.count("\n") == 1


def test_a_span_of_its_own_is_named_exactly_and_in_utc(redis_url: str, redis_client: redis.Redis) -> None:
    now_s = int(time.time())
    noon_s = (now_s - 1_800) // 60 * 60
    fill(
        redis_client, [SeenRequest(noon_s + 5, "/in")] * 7 + [SeenRequest(noon_s + 125, "/after")] * 5, now_s
    )

    def iso(at_s: int) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s))

    for arguments in (
        ("--from", iso(noon_s), "--until", iso(noon_s + 60)),
        ("--since", "1m", "--until", iso(noon_s + 60)),
    ):
        found = json.loads(report(redis_url, *arguments, "--format", "json").stdout)
        assert (found["table"]["from_s"], found["table"]["to_s"]) == (noon_s, noon_s + 60)
        assert found["table"]["total"]["count"] == 7
        title = report(redis_url, *arguments).stdout.splitlines()[0]
        assert (
            title
            == f"Tailrace: all apps, {iso(noon_s)[:19].replace('T', ' ')} to {iso(noon_s + 60)[11:19]} UTC"
        )


def test_one_route_by_itself(filled_url: str) -> None:
    lines = report(filled_url, "--app", "shop", "--route", "/slow").stdout.splitlines()
    assert "Route /slow" in lines
    facts = {line.split()[0]: " ".join(line.split()[1:]) for line in lines if line.startswith("  ")}
    assert facts["requests"].startswith("1, ")
    assert facts["statuses"] == "503 1"
    assert facts["H-codes"] == "H12 1 (Request timeout)"
    assert facts["dynos*"] == "web.1 1"
    assert facts["methods"] == "GET 1"
    assert not any(line.startswith("ROUTE") for line in lines)
    as_data = json.loads(report(filled_url, "--app", "shop", "--route", "/slow", "--format", "json").stdout)
    assert as_data["route"]["detail"]["figures"]["codes"] == {"H12": 1}
    assert set(as_data["route"]["samples"]) >= {"slowest", "failed"}
    assert [row["route"] for row in as_data["table"]["routes"]] == ["/slow"]


def test_routes_by_a_part_of_their_name_or_a_pattern(filled_url: str) -> None:
    for wanted in ("a|b", "/a*", "*A|B*"):
        lines = report(filled_url, "--app", "shop", "--route", wanted).stdout.splitlines()
        assert "Route /a|b`" in lines
    lines = report(filled_url, "--app", "shop", "--route", "/*").stdout.splitlines()
    assert "3 routes with '/*'" in lines
    assert sum(line.startswith("/") for line in lines) == 3


def test_an_unknown_route_is_an_error_that_names_similar_ones(filled_url: str) -> None:
    found = report(filled_url, "--app", "shop", "--route", "/slwo")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == "unknown route '/slwo'. Similar ones: /slow\n"
    assert "`python -m app report` lists them" in report(filled_url, "--route", "/zzzzzzzzzz").stderr


def routes_of(text: str) -> list[str]:
    lines = text.splitlines()
    head = next(at for at, line in enumerate(lines) if line.startswith("ROUTE"))
    return [line.split()[0] for line in lines[head + 1 :] if line.startswith("/")]


def test_rows_are_sorted_by_any_column(filled_url: str) -> None:
    assert routes_of(report(filled_url, "--sort", "p95").stdout)[0] == "/slow"
    assert routes_of(report(filled_url, "--sort", "time").stdout)[0] == "/slow"
    assert routes_of(report(filled_url, "--sort=-p95").stdout)[-1] == "/slow"
    assert routes_of(report(filled_url, "--sort", "p95", "--reverse").stdout)[-1] == "/slow"
    assert routes_of(report(filled_url, "--sort", "name", "--app", "shop").stdout)[-1] == "/slow"
    refused = report(filled_url, "--sort", "speed")
    assert refused.returncode == 2
    assert "must be one of name, app, requests" in refused.stderr


def test_the_share_of_the_service_time_shows_where_it_goes(filled_url: str) -> None:
    row = next(line for line in report(filled_url).stdout.splitlines() if line.startswith("/slow"))
    assert "98.6 %" in row, "30 s of 30.43 s"


def test_csv_is_a_line_for_each_route_and_runs_in_no_spreadsheet(
    redis_url: str, redis_client: redis.Redis
) -> None:
    now_s = time.time()
    requests = [SeenRequest(now_s - 60, f"/{number}") for number in range(30)]
    fill(redis_client, [*requests, SeenRequest(now_s - 60, "=cmd()", app="shop")], now_s)
    text = report(redis_url, "--format", "csv", "--sort", "name").stdout
    lines = text.splitlines()
    assert lines[0].startswith('"route","requests"')
    assert len(lines) == 32
    assert not any(line.startswith('"=') for line in lines)
    assert len(report(redis_url, "--format", "csv", "--routes", "5").stdout.splitlines()) == 6


def test_html_is_one_file_that_loads_nothing_and_runs_nothing(
    redis_url: str, redis_client: redis.Redis
) -> None:
    now_s = time.time()
    evil = "/<script>alert(1)</script>"
    requests = [SeenRequest(now_s - 60 - 10 * age, evil, app="shop", status="500") for age in range(20)]
    fill(redis_client, [*requests, SeenRequest(now_s - 60, "/b", app="api")], now_s)
    for arguments in ((), ("--route", "script")):
        page = report(redis_url, "--format", "html", *arguments).stdout
        assert page.startswith("<!doctype html>")
        assert page.rstrip().endswith("</html>")
        assert "<script" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "default-src 'none'" in page
        assert not re.search(r"(src|href)=|url\(|@import", page)
        assert page.count("<svg") == 2
        assert "<polyline" in page


def test_a_comparison_marks_what_may_be_noise(redis_url: str, redis_client: redis.Redis) -> None:
    now_s = time.time()
    before = [SeenRequest(now_s - 3_600 - 10 * step, "/a") for step in range(1, 30) for _ in range(20)]
    after = [SeenRequest(now_s - 10 * step, "/a", service_ms=80) for step in range(1, 30) for _ in range(20)]
    fill(redis_client, [SeenRequest(now_s - 7_200), *before, *after], now_s)
    lines = report(redis_url, "--since", "5m", "--compare", "hour").stdout.splitlines()
    assert any(line.startswith("Compared with the hour before (") for line in lines)
    head = next(line for line in lines if line.startswith("ROUTE"))
    assert "± P95" in head
    assert "± PER S" in head
    row = next(line for line in lines if line.startswith("/a"))
    assert re.search(r"\+(29|30)\d %$", row.rstrip()), row
    assert any(re.search(r"\(p95 \+(29|30)\d %\)", line) for line in lines if line.startswith("  service"))


def test_nothing_to_compare_with_is_said(filled_url: str) -> None:
    text = report(filled_url, "--compare", "week").stdout
    assert "There are no figures of the same time a week before to compare with." in text
    assert "±" not in text


def test_one_bad_dyno_stands_out_in_the_window(redis_url: str, redis_client: redis.Redis) -> None:
    now_s = time.time()
    seen = [SeenRequest(now_s - 60, "/a", app="shop", dyno=f"web.{1 + at % 4}") for at in range(400)]
    seen += [SeenRequest(now_s - 60, "/a", app="shop", dyno="web.3", status="500") for _ in range(50)]
    seen += [SeenRequest(now_s - 60, "/a", app="api", dyno="web.1")]
    fill(redis_client, seen, now_s)
    text = report(redis_url, "--since", "15m", "--app", "shop", "--sort", "errors").stdout
    lines = text.splitlines()
    head = next(at for at, line in enumerate(lines) if line.startswith("DYNO"))
    assert lines[head + 1].split()[:2] == ["web.3", "150"]
    assert "33.3 %" in lines[head + 1]
    assert any(line.startswith("shop.example.com") for line in lines)
    as_data = json.loads(report(redis_url, "--since", "15m", "--format", "json").stdout)
    assert {(row["app"], row["name"]) for row in as_data["dynos"]["rows"]} >= {
        ("shop", "web.3"),
        ("api", "web.1"),
    }
    for form in ("markdown", "html"):
        assert "web.3" in report(redis_url, "--since", "15m", "--format", form).stdout
    everything = report(redis_url, "--since", "all").stdout
    assert "Dynos are kept for a day: these are of" in everything


def test_warnings_of_other_apps_are_left_out(filled_url: str) -> None:
    assert "12 messages from shop were lost" in report(filled_url, "--app", "shop").stdout
    assert "were lost" not in report(filled_url, "--app", "api").stdout


def test_help_has_examples() -> None:
    found = report("redis://127.0.0.1:1/0", "--help")
    assert found.returncode == 0
    assert "python -m app report --since 24h --app shop --format markdown" in found.stdout
