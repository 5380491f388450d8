"""Whatever the target does: bounded time and memory, and an outcome with its kind."""

from __future__ import annotations

import errno
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest

from consumers.replay.choice.target import Target
from consumers.replay.request import Outcome
from consumers.replay.sending.connection import Connection
from consumers.replay.sending.http1 import BODY_MAX_BYTES
from servers.ports import free_port
from tests.support.certificates import Authority
from tests.support.target import Behaviour, RecordingTarget, SeenRequest, answer, raw, refuse_by_reset

TIMEOUT_S = 1.0
HEAD = b"HTTP/1.1 200 OK\r\n"
LONG = b"x" * (BODY_MAX_BYTES + 1000)
CHUNK = b"20000\r\n" + b"x" * 0x20000 + b"\r\n"


def exchange(target: RecordingTarget, method: str = "GET") -> tuple[Outcome, float]:
    connection = Connection(Target.parse(target.url), TIMEOUT_S)
    started = time.monotonic()
    outcome = connection.exchange(method, b"/", [("Host", "x")])
    connection.close()
    return outcome, time.monotonic() - started


@pytest.mark.parametrize(
    ("behaviour", "kind", "status"),
    [
        (answer(200), "answered", 200),
        (answer(404, b"x" * 100_000), "answered", 404),
        (answer(301, head=b"Location: http://evil.test/\r\n"), "answered", 301),
        (answer(200, delay_s=5), "timeout", 0),
        (refuse_by_reset(), "reset", 0),
        (raw(b""), "reset", 0),
        (raw(HEAD + b"\r\nendless ", repeat=100_000), "answered", 200),
        (raw(HEAD + b"Content-Length: 99999999999\r\n\r\n" + LONG), "answered", 200),
        (raw(HEAD + b"Content-Length: 99999999999\r\n\r\n" + b"x" * 1000), "bad-response", 0),
        (raw(HEAD + b"Content-Length: 10\r\n\r\nshort"), "bad-response", 0),
        (raw(HEAD + b"Content-Length: -1\r\n\r\n"), "bad-response", 0),
        (raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), "answered", 200),
        (raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n"), "answered", 200),
        (raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), "bad-response", 0),
        (raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n7fffffff\r\n" + LONG), "answered", 200),
        (
            raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNK * 9),
            "answered",
            200,
        ),
        (raw(HEAD + b"Connection: close\r\n\r\n" + LONG), "answered", 200),
        (raw(HEAD + b"A: " + b"b" * 100_000), "too-large", 0),
        (raw(HEAD + b"A: b\r\n" * 20_000), "too-large", 0),
        (
            raw(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + HEAD + b"Content-Length: 0\r\n\r\n"),
            "answered",
            200,
        ),
        (raw(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"), "answered", 204),
        (raw(b"HTTP/1.1 101 Switching\r\n\r\n"), "answered", 101),
        (raw(b"HTTP/1.0 200 OK\r\n\r\nold"), "answered", 200),
        (raw(b"SSH-2.0-OpenSSH\r\n"), "bad-response", 0),
        (raw(b"HTTP/1.1 abc\r\n\r\n"), "bad-response", 0),
        (raw(b"HTTP/2 200\r\n\r\n"), "bad-response", 0),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Le"), "bad-response", 0),
    ],
)
def test_each_behaviour_has_its_kind_within_the_time_limit(
    behaviour: Behaviour, kind: str, status: int
) -> None:
    with RecordingTarget(behaviour) as target:
        outcome, took_s = exchange(target)
    assert (outcome.kind, outcome.status) == (kind, status)
    assert took_s < TIMEOUT_S + 0.5


@pytest.mark.parametrize("trickle", [b"H", HEAD + b"A: b\r\n", HEAD + b"Content-Length: 9999\r\n\r\n."])
def test_a_trickle_of_bytes_does_not_extend_the_time_limit(trickle: bytes) -> None:
    def behave(connection: socket.socket, seen: SeenRequest) -> bool:
        connection.sendall(trickle)
        for _ in range(40):
            time.sleep(0.1)
            connection.sendall(b"x")
        return False

    with RecordingTarget(behave) as target:
        outcome, took_s = exchange(target)
    assert outcome.kind in ("timeout", "bad-response")
    assert took_s < TIMEOUT_S + 0.5


def test_endless_informational_responses_end_at_the_time_limit() -> None:
    with RecordingTarget(raw(b"HTTP/1.1 103 Early Hints\r\n\r\n", pause_s=0.01, repeat=400)) as target:
        outcome, took_s = exchange(target)
    assert outcome.kind == "timeout"
    assert took_s < TIMEOUT_S + 0.5


def test_no_file_left_is_this_machines_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_file(*args: object) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    with RecordingTarget() as target:
        monkeypatch.setattr("consumers.replay.sending.connection.socket.socket", no_file)
        assert Connection(Target.parse(target.url), TIMEOUT_S).exchange("GET", b"/", []).kind == "no-socket"


@pytest.mark.parametrize("with_tls", [False, True])
def test_an_exchange_can_be_aborted_from_another_thread(with_tls: bool, tmp_path: Path) -> None:
    """While it waits for its answer; with TLS, for a handshake that never comes."""
    with RecordingTarget(answer(delay_s=6)) as target:
        url = target.url.replace("http:", "https:") if with_tls else target.url
        connection = Connection(Target.parse(url), 30.0)
        outcomes: list[Outcome] = []
        thread = threading.Thread(target=lambda: outcomes.append(connection.exchange("GET", b"/", [])))
        thread.start()
        time.sleep(0.3)
        started_s = time.monotonic()
        connection.abort()
        thread.join(5)
        assert time.monotonic() - started_s < 4.5
        assert outcomes[0].kind != "answered"
        assert len(target.seen) <= 1


def test_a_port_where_nothing_listens_is_refused() -> None:
    connection = Connection(Target("http", "127.0.0.1", free_port()), TIMEOUT_S)
    assert connection.exchange("GET", b"/", []).kind == "refused"


def test_a_name_that_does_not_resolve_is_a_dns_failure() -> None:
    connection = Connection(Target("http", "nowhere.invalid", 80), 5.0)
    assert connection.exchange("GET", b"/", []).kind == "dns"


def test_a_certificate_of_an_unknown_authority_is_a_tls_failure(tmp_path: Path) -> None:
    context = _self_signed(tmp_path)
    with RecordingTarget(tls=context) as target:
        outcome, _ = exchange(target)
        assert outcome.kind == "tls"
        assert target.seen == []


def test_tls_to_a_port_without_tls_is_a_tls_failure() -> None:
    with RecordingTarget(raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as target:
        connection = Connection(Target("https", "127.0.0.1", target.port), TIMEOUT_S)
        assert connection.exchange("GET", b"/", []).kind in ("tls", "timeout")


def test_a_connection_is_kept_alive_and_reopened_once_after_the_peer_closed_it() -> None:
    served = threading.Event()

    def answer_once(connection: socket.socket, seen: SeenRequest) -> bool:
        answer()(connection, seen)
        served.set()
        return False

    with RecordingTarget() as target:
        connection = Connection(Target.parse(target.url), TIMEOUT_S)
        for _ in range(3):
            assert connection.exchange("GET", b"/", []).status == 200
        assert target.connections == 1
        target.behaviour = answer_once
        assert connection.exchange("GET", b"/", []).status == 200
        served.wait(1)
        time.sleep(0.05)  # The peer's close is on its way.
        assert connection.exchange("GET", b"/", []).status == 200
        assert target.connections == 2
        assert len(target.seen) == 5


def test_a_refused_connection_is_tried_once_more() -> None:
    """A target that is being restarted."""
    refused = threading.Event()

    class Late(Connection):
        """The first try is refused, the second one accepted."""

        def _open(self) -> socket.socket:
            if refused.is_set():
                return super()._open()
            refused.set()
            raise ConnectionRefusedError

    with RecordingTarget() as target:
        assert Late(Target.parse(target.url), TIMEOUT_S).exchange("GET", b"/", []).kind == "answered"
        assert len(target.seen) == 1


@pytest.mark.parametrize(
    ("method", "behaviour", "kind"),
    [
        ("GET", answer(delay_s=5), "timeout"),
        ("GET", raw(HEAD + b"Content-Length: -1\r\n\r\n"), "bad-response"),
        ("GET", raw(HEAD + b"A: " + b"b" * 100_000), "too-large"),
        ("GET", refuse_by_reset(), "reset"),
        ("POST", refuse_by_reset(), "reset"),
        ("GET", answer(500), "answered"),
    ],
)
def test_what_reached_the_target_is_not_sent_again(method: str, behaviour: Behaviour, kind: str) -> None:
    with RecordingTarget(behaviour) as target:
        outcome, _ = exchange(target, method)
        time.sleep(0.3)  # A second try would have come by now.
        assert outcome.kind == kind
        assert len(target.seen) == 1


def test_a_post_over_a_kept_connection_that_is_reset_is_not_sent_again() -> None:
    with RecordingTarget() as target:
        connection = Connection(Target.parse(target.url), TIMEOUT_S)
        assert connection.exchange("POST", b"/", []).kind == "answered"
        target.behaviour = refuse_by_reset()
        assert connection.exchange("POST", b"/", []).kind == "reset"
        time.sleep(0.3)
        assert len(target.seen) == 2


def test_the_answer_to_a_head_has_no_body_to_wait_for() -> None:
    with RecordingTarget(answer(200, b"x" * 500)) as target:
        connection = Connection(Target.parse(target.url), TIMEOUT_S)
        assert [connection.exchange(method, b"/", []).status for method in ("HEAD", "GET", "HEAD")] == [
            200
        ] * 3
        assert target.connections == 1


def test_other_methods_are_sent_with_an_empty_body() -> None:
    with RecordingTarget() as target:
        exchange(target, "POST")
        [seen] = target.seen
    assert (seen.method, seen.body, seen.headers["content-length"]) == ("POST", b"", "0")


def _self_signed(folder: Path) -> ssl.SSLContext:
    certificate = Authority(folder, "nobody").sign("127.0.0.1", ["IP:127.0.0.1"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.path, certificate.key_path)
    return context
