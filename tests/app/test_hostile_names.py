"""Hostile paths, codes, statuses, hosts and apps through each output, as a person or a program gets it."""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import subprocess
import sys
import time
from typing import cast

import pytest
import redis
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from app.log import open_log
from app.logging_setup import KeyValueFormatter
from app.settings import Settings
from app.store import dead_letters
from app.store.frame_events import Loss, record_once
from drain.app import create_app
from drain.dashboard import RouteCollector
from servers.figures import SeenRequest, fill
from servers.processes import ROOT
from tests.consumers.replay.samples import append, line
from tests.support import letters as kept_letters
from tests.support.hostile import FORMULA_STARTS, HOSTILE, cells_at_any_separator, drives, pipes
from tests.support.target import RecordingTarget, answer

APP = "sh|op\x1b[2J\u202e<b>"


def app(redis_url: str, *words: str, code: int = 0) -> str:
    """What a command prints on both outputs; it must end with this exit code."""
    found = subprocess.run(
        [sys.executable, "-m", "app", *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "REDIS_URL": redis_url},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert found.returncode == code, found.stderr
    return found.stdout + found.stderr


@pytest.fixture
def url(redis_url: str, redis_client: redis.Redis) -> str:
    """A Redis in which all that comes from outside is hostile."""
    now_s = time.time()
    requests = [
        SeenRequest(now_s - 60, name, app=APP, host=f"{number}.example.com")
        for number, name in enumerate(HOSTILE)
    ]
    requests += [
        SeenRequest(now_s - 60, "/code", app=APP, code=name[:8].replace(" ", "")) for name in HOSTILE
    ]
    requests += [
        SeenRequest(now_s - 60, "/status", app=APP, status=status) for status in ("\x1b[2", "|`<", "=1+")
    ]
    fill(redis_client, requests, now_s)
    record_once(redis_client, "frame", APP, [Loss("L10", 12)], [], int(now_s))
    return redis_url


def routes_of(client: redis.Redis) -> set[str]:
    return {str(name, "utf-8", "replace") for name in cast(list[bytes], client.hkeys("routes"))}


def test_all_of_them_are_there(url: str, redis_client: redis.Redis) -> None:
    assert set(HOSTILE) <= routes_of(redis_client)


@pytest.mark.parametrize(
    "words",
    [
        ("report", "--since", "1h", "--routes", "0"),
        ("report", "--since", "ever", "--routes", "0"),
        ("report", "--app", "nope"),
        ("top",),
        ("top", "--window", "ever"),
    ],
    ids=" ".join,
)
def test_a_terminal_is_not_driven(url: str, words: tuple[str, ...]) -> None:
    shown = app(url, *words)
    assert drives(shown) == set()
    assert "nope" in words or "/pipe|a" in shown


def test_the_report_as_json_is_all_the_data_and_drives_no_terminal(url: str) -> None:
    shown = app(url, "report", "--format", "json", "--routes", "0")
    assert drives(shown) == set()
    assert set(HOSTILE) <= {row["route"] for row in json.loads(shown)["table"]["routes"]}


def test_the_report_as_markdown_keeps_its_table_and_has_no_markup_of_others(url: str) -> None:
    shown = app(url, "report", "--format", "markdown", "--routes", "0")
    assert drives(shown) == set()
    rows = [row for row in shown.splitlines() if row.startswith("|")]
    assert len(rows) > len(HOSTILE)
    assert {pipes(row) for row in rows} == {(11, 11)}
    # Outside of code spans nothing of it is markup.
    outside = "".join(part for part in shown.split("`")[::2])
    assert not any(text in outside.replace("\\<", "") for text in ("<script", "<b>", "<img", "![x]"))


def test_a_spreadsheet_runs_nothing_whatever_its_separator(url: str, redis_client: redis.Redis) -> None:
    web = create_app(Settings(), store=redis_client)
    answer = web.test_client().get("/api/routes.csv?window=1h")
    lines = answer.text.split("\r\n")
    assert drives(answer.text.replace("\r\n", "\n")) == set()
    for row in lines:
        assert [cell for cell in cells_at_any_separator(row) if cell.startswith(FORMULA_STARTS)] == []
    for separator in ",;\t":
        for cells in csv.reader(lines, delimiter=separator):
            assert not any(cell.strip().startswith(FORMULA_STARTS) for cell in cells)
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) >= len(HOSTILE)
    assert all(int(row["requests"]) >= 1 and float(row["error_rate"]) >= 0 for row in rows)


def test_prometheus_reads_each_route_as_a_series_of_its_own(url: str, redis_client: redis.Redis) -> None:
    registry = CollectorRegistry()
    registry.register(RouteCollector(redis_client, 500, open_log(Settings())))
    shown = generate_latest(registry).decode()
    assert drives(shown) == set()
    samples = [
        (sample.name, tuple(sorted(sample.labels.items())))
        for family in text_string_to_metric_families(shown)
        for sample in family.samples
    ]
    assert len(samples) == len(set(samples))
    assert sum(name == "tailrace_route_requests_total" for name, _ in samples) >= len(HOSTILE)


def test_the_apis_json_is_data_that_no_browser_takes_for_a_page(url: str, redis_client: redis.Redis) -> None:
    web = create_app(Settings(), store=redis_client)
    answer = web.test_client().get("/api/routes?window=1h")
    assert set(HOSTILE) <= {row["route"] for row in json.loads(answer.data)["routes"]}
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_dead_letters_as_json_are_all_the_data_and_drive_no_terminal(
    redis_url: str, redis_client: redis.Redis
) -> None:
    letters = [(name, name.encode()) for name in HOSTILE] + [("x", b"\xff\x9b31m")]
    kept_letters.add(
        redis_client,
        [dead_letters.dead_letter("line", "drain", reason, value, APP) for reason, value in letters],
    )
    shown = app(redis_url, "dead-letters", "list", "--json")
    assert drives(shown) == set()
    found = [json.loads(row) for row in shown.splitlines()]
    assert [(letter["reason"], letter["value"].encode()) for letter in found[:-1]] == letters[:-1]
    assert {letter["app"] for letter in found} == {APP}


@pytest.fixture
def log_url(redis_url: str) -> str:
    """A log whose lines have hostile paths."""
    append(
        Settings.load({"REDIS_URL": redis_url}),
        [line(name.replace("\\", "\\\\").replace('"', '\\"')) for name in HOSTILE],
    )
    return redis_url


def test_a_replay_drives_no_terminal(log_url: str) -> None:
    with RecordingTarget(answer(500)) as target:
        words = ["replay", "--from", "5m", "--speed", "max", "--to", target.url]
        rehearsed = app(log_url, *words, "--dry-run")
        done = app(log_url, *words, "--fail-if", "errors>0%", code=1)  # Of each route.
    assert drives(rehearsed + done) == set()
    assert "/pipe|a" in rehearsed
    assert "/pipe|a" in done


@pytest.mark.parametrize("name", [*HOSTILE, "/half\udcff"])
def test_a_log_line_stays_one(name: str) -> None:
    record = logging.LogRecord(
        "drain", logging.ERROR, __file__, 1, "a request failed: path=%s", (name,), None
    )
    said = KeyValueFormatter("web.1").format(record)
    assert drives(said) == set()
    assert "\n" not in said
    assert said.endswith('"')
