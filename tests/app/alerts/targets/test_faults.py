"""Whatever a target over HTTP does: sending ends in time, with a plain reason and whether to try again, and
nothing that anyone sees of it holds a secret."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.alerts.targets import http
from app.alerts.targets.deadline import Deadline
from app.logging_setup import logging_config
from servers.ports import free_port
from tests.app.alerts.targets.reached import HTTP_KINDS, MARKS, PATH, failure_of, send, target_at
from tests.support.alert_services import hang
from tests.support.certificates import Authority, Certificate
from tests.support.target import Behaviour, RecordingTarget, SeenRequest, answer, raw, refuse_by_reset

SHORT_S = 0.4


@pytest.fixture(autouse=True)
def no_secret_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """At any level that the processes' logging lets through, had someone set the root to DEBUG."""
    caplog.set_level(logging.DEBUG)
    level = logging_config("x")["loggers"]["urllib3"]["level"]
    with caplog.at_level(level, "urllib3"):
        yield
    assert not [mark for mark in MARKS if mark in caplog.text]


@pytest.fixture(params=HTTP_KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422])
def test_what_the_target_refuses_is_final(kind: str, status: int) -> None:
    with RecordingTarget(answer(status, b"invalid_payload")) as server:
        failed = failure_of(target_at(kind, server.url))
    assert failed.is_final
    assert failed.reason.startswith(f"answered {status} ")
    assert failed.reason.endswith(': "invalid_payload"')
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 599])
def test_what_may_pass_is_not_final(kind: str, status: int) -> None:
    with RecordingTarget(answer(status, b"")) as server:
        failed = failure_of(target_at(kind, server.url))
    assert not failed.is_final
    assert failed.reason.startswith(f"answered {status}")
    assert failed.after_s is None


@pytest.mark.parametrize(
    ("asked", "after_s"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("99999999999999999999", http.ASKED_WAIT_MAX_S),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Thu, 01 Jan 2099 00:00:00 GMT", http.ASKED_WAIT_MAX_S),
        ("Thu, 01 Jan 2099 00:00:00 -0000", http.ASKED_WAIT_MAX_S),
        ("soon", None),
        ("-5", None),
        ("\u00b2", None),
        ("", None),
    ],
)
def test_how_long_the_target_asks_to_wait(asked: str, after_s: float | None) -> None:
    head = f"Retry-After: {asked}\r\n".encode("latin-1")
    with RecordingTarget(answer(429, b"", head=head)) as server:
        assert failure_of(target_at("slack", server.url)).after_s == after_s


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(kind: str, status: int) -> None:
    with RecordingTarget() as elsewhere:
        head = f"Location: {elsewhere.url}{PATH}\r\n".encode()
        with RecordingTarget(answer(status, b"", head=head)) as server:
            failed = failure_of(target_at(kind, server.url))
    assert failed.is_final
    assert "redirects are not followed" in failed.reason
    assert elsewhere.connections == 0
    assert len(server.seen) == 1


HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"


def test_what_comes_before_the_answer_is_not_taken_for_it() -> None:
    with RecordingTarget(raw(HINTS + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) as server:
        send(target_at("slack", server.url))
    assert len(server.seen) == 1
    with RecordingTarget(raw(HINTS + b"HTTP/1.1 410 Gone\r\nContent-Length: 2\r\n\r\nno")) as server:
        assert failure_of(target_at("slack", server.url)).reason == 'answered 410 Gone: "no"'
    with RecordingTarget(raw(HINTS)) as server:
        assert not failure_of(target_at("slack", server.url)).is_final


def test_a_target_that_says_nothing(kind: str) -> None:
    with RecordingTarget(hang()) as server:
        began_s = time.monotonic()
        failed = failure_of(target_at(kind, server.url), timeout_s=SHORT_S)
    assert failed.reason == f"no answer within {SHORT_S:g} s"
    assert not failed.is_final
    assert time.monotonic() - began_s < 10


@pytest.mark.parametrize(
    "behaviour",
    [
        raw(b"H", pause_s=0.05, repeat=200),
        raw(b"HTTP/1.1 200 OK\r\nX-A: b\r\n", pause_s=0.05, repeat=200),
    ],
    ids=["status", "head"],
)
def test_a_target_that_trickles_is_left_when_the_time_is_over(behaviour: Behaviour) -> None:
    with RecordingTarget(behaviour) as server:
        began_s = time.monotonic()
        failed = failure_of(target_at("webhook", server.url), timeout_s=SHORT_S)
        assert failed.reason == f"no answer within {SHORT_S:g} s"
        assert time.monotonic() - began_s < 5
        assert is_soon(lambda: "send an alert" not in {thread.name for thread in threading.enumerate()})


def test_a_head_that_the_time_limit_has_cut_off_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = Deadline.end

    def end_and_let_the_reader_go_on(deadline: Deadline) -> None:
        ends(deadline)
        time.sleep(0.5)

    monkeypatch.setattr(Deadline, "end", end_and_let_the_reader_go_on)
    with RecordingTarget(raw(b"HTTP/1.1 200 OK\r\nX-A: b\r\n", pause_s=0.05, repeat=200)) as server:
        failed = failure_of(target_at("webhook", server.url), timeout_s=SHORT_S)
    assert failed.reason == f"no answer within {SHORT_S:g} s"


def test_an_answer_counts_from_its_status_on_however_long_its_body_takes(kind: str) -> None:
    def behave(connection: socket.socket, seen: SeenRequest) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
        return raw(b"o", pause_s=0.05, repeat=100)(connection, seen)

    with RecordingTarget(behave) as server:
        send(target_at(kind, server.url), timeout_s=SHORT_S)
    assert len(server.seen) == 1


def test_a_body_without_end_is_not_read() -> None:
    with RecordingTarget(raw(b"HTTP/1.1 500 X\r\n\r\n" + b"x" * 1_000_000, repeat=100)) as server:
        failed = failure_of(target_at("webhook", server.url))
    assert len(failed.reason) < 200


def test_a_port_that_nobody_listens_on(kind: str) -> None:
    failed = failure_of(target_at(kind, f"http://127.0.0.1:{free_port()}"))
    assert failed.reason == "no connection: connection refused"
    assert not failed.is_final


@pytest.mark.parametrize(
    "behaviour",
    [raw(b""), refuse_by_reset(), raw(b"HTTP/1.1 "), raw(b"SSH-2.0-x\r\n"), raw(b"\x00" * 70_000)],
    ids=["closed", "reset", "half a status", "another protocol", "no line"],
)
def test_a_connection_that_ends_without_an_answer(kind: str, behaviour: Behaviour) -> None:
    with RecordingTarget(behaviour) as server:
        failed = failure_of(target_at(kind, server.url), timeout_s=2.0)
    assert not failed.is_final
    assert "connection" in failed.reason


def test_an_answer_that_repeats_the_request_shows_no_secret(kind: str) -> None:
    def echo(connection: socket.socket, seen: SeenRequest) -> bool:
        told = seen.target + b" " + repr(seen.headers).encode() + b" " + seen.body
        upper = told[:1000].upper().replace(b"/", b"%2F")
        return answer(404, b"Cannot POST " + seen.target + b" " + upper + told)(connection, seen)

    with RecordingTarget(echo) as server:
        failed = failure_of(target_at(kind, server.url))
    assert failed.reason.startswith('answered 404 Not Found: "Cannot POST ')
    assert not [mark for mark in MARKS if mark.lower() in failed.reason.lower()]


def test_an_answer_is_shown_on_one_line_and_drives_no_terminal() -> None:
    with RecordingTarget(answer(500, b'a\r\nb \x1b[2J \xe2\x80\xae "c" \xff' + b"z" * 500)) as server:
        reason = failure_of(target_at("webhook", server.url)).reason
    assert reason.isprintable()
    assert "a b" in reason
    assert len(reason) < 250


def test_no_proxy_and_no_netrc_of_the_environment_is_used(
    kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with RecordingTarget() as proxy, RecordingTarget() as server:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        send(target_at(kind, server.url))
    assert proxy.connections == 0
    assert "authorization" not in server.seen[0].headers


def test_names_that_are_not_found_or_take_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_found(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", not_found)
    assert failure_of(target_at("slack", "https://hooks.example.com")).reason == "its name is not found"

    waiting = threading.Event()

    def slow(*_: object, **__: object) -> list[object]:
        waiting.wait(10)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    failed = failure_of(target_at("slack", "https://hooks.example.com"), timeout_s=SHORT_S)
    waiting.set()
    assert failed.reason == f"no answer within {SHORT_S:g} s"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"), "alerts")


def serving_tls(certificate: Certificate) -> RecordingTarget:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.path, certificate.key_path)
    return RecordingTarget(tls=context)


def test_over_tls_the_certificate_and_the_host_are_checked(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = authority.sign("127.0.0.1", ["IP:127.0.0.1"])
    with serving_tls(good) as server:
        failed = failure_of(target_at("slack", server.url))
        assert failed.reason.startswith("its certificate is not trusted: ")
        assert not failed.is_final
        assert server.seen == []
        # What the environment names for requests and curl alone is not heeded; what OpenSSL heeds is.
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.certificate.path))
        assert "not trusted" in failure_of(target_at("slack", server.url)).reason
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate.path))
        send(target_at("slack", server.url))
        assert len(server.seen) == 1
    with serving_tls(authority.sign("other.example.com", ["DNS:other.example.com"])) as server:
        failed = failure_of(target_at("slack", server.url))
        assert "certificate is not trusted: IP address mismatch" in failed.reason
        assert server.seen == []


def is_soon(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(condition())
