"""POST /logs over the real server: which answer for what, and nothing more than that to a client."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest
import redis

from app.log import open_log
from app.log.interface import Appended, RecordEvents
from app.log.redis.stream import STREAM
from app.settings import Settings
from drain.app import create_app
from servers.redis_server import RedisServer
from tests.drain.bodies import APP_SENT, L10_SENT, ROUTER_MSG, ROUTER_SENT, counted, heroku
from tests.drain.serving import LOGPLEX, PASSWORD, USER, Web, basic, serving
from tests.support.stopping import stopped
from tests.support.stored import kept_keys, logged_messages

LIMIT = 200_000
TOKEN = "d.8601b555-6a83-4c12-8269-97c8e32cdb22"


@pytest.fixture(scope="module")
def web(redis_server: RedisServer) -> Iterator[Web]:
    """One with credentials and a body limit."""
    with serving(
        REDIS_URL=redis_server.url,
        DRAIN_USER=USER,
        DRAIN_PASSWORD=PASSWORD,
        DRAIN_CREDENTIALS="next:s%2Cecret",
        DRAIN_BODY_MAX_BYTES=str(LIMIT),
    ) as found:
        yield found


@pytest.fixture(scope="module")
def web_with_tokens(redis_server: RedisServer) -> Iterator[Web]:
    """One that knows two apps."""
    with serving(REDIS_URL=redis_server.url, DRAIN_TOKENS=f"{TOKEN}=shop,d.other=blog") as found:
        yield found


@pytest.fixture(scope="module")
def web_without_redis() -> Iterator[Web]:
    """One whose log is unreachable."""
    with serving(REDIS_URL="redis://:hidden@127.0.0.1:1/0") as found:
        yield found


def messages(store: redis.Redis) -> list[dict[str, object]]:
    return logged_messages(store, STREAM)


def test_a_frame_is_in_the_log_when_202_is_said_with_an_empty_body(
    web: Web, redis_client: redis.Redis
) -> None:
    answer = web.post(APP_SENT + ROUTER_SENT, Logplex_Frame_Id="frame-1", Logplex_Msg_Count="2")
    assert (answer.status, answer.body) == (202, b"")
    assert answer.headers["content-length"] == "0"
    (message,) = messages(redis_client)
    assert (message["id"], message["msg"]) == ("frame-1.1", ROUTER_MSG.decode())


@pytest.mark.parametrize(
    "content_type", ["application/logplex-1", "Application/Logplex-1", "application/logplex-1; charset=utf-8"]
)
def test_the_content_type_is_logplex_however_it_is_written(
    web: Web, redis_client: redis.Redis, content_type: str
) -> None:
    assert web.post(Content_Type=content_type).status == 202
    assert len(messages(redis_client)) == 1


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/json", "application/x-www-form-urlencoded"]
)
def test_any_other_content_type_gets_415(web: Web, redis_client: redis.Redis, content_type: str) -> None:
    answer = web.post(Content_Type=content_type)
    assert answer.status == 415
    assert json.loads(answer.body) == {"error": "Content-Type must be application/logplex-1"}
    assert messages(redis_client) == []


@pytest.mark.parametrize("count", ["", "2", "99", "-1", "two", "1" * 5000, "²"])
def test_no_declared_count_is_fatal(web: Web, redis_client: redis.Redis, count: str) -> None:
    assert web.post(Logplex_Msg_Count=count).status == 202
    assert len(messages(redis_client)) == 1


@pytest.mark.parametrize(("frame_id", "frames"), [("", 1), ("x" * 1000, 1), ("caf\xe9", 1)])
def test_no_frame_id_is_fatal_and_a_long_one_is_known_again(
    web: Web, redis_client: redis.Redis, frame_id: str, frames: int
) -> None:
    assert web.post(Logplex_Frame_Id=frame_id).status == 202
    assert web.post(Logplex_Frame_Id=frame_id).status == 202
    assert len(messages(redis_client)) == frames


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<158>1 no count", "expected a byte count, found '<'"),
        (b"0 x", "a byte count must not start with 0"),
        (b"12", "the body ends within a byte count"),
        (b"100 <158>1 2016", "a message of 100 bytes is announced, but only 11 follow"),
        (b'{"json": true}', "expected a byte count, found '{'"),
    ],
)
def test_a_body_that_is_no_octet_counted_syslog_gets_400_with_what_and_where(
    web: Web, redis_client: redis.Redis, body: bytes, reason: str
) -> None:
    answer = web.post(body)
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.body) == {
        "error": "not octet-counted syslog",
        "at_byte": 0,
        "reason": reason,
    }
    assert kept_keys(redis_client) == []


def test_messages_before_a_broken_one_are_not_lost(web: Web, redis_client: redis.Redis) -> None:
    assert web.post(ROUTER_SENT * 3 + b"17 <158>1").status == 202
    assert len(messages(redis_client)) == 3
    assert redis_client.xlen("tailrace:dead-letters") == 1


@pytest.mark.parametrize(
    "authorization", ["", "Basic", "Bearer x", basic(USER, "wrong"), basic("wrong", PASSWORD)]
)
def test_a_stranger_gets_401_with_a_challenge_and_writes_nothing(
    web: Web, redis_client: redis.Redis, authorization: str
) -> None:
    answer = web.post(Authorization=authorization)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Basic realm="Tailrace", charset="UTF-8"'
    assert json.loads(answer.body) == {"error": "user or password is wrong or missing"}
    assert kept_keys(redis_client) == []


def test_a_second_pair_may_write_too(web: Web) -> None:
    assert web.post(Authorization=basic("next", "s,ecret")).status == 202


@pytest.mark.parametrize("path", ["/", "/metrics", "/ready", "/api/routes", "/no/such/page"])
def test_who_may_not_write_may_not_look_either(web: Web, path: str) -> None:
    answer = web.ask("GET", path)
    assert answer.status == 401
    assert "www-authenticate" in answer.headers


def test_only_health_needs_no_password(web: Web) -> None:
    answer = web.ask("GET", "/health")
    assert (answer.status, json.loads(answer.body)) == (200, {"status": "ok"})


def test_a_drain_token_names_the_app_of_its_lines(web_with_tokens: Web, redis_client: redis.Redis) -> None:
    assert web_with_tokens.post(Logplex_Drain_Token=TOKEN, Logplex_Frame_Id="a").status == 202
    assert web_with_tokens.post(Logplex_Drain_Token="d.other", Logplex_Frame_Id="b").status == 202
    assert [message["app"] for message in messages(redis_client)] == ["shop", "blog"]


@pytest.mark.parametrize("token", ["", "d.unknown", TOKEN[:-1]])
def test_an_unknown_drain_token_gets_401(web_with_tokens: Web, redis_client: redis.Redis, token: str) -> None:
    answer = web_with_tokens.post(Logplex_Drain_Token=token)
    assert answer.status == 401
    assert "www-authenticate" in answer.headers
    assert token == "" or token.encode() not in answer.body
    assert kept_keys(redis_client) == []


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_gets_413_that_names_limit_and_setting(web: Web, chunked: bool) -> None:
    frames = LIMIT // len(APP_SENT) + 1
    answer = web.post(APP_SENT * frames, chunked=chunked)
    assert answer.status == 413
    assert json.loads(answer.body) == {
        "error": "the body is too large",
        "limit_bytes": LIMIT,
        "setting": "DRAIN_BODY_MAX_BYTES",
    }


def test_a_body_just_under_the_limit_is_taken(web: Web, redis_client: redis.Redis) -> None:
    filler = heroku(b"web.1", b"x" * (LIMIT - len(ROUTER_SENT) - len(heroku(b"web.1", b"")) - 7))
    body = ROUTER_SENT + counted(filler)
    assert len(body) == LIMIT
    assert web.post(body).status == 202
    assert len(messages(redis_client)) == 1


def test_a_413_leaves_the_server_ready_for_the_next(web: Web, redis_client: redis.Redis) -> None:
    assert web.post(b"x" * 10_000_000).status == 413
    assert web.post().status == 202
    assert len(messages(redis_client)) == 1


def test_a_chunked_body_is_taken(web: Web, redis_client: redis.Redis) -> None:
    assert web.post(ROUTER_SENT * 20, chunked=True).status == 202
    assert len(messages(redis_client)) == 20


@pytest.mark.parametrize("chunked", [False, True])
def test_a_gzip_body_is_unpacked(web: Web, redis_client: redis.Redis, chunked: bool) -> None:
    packed = gzip.compress(ROUTER_SENT * 20)
    assert web.post(packed, Content_Encoding="gzip", chunked=chunked).status == 202
    assert len(messages(redis_client)) == 20


def test_the_limit_counts_for_the_unpacked_size_too(web: Web) -> None:
    answer = web.post(gzip.compress(b"\0" * 50_000_000), Content_Encoding="gzip")
    assert answer.status == 413
    assert json.loads(answer.body)["limit_bytes"] == LIMIT


@pytest.mark.parametrize(
    "body", [ROUTER_SENT, gzip.compress(ROUTER_SENT, mtime=0)[:-5], b"\x1f\x8b\x08\x00xxxx"]
)
def test_what_is_said_to_be_gzip_and_is_not_gets_400(web: Web, body: bytes) -> None:
    answer = web.post(body, Content_Encoding="gzip")
    assert answer.status == 400
    assert json.loads(answer.body) == {"error": "the body is not gzip", "at_byte": 0}


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip"])
def test_another_encoding_gets_415(web: Web, encoding: str) -> None:
    answer = web.post(Content_Encoding=encoding)
    assert answer.status == 415
    assert json.loads(answer.body) == {"error": "Content-Encoding must be gzip or none"}


def test_a_body_cut_short_is_no_4xx_since_a_retry_can_save_it(web: Web, redis_client: redis.Redis) -> None:
    with web.connect() as connection:
        head = (
            f"POST /logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/logplex-1\r\n"
            f"Authorization: {web.login['Authorization']}\r\nContent-Length: {len(ROUTER_SENT) * 2}\r\n\r\n"
        )
        connection.sendall(head.encode() + ROUTER_SENT)
        connection.shutdown(1)
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: 1\r\n" in answer
    assert messages(redis_client) == []


@pytest.mark.parametrize("body", [ROUTER_SENT, L10_SENT, ROUTER_SENT + L10_SENT])
def test_without_the_log_it_says_503_and_when_to_come_again(web_without_redis: Web, body: bytes) -> None:
    started = time.monotonic()
    answer = web_without_redis.post(body)
    assert time.monotonic() - started < 4.8
    assert answer.status == 503
    assert answer.headers["retry-after"] == "1"
    assert json.loads(answer.body)["error"] == "not durable in time; send it again"
    assert b"hidden" not in answer.body


def test_ready_tells_whether_the_log_answers_and_health_does_not_care(
    web: Web, web_without_redis: Web
) -> None:
    assert web_without_redis.ask("GET", "/health").status == 200
    answer = web_without_redis.ask("GET", "/ready")
    assert (answer.status, json.loads(answer.body)["status"]) == (503, "not ready")
    assert b"hidden" not in answer.body
    ready = web.ask("GET", "/ready", headers=web.login)
    assert (ready.status, json.loads(ready.body)) == (200, {"status": "ready"})


def test_a_hung_redis_gets_503_before_logplex_stops_waiting_however_many_ask() -> None:
    with RedisServer() as server, serving(REDIS_URL=server.url) as web:
        assert web.post().status == 202
        with stopped(server.pid), ThreadPoolExecutor(12) as senders:

            def timed(body: bytes) -> tuple[int, float]:
                started = time.monotonic()
                return web.post(body).status, time.monotonic() - started

            found = list(senders.map(timed, [ROUTER_SENT, L10_SENT, ROUTER_SENT + L10_SENT] * 4))
            assert {status for status, _ in found} == {503}
            assert max(seconds for _, seconds in found) < 5
        assert web.post().status == 202


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/logs", 405, "OPTIONS, POST"),
        ("PUT", "/logs", 405, "OPTIONS, POST"),
        ("POST", "/health", 405, "GET, HEAD, OPTIONS"),
        ("GET", "/no/such/page", 404, None),
    ],
)
def test_other_methods_and_paths_get_a_sentence_in_json(
    web: Web, method: str, path: str, status: int, allow: str | None
) -> None:
    answer = web.ask(method, path, headers=web.login)
    assert answer.status == status
    assert list(orjson.loads(answer.body)) == ["error"]
    assert answer.headers.get("allow") == allow


class Broken:
    """A writer with a fault that nobody thought of."""

    def append(
        self,
        frame_id: str,
        values: Sequence[bytes],
        timeout_s: float,
        record_events: RecordEvents | None = None,
        platform: Sequence[bytes] = (),
    ) -> Appended:
        raise ZeroDivisionError("a detail for the log alone")

    def check(self, timeout_s: float) -> None: ...

    def close(self) -> None: ...


def test_a_fault_of_our_own_is_500_and_its_trace_goes_to_the_log_alone(
    redis_client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    client = create_app(Settings(), Broken(), redis_client).test_client()
    answer = client.post("/logs", data=ROUTER_SENT, headers=LOGPLEX)
    assert answer.status_code == 500  # Logplex tries again.
    assert answer.json == {"error": "internal error, see the log"}
    assert "ZeroDivisionError: a detail for the log alone" in caplog.text
    assert client.post("/logs", data=APP_SENT, headers=LOGPLEX).status_code == 202


def test_a_promise_that_redis_cannot_keep_is_503_with_the_reason_and_never_202(
    old_redis_server: RedisServer,
) -> None:
    """REDIS_LOG_FSYNC=1 on a Redis that does not know WAITAOF."""
    store = redis.Redis.from_url(old_redis_server.url)
    store.flushall()
    settings = Settings(redis_url=old_redis_server.url, redis_log_fsync=True)
    writer = open_log(settings).writer()
    client = create_app(settings, writer, store).test_client()
    for body in (ROUTER_SENT, ROUTER_SENT, L10_SENT):
        answer = client.post("/logs", data=body, headers={**LOGPLEX, "Logplex-Frame-Id": "frame-1"})
        assert answer.status_code == 503
        assert "REDIS_LOG_FSYNC=1 needs Redis 7.2 or newer" in answer.get_json()["reason"]
    ready = client.get("/ready")
    assert ready.status_code == 503
    assert "REDIS_LOG_FSYNC=1 needs Redis 7.2 or newer" in ready.get_json()["reason"]
    writer.close()
    store.close()
