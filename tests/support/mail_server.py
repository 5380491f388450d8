"""A real mail server for tests (aiosmtpd): it records what comes, with TLS and login where asked for."""

from __future__ import annotations

import contextlib
import email
import email.policy
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from servers.ports import free_port
from tests.support.certificates import Certificate


@dataclass(slots=True)
class SeenMail:
    """One mail as it came."""

    sender: str
    recipients: list[str]
    body: bytes
    login: str
    helo: str

    @property
    def parsed(self) -> EmailMessage:
        found = email.message_from_bytes(self.body, policy=email.policy.default)
        assert isinstance(found, EmailMessage)
        return found


@dataclass(slots=True)
class MailServer:
    """What it answers may be changed while it runs."""

    port: int
    seen: list[SeenMail] = field(default_factory=list)
    recipient_answer: Callable[[str], str] = lambda address: "250 OK"
    data_answer: str = "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.recipient_answer(address)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        login = session.auth_data.decode() if isinstance(session.auth_data, bytes) else ""
        self.seen.append(
            SeenMail(
                sender=envelope.mail_from or "",
                recipients=list(envelope.rcpt_tos),
                body=envelope.content,
                login=login,
                helo=session.host_name or "",
            )
        )
        return self.data_answer


@contextlib.contextmanager
def mail_server(
    *,
    scheme: str = "smtp",
    certificate: Certificate | None = None,
    login: tuple[str, str] | None = None,
) -> Iterator[MailServer]:
    """Serves on loopback: `smtp`, `smtps` or `smtp+starttls`, the latter two with the certificate."""
    tls: ssl.SSLContext | None = None
    if certificate is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate.path, certificate.key_path)

    def authenticate(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any
    ) -> AuthResult:
        assert isinstance(given, LoginPassword)
        pair = (given.login.decode(), given.password.decode())
        return AuthResult(success=pair == login, handled=False, auth_data=given.login)

    server = MailServer(free_port())
    controller = Controller(
        server,
        hostname="127.0.0.1",
        port=server.port,
        ssl_context=tls if scheme == "smtps" else None,
        tls_context=tls if scheme == "smtp+starttls" else None,
        require_starttls=scheme == "smtp+starttls",
        authenticator=authenticate,
        auth_required=login is not None,
        auth_require_tls=scheme == "smtp+starttls",
    )
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
