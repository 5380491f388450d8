"""The table as CSV: the same figures, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import time

import pytest
import redis
from flask.testing import FlaskClient

from drain.dashboard.table_csv import COLUMNS
from servers.figures import SeenRequest, fill


def test_the_file_has_a_line_per_route_with_its_figures(
    client: FlaskClient, redis_client: redis.Redis
) -> None:
    now_s = time.time()
    slow = SeenRequest(now_s - 60, "/b", service_ms=30_000, status="503", code="H12")
    fill(redis_client, [SeenRequest(now_s - 60, "/a,b"), SeenRequest(now_s - 60, "/b"), slow], now_s)
    response = client.get("/api/routes.csv?window=5m")
    assert response.headers["Content-Disposition"] == 'attachment; filename="tailrace-all-5m.csv"'
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["route"], row["requests"], row["5xx"], row["h_codes"]) for row in rows] == [
        ("/b", "2", "1", "H12:1"),
        ("/a,b", "1", "0", ""),
    ]
    assert float(rows[0]["service_max_ms"]) == pytest.approx(30_000, rel=0.01)


def test_routes_from_outside_are_made_harmless(client: FlaskClient, redis_client: redis.Redis) -> None:
    now_s = time.time()
    fill(
        redis_client,
        [
            SeenRequest(now_s - 60, '=HYPERLINK("http://evil.example";"x")'),
            SeenRequest(now_s - 60, "@SUM(1)"),
        ],
        now_s,
    )
    routes = [row["route"] for row in csv.DictReader(io.StringIO(client.get("/api/routes.csv").text))]
    assert len(routes) == 2
    assert all(route.startswith("'") for route in routes)
