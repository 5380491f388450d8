"""What `report` and `top` say of releases and dynos, on a real Redis."""

from __future__ import annotations

import csv
import io
import json
import time

import pytest
import redis

from app.cli.top.snapshot import Wanted, read_snapshot
from app.settings import Settings
from app.store import queries
from drain.dashboard.platform_csv import events_csv
from servers.figures import SeenRequest, fill, fill_facts
from tests.app.cli.report.test_command import report
from tests.support import told_app


@pytest.fixture
def released_url(redis_url: str, redis_client: redis.Redis) -> str:
    """Two apps with requests. One of them was released 7 min ago and sends all that the platform says; the
    other sends nothing but router lines."""
    now_s = time.time()
    requests = [
        SeenRequest(now_s - 10 * age, "/a", app=app, dyno=f"web.{1 + 2 * (age % 2)}")
        for age in range(60)
        for app in ("shop", "api")
    ]
    fill(redis_client, requests, now_s)
    fill_facts(redis_client, "shop", told_app.facts(now_s), now_s)
    return redis_url


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_a_release_is_in_every_format_with_what_came_after_it(released_url: str, form: str) -> None:
    found = report(released_url, "--app", "shop", "--since", "15m", "--format", form)
    assert (found.returncode, found.stderr) == (0, "")
    said = found.stdout.replace("\\", "")
    assert "v42: deploy 9154a1d2" in said
    assert "Error R14 (Memory quota exceeded)" in said
    assert "compare --release v42 --app shop" in said
    assert "starting to up" not in said
    assert "180 %" in said
    assert "3,944,484 kB" in said
    assert "log-runtime-metrics" not in said
    assert (said.count('<path class="mark"') == 2) == (form == "html")


def test_a_dyno_is_one_line_with_its_memory_beside_its_requests(released_url: str) -> None:
    lines = report(released_url, "--app", "shop", "--sort", "memory").stdout.splitlines()
    head = next(at for at, line in enumerate(lines) if line.startswith("DYNO"))
    assert lines[head].split()[:7] == ["DYNO", "STATE", "MEMORY", "LOAD", "REQUESTS", "ERRORS", "P95"]
    rows = [line.split() for line in lines[head + 1 : head + 4]]
    assert rows[0][:6] == ["web.3", "up", "180", "%", "1.80", "30"]
    assert rows[1][:6] == ["web.1", "up", "50", "%", "0.50", "30"]
    assert rows[2][:5] == ["worker.1", "crashed", "-", "-", "0"]
    process = next(line.split() for line in lines if line.startswith("web  "))
    assert process[:5] == ["web", "2", "2", "115", "%"]


def test_an_app_without_metrics_has_one_line_that_says_how_to_switch_them_on(released_url: str) -> None:
    said = report(released_url, "--app", "api").stdout
    assert said.count("heroku labs:enable log-runtime-metrics -a api && heroku restart -a api") == 1
    for head in ("STATE", "MEMORY", "PROCESS", "ADD-ON", "RELEASE", "EVENT"):
        assert head not in said


def test_another_span_and_another_app_do_not_have_it(released_url: str) -> None:
    for arguments in (
        ("--app", "api"),
        ("--app", "shop", "--until", "8m"),
        ("--app", "shop", "--since", "5m"),
    ):
        found = report(released_url, *arguments)
        assert found.returncode == 0
        assert "v42" not in found.stdout, arguments


def test_json_has_all_events(released_url: str) -> None:
    found = json.loads(report(released_url, "--since", "15m", "--format", "json").stdout)
    (release,) = found["events"]["releases"]
    assert (release["app"], release["version"], release["commit"]) == ("shop", 42, "9154a1d2")
    assert {row["kind"] for row in found["events"]["rows"]} >= {"error"}
    assert sum(row["count"] for row in found["events"]["rows"] if row["code"] == "R14") == 18
    dynos = {(row["app"], row["name"]): row["runtime"] for row in found["dynos"]["rows"]}
    assert dynos["shop", "web.3"]["memory_share"] == 1.8
    assert dynos["shop", "worker.1"]["state"] == "crashed"
    assert found["dynos"]["without_metrics"] == ["api"]
    assert [row["addon"] for row in found["addons"]["rows"]] == ["postgresql-curly-12345"]


def test_csv_has_the_same_events(released_url: str, redis_client: redis.Redis) -> None:
    found = queries.events(redis_client, "shop", queries.Span(900), time.time())
    rows = list(csv.DictReader(io.StringIO(events_csv(found).decode())))
    assert len(rows) == len(found.releases) + len(found.rows)
    assert [row["version"] for row in rows if row["kind"] == "release"] == ["42"]


def test_top_knows_the_last_release_of_the_app_and_of_all(
    released_url: str, redis_client: redis.Redis
) -> None:
    settings = Settings(redis_url=released_url)

    def last(app: str) -> str | None:
        found = read_snapshot(redis_client, settings, Wanted("route", app, "5m"), time.time()).release
        return None if found is None else f"{found.app} v{found.version} {found.commit}"

    assert last("shop") == last("") == "shop v42 9154a1d2"
    assert last("api") is None


def test_top_has_dynos_with_what_the_platform_says(released_url: str, redis_client: redis.Redis) -> None:
    settings = Settings(redis_url=released_url)
    found = read_snapshot(redis_client, settings, Wanted("dyno", "", "1h"), time.time())
    rows = {(row.app, row.name): row for row in found.rows}
    runtime = rows["shop", "web.3"].runtime
    assert runtime is not None
    assert (runtime.memory_share, runtime.r14, rows["shop", "web.3"].count) == (1.8, 18, 30)
    assert list(found.without_metrics) == ["api"]
