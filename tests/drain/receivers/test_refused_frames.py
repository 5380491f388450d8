"""Frames that are refused for good are counted with their reason and shown with what to do, over HTTP."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from dataclasses import dataclass

import orjson
import pytest
import redis

from app.cli.figures import Wanted, read_report
from app.cli.period import named
from app.cli.report.selection import Selection
from app.cli.report.text import as_text
from app.settings import Settings
from app.store.keys import SENDER_FAULTS
from app.store.sender_faults import token_digest
from servers.processes import wait_until
from servers.redis_server import RedisServer
from tests.drain.bodies import ROUTER_MSG, ROUTER_SENT, counted, heroku
from tests.drain.prometheus_text import figure
from tests.drain.serving import PASSWORD, USER, Web, basic, serving
from tests.support.stored import text_hash

TOKEN, UNKNOWN = "d.8601b555-6a83-4c12-8269-97c8e32cdb22", "d.437d5ca9-79ee-4eca-8d4b-f3ba5a5f5dcb"
FROM_LOGPLEX = {"User-Agent": "Logplex/v90", "Logplex-Frame-Id": "f", "Logplex-Drain-Token": TOKEN}


@pytest.fixture(scope="module")
def web(redis_server: RedisServer) -> Iterator[Web]:
    """Two processes with credentials, drain tokens and a small limit."""
    with serving(
        REDIS_URL=redis_server.url,
        DRAIN_USER=USER,
        DRAIN_PASSWORD=PASSWORD,
        DRAIN_TOKENS=f"{TOKEN}=shop,app=vault",
        DRAIN_BODY_MAX_BYTES="5000",
        WEB_CONCURRENCY="2",
    ) as found:
        yield found


@dataclass(frozen=True, slots=True)
class Shown:
    """What /api/health says of senders."""

    faults: dict[str, int]
    """`<kind> <sender>` -> count."""
    alerts: dict[str, str]
    """Code -> title, text and action."""
    answer: bytes


def shown(web: Web, store: redis.Redis, count: int, *fields: str) -> Shown:
    """What is said once each of these faults has been counted so often: answers are kept for 2 s."""
    wait_until(
        lambda: set(store.hmget(SENDER_FAULTS, fields)) == {b"%d" % count},
        lambda: f"{count} of each of {fields}, but {text_hash(store, SENDER_FAULTS)}",
    )
    since_ms = time.time() * 1000
    found: list[Shown] = []

    def is_there() -> bool:
        answer = web.ask("GET", "/api/health", headers=web.login).body
        content = orjson.loads(answer)
        faults = {
            f"{fault['kind']} {fault['sender']}": fault["count_ever"]
            for fault in content["health"]["sender_faults"]
        }
        alerts = {
            alert["code"]: f"{alert['title']}. {alert['text']} {alert['action']}"
            for alert in content["alerts"]
        }
        found[:] = [Shown(faults, alerts, answer)]
        return bool(content["at_ms"] >= since_ms)

    wait_until(is_there, "a fresh answer")
    return found[0]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is sent, and what is said of it."""

    headers: dict[str, str]
    body: bytes
    status: int
    kind: str
    todo: str

    @property
    def sent(self) -> dict[str, str]:
        """The headers that it changes or takes away."""
        return {**FROM_LOGPLEX, **self.headers}


@pytest.mark.parametrize(
    "refusals",
    [
        (
            Refusal(
                {"Authorization": basic(USER, "old")}, ROUTER_SENT, 401, "password", "`heroku drains -a APP`"
            ),
            Refusal(
                {"Logplex-Drain-Token": UNKNOWN},
                ROUTER_SENT,
                401,
                "token",
                "Add `TOKEN=APP` to `DRAIN_TOKENS`",
            ),
            Refusal({"Logplex-Drain-Token": ""}, ROUTER_SENT, 401, "no_token", "`/logs?app=NAME`"),
            Refusal(
                {"Content-Type": "text/plain"}, ROUTER_SENT, 415, "content_type", "between them and `web`"
            ),
            Refusal({"Content-Encoding": "br"}, ROUTER_SENT, 415, "encoding", "gzip or none"),
            Refusal({}, b"5000 " + b"x" * 5_000, 413, "too_large", "`DRAIN_BODY_MAX_BYTES`"),
            Refusal({"Content-Encoding": "gzip"}, b"no gzip", 400, "malformed", "`frame rejected`"),
        ),
        (
            Refusal({"Authorization": ""}, ROUTER_SENT, 401, "password", "DRAIN_PASSWORD"),
            Refusal(
                {"Content-Encoding": "gzip"}, gzip.compress(b"x" * 5_001, mtime=0), 413, "too_large", "Raise"
            ),
            Refusal({}, b"<158>1 no count", 400, "malformed", "octet-counted syslog"),
        ),
    ],
    ids=["each kind", "other causes"],
)
def test_each_reason_is_counted_with_the_last_token_and_says_what_to_do(
    web: Web, redis_client: redis.Redis, refusals: tuple[Refusal, ...]
) -> None:
    for refusal in refusals:
        sent = {**web.login, "Content-Type": "application/logplex-1", **refusal.sent}
        sent = {name: value for name, value in sent.items() if value}
        for _ in range(3):
            assert web.ask("POST", "/logs", refusal.body, sent).status == refusal.status
    fields = [f"{refusal.kind} logplex" for refusal in refusals]
    found = shown(web, redis_client, 3, *fields)
    assert found.faults == dict.fromkeys(fields, 3)
    for refusal in refusals:
        alert = found.alerts[f"frames_refused:{refusal.kind}"]
        assert alert.startswith("3 frames ")
        assert refusal.todo in alert
        token = refusal.sent["Logplex-Drain-Token"]
        assert (f"{token_digest(token)}" if token else "without a drain token") in alert
    assert TOKEN.encode() not in found.answer
    assert UNKNOWN.encode() not in found.answer


def test_a_scanner_is_counted_apart_and_raises_no_alert(web: Web, redis_client: redis.Redis) -> None:
    for body in (b"<?php system('id');", b'{"a": 1}', ROUTER_SENT):
        assert web.ask("POST", "/logs", body, {"User-Agent": "Mozilla/5.0 zgrab/0.x"}).status == 401
        assert web.ask("POST", "/wp-login.php", body, {"User-Agent": "Mozilla/5.0"}).status == 401
    found = shown(web, redis_client, 3, "password other")
    assert found.faults == {"password other": 3}
    assert [code for code in found.alerts if code != "no_worker:metrics"] == []


@pytest.mark.parametrize(
    ("path", "with_login", "status"), [("/", True, 405), ("/log", True, 404), ("/logs/", False, 401)]
)
def test_frames_that_are_sent_to_another_path_are_counted(
    web: Web, redis_client: redis.Redis, path: str, with_login: bool, status: int
) -> None:
    headers = {**FROM_LOGPLEX, **(web.login if with_login else {})}
    assert web.ask("POST", path, ROUTER_SENT, headers).status == status
    found = shown(web, redis_client, 1, "path logplex")
    assert "The path of a drain's URL is `/logs`" in found.alerts["frames_refused:path"]


def test_unknown_tokens_are_shown_as_digests(web: Web, redis_client: redis.Redis) -> None:
    for token, times in ((UNKNOWN, 3), ("d.x", 1)):
        for _ in range(times):
            assert web.post(Logplex_Drain_Token=token).status == 401
    found = shown(web, redis_client, 4, "token logplex")
    tokens = orjson.loads(found.answer)["health"]["unknown_tokens"]
    assert [(token["token_digest"], token["count"]) for token in tokens] == [
        (token_digest(UNKNOWN), 3),
        (token_digest("d.x"), 1),
    ]
    assert f"Digests of the tokens: {token_digest(UNKNOWN)} (3), {token_digest('d.x')} (1)." in str(
        found.alerts
    )


def test_the_terminal_says_it_too(web: Web, redis_client: redis.Redis, redis_url: str) -> None:
    assert web.post(Authorization=basic(USER, "old")).status == 401
    shown(web, redis_client, 1, "password logplex")
    settings = Settings(redis_url=redis_url)
    report = read_report(redis_client, settings, named("1h"), time.time(), Wanted())
    wanted = "1 frame came with a wrong user or password (401)"
    assert wanted in as_text(report, named("1h"), Selection())
    old = read_report(redis_client, settings, named("1h"), time.time() + 3_700, Wanted())
    assert wanted not in as_text(old, named("1h"), Selection()), "an hour later nobody has to hear of it"


def test_an_answer_after_which_logplex_tries_again_is_no_loss(web: Web, redis_client: redis.Redis) -> None:
    head = (
        f"POST /logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/logplex-1\r\n"
        f"Authorization: {web.login['Authorization']}\r\nLogplex-Drain-Token: {TOKEN}\r\n"
        f"Content-Length: {len(ROUTER_SENT) * 2}\r\n\r\n"
    )
    with web.connect() as connection:
        connection.sendall(head.encode() + ROUTER_SENT)
        connection.shutdown(1)
        assert connection.makefile("rb").read().startswith(b"HTTP/1.1 503 ")
    assert web.post(Content_Encoding="br", Logplex_Drain_Token=TOKEN).status == 415
    assert shown(web, redis_client, 1, "encoding logplex").faults == {"encoding logplex": 1}


def test_counts_of_a_process_that_is_told_to_stop_are_not_lost(
    redis_url: str, redis_client: redis.Redis
) -> None:
    with serving(REDIS_URL=redis_url, DRAIN_TOKENS=f"{TOKEN}=shop") as web:
        assert web.post(Logplex_Drain_Token=UNKNOWN).status == 401
        web.process.popen.terminate()
        web.process.popen.wait(20)
    assert redis_client.hget(SENDER_FAULTS, "token logplex") == b"1"


def test_newlines_that_no_count_covers_are_counted_and_cost_no_line(
    web: Web, redis_client: redis.Redis
) -> None:
    before = figure(web.ask("GET", "/metrics", headers=web.login).body, "malformed_total", what="newline")
    line = counted(heroku(b"router", ROUTER_MSG.rstrip(b"\n"))) + b"\n"
    assert web.post(line * 3, Logplex_Drain_Token=TOKEN).status == 202
    found = shown(web, redis_client, 3, "newline logplex")
    assert found.faults == {"newline logplex": 3}
    assert "Nothing was lost" in found.alerts["newline"]
    assert redis_client.hgetall("tailrace:counts") == {}
    after = figure(web.ask("GET", "/metrics", headers=web.login).body, "malformed_total", what="newline")
    assert after == before + 3
