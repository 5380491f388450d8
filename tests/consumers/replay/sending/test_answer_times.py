"""What an answer took, and which answers have no end."""

from __future__ import annotations

import socket
import ssl
import time
from pathlib import Path

import pytest

from consumers.replay.choice.target import Target
from consumers.replay.sending.connection import Connection
from tests.consumers.replay.sending.test_connection import HEAD, TIMEOUT_S, exchange
from tests.support.certificates import Authority
from tests.support.target import Behaviour, RecordingTarget, SeenRequest, answer, raw, refuse_by_reset

CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def flowing(head: bytes, piece: bytes, pieces: int, first_s: float = 0.0) -> Behaviour:
    """A head, and then pieces of a body, a tenth of the time limit apart; after the last, nothing more."""

    def behave(connection: socket.socket, seen: SeenRequest) -> bool:
        time.sleep(first_s)
        connection.sendall(head)
        for _ in range(pieces):
            connection.sendall(piece)
            time.sleep(TIMEOUT_S / 10)
        time.sleep(2 * TIMEOUT_S)
        return False

    return behave


@pytest.mark.parametrize(
    ("behaviour", "kind", "status"),
    [
        (flowing(CHUNKED, b"3\r\nabc\r\n", 20), "stream", 200),
        (flowing(HEAD + b"\r\n", b"tick\n", 20), "stream", 200),
        (flowing(HEAD + b"Content-Length: 9999999999\r\n\r\n", b"tick\n", 20), "stream", 200),
        (flowing(b"HTTP/1.1 404 X\r\n\r\n", b"tick\n", 20), "stream", 404),
        # It would have ended: the target is slow.
        (flowing(HEAD + b"Content-Length: 9999\r\n\r\n", b"tick\n", 20), "timeout", 0),
        (flowing(CHUNKED, b"3\r\nabc\r\n", 20, first_s=0.6 * TIMEOUT_S), "timeout", 0),
        # It has stalled.
        (flowing(CHUNKED, b"3\r\nabc\r\n", 4), "timeout", 0),
        (flowing(HEAD + b"\r\n", b"", 0), "timeout", 0),
    ],
)
def test_a_body_that_still_flows_when_the_time_is_up_is_a_stream(
    behaviour: Behaviour, kind: str, status: int
) -> None:
    with RecordingTarget(behaviour) as target:
        outcome, took_s = exchange(target)
    assert (outcome.kind, outcome.status) == (kind, status)
    assert took_s < TIMEOUT_S + 0.5


@pytest.mark.parametrize(
    "kind",
    [b"text/event-stream", b"Text/Event-Stream; charset=utf-8", b"multipart/x-mixed-replace;boundary=f"],
)
@pytest.mark.parametrize("framing", [b"", b"Transfer-Encoding: chunked\r\n"])
def test_an_endless_type_is_a_stream_at_once_and_its_connection_is_closed(
    kind: bytes, framing: bytes
) -> None:
    head = b"HTTP/1.1 202 X\r\nContent-Type: %b\r\n%b\r\n" % (kind, framing)
    with RecordingTarget(flowing(head, b"", 0)) as target:
        connection = Connection(Target.parse(target.url), TIMEOUT_S)
        outcome = connection.exchange("GET", b"/", [])
        assert (outcome.kind, outcome.status) == ("stream", 202)
        assert outcome.elapsed_ms < TIMEOUT_S * 1000 / 2
        target.behaviour = answer()
        assert connection.exchange("GET", b"/", []).kind == "answered"
        assert target.connections == 2


def test_events_of_a_known_length_and_answers_without_a_body_are_answers() -> None:
    events = HEAD + b"Content-Type: text/event-stream\r\n"
    for method, data in (
        ("GET", events + b"Content-Length: 9\r\n\r\ndata: a\n\n"),
        ("HEAD", events + b"\r\n"),
    ):
        with RecordingTarget(raw(data)) as target:
            assert exchange(target, method)[0].kind == "answered"


def test_connecting_and_waiting_count_for_the_response_and_not_for_the_service(tmp_path: Path) -> None:
    """Over TLS too."""

    class Slow(Connection):
        def _open(self) -> socket.socket:
            time.sleep(0.2)
            return super()._open()

    authority = Authority(tmp_path, "tests")
    certificate = authority.sign("127.0.0.1", ["IP:127.0.0.1"])
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate.path, certificate.key_path)
    client = ssl.create_default_context(cafile=str(authority.certificate.path))
    for server_tls, client_tls in ((None, None), (server, client)):
        with RecordingTarget(answer(delay_s=0.1), tls=server_tls) as target:
            connection = Slow(Target.parse(target.url), 5.0, client_tls)
            opened, kept = (connection.exchange("GET", b"/", []) for _ in range(2))
            connection.close()
        assert (opened.kind, kept.kind) == ("answered", "answered")
        assert opened.latency_ms >= 100
        assert opened.elapsed_ms >= opened.latency_ms + 199
        assert kept.elapsed_ms - kept.latency_ms < 50


def test_a_first_try_that_failed_counts_for_the_response(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "consumers.replay.sending.connection.random.random", lambda: 1.0
    )  # The longest pause.
    with RecordingTarget() as target:
        connection = Connection(Target.parse(target.url), TIMEOUT_S)
        connection.exchange("GET", b"/", [])
        calls = []

        def reset_once(socket: socket.socket, seen: SeenRequest) -> bool:
            calls.append(seen)
            return (answer() if len(calls) > 1 else refuse_by_reset())(socket, seen)

        target.behaviour = reset_once
        outcome = connection.exchange("GET", b"/", [])
    assert outcome.kind == "answered"
    assert outcome.elapsed_ms >= 100 > outcome.latency_ms


def test_a_timeout_took_at_least_the_time_limit_wherever_the_time_went() -> None:
    class Slow(Connection):
        def _open(self) -> socket.socket:
            time.sleep(0.3 * TIMEOUT_S)
            return super()._open()

    class GivenUp(Connection):
        """The system gives up connecting before we do."""

        def _open(self) -> socket.socket:
            raise TimeoutError

    with RecordingTarget(answer(delay_s=2 * TIMEOUT_S)) as target:
        for kind in (Slow, GivenUp):
            outcome = kind(Target.parse(target.url), TIMEOUT_S).exchange("GET", b"/", [])
            assert outcome.kind == "timeout"
            assert outcome.latency_ms >= TIMEOUT_S * 1000
            assert outcome.elapsed_ms >= TIMEOUT_S * 1000
