"""`POST /logs?app=NAME`: which name holds, who may write, and what an invalid name costs; over real HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import orjson
import pytest
import redis

from app.log.redis.stream import STREAM
from app.store import dead_letters, replies
from app.store.keys import LOSSES, SENDER_FAULTS
from servers.processes import wait_until
from servers.redis_server import RedisServer
from tests.drain.bodies import APP_SENT, L10_SENT, ROUTER_SENT, counted
from tests.drain.serving import LOGPLEX, PASSWORD, USER, CachedResponse, Web, serving
from tests.support.stored import kept_keys, logged_messages

TOKEN = "d.8601b555-6a83-4c12-8269-97c8e32cdb22"


@contextmanager
def serving_with(redis_url: str, **environ: str) -> Iterator[Web]:
    with serving(REDIS_URL=redis_url, DRAIN_USER=USER, DRAIN_PASSWORD=PASSWORD, **environ) as web:
        yield web


@pytest.fixture(scope="module")
def web(redis_server: RedisServer) -> Iterator[Web]:
    """Any token may write."""
    with serving_with(redis_server.url) as found:
        yield found


@pytest.fixture(scope="module")
def web_with_tokens(redis_server: RedisServer) -> Iterator[Web]:
    """One token may write, and drains without one as `vault`."""
    with serving_with(redis_server.url, DRAIN_TOKENS=f"{TOKEN}=shop,app=vault") as found:
        yield found


def post(web: Web, query: str, body: bytes = ROUTER_SENT, **headers: str) -> CachedResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.ask("POST", f"/logs{query}", body, {**web.login, **LOGPLEX, **named})


def apps(store: redis.Redis) -> list[object]:
    return [message["app"] for message in logged_messages(store, STREAM)]


@pytest.mark.parametrize(
    ("query", "app"),
    [
        ("?app=shop", "shop"),
        ("?app=my%2Dshop_2", "my-shop_2"),
        ("?x=1&app=shop&y", "shop"),
        ("?app=shop&app=shop", "shop"),
        ("?app=" + "x" * 64, "x" * 64),
        ("", ""),
        ("?", ""),
        ("?token=app", ""),
    ],
)
def test_a_name_in_the_url_is_the_app_s(web: Web, redis_client: redis.Redis, query: str, app: str) -> None:
    answer = post(web, query, L10_SENT + ROUTER_SENT + counted(b"no syslog"), Logplex_Frame_Id="f")
    assert (answer.status, answer.body) == (202, b"")
    assert apps(redis_client) == [app]
    assert replies.counts(redis_client.hgetall(LOSSES)) == {app: 1}
    assert [letter.app for letter in dead_letters.read(redis_client)] == [app]


INVALID = (
    "?app=",
    "?app",
    "?app=my%20shop",
    "?app=my+shop",
    "?app=a:b",
    "?app=%FF%00",
    "?app=k%C3%A4se",
    "?app=" + "x" * 65,
    "?app=shop&app=blog",
    "?app=shop&app=",
    "?app=(other)",
    "?app=../x",
    "?app=shop%0A",
)


def test_an_invalid_name_loses_no_frame_and_is_shown(web: Web, redis_client: redis.Redis) -> None:
    for number, query in enumerate(INVALID, 1):
        answer = post(web, query, Logplex_Drain_Token=TOKEN, Logplex_Frame_Id=f"f{number}")
        assert (answer.status, apps(redis_client)) == (202, [""] * number), query
    count = str(len(INVALID))
    wait_until(lambda: redis_client.hget(SENDER_FAULTS, "app_name logplex") == count.encode(), "the count")
    since_ms = time.time() * 1000
    found: list[dict[str, str]] = []

    def is_shown() -> bool:
        answer = orjson.loads(web.ask("GET", "/api/health", headers=web.login).body)
        found[:] = [alert for alert in answer["alerts"] if alert["code"] == "app_name"]
        return bool(answer["at_ms"] >= since_ms)

    wait_until(is_shown, "a fresh answer")
    (alert,) = found
    assert alert["title"] == f"{count} frames came with an invalid app name in the URL"
    assert "`?app=`" in alert["action"]


@pytest.mark.parametrize(
    ("query", "token", "app"),
    [
        ("", TOKEN, "shop"),
        ("?app=blog", TOKEN, "shop"),
        ("?app=", TOKEN, "shop"),
        ("?app=vault", TOKEN, "shop"),
        ("?app=vault", "", "vault"),
        ("?app=vault&app=vault", "", "vault"),
        ("?app=vault", "d.unknown", None),
        ("?app=shop", "d.unknown", None),
        ("?app=shop", "", None),
        ("?app=blog", "", None),
        ("?app=vault&app=shop", "", None),
        ("?app=", "", None),
        ("", "", None),
        ("", "app=vault", None),
        ("?app=vault", "app=vault", None),
    ],
)
def test_with_drain_tokens_they_say_who_may_write_and_under_which_name(
    web_with_tokens: Web, redis_client: redis.Redis, query: str, token: str, app: str | None
) -> None:
    if token:
        answer = post(web_with_tokens, query, Logplex_Drain_Token=token)
    else:
        answer = post(web_with_tokens, query)
    assert answer.status == (401 if app is None else 202)
    assert apps(redis_client) == ([] if app is None else [app])
    if app is None:
        assert kept_keys(redis_client) == []
        assert b"vault" not in answer.body
        assert b"shop" not in answer.body


def test_a_name_is_no_password(web: Web, web_with_tokens: Web, redis_client: redis.Redis) -> None:
    for site in (web, web_with_tokens):
        assert site.ask("POST", "/logs?app=vault", ROUTER_SENT, LOGPLEX).status == 401
    assert kept_keys(redis_client) == []


def test_equal_bodies_of_two_apps_without_frame_ids_are_two_frames_and_a_retry_is_none(
    web: Web, redis_client: redis.Redis
) -> None:
    for query in ("?app=shop", "?app=blog", "", "?app=shop", "?app=blog&x=2", "", "?app="):
        assert post(web, query).status == 202
    assert apps(redis_client) == ["shop", "blog", ""]


def test_thousands_of_names_leave_a_bounded_number_of_keys(web: Web, redis_client: redis.Redis) -> None:
    for number in range(300):
        assert (
            post(web, f"?app=app-{number}", APP_SENT + L10_SENT, Logplex_Frame_Id=f"{number}").status == 202
        )
    assert redis_client.hlen(LOSSES) == 300
    assert len(redis_client.keys()) < 10
