"""The JSON API: what it answers, what it refuses, and that its own document says so."""

from __future__ import annotations

import gzip
import hashlib
import time
from collections import Counter
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from app.store import replay
from app.store.keys import digest
from app.store.run_figures import RunFigures
from drain.dashboard import openapi
from drain.dashboard.endpoints import ENDPOINTS
from drain.dashboard.silences import ACTIONS
from servers.figures import SeenRequest, fill
from tests.support import sample_result
from tests.support.alert_board import fill_alerts

DIGEST = digest("/products/:id")
PATHS = (
    "/api/apps",
    "/api/codes",
    "/api/routes",
    "/api/routes?window=all",
    "/api/routes?window=ever",
    "/api/routes?app=shop&window=5m",
    "/api/routes.csv",
    f"/api/routes/{DIGEST}?window=24h",
    f"/api/routes/{DIGEST}?window=all",
    "/api/routes/all",
    "/api/series?window=7d",
    f"/api/series?app=shop&route={DIGEST}&window=5m",
    "/api/breakdown?window=5m",
    "/api/series.csv",
    "/api/dynos",
    "/api/dynos.csv?app=shop",
    "/api/events?window=24h",
    "/api/events.csv",
    "/api/addons",
    "/api/overview?compare=hour",
    "/api/routes?by=app&compare=hour",
    "/api/compare?app=shop&release=v42&window=5m",
    "/api/compare?from=10m&to=5m&with_from=5m&with_to=now",
    "/api/alerts",
    "/api/alerts?app=shop&window=24h",
    "/api/health",
    "/api/memory",
    "/api/replay",
    "/api/replay/live",
    "/api/replay/judged",
    "/api/replay/limit",
    "/api/openapi.json",
)


def filled(store: redis.Redis) -> None:
    now_s = time.time()
    requests = [SeenRequest(now_s - 60 - age, "/products/:id", app="shop") for age in range(40)]
    requests.append(SeenRequest(now_s - 60, "/cart", status="503", code="H12", service_ms=30_000, app="shop"))
    requests.append(SeenRequest(now_s - 60, "/", status="503", code="H10", service_ms=None, connect_ms=None))
    fill(store, requests, now_s)
    figures = RunFigures()
    figures.of("/cart").add("answered", 500, 70.0, 200, 20.0)
    figures.of("/cart").add("timeout", 0, 0.0, 200, 20.0)
    figures.skipped["method"] += 3
    figures.reencoded += 2
    replay.record(store, "live", figures, {"target": "https://staging.example.com", "state": "running"})
    for run_id, result in (("judged", sample_result.failed()), ("limit", sample_result.found_limit())):
        figures = RunFigures(uncomparable=Counter({"304: unlike": 3}))
        figures.of("/search").add("answered", 200, 70.0, 200, 20.0, response_ms=90.0)
        figures.of("/search").bodies = sample_result.bodies(4, 2, 1, {"body.items[].price": 2})
        replay.record(store, run_id, figures, {"target": "https://new.example.com", "state": "finished"})
        replay.record_result(store, run_id, result)
    fill_alerts(store, int(now_s))


def schema_of(path: str, status: int, mimetype: str) -> dict[str, Any]:
    """What the document promises for an answer, with its references at hand."""
    whole = openapi.document(ENDPOINTS, ACTIONS)
    name = path.partition("?")[0]
    if name not in whole["paths"]:
        name = name.rpartition("/")[0] + ("/{run}" if "replay" in name else "/{digest}")
    response = whole["paths"][name]["get"]["responses"][str(status)]
    if "$ref" in response:
        response = whole["components"]["responses"][response["$ref"].rpartition("/")[2]]
    schema = response["content"][mimetype]["schema"]
    return {**schema, "components": whole["components"]}


def closed(schema: Any) -> Any:
    """The schema without room for properties that it does not name."""
    if isinstance(schema, dict):
        shut = {name: closed(part) for name, part in schema.items()}
        if "properties" in shut and "allOf" not in shut:
            shut.setdefault("additionalProperties", False)
        return shut
    return [closed(part) for part in schema] if isinstance(schema, list) else schema


def test_the_document_is_openapi() -> None:
    validate(openapi.document(ENDPOINTS, ACTIONS))


def test_the_document_names_every_route_and_no_other(client: FlaskClient) -> None:
    rules = {str(rule) for rule in client.application.url_map.iter_rules() if str(rule).startswith("/api/")}
    known = {endpoint.path for endpoint in ENDPOINTS} | {action.path for action in ACTIONS}
    assert {rule.replace("<", "{").replace(">", "}") for rule in rules} == known
    assert known == set(openapi.document(ENDPOINTS, ACTIONS)["paths"])


@pytest.mark.parametrize("is_filled", [True, False], ids=["filled", "empty"])
@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_as_the_document_says(
    client: FlaskClient, redis_client: redis.Redis, path: str, is_filled: bool
) -> None:
    if is_filled:
        filled(redis_client)
    response = client.get(path)
    is_missing = not is_filled and (DIGEST in path.partition("?")[0] or path.startswith("/api/replay/"))
    assert response.status_code == (404 if is_missing else 200)
    schema = schema_of(path, response.status_code, response.mimetype or "")
    content = response.json if response.is_json else response.text
    Draft202012Validator(schema).validate(content)
    if is_filled and "allOf" not in schema:
        Draft202012Validator(closed(schema)).validate(content)


def test_no_field_of_an_answer_is_missing_in_the_document(
    client: FlaskClient, redis_client: redis.Redis
) -> None:
    filled(redis_client)
    schemas = openapi.document(ENDPOINTS, ACTIONS)["components"]["schemas"]
    for path, name in (
        ("routes", "RoutesTable"),
        (f"routes/{DIGEST}", "RouteDetail"),
        ("series", "Series"),
        ("replay/judged", "ReplayRun"),
    ):
        found = client.get(f"/api/{path}").json
        assert found is not None
        assert set(found) == {*schemas[name]["properties"], "at_ms", "refresh_s"}


def test_the_table_has_the_figures(client: FlaskClient, redis_client: redis.Redis) -> None:
    filled(redis_client)
    found = client.get("/api/routes?window=1h&app=shop").json
    assert found is not None
    assert found["total"]["count"] == 41
    assert [(row["route"], row["figures"]["codes"]) for row in found["routes"]] == [
        ("/products/:id", {}),
        ("/cart", {"H12": 1}),
    ]


def test_a_run_has_original_and_replayed(client: FlaskClient, redis_client: redis.Redis) -> None:
    filled(redis_client)
    found = client.get("/api/replay/live").json
    assert found is not None
    (row,) = found["routes"]
    assert (row["route"], row["sent"], row["answered"], row["outcomes"]) == ("/cart", 2, 1, {"timeout": 1})
    assert row["status_changes"] == [{"original": 200, "replayed": 500, "count": 1}]
    assert row["replayed"]["p95"] == pytest.approx(70, rel=0.01)
    assert row["p95_change"]["share"] == pytest.approx(2.5, rel=0.03)
    assert row["p95_change"]["is_sure"] is False
    assert found["skipped"] == {"method": 3}
    assert found["reencoded"] == 2


def test_a_judged_run_has_its_result_as_the_document_says(
    client: FlaskClient, redis_client: redis.Redis
) -> None:
    filled(redis_client)
    found = client.get("/api/replay/judged").json
    assert found is not None
    schemas = openapi.document(ENDPOINTS, ACTIONS)["components"]["schemas"]
    result = found["result"]
    for name, values in (
        ("RunResult", result),
        ("Finding", result["findings"][0]),
        ("Coverage", result["coverage"]),
        ("Pace", result["pace"]),
        ("TimePoint", result["timeline"][0]),
        ("JudgedThreshold", found["judged"][0]),
        ("LeftOut", found["left_out"]),
        ("ReplayedRoute", found["routes"][0]),
    ):
        schema = {**schemas[name], "components": {"schemas": schemas}, "additionalProperties": False}
        Draft202012Validator(schema).validate(values)
    assert schemas["RunResult"]["properties"]["verdict"]["enum"] == ["passed", "failed", "inconclusive"]
    assert result["verdict"] == "failed"
    assert [(row["threshold"], row["state"]) for row in found["judged"]] == [
        ("p95>+20%", "crossed"),
        ("status-changed>1%", "met"),
        ("late>1s", "met"),
    ]
    assert found["judged"][0]["findings"] == {"crossed": 1, "inconclusive": 1, "not-judged": 1, "met": 2}
    assert found["routes"][0]["bodies"]["keys"] == {"body.items[].price": 2}
    assert found["routes"][0]["state"] == "crossed"
    assert found["uncomparable"] == {"304: unlike": 3}
    runs = client.get("/api/replay").json or {}
    assert {run["id"]: run["info"].get("verdict") for run in runs["runs"]} == {
        "live": None,
        "judged": "failed",
        "limit": "passed",
    }


@pytest.mark.parametrize(
    ("path", "parameter", "allowed"),
    [
        ("/api/routes?window=2h", "window", ["5m", "1h", "24h", "7d", "30d", "all", "ever"]),
        ("/api/routes?window=", "window", ["5m", "1h", "24h", "7d", "30d", "all", "ever"]),
        ("/api/series?window=all", "window", ["5m", "1h", "24h", "7d", "30d"]),
        ("/api/series?window=ever", "window", ["5m", "1h", "24h", "7d", "30d"]),
        ("/api/routes?app=<script>", "app", None),
        ("/api/routes?app=" + "a" * 65, "app", None),
        ("/api/routes?windwo=1h", "windwo", ["app", "window", "from", "to", "compare", "by"]),
        ("/api/health?app=shop", "app", []),
        ("/api/series?route=abc", "route", None),
        ("/api/routes/ABC", "digest", None),
        ("/api/replay/a%20b", "run", None),
    ],
)
def test_a_bad_parameter_is_named_with_what_is_allowed(
    client: FlaskClient, path: str, parameter: str, allowed: list[str] | None
) -> None:
    response = client.get(path)
    assert response.status_code == 400
    assert response.json is not None
    assert response.json["parameter"] == parameter
    assert parameter in response.json["error"]
    if allowed is not None:
        assert response.json["allowed"] == allowed
    Draft202012Validator(schema_of("/api/routes", 400, "application/json")).validate(response.json)


def test_an_unknown_route_is_404(client: FlaskClient) -> None:
    response = client.get(f"/api/routes/{digest('/nowhere')}")
    assert response.status_code == 404
    assert response.json == {"error": "no such route", "route": digest("/nowhere")}


@pytest.mark.parametrize("path", [path for path in PATHS if "codes" not in path and "openapi" not in path])
def test_without_redis_it_says_so_and_tells_no_secret(client_without_redis: FlaskClient, path: str) -> None:
    response = client_without_redis.get(path)
    assert response.status_code == 503
    assert response.json == {"error": "Redis is unreachable", "reason": "ConnectionError"}
    assert response.headers["Retry-After"] == "2"
    assert "SECRET" not in response.text


def test_a_key_of_somebody_else_is_said_too(client: FlaskClient, redis_client: redis.Redis) -> None:
    redis_client.set("routes", "somebody else's")
    response = client.get("/api/routes")
    assert response.status_code == 503
    assert response.json == {"error": "Redis returned an error", "reason": "ResponseError"}


def test_an_unchanged_answer_is_not_sent_again(client: FlaskClient, redis_client: redis.Redis) -> None:
    filled(redis_client)
    first = client.get("/api/routes?window=30d")
    again = client.get("/api/routes?window=30d", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_a_large_answer_is_packed_for_who_takes_it(client: FlaskClient, redis_client: redis.Redis) -> None:
    filled(redis_client)
    plain = client.get("/api/routes?window=30d")
    packed = client.get("/api/routes?window=30d", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert "Content-Encoding" not in plain.headers


def test_the_page_is_made_of_its_own_parts_alone(client: FlaskClient) -> None:
    page = client.get("/").text
    assert "://" not in page.replace("http://www.w3.org", "")
    assert "style=" not in page
    assert "<script>" not in page
    for name in ("js/main.js", "css/base.css", "vendor/uplot/uPlot.iife.min.js", "icon.svg"):
        assert name in page
        assert client.get(f"/static/{name}").status_code == 200
    for name in ("icon-firing.svg", "icon-unknown.svg", "icon-192.png"):
        assert client.get(f"/static/{name}").status_code == 200


def test_the_vendored_library_is_what_its_note_says(client: FlaskClient) -> None:
    note = client.get("/static/vendor/uplot/VERSION.md").text
    for name in ("uPlot.iife.min.js", "uPlot.min.css"):
        content = client.get(f"/static/vendor/uplot/{name}").data
        assert f"`{name}` | `{hashlib.sha256(content).hexdigest()}`" in note
    assert "MIT" in client.get("/static/vendor/uplot/LICENSE").text


def test_the_window_all_is_listed_before_its_old_name_and_both_give_the_same(
    client: FlaskClient, redis_client: redis.Redis
) -> None:
    filled(redis_client)
    names = openapi.document(ENDPOINTS, ACTIONS)["components"]["parameters"]["window"]["schema"]["enum"]
    assert names[-2:] == ["all", "ever"]
    answers = [client.get(f"/api/routes?window={name}").json or {} for name in names[-2:]]
    assert answers[0]["routes"]
    assert answers[0]["routes"] == answers[1]["routes"]


def test_alerts_are_as_the_document_says_to_the_last_field(
    client: FlaskClient, redis_client: redis.Redis
) -> None:
    filled(redis_client)
    found = client.get("/api/alerts?window=1h").json
    assert found is not None
    schemas = openapi.document(ENDPOINTS, ACTIONS)["components"]["schemas"]
    assert set(found) == {*schemas["AlertsView"]["properties"], "at_ms", "refresh_s"}
    (alarm,), (ended,) = found["open"], found["history"]
    for name, values in (
        ("RuleView", found["rules"][0]),
        ("Incident", alarm["incident"]),
        ("AlertState", alarm["incident"]["alerts"][0]),
        ("Message", alarm["message"]),
        ("AlertFinding", alarm["message"]["findings"][0]),
        ("AlertRequest", alarm["message"]["requests"][0]),
        ("Silence", found["silences"][0]),
        ("TargetStatus", found["targets"][0]),
    ):
        schema = {**schemas[name], "components": {"schemas": schemas}, "additionalProperties": False}
        Draft202012Validator(schema).validate(values)
    assert alarm["message"]["release"] == "7 min after v42, 9154a1d2: deploy"
    assert ended["message"]["kind"] == "resolved"
    assert {rule["name"]: rule["state"] for rule in found["rules"]}["errors"] == "firing"
    assert [(one["name"], one["given_up"]) for one in found["targets"]] == [("ops", 0), ("pager", 1)]


def test_alerts_of_another_app_are_none(client: FlaskClient, redis_client: redis.Redis) -> None:
    filled(redis_client)
    found = client.get("/api/alerts?app=api").json
    assert found is not None
    assert (found["open"], len(found["history"]), found["silences"]) == ([], 1, [])
    assert {rule["state"] for rule in found["rules"]} == {"ok"}


def test_where_nothing_judges_the_api_does_not_say_ok(client: FlaskClient) -> None:
    found = client.get("/api/alerts").json
    assert found is not None
    assert found["incomplete"].startswith("no rule was judged yet")
    assert {rule["state"] for rule in found["rules"]} == {"unknown"}
