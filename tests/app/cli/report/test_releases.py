"""What `report` and `top` say of releases and dynos, on a real Redis."""

from __future__ import annotations

import csv
import io
import json
import time

import pytest
import redis

from app.cli.top.snapshot import Wanted, read_snapshot
from app.platform.facts import Event
from app.settings import Settings
from app.store import queries
from drain.dashboard.platform_csv import events_csv
from servers.figures import SeenRequest, fill
from tests.app.cli.report.test_command import report
from tests.support import platform_events

AGO_S = 420


@pytest.fixture
def released_url(redis_url: str, redis_client: redis.Redis) -> str:
    """Two apps with requests. One of them was released 7 min ago; then its dynos went down and up, and one of
    them ran out of memory."""
    now_s = time.time()
    requests = [SeenRequest(now_s - 10 * age, "/a", app=app) for age in range(60) for app in ("shop", "api")]
    fill(redis_client, requests, now_s)
    at_ms = int((now_s - AGO_S) * 1000)
    events = [
        Event("release", at_ms, "Release v42 created", version=42),
        Event("deploy", at_ms, "Deploy 9154a1d2", commit="9154a1d2"),
        Event("state", at_ms + 3_000, "State changed from up to starting", "web.1", state="starting"),
        platform_events.up(at_ms + 30_000),
        *(platform_events.over_memory(at_ms + 60_000 + 20_000 * at) for at in range(10)),
    ]
    platform_events.add(redis_client, {"shop": events}, now_s)
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
    assert (said.count('<path class="mark"') == 2) == (form == "html")


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
    assert sum(row["count"] for row in found["events"]["rows"] if row["code"] == "R14") == 10


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
