"""Dynos and events as CSV: what the platform said, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from drain.dashboard.platform_csv import DYNO_COLUMNS, EVENT_COLUMNS, dynos_csv, events_csv
from tests.app.cli.top.samples import RELEASES, event, events, told_dynos


def lines(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_a_dyno_has_its_requests_beside_what_the_platform_says() -> None:
    rows = {row["dyno"]: row for row in lines(dynos_csv(told_dynos()))}
    assert tuple(rows["web.3"]) == DYNO_COLUMNS
    expected = {
        "app": "shop",
        "process": "web",
        "state": "up",
        "requests": "997",
        "error_rate": "0.099",
        "service_p95_ms": "40",
        "memory_mb": "921.6",
        "quota_mb": "512.0",
        "memory_share": "1.8",
        "load_1m": "2.456",
        "restarts": "4",
        "r14": "57",
        "from": "2025-11-26T02:00:00Z",
    }
    assert {name: rows["web.3"][name] for name in expected} == expected
    silent = rows["worker.1"]
    assert (silent["memory_mb"], silent["load_1m"], silent["state_since"], silent["service_p95_ms"]) == (
        "", "", "", "",
    )  # fmt: skip
    assert (silent["state"], silent["crashes"], silent["requests"]) == ("crashed", "3", "0")


def test_releases_and_events_are_one_table_newest_first() -> None:
    rows = lines(events_csv(events()))
    assert tuple(rows[0]) == EVENT_COLUMNS
    assert [row["kind"] for row in rows].count("release") == 2
    assert [row["time"] for row in rows] == sorted((row["time"] for row in rows), reverse=True)
    newest = rows[0]
    assert (newest["kind"], newest["version"], newest["names"]) == ("release", "43", "CRON_ENABLED")
    deploy = next(row for row in rows if row["version"] == "42")
    assert (deploy["commit"], deploy["up"]) == ("9154a1d2", "2025-11-26T02:01:12Z")
    memory = next(row for row in rows if row["code"] == "R14")
    assert (memory["dyno"], memory["count"], memory["until"]) == ("web.3", "57", "2025-11-26T02:04:40Z")
    killed = next(row for row in rows if row["status"] == "137")
    assert (killed["kind"], killed["up"], killed["version"]) == ("exit", "", "")


def test_what_came_from_outside_is_run_by_no_spreadsheet() -> None:
    formula = '=HYPERLINK("http://evil.example";"x")'
    found = replace(
        events(),
        rows=[
            event("other", formula, app=formula, dyno=formula, names=(formula,), code=formula, user=formula)
        ],
        releases=[replace(RELEASES[0], text=formula, commit=formula, user=formula)],
    )
    dynos = told_dynos()
    dynos = replace(dynos, rows=[replace(dynos.rows[0], name=formula, process=formula)])
    for row in (*lines(events_csv(found)), *lines(dynos_csv(dynos))):
        assert not [cell for cell in row.values() if cell.startswith("=")]
        assert any(cell.startswith("'=") for cell in row.values())


@pytest.mark.parametrize("what", ["dynos", "events"])
def test_it_is_a_file_that_says_what_it_is_of(client: FlaskClient, what: str) -> None:
    response = client.get(f"/api/{what}.csv?app=shop&window=24h")
    assert response.status_code == 200
    assert response.headers["Content-Disposition"] == f'attachment; filename="tailrace-{what}-shop-24h.csv"'
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    head = DYNO_COLUMNS if what == "dynos" else EVENT_COLUMNS
    assert response.text.splitlines() == [",".join(f'"{name}"' for name in head)]
