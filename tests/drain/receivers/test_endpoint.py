"""What a receiver gets for its parser alone: shown with a toy one, over the real server."""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import redis

from app.cli import dead_letters as command
from app.log.redis.stream import STREAM
from app.settings import Settings
from app.store import dead_letters
from drain.receivers import registry
from servers.ports import free_port
from servers.processes import ROOT, Processes, answers
from servers.redis_server import RedisServer
from tests.drain.bodies import ROUTER_MSG, ROUTER_SENT
from tests.drain.prometheus_text import figure
from tests.drain.receivers.toy_receiver import LINES
from tests.drain.serving import PASSWORD, USER, CachedResponse, Web, basic
from tests.support import letters as kept_letters
from tests.support.stored import kept_keys, logged_messages

LIMIT = 50_000
SERVER = ["gunicorn", "--config", "python:drain.gunicorn.config"]
TOKEN = "d.toy"


@dataclass(frozen=True, slots=True)
class Toy:
    """`web` with the toy receiver beside Logplex's."""

    web: Web

    def post(self, body: bytes = ROUTER_MSG, **headers: str) -> CachedResponse:
        """POST /lines; an empty header is left out."""
        own = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {**self.web.login, "Content-Type": "text/plain", "X-Token": TOKEN, **own}
        sent = {name: value for name, value in sent.items() if value}
        return self.web.ask("POST", "/lines", body, sent)

    def metrics(self) -> bytes:
        return self.web.ask("GET", "/metrics", headers=self.web.login).body


@contextmanager
def toy_serving(redis_url: str) -> Iterator[Toy]:
    environ = {
        "REDIS_URL": redis_url,
        "WEB_CONCURRENCY": "1",
        "WEB_THREADS": "2",
        "DRAIN_USER": USER,
        "DRAIN_PASSWORD": PASSWORD,
        "DRAIN_TOKENS": f"{TOKEN}=shop",
        "DRAIN_BODY_MAX_BYTES": str(LIMIT),
        "PORT": str(port := free_port()),
    }
    with Processes(environ) as processes:
        toy_app = "tests.drain.receivers.toy_receiver:create_app()"
        process = processes.start_command("web", [*SERVER, toy_app], ROOT)
        process.wait_until(lambda: answers(f"http://127.0.0.1:{port}/health"), "answer")
        yield Toy(Web(process, port, {"Authorization": basic(USER, PASSWORD)}))


@pytest.fixture(scope="module")
def toy(redis_server: RedisServer) -> Iterator[Toy]:
    with toy_serving(redis_server.url) as found:
        yield found


def ids(store: redis.Redis) -> list[object]:
    return [message["id"] for message in logged_messages(store, STREAM)]


def test_its_messages_are_in_the_log_when_it_says_202(toy: Toy, redis_client: redis.Redis) -> None:
    before = figure(toy.metrics(), "router_lines_total")
    answer = toy.post(ROUTER_MSG * 2, X_Batch="batch-1")
    assert (answer.status, answer.body) == (202, b"")
    first, second = logged_messages(redis_client, STREAM)
    assert (first["id"], second["id"]) == ("batch-1.0", "batch-1.1")
    assert (first["msg"], first["app"], first["procid"]) == (ROUTER_MSG.decode(), "shop", "router")
    assert figure(toy.metrics(), "router_lines_total") == before + 2


def test_a_retried_frame_counts_once_with_an_id_and_without(toy: Toy, redis_client: redis.Redis) -> None:
    before = figure(toy.metrics(), "duplicate_frames_total")
    for _ in range(3):
        assert toy.post(X_Batch="batch-1").status == 202
        assert toy.post().status == 202
    assert len(ids(redis_client)) == 2
    assert figure(toy.metrics(), "duplicate_frames_total") == before + 4


@pytest.mark.parametrize(
    ("authorization", "token"),
    [("", TOKEN), (basic(USER, "wrong"), TOKEN), (basic(USER, PASSWORD), "d.other")],
)
def test_a_stranger_gets_401_and_writes_nothing(
    toy: Toy, redis_client: redis.Redis, authorization: str, token: str
) -> None:
    answer = toy.post(Authorization=authorization, X_Token=token)
    assert answer.status == 401
    assert "www-authenticate" in answer.headers
    assert kept_keys(redis_client) == []


def test_limits_content_types_and_encodings_are_refused_alike(toy: Toy, redis_client: redis.Redis) -> None:
    too_large = ROUTER_MSG * (LIMIT // len(ROUTER_MSG) + 1)
    assert toy.post(too_large).status == 413
    assert toy.post(gzip.compress(too_large), Content_Encoding="gzip").status == 413
    assert toy.post(Content_Encoding="br").status == 415
    assert toy.post(b"no gzip", Content_Encoding="gzip").status == 400
    answer = toy.post(Content_Type="application/logplex-1")
    assert (answer.status, json.loads(answer.body)) == (415, {"error": "Content-Type must be text/plain"})
    assert kept_keys(redis_client) == []
    assert toy.post(gzip.compress(ROUTER_MSG * 3), Content_Encoding="gzip").status == 202
    assert len(ids(redis_client)) == 3


def test_other_methods_are_refused_and_logplex_is_served_as_ever(toy: Toy, redis_client: redis.Redis) -> None:
    assert toy.web.ask("GET", "/lines", headers=toy.web.login).headers["allow"] == "OPTIONS, POST"
    assert toy.web.post(Logplex_Drain_Token=TOKEN, Logplex_Frame_Id="frame-1").status == 202
    assert ids(redis_client) == ["frame-1.0"]


def test_what_cannot_be_read_is_a_dead_letter_of_its_own_source_and_is_counted(
    toy: Toy, redis_client: redis.Redis
) -> None:
    before = figure(toy.metrics(), "malformed_total", what="line")
    assert toy.post(b"no router line\n" + ROUTER_MSG, X_Batch="batch-1").status == 202
    assert ids(redis_client) == ["batch-1.1"]
    (letter,) = dead_letters.read(redis_client)
    assert (letter.source, letter.kind, letter.value) == ("lines", "line", b"no router line")
    assert (letter.app, letter.reason) == ("shop", "no router line")
    assert figure(toy.metrics(), "malformed_total", what="line") == before + 1


def test_its_dead_letters_are_parsed_again_by_it_and_not_by_logplex(
    redis_client: redis.Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "RECEIVERS", (*registry.RECEIVERS, LINES))
    line = ROUTER_MSG.rstrip(b"\n")
    letters = [
        dead_letters.dead_letter("line", "lines", "was not readable", line, "shop"),
        dead_letters.dead_letter("body", "lines", "was not readable", ROUTER_MSG * 2 + b"nonsense\n", "shop"),
    ]
    kept_letters.add(redis_client, letters)
    requeue_all = argparse.Namespace(action="requeue", id=[], all=True, json=False)
    assert command.run(requeue_all, Settings(redis_url=redis_url)) == 0
    assert len(ids(redis_client)) == 3
    (rest,) = dead_letters.read(redis_client)
    assert (rest.source, rest.value) == ("lines", b"nonsense")


def test_with_redis_unreachable_it_says_503_logs_why_and_counts(redis_server: RedisServer) -> None:
    with toy_serving("redis://:hidden@127.0.0.1:1/0") as toy:
        answer = toy.post(X_Batch="batch-77", X_Request_Id="req-42")
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert json.loads(answer.body)["error"] == "not durable in time; send it again"
        toy.web.process.wait_for_output("frame rejected: status=503 frame=batch-77 request_id=req-42")
        assert "hidden" not in toy.web.process.output
        assert figure(toy.metrics(), "answers_total", status="503") == 1


def test_senders_of_all_receivers_share_the_slots(toy: Toy, redis_client: redis.Redis) -> None:
    """WEB_THREADS is 2: two requests of Logplex under way leave none for the toy."""
    head = (
        f"POST /logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/logplex-1\r\n"
        f"Logplex-Drain-Token: {TOKEN}\r\nAuthorization: {toy.web.login['Authorization']}\r\n"
        f"Content-Length: {len(ROUTER_SENT)}\r\n\r\n"
    ).encode()
    with toy.web.connect() as first, toy.web.connect() as second:
        for slow in (first, second):
            slow.sendall(head + ROUTER_SENT[:-1])
        toy.web.process.wait_until(lambda: figure(toy.metrics(), "in_flight") == 2, "requests under way")
        answer = toy.post()
        assert (answer.status, json.loads(answer.body)["error"]) == (503, "busy")
        for slow in (first, second):
            slow.sendall(ROUTER_SENT[-1:])
            assert slow.recv(100).startswith(b"HTTP/1.1 202 ")
    assert toy.post().status == 202
