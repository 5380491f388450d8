"""Any moment through the API: `from` and `to`, what is refused, and how long an answer is kept."""

from __future__ import annotations

import csv
import io
import time
from datetime import UTC, datetime
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from werkzeug.datastructures import MultiDict

from app.store.queries import Span
from app.store.queries.spans import SPAN_MAX_S
from app.timespec import iso
from drain.dashboard.api import FRESH_S, PAST_FRESH_S, _fresh_s
from drain.dashboard.parameters import BadParameter, Parameters, read_parameters
from drain.dashboard.table_csv import COLUMNS, COMPARED_COLUMNS
from servers.figures import SeenRequest, fill
from tests.drain.dashboard.test_api import closed, schema_of

NOW_S = 1_795_447_804.7
NAMES = ("app", "window", "from", "to", "step", "compare", "by")


def read(**arguments: str) -> Parameters:
    by_name = {name.strip("_"): value for name, value in arguments.items()}
    return read_parameters(NAMES, MultiDict(by_name), now_s=NOW_S)


def json_of(client: FlaskClient, path: str) -> dict[str, Any]:
    response = client.get(path)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json or {}
    return found


@pytest.mark.parametrize(
    ("start", "end", "span"),
    [
        ("2026-11-23T14:00Z", "2026-11-23T15:00Z", Span(3_600, 1_795_446_000)),
        ("2026-11-23T16:00+01:00", "2026-11-23T15:00:07Z", Span(7, 1_795_446_007)),
        ("14:00Z", "14:30Z", Span(1_800, 1_795_444_200)),
        ("1795440000", "1795440100", Span(100, 1_795_440_100)),
        ("2h", "1h", Span(3_600, 1_795_444_200)),
        ("90s", "now", Span(90)),
        ("1h", None, Span(3_600)),
        ("2026-11-23T15:00Z", None, Span(1_810, 1_795_447_810)),
        ("2026-11-23T15:00Z", "1795447850", Span(1_850, 1_795_447_850)),
    ],
)
def test_times_are_read_as_people_and_pages_write_them(start: str, end: str | None, span: Span) -> None:
    found = read(from_=start, **({} if end is None else {"to": end}))
    assert (found.span, found.window) == (span, "")


@pytest.mark.parametrize(
    ("start", "end", "parameter", "allowed"),
    [
        ("2026-11-23T16:00Z", "now", "from", "a time in the past: it is 2026-11-23T15:30:04"),
        ("15:00Z", "15:35Z", "to", "`now` or a time in the past: it is 2026-11-23T15:30:04"),
        ("15:00Z", "14:00Z", "to", "a time after `from`"),
        ("15:00Z", "15:00Z", "to", "a time after `from`"),
        ("now", "now", "to", "a time after `from`"),
        ("32d", "now", "from", "at most 31 days ago"),
        ("2025-01-01", "2025-01-02", "from", "at most 31 days ago"),
        ("yesterday", "now", "from", "a time such as"),
        ("1795440000000", "now", "from", "a time such as"),
        ("1h", "tomorrow", "to", "a time such as"),
    ],
)
def test_a_time_that_no_figures_have_is_refused_with_what_is_allowed(
    start: str, end: str, parameter: str, allowed: str
) -> None:
    with pytest.raises(BadParameter) as refused:
        read(from_=start, to=end)
    assert refused.value.parameter == parameter
    assert str(refused.value.allowed).startswith(allowed)


def test_the_whole_month_may_be_asked_for() -> None:
    assert read(from_="31d").span == Span(SPAN_MAX_S)


@pytest.mark.parametrize(
    ("arguments", "parameter"),
    [
        ({"to": "now"}, "from"),
        ({"from": "1h", "window": "1h"}, "window"),
        ({"from": "1h", "step": "5s"}, "step"),
        ({"compare": "month"}, "compare"),
        ({"by": "route"}, "by"),
    ],
)
def test_what_makes_no_span_is_refused(arguments: dict[str, str], parameter: str) -> None:
    with pytest.raises(BadParameter) as refused:
        read_parameters(NAMES, MultiDict(arguments), now_s=NOW_S)
    assert refused.value.parameter == parameter


def test_the_api_refuses_the_future_with_400(client: FlaskClient) -> None:
    ahead = iso(int(time.time() + 3_600) * 1_000)
    for path in (f"/api/routes?from={ahead}", f"/api/series?from=1h&to={ahead}", "/api/series.csv?from=40d"):
        response = client.get(path)
        assert response.status_code == 400
        Draft202012Validator(schema_of("/api/routes", 400, "application/json")).validate(response.json)


@pytest.mark.parametrize(
    "arguments", [{"from_": "1h"}, {"from_": "2h", "to": "1h"}, {"from_": "2026-11-23T15:00Z"}]
)
def test_the_same_question_is_the_same_for_ten_seconds(arguments: dict[str, str]) -> None:
    """Relative times must not give each request a response of its own."""
    by_name = MultiDict({name.strip("_"): value for name, value in arguments.items()})
    found = {read_parameters(NAMES, by_name, now_s=1_795_447_800 + second / 10) for second in range(100)}
    assert len(found) == 1


def test_an_answer_of_the_past_is_kept_longer() -> None:
    past, recent = Span(300, int(NOW_S) - 3_600), Span(300, int(NOW_S) - 60)
    assert _fresh_s(Parameters(span=past), NOW_S) == PAST_FRESH_S
    assert _fresh_s(Parameters(span=recent), NOW_S) == FRESH_S[0][1]
    assert _fresh_s(Parameters(span=Span(300)), NOW_S) == FRESH_S[0][1]


def filled(store: redis.Redis) -> int:
    """Traffic of two hours with errors in two minutes; gives when these began, Unix s."""
    now_s = int(time.time())
    fault_s = (now_s - 1_200) // 60 * 60
    requests = [
        SeenRequest(at_s, path, app=app, status="503" if fault_s <= at_s < fault_s + 120 else "200")
        for at_s in range(now_s - 7_300, now_s - 14, 4)
        for path, app in (("/", "shop"), ("/", "api"), ("/cart", ""))
    ]
    fill(store, requests, now_s)
    return fault_s


PATHS = (
    "/api/routes?from=30m&to=10m",
    "/api/routes?from=5m&compare=hour&by=app",
    "/api/routes?window=1h&compare=week",
    "/api/routes?window=all&compare=day&by=app",
    "/api/routes/all?from=30m&compare=hour",
    "/api/series?from=50m&to=10m&step=10s",
    "/api/series.csv?from=50m&to=10m&step=10s",
    "/api/routes.csv?from=50m&to=10m&compare=hour&by=app",
    "/api/overview?from=1h&compare=hour",
    "/api/overview?window=all",
    "/api/overview",
)


@pytest.mark.parametrize("is_filled", [True, False], ids=["filled", "empty"])
@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_as_the_document_says(
    client: FlaskClient, redis_client: redis.Redis, path: str, is_filled: bool
) -> None:
    if is_filled:
        filled(redis_client)
    response = client.get(path)
    assert response.status_code == 200
    schema = schema_of(path, 200, response.mimetype or "")
    content = response.json if response.is_json else response.text
    Draft202012Validator(schema).validate(content)
    if is_filled and response.is_json:
        assert isinstance(content, dict)
        name = schema["allOf"][0]["$ref"].rpartition("/")[2]
        of_name = {**schema["components"]["schemas"][name], "components": schema["components"]}
        del content["at_ms"], content["refresh_s"]
        Draft202012Validator(closed(of_name)).validate(content)


def test_the_first_bad_ten_seconds_are_found(client: FlaskClient, redis_client: redis.Redis) -> None:
    fault_s = filled(redis_client)
    series = json_of(client, f"/api/series?from={fault_s - 600}&to={fault_s + 600}&step=10s")
    bad = [at_s for at_s, rate in zip(series["times"], series["error_rate"], strict=True) if rate]
    assert (bad[0], bad[-1]) == (fault_s, fault_s + 110)
    assert series["step_s"] == 10
    table = json_of(client, f"/api/routes?from={fault_s}&to={fault_s + 120}&compare=hour&by=app")
    assert (table["from_s"], table["to_s"], table["rounded_to_s"]) == (fault_s, fault_s + 120, 10)
    assert table["before"]["to_s"] == fault_s + 120 - 3_600
    assert {(row["app"], row["route"]) for row in table["routes"]} == {
        ("shop", "/"),
        ("api", "/"),
        ("", "/cart"),
    }
    for row in table["routes"]:
        assert row["figures"]["error_rate"] == 1.0
        assert row["changes"]["error_rate"] == {"before": 0.0, "after": 1.0, "change": None, "is_shown": True}


def test_what_is_not_compared_costs_nothing_and_says_nothing(
    client: FlaskClient, redis_client: redis.Redis
) -> None:
    filled(redis_client)
    table = json_of(client, "/api/routes?window=5m")
    assert (table["before"], table["total_changes"], table["by_app"]) == (None, {}, False)
    assert {row["route"]: (row["app"], row["changes"]) for row in table["routes"]} == {
        "/": ("", {}),
        "/cart": ("", {}),
    }


def utc(at_s: int) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%M:%SZ}"


def rows_of(client: FlaskClient, path: str) -> tuple[str, list[dict[str, str]]]:
    response = client.get(path)
    assert response.status_code == 200, response.text
    return response.headers["Content-Disposition"], list(csv.DictReader(io.StringIO(response.text)))


def test_the_csv_of_a_moment_says_its_span(client: FlaskClient, redis_client: redis.Redis) -> None:
    fault_s = filled(redis_client)
    start, end = map(utc, (fault_s, fault_s + 60))
    name, rows = rows_of(client, f"/api/routes.csv?from={start}&to={end}&app=shop")
    short = [text.replace("-", "").replace(":", "") for text in (start, end)]
    assert name == f'attachment; filename="tailrace-shop-{short[0]}-{short[1]}.csv"'
    assert tuple(rows[0]) == COLUMNS
    assert [(row["route"], row["app"], row["from"], row["to"]) for row in rows] == [("/", "shop", start, end)]
    assert (rows[0]["requests"], rows[0]["errors"]) == ("15", "15")


def test_the_csv_has_changes_only_if_they_are_asked_for(
    client: FlaskClient, redis_client: redis.Redis
) -> None:
    fault_s = filled(redis_client)
    span = f"from={fault_s}&to={fault_s + 120}"
    _, rows = rows_of(client, f"/api/routes.csv?{span}&compare=hour&by=app")
    assert tuple(rows[0]) == (*COLUMNS, *COMPARED_COLUMNS)
    assert sorted((row["app"], row["route"]) for row in rows) == [
        ("", "/cart"),
        ("api", "/"),
        ("shop", "/"),
    ]
    for row in rows:
        assert (row["error_rate_before"], row["error_rate_is_shown"]) == ("0.0", "true")
        assert row["rate_is_shown"] == "false"
        assert row["before_to"] < row["from"]
    assert tuple(rows_of(client, f"/api/routes.csv?{span}")[1][0]) == COLUMNS


def test_a_series_is_exported_with_its_times(client: FlaskClient, redis_client: redis.Redis) -> None:
    fault_s = filled(redis_client)
    query = f"from={fault_s - 60}&to={fault_s + 60}&step=10s&app=shop"
    name, rows = rows_of(client, f"/api/series.csv?{query}")
    assert name.startswith('attachment; filename="tailrace-series-shop-')
    series = json_of(client, f"/api/series?{query}")
    assert [row["time"] for row in rows] == [utc(at_s) for at_s in series["times"]]
    assert {row["seconds"] for row in rows} == {"10"}
    for column, name in (("requests_per_s", "requests_per_s"), ("service_p95", "service_p95_ms")):
        assert [float(row[name]) for row in rows] == series[column]
    assert [row["error_rate"] for row in rows] == ["0.0"] * 6 + ["1.0"] * 6


def test_a_step_without_a_request_has_empty_cells(client: FlaskClient, redis_client: redis.Redis) -> None:
    fill(redis_client, [SeenRequest(time.time() - 100)], time.time())
    name, rows = rows_of(client, "/api/series.csv?window=5m")
    assert name == 'attachment; filename="tailrace-series-all-5m.csv"'
    assert {row["service_p50_ms"] for row in rows} > {""}
    assert {row["requests_per_s"] for row in rows} == {"0.0", "0.1"}
