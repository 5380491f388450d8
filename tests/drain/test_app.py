"""What every answer has in common, whichever part of `web` gives it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from app.log import open_log
from app.settings import Settings
from drain.app import create_app
from servers.redis_server import RedisServer
from tests.drain.serving import LOGPLEX, PASSWORD, USER, CachedResponse, Web, serving

HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; object-src 'none'",
}


@pytest.fixture(scope="module")
def web(redis_server: RedisServer) -> Iterator[Web]:
    """One with credentials."""
    with serving(
        REDIS_URL=redis_server.url, DRAIN_USER=USER, DRAIN_PASSWORD=PASSWORD, DRAIN_BODY_MAX_BYTES="2000"
    ) as found:
        yield found


@pytest.fixture(scope="module")
def web_without_redis() -> Iterator[Web]:
    """One whose Redis does not answer."""
    with serving(REDIS_URL="redis://127.0.0.1:1/0") as found:
        yield found


def assert_secured(answer: CachedResponse) -> None:
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert answer.headers["cache-control"] in ("no-store", "no-cache", "no-cache, private")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/health", 200),
        ("HEAD", "/health", 200),
        ("OPTIONS", "/health", 200),
        ("GET", "/ready", 200),
        ("GET", "/metrics", 200),
        ("GET", "/api/routes", 200),
        ("GET", "/api/routes?window=x", 400),
        ("GET", "/api/no/such", 404),
        ("GET", "/api/apps", 200),
        ("GET", "/static/index.html", 200),
        ("GET", "/static/js/main.js", 200),
        ("GET", "/static/none", 404),
        ("GET", "/static/../app.py", 404),
        ("GET", "/no/such/page", 404),
        ("DELETE", "/", 405),
        ("GET", "/logs", 405),
        ("POST", "/logs", 415),
    ],
)
def test_every_answer_has_the_security_headers(web: Web, method: str, path: str, status: int) -> None:
    answer = web.ask(method, path, headers=web.login)
    assert answer.status == status
    assert_secured(answer)


@pytest.mark.parametrize("path", ["/", "/metrics", "/ready", "/api/routes", "/none", "//none"])
def test_a_401_has_them_too(web: Web, path: str) -> None:
    answer = web.ask("GET", path)
    assert answer.status == 401
    assert_secured(answer)


def test_each_answer_to_a_frame_has_them_too(web: Web, web_without_redis: Web) -> None:
    answers = [
        web.post(),
        web.post(b"0"),
        web.post(b"x" * 3000),
        web.post(Authorization="Basic x"),
        web_without_redis.post(),
        web_without_redis.ask("GET", "/ready"),
        web_without_redis.ask("GET", "/api/routes"),
    ]
    assert [answer.status for answer in answers] == [202, 400, 413, 401, 503, 503, 503]
    for answer in answers:
        assert_secured(answer)


def test_a_fault_of_our_own_has_them_too(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(redis_url=redis_url)
    app = create_app(settings, open_log(settings).writer())
    monkeypatch.setitem(app.view_functions, "health", lambda: 1 / 0)
    answer = app.test_client().get("/health")
    assert answer.status_code == 500
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "//",
        "//evil.example.com",
        "//evil.example.com/..",
        "/api//routes",
        "/static//index.html",
        "/logs/",
        "///logs",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_path_is_answered_with_a_redirect(web: Web, method: str, path: str) -> None:
    answer = web.ask(method, path, headers=web.login | LOGPLEX | {"Host": "evil.example.com"})
    assert answer.status in (200, 202, 404, 405)  # Werkzeug passes over slashes at the very beginning.
    assert "location" not in answer.headers
    assert b"evil" not in answer.body


def test_no_rule_could_redirect(redis_url: str) -> None:
    app = create_app(Settings(redis_url=redis_url))
    for rule in app.url_map.iter_rules():
        assert rule.redirect_to is None
        assert rule.rule == "/" or not rule.rule.endswith("/")


@pytest.mark.parametrize("host", ["<script>", "a b", "", "evil.example.com:99999", "[::1"])
@pytest.mark.parametrize("path", ["/health", "/", "/api/routes", "/none", "//none", "/openapi"])
def test_the_host_header_has_no_effect(web: Web, path: str, host: str) -> None:
    expected = web.ask("GET", path, headers=web.login)
    answer = web.ask("GET", path, headers=web.login | {"Host": host})
    assert (answer.status, answer.body) == (expected.status, expected.body)
    changing = ("date",)
    assert {k: v for k, v in answer.headers.items() if k not in changing} == {
        k: v for k, v in expected.headers.items() if k not in changing
    }


def test_a_host_too_long_to_be_one_is_a_bad_request(web: Web) -> None:
    answer = web.ask("GET", "/health", headers=web.login | {"Host": "x" * 4000})
    assert (answer.status, json.loads(answer.body)) == (400, {"error": "Bad Request"})
    assert_secured(answer)
