"""Silencing by the API: what it takes, what it refuses, and that no other site can ask for it."""

from __future__ import annotations

import time
from typing import Any

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from werkzeug.test import TestResponse

from app.alerts.board import Silence
from app.alerts.redis.silences import add_silence, silences
from app.alerts.rule import Rule
from app.log import open_log
from app.settings import Settings
from app.store.bounds import SILENCES_MAX
from drain.app import create_app
from drain.dashboard import blueprint, openapi
from drain.dashboard.action import BODY_MAX_BYTES
from drain.dashboard.endpoints import ENDPOINTS
from drain.dashboard.silences import ACTIONS

SILENCE, END = (action.path for action in ACTIONS)
PAGE = {"X-Tailrace": "page"}
WANTED = {"rule": "ours", "app": "shop", "for": "1h"}


@pytest.fixture
def client(redis_client: redis.Redis) -> FlaskClient:
    app = Flask("dashboard", static_folder=None)
    settings = Settings(alert_rules=(Rule("ours", ()),))
    app.register_blueprint(blueprint(settings, open_log(settings), redis_client))
    return app.test_client()


def ask(client: FlaskClient, path: str, body: object, headers: dict[str, str] = PAGE) -> TestResponse:
    """What it answers, once it is known to be as the document says."""
    response = client.post(path, json=body, headers=headers)
    whole = openapi.document(ENDPOINTS, ACTIONS)
    found = whole["paths"][path]["post"]["responses"][str(response.status_code)]
    if "$ref" in found:
        found = whole["components"]["responses"][found["$ref"].rpartition("/")[2]]
    schema: dict[str, Any] = found["content"]["application/json"]["schema"]
    Draft202012Validator({**schema, "components": whole["components"]}).validate(response.json)
    return response


@pytest.mark.parametrize(
    ("change", "parameter", "says"),
    [
        ({"for": "soon"}, "for", "such as 15m"),
        ({"for": "5s"}, "for", "from 60s to 31d"),
        ({"for": "32d"}, "for", "from 60s to 31d"),
        ({"for": ""}, "for", "such as 15m"),
        ({"for": 3600}, "for", "such as 30m"),
        ({"for": None}, "for", "such as 30m"),
        ({"app": "a b"}, "app", "GET /api/apps"),
        ({"app": "a" * 65}, "app", "GET /api/apps"),
        ({"rule": ["ours"]}, "rule", "every rule"),
        ({"until": "1h"}, "until", "for"),
    ],
)
def test_a_bad_field_is_named_with_what_is_allowed(
    client: FlaskClient, change: dict[str, object], parameter: str, says: str
) -> None:
    response = ask(client, SILENCE, {**WANTED, **change})
    assert response.status_code == 400
    assert response.json is not None
    assert response.json["parameter"] == parameter
    assert parameter in response.json["error"]
    assert says in str(response.json["allowed"])


@pytest.mark.parametrize("missing", ["rule", "app", "for"])
def test_a_missing_field_is_named(client: FlaskClient, missing: str) -> None:
    """`rule` left out is not taken for every rule."""
    response = ask(client, SILENCE, {name: value for name, value in WANTED.items() if name != missing})
    assert (response.status_code, (response.json or {})["parameter"]) == (400, missing)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b"null", b'"text"', b"[" * 4_000])
def test_what_is_no_object_is_refused(client: FlaskClient, body: bytes) -> None:
    response = client.post(SILENCE, data=body, headers=PAGE, content_type="application/json")
    assert (response.status_code, (response.json or {})["parameter"]) == (400, "body")


def test_a_large_body_is_not_read(client: FlaskClient) -> None:
    body = b" " * (BODY_MAX_BYTES + 1)
    assert client.post(SILENCE, data=body, headers=PAGE, content_type="application/json").status_code == 413


def test_a_rule_that_is_not_in_force_is_404_with_those_that_are(client: FlaskClient) -> None:
    response = ask(client, SILENCE, {**WANTED, "rule": "theirs"})
    assert response.status_code == 404
    assert response.json is not None
    assert (response.json["error"], response.json["rule"]) == ("no such rule", "theirs")
    assert "ours" in response.json["allowed"]


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_what_a_form_of_another_site_can_send_is_refused(client: FlaskClient, content_type: str) -> None:
    """HTML forms have these three types; none of them gets as far as the header."""
    response = client.post(SILENCE, data=b"{}", content_type=content_type, headers=PAGE)
    assert response.status_code == 415
    assert "application/json" in (response.json or {})["error"]


@pytest.mark.parametrize("headers", [{}, {"X-Tailrace": "other"}])
@pytest.mark.parametrize("path", [SILENCE, END])
def test_without_the_header_that_no_other_site_can_send_it_is_refused(
    client: FlaskClient, path: str, headers: dict[str, str]
) -> None:
    response = ask(client, path, WANTED, headers)
    assert response.status_code == 403
    assert "X-Tailrace: page" in (response.json or {})["error"]


def test_no_other_site_is_told_that_it_may(redis_client: redis.Redis) -> None:
    """The preflight of a browser gets no Access-Control-Allow header, so the request is never sent."""
    app = create_app(Settings(), store=redis_client)
    asked = {
        "Origin": "https://elsewhere.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-tailrace",
    }
    response = app.test_client().options(SILENCE, headers=asked)
    assert not [name for name, _ in response.headers if name.lower().startswith("access-control")]


def test_it_asks_for_the_login_of_the_page(redis_client: redis.Redis) -> None:
    settings = Settings(dashboard_user="ops", dashboard_password="secret", alert_rules=(Rule("ours", ()),))
    client = create_app(settings, store=redis_client).test_client()
    assert client.post(SILENCE, json=WANTED, headers=PAGE).status_code == 401
    assert client.post(SILENCE, json=WANTED, headers=PAGE, auth=("ops", "wrong")).status_code == 401
    assert client.post(SILENCE, json=WANTED, headers=PAGE, auth=("ops", "secret")).status_code == 200


def test_only_post_changes_anything(redis_client: redis.Redis) -> None:
    client = create_app(Settings(), store=redis_client).test_client()
    for ask_with in (client.get, client.put, client.delete):
        assert ask_with(SILENCE).status_code == 405


def test_a_parameter_in_the_address_is_refused(client: FlaskClient) -> None:
    response = client.post(f"{SILENCE}?rule=ours", json=WANTED, headers=PAGE)
    assert (response.status_code, (response.json or {})["parameter"]) == (400, "rule")


def test_a_silence_is_in_force_at_once_and_replaces_the_one_before(
    client: FlaskClient, redis_client: redis.Redis
) -> None:
    before_s = int(time.time())
    (first,) = (ask(client, SILENCE, WANTED).json or {})["silences"]
    assert (first["rule"], first["app"]) == ("ours", "shop")
    assert before_s + 3_600 <= first["until_s"] <= before_s + 3_610
    (second,) = (ask(client, SILENCE, {**WANTED, "for": "2d"}).json or {})["silences"]
    assert second["until_s"] > first["until_s"] + 86_400
    assert [silence.rule for silence in silences(redis_client, time.time())] == ["ours"]
    shown = (client.get("/api/alerts").json or {})["silences"]
    assert shown == [second]


def test_every_rule_of_every_app_can_be_silenced(client: FlaskClient) -> None:
    response = ask(client, SILENCE, {"rule": "", "app": "", "for": "30m"})
    assert [(one["rule"], one["app"]) for one in (response.json or {})["silences"]] == [("", "")]


def test_a_silence_is_ended_once_even_if_its_rule_is_no_more(
    client: FlaskClient, redis_client: redis.Redis
) -> None:
    now_s = time.time()
    add_silence(redis_client, Silence("gone", "shop", int(now_s) + 600), now_s)
    ask(client, SILENCE, WANTED)
    response = ask(client, END, {"rule": "gone", "app": "shop"})
    assert [one["rule"] for one in (response.json or {})["silences"]] == ["ours"]
    again = ask(client, END, {"rule": "gone", "app": "shop"})
    assert again.status_code == 404
    assert again.json == {"error": "no such silence", "rule": "gone", "app": "shop"}


def test_there_are_not_more_silences_than_can_be_kept(client: FlaskClient, redis_client: redis.Redis) -> None:
    now_s = time.time()
    for number in range(SILENCES_MAX):
        add_silence(redis_client, Silence("ours", f"app{number}", int(now_s) + 600), now_s)
    response = ask(client, SILENCE, WANTED)
    assert response.status_code == 409
    assert f"{SILENCES_MAX} silences" in (response.json or {})["error"]
    assert ask(client, SILENCE, {**WANTED, "app": "app7"}).status_code == 200


@pytest.mark.parametrize(("path", "body"), [(SILENCE, WANTED), (END, {"rule": "ours", "app": "shop"})])
def test_without_redis_it_says_so(redis_url: str, path: str, body: dict[str, str]) -> None:
    store = redis.Redis(port=1, socket_timeout=1)
    app = create_app(Settings(alert_rules=(Rule("ours", ()),)), store=store)
    response = app.test_client().post(path, json=body, headers=PAGE)
    assert response.status_code == 503
    assert response.json == {"error": "Redis is unreachable", "reason": "ConnectionError"}
