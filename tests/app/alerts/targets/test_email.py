"""Alerts by e-mail, to a real mail server."""

from __future__ import annotations

import email.utils
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from app.alerts.message import Message
from app.alerts.targets.email import mail_of
from app.alerts.targets.target import Target
from app.alerts.text import lines_of
from servers.ports import free_port
from tests.app.alerts.targets.reached import failure_of, send
from tests.support.alert_messages import HOSTILE_TEXTS, LONGEST, MESSAGE, RESOLVED, all_texts
from tests.support.certificates import Authority, Certificate
from tests.support.mail_server import MailServer, mail_server

# The server's own advice; the tests log in over TLS from the first byte on.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")

SENDER = "alerts@example.com"
PEOPLE = ("ops@example.com", "oncall@example.org")
LOGIN = ("someone", "p/a:s@s%w?rd#pathsecret")
ENCODED = "someone:p%2Fa%3As%40s%25w%3Frd%23pathsecret@"


def at(server: MailServer, scheme: str = "smtp", login: str = "") -> Target:
    return to_url(f"{scheme}://{login}127.0.0.1:{server.port}")


def to_url(url: str) -> Target:
    return Target("ops", "email", "127.0.0.1", url=url, sender=SENDER, recipients=PEOPLE)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"), "mail")


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Certificate:
    return authority.sign("127.0.0.1", ["IP:127.0.0.1"])


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate.path))
    return authority.certificate.path


def test_a_mail_says_what_there_is_to_say() -> None:
    with mail_server() as server:
        send(at(server))
    (seen,) = server.seen
    assert (seen.sender, seen.recipients) == (SENDER, list(PEOPLE))
    assert seen.helo == "example.com"
    mail = seen.parsed
    assert mail["From"] == SENDER
    assert mail["To"] == ", ".join(PEOPLE)
    assert mail["Subject"] == MESSAGE.title
    assert mail["Auto-Submitted"] == "auto-generated"
    assert email.utils.parsedate_to_datetime(mail["Date"]).timestamp() == MESSAGE.at_s
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content_charset() == "utf-8"
    assert mail.get_content().splitlines() == lines_of(MESSAGE)


def test_mails_of_one_incident_are_shown_together_and_one_that_is_sent_again_is_the_same() -> None:
    with mail_server() as server:
        for message in (MESSAGE, MESSAGE, RESOLVED):
            send(at(server), message)
    first, again, resolved = server.seen
    assert first.body == again.body
    assert first.parsed["Message-ID"] == f"<{MESSAGE.id}@example.com>"
    assert resolved.parsed["Message-ID"] == f"<{RESOLVED.id}@example.com>"
    # Which message is the first of an incident depends on the target.
    for mail in (first, resolved):
        assert mail.parsed["References"] == mail.parsed["In-Reply-To"] == f"<{MESSAGE.incident}@example.com>"


def test_nothing_in_a_message_becomes_a_header_a_recipient_or_a_command() -> None:
    with mail_server() as server:
        for text in HOSTILE_TEXTS:
            message = replace(all_texts(text), id=f"{text}.1", incident=text)
            send(at(server), message)
            send(at(server), replace(message, id=f"{text}.2"))
    assert [seen.recipients for seen in server.seen] == [list(PEOPLE)] * 2 * len(HOSTILE_TEXTS)
    for seen in server.seen:
        mail = seen.parsed
        assert mail.defects == []
        assert set(mail) <= set(USUAL)
        assert mail["Bcc"] is None
        assert str(mail["Subject"]).isprintable()
        assert "victim" not in str(mail["To"])
        assert all(line.isprintable() for line in mail.get_content().split("\r\n"))


USUAL = {
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "X-Peer",
    "X-MailFrom",
    "X-RcptTo",
}


def test_a_test_refers_to_no_other_mail() -> None:
    mail = mail_of(replace(MESSAGE, id="test.ops.1", incident="test.ops.1", kind="test"), SENDER, PEOPLE)
    assert mail["References"] is None


@pytest.mark.parametrize("message", LONGEST, ids=range(len(LONGEST)))
def test_the_longest_mail_keeps_the_lengths_of_lines(message: Message) -> None:
    raw_mail = bytes(mail_of(message, SENDER, PEOPLE))
    assert raw_mail.isascii()
    assert max(map(len, raw_mail.split(b"\r\n"))) <= 998  # RFC 5322, section 2.1.1
    assert len(raw_mail) < 2_000_000


def test_a_line_of_a_dot_does_not_end_the_mail() -> None:
    with mail_server() as server:
        send(at(server), replace(MESSAGE, action="."))
    assert "\r\n.\r\n" in server.seen[0].parsed.get_content()


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_a_login_goes_over_tls(scheme: str, certificate: Certificate, trusted: Path) -> None:
    with mail_server(scheme=scheme, certificate=certificate, login=LOGIN) as server:
        send(at(server, scheme, ENCODED))
        assert [seen.login for seen in server.seen] == [LOGIN[0]]
        failed = failure_of(at(server, scheme, "someone:pathsecretelse@"))
    assert failed.is_final
    assert failed.reason.startswith("refused the login: 535 ")
    assert len(server.seen) == 1


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_a_certificate_that_is_not_trusted_gets_no_login(scheme: str, certificate: Certificate) -> None:
    with mail_server(scheme=scheme, certificate=certificate, login=LOGIN) as server:
        failed = failure_of(at(server, scheme, ENCODED))
    assert failed.reason.startswith("its certificate is not trusted: ")
    assert server.seen == []


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_a_certificate_of_another_host_gets_no_login(
    scheme: str, authority: Authority, trusted: Path
) -> None:
    other = authority.sign("mail.example.com", ["DNS:mail.example.com"])
    with mail_server(scheme=scheme, certificate=other, login=LOGIN) as server:
        failed = failure_of(at(server, scheme, ENCODED))
    assert "certificate is not trusted: IP address mismatch" in failed.reason
    assert server.seen == []


def test_a_server_that_offers_no_starttls_gets_no_login() -> None:
    with mail_server() as server:
        failed = failure_of(at(server, "smtp+starttls", ENCODED))
    assert failed.is_final
    assert "does not offer STARTTLS" in failed.reason
    assert server.seen == []


def test_a_server_without_a_login_says_so() -> None:
    port = free_port()
    with Scripted(port, [b"220 hello\r\n", b"250 only this\r\n", b"250 bye\r\n"]):
        failed = failure_of(to_url(f"smtp://{ENCODED}127.0.0.1:{port}"))
    assert failed.is_final
    assert failed.reason == "the server takes no login: use a URL without user and password"


@pytest.mark.parametrize(
    ("answer", "is_final"),
    [("451 4.3.0 try later", False), ("421 4.3.2 shutting down", False), ("550 5.7.1 spam", True)],
)
def test_what_the_server_says_of_the_mail(answer: str, is_final: bool) -> None:
    with mail_server() as server:
        server.data_answer = answer
        failed = failure_of(at(server))
    assert failed.is_final == is_final
    assert failed.reason == f'refused: {answer[:3]} "{answer[4:]}"'


@pytest.mark.parametrize(
    ("answer", "is_final"), [("450 4.2.1 greylisted", False), ("550 5.1.1 <{}> is unknown here", True)]
)
def test_recipients_that_are_all_refused(answer: str, is_final: bool) -> None:
    with mail_server() as server:
        server.recipient_answer = answer.format
        failed = failure_of(at(server))
    assert failed.is_final == is_final
    assert failed.reason.startswith(f"refused every recipient: {answer[:3]} ")
    assert "ops@" not in failed.reason
    assert server.seen == []


def test_some_recipients_that_are_refused_are_told_and_the_others_get_it_once() -> None:
    with mail_server() as server:
        server.recipient_answer = lambda address: "450 no" if address == PEOPLE[1] else "250 OK"
        failed = failure_of(at(server))
    assert failed.is_final
    assert failed.reason == "refused 1 of 2 recipients"
    assert [seen.recipients for seen in server.seen] == [[PEOPLE[0]]]


def test_a_port_that_nobody_listens_on() -> None:
    failed = failure_of(to_url(f"smtp://127.0.0.1:{free_port()}"))
    assert failed.reason == "no connection: connection refused"
    assert not failed.is_final


def test_a_server_that_says_nothing_is_left_in_time() -> None:
    for scheme in ("smtp", "smtps"):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            began_s = time.monotonic()
            port = listener.getsockname()[1]
            failed = failure_of(to_url(f"{scheme}://127.0.0.1:{port}"), timeout_s=0.4)
        assert not failed.is_final
        assert time.monotonic() - began_s < 5


def test_a_server_that_trickles_is_left_when_the_time_is_over() -> None:
    port = free_port()
    with Scripted(port, [b"220-a\r\n"] * 200, pause_s=0.05):
        began_s = time.monotonic()
        failed = failure_of(to_url(f"smtp://127.0.0.1:{port}"), timeout_s=0.4)
    assert failed.reason == "no answer within 0.4 s"
    assert time.monotonic() - began_s < 5


def test_a_server_that_ends_the_connection() -> None:
    port = free_port()
    with Scripted(port, [b"220 hello\r\n"]):
        failed = failure_of(to_url(f"smtp://127.0.0.1:{port}"))
    assert failed.reason == "the connection ended without an answer"
    assert not failed.is_final


@pytest.mark.parametrize(("greeting", "is_final"), [("421 busy", False), ("554 no", True)])
def test_a_server_that_refuses_at_once(greeting: str, is_final: bool) -> None:
    port = free_port()
    with Scripted(port, [greeting.encode() + b"\r\n"]):
        failed = failure_of(to_url(f"smtp://127.0.0.1:{port}"))
    assert failed.is_final == is_final
    assert failed.reason == f'refused: {greeting[:3]} "{greeting[4:]}"'


def test_a_mail_is_sent_even_if_the_server_does_not_say_goodbye() -> None:
    port = free_port()
    answers = [b"220 hello\r\n", b"250 hello\r\n"] + [b"250 OK\r\n"] * 3 + [b"354 go on\r\n", b"250 OK\r\n"]
    with Scripted(port, answers):
        send(to_url(f"smtp://127.0.0.1:{port}"), timeout_s=2.0)


def test_a_server_may_greet_late_and_take_long_to_accept_a_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail that is not waited for is sent again, and arrives each time."""
    monkeypatch.setattr("app.alerts.targets.email.CONNECT_S", 0.1)
    port = free_port()
    answers = [b"220 hello\r\n", b"250 hello\r\n"] + [b"250 OK\r\n"] * 3 + [b"354 go on\r\n", b"250 OK\r\n"]
    with Scripted(port, answers, greets_after_s=0.2, accepts_after_s=1.2):
        send(to_url(f"smtp://127.0.0.1:{port}"), timeout_s=1.0)


class Scripted:
    """A server that says its lines, whatever it is told, and then ends the connection."""

    def __init__(
        self,
        port: int,
        answers: list[bytes],
        pause_s: float = 0.0,
        greets_after_s: float = 0.0,
        accepts_after_s: float = 0.0,
    ) -> None:
        self._listener = socket.create_server(("127.0.0.1", port))
        self._answers = answers
        self._pause_s = pause_s
        self._greets_after_s = greets_after_s
        self._accepts_after_s = accepts_after_s
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Scripted:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        time.sleep(self._greets_after_s)
        with connection, connection.makefile("rb") as lines:
            try:
                for number, answer in enumerate(self._answers):
                    connection.sendall(answer)
                    time.sleep(self._pause_s)
                    if self._pause_s:
                        continue
                    if answer.startswith(b"354"):
                        while lines.readline() not in (b".\r\n", b""):
                            continue
                        time.sleep(self._accepts_after_s)
                    elif number < len(self._answers) - 1 or answer.startswith(b"250"):
                        lines.readline()
            except OSError:
                return  # The other side has gone.
