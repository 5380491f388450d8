"""Chunked bodies that are none: a sentence, a closed connection, and no stack trace in the log."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
import redis

from app.log.redis.stream import STREAM
from drain.gunicorn.thread_worker import READ_S
from servers.redis_server import RedisServer
from tests.drain.bodies import ROUTER_SENT
from tests.drain.prometheus_text import figure
from tests.drain.serving import Web, serving
from tests.support.stored import kept_keys, logged_messages

CHUNK = b"%x\r\n%s\r\n" % (len(ROUTER_SENT), ROUTER_SENT)
END = b"0\r\n\r\n"


@pytest.fixture(scope="module")
def web(redis_server: RedisServer) -> Iterator[Web]:
    """One process."""
    with serving(REDIS_URL=redis_server.url) as found:
        yield found


def sent(
    web: Web, chunks: bytes, *, ends: bool = False, target: bytes = b"POST /logs"
) -> tuple[bytes, float]:
    """All that comes until the server closes, and after how many seconds."""
    started = time.monotonic()
    with web.connect() as connection:
        connection.sendall(
            target + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/logplex-1\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n" + chunks
        )
        if ends:
            connection.shutdown(1)
        with connection.makefile("rb") as answer:
            return answer.read(), time.monotonic() - started


MALFORMED = {
    "no number": b"zz\r\n",
    "negative": b"-1\r\n",
    "prefixed": b"0x5\r\nhello\r\n",
    "with underscore": b"1_0\r\n",
    "empty size": b"\r\n",
    "spaces": b" 5\r\nhello\r\n",
    "no CRLF after the data": CHUNK[:-2] + b"xx" + END,
    "longer than announced": b"3\r\nhello\r\n" + END,
    "long extension": b"5;" + b"x" * 20_000 + b"\r\nhello\r\n",
    "bad extension": b"5;a=\x01\r\nhello\r\n" + END,
    "endless size": b"1" * 20_000,
    "huge trailers": CHUNK + b"0\r\n" + b"X: y\r\n" * 200_000 + b"\r\n",
    "many trailers": CHUNK + b"0\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    "framing trailers": CHUNK + b"0\r\nContent-Length: 5\r\n\r\n",
    "login in the trailers": CHUNK + b"0\r\nAuthorization: Basic x\r\n\r\n",
    "no trailer at all": CHUNK + b"0\r\nhello\r\n\r\n",
    "too many chunks": b"1\r\n1\r\n" * 100_000,
    "line feeds alone": b"5\nhello\n0\n\n",
    "a line feed alone, later": CHUNK + b"5\nhello\n" + END,
    "a line feed alone, at the end": CHUNK + b"0\n\n",
    "a line feed alone, in the trailers": CHUNK + b"0\r\nX: y\n\n",
}


@pytest.mark.parametrize("chunks", MALFORMED.values(), ids=MALFORMED)
def test_malformed_chunks_get_400_with_a_sentence_and_the_connection_is_closed(
    web: Web, redis_client: redis.Redis, chunks: bytes
) -> None:
    before = web.process.output
    answer, took_s = sent(web, chunks)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"\r\nConnection: close" in head
    assert json.loads(body)["error"] == "the chunked body is malformed"
    assert len(json.loads(body)["reason"]) < 80
    assert took_s < READ_S - 1
    assert "Traceback" not in web.process.output.removeprefix(before)
    assert kept_keys(redis_client) == []


@pytest.mark.parametrize(
    "chunks", [b"", b"5", b"5\r\nhe", CHUNK[:-2], CHUNK[:-1], CHUNK, CHUNK + b"0\r\n", CHUNK + b"0\r\nX: y"]
)
def test_chunks_that_end_early_are_no_4xx_because_a_retry_can_save_them(
    web: Web, redis_client: redis.Redis, chunks: bytes
) -> None:
    answer, _ = sent(web, chunks, ends=True)
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: 1\r\n" in answer
    assert kept_keys(redis_client) == []


@pytest.mark.parametrize(
    "chunks",
    [
        CHUNK + END,
        CHUNK.replace(b"\r\n", b';name="value"\r\n', 1) + END,
        CHUNK + b"0\r\nX-Sum: 1\r\n\r\n",
        b"".join(b"1\r\n%c\r\n" % byte for byte in ROUTER_SENT) + b"000" + END,
    ],
)
def test_good_chunks_are_taken_and_the_connection_is_kept(
    web: Web, redis_client: redis.Redis, chunks: bytes
) -> None:
    with web.connect() as connection:
        head = (
            b"POST /logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/logplex-1\r\n"
            b"Transfer-Encoding: chunked\r\nLogplex-Frame-Id: %d\r\n\r\n"
        )
        for number in range(2):
            connection.sendall(head % number + chunks)
            assert connection.recv(1000).startswith(b"HTTP/1.1 202 ")
    assert len(logged_messages(redis_client, STREAM)) == 2


def test_where_nobody_reads_the_body_there_is_one_answer_and_the_end(web: Web) -> None:
    answer, _ = sent(web, b"zz\r\n", target=b"POST /health")
    assert answer.startswith(b"HTTP/1.1 405 ")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_malformed_chunks_are_counted_and_say_one_line_a_second(web: Web) -> None:
    time.sleep(1.1)  # What an earlier test was refused for has had its line.
    before = len(web.process.output.splitlines())
    counted = figure(web.ask("GET", "/metrics").body, "answers_total", status="400")
    started = time.monotonic()
    for _ in range(50):
        sent(web, b"zz\r\n")
    seconds = time.monotonic() - started
    assert figure(web.ask("GET", "/metrics").body, "answers_total", status="400") == counted + 50
    lines = [line for line in web.process.output.splitlines()[before:] if "a chunk's size is not" in line]
    assert 1 <= len(lines) <= seconds + 2
