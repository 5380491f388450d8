"""E-mail, by a mail server: plain text, one message to all recipients.

Messages of one incident refer to its first one, so that mail programs show them together (RFC 5322, section
3.6.4). The Message-ID is the message's own id, the same however often it is sent.
"""

from __future__ import annotations

import contextlib
import email.policy
import email.utils
import smtplib
import socket
from collections.abc import Mapping
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

from app.alerts.message import Message
from app.alerts.targets.answers import shown
from app.alerts.targets.deadline import Deadline, within
from app.alerts.targets.entry import Entry
from app.alerts.targets.faults import words_of
from app.alerts.targets.form import bounded
from app.alerts.targets.target import DeliveryFailed, Target
from app.alerts.targets.values import host_of, mail_address, mail_addresses, mail_server, mail_url
from app.alerts.text import lines_of
from app.formatting import shortened

if TYPE_CHECKING:
    from app.settings import Settings

CONNECT_S = 5.0
SUBJECT_MAX_CHARS = 200

ACCEPT_S = 60.0
"""Once it is connected, a server has so long to take a mail, because some look into it first. A mail that is
not waited for is sent again, and arrives each time (RFC 5321, section 4.5.3.2.6, asks for ten minutes)."""


class Email:
    """Encrypted, with the server's certificate checked, but for `smtp://`, which sends no password elsewhere
    than to this machine."""

    name = "email"

    def from_file(self, name: str, entry: Mapping[str, Any], environ: Mapping[str, str]) -> Target:
        found = Entry(name, entry, ("url", "from", "to"), environ)
        url = found.value("url", mail_url)
        if found.has_login("url"):
            found.fault(
                "`url` has a password, which belongs in the environment: write url: '${OPS_SMTP_URL}'"
            )
        return found.target(
            self.name,
            url=url,
            sender=found.value("from", mail_address),
            recipients=found.value("to", mail_addresses),
        )

    def from_settings(self, settings: Settings) -> Target | None:
        url, sender, recipients = (
            settings.alert_smtp_url,
            settings.alert_email_from,
            settings.alert_email_to,
        )
        if not url or not sender or not recipients:
            return None
        return Target(self.name, self.name, host_of(url), url=url, sender=sender, recipients=recipients)

    def send(self, target: Target, message: Message, timeout_s: float) -> None:
        mail = mail_of(message, target.sender, target.recipients)
        refused: list[int] = []
        limit_s = timeout_s

        def work(deadline: Deadline) -> None:
            nonlocal limit_s
            connection = _Connection(target, deadline, timeout_s)
            try:
                limit_s = ACCEPT_S
                deadline.extend(ACCEPT_S)
                connection.wait_for(2 * ACCEPT_S)  # The deadline comes first.
                refused.append(len(connection.send_message(mail, target.sender, target.recipients)))
                connection.wait_for(timeout_s)
                # It is sent, whatever comes of this.
                with contextlib.suppress(OSError, smtplib.SMTPException):
                    connection.quit()
            finally:
                connection.close()

        failed: DeliveryFailed | None = None
        try:
            within(timeout_s, work)
        except DeliveryFailed:
            raise
        except TimeoutError:
            failed = DeliveryFailed(f"no answer within {limit_s:g} s")
        except Exception as fault:
            failed = _failed(fault, target)
        if failed is not None and not refused:
            raise failed
        if refused[0]:  # Not sent again: the others have it.
            raise DeliveryFailed(
                f"refused {refused[0]} of {len(target.recipients)} recipients", is_final=True
            )


class _Connection(smtplib.SMTP):
    """Connected, encrypted and logged in."""

    def __init__(self, target: Target, deadline: Deadline, timeout_s: float) -> None:
        from app.alerts.targets.session import trusting_context  # See there.

        self._deadline = deadline
        self._timeout_s = timeout_s
        self._server = mail_server(target.url)
        self._tls = trusting_context("smtp") if self._server.scheme != "smtp" else None
        # Not this machine's name: it is nobody's business, and looking it up takes time.
        domain = target.sender.rpartition("@")[2]
        super().__init__(
            self._server.host, self._server.port, local_hostname=domain, timeout=min(CONNECT_S, timeout_s)
        )
        try:
            self._log_in()
        except BaseException:
            self.close()
            raise

    def wait_for(self, timeout_s: float) -> None:
        """So long for each answer."""
        if self.sock is not None:
            self.sock.settimeout(timeout_s)

    def _log_in(self) -> None:
        if self._server.scheme == "smtp+starttls":
            self.ehlo()
            if not self.has_extn("starttls"):
                raise DeliveryFailed("the server does not offer STARTTLS: use smtps://", is_final=True)
            self.starttls(context=self._tls)
        if self._server.user:
            self.ehlo_or_helo_if_needed()
            if not self.has_extn("auth"):
                raise DeliveryFailed(
                    "the server takes no login: use a URL without user and password", is_final=True
                )
            self.login(self._server.user, self._server.password)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        try:
            connection = self._deadline.watch(socket.create_connection((host, port), timeout))
            if self._server.scheme == "smtps" and self._tls:
                connection = self._tls.wrap_socket(connection, server_hostname=host)
        except TimeoutError:
            raise DeliveryFailed(f"no connection within {timeout:g} s") from None
        # Some servers greet late on purpose: what sends spam does not wait. The deadline comes first.
        connection.settimeout(2 * self._timeout_s)
        return connection


def mail_of(message: Message, sender: str, recipients: tuple[str, ...]) -> EmailMessage:
    """The mail. Nothing in it depends on when it is sent."""
    message = bounded(message)
    domain = sender.rpartition("@")[2]
    mail = EmailMessage(policy=email.policy.SMTP)
    mail["From"] = sender
    mail["To"] = ", ".join(recipients)
    mail["Subject"] = shortened(message.title, SUBJECT_MAX_CHARS)
    mail["Date"] = email.utils.formatdate(message.at_s)
    mail["Message-ID"] = f"<{message.id}@{domain}>"
    if message.id != message.incident:  # A test is alone.
        # No mail has this id: which was the first depends on the target. Mail programs put those together
        # that refer to the same (RFC 5322, section 3.6.4).
        mail["In-Reply-To"] = f"<{message.incident}@{domain}>"
        mail["References"] = f"<{message.incident}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # No answers of people on holiday (RFC 3834).
    mail.set_content("\n".join(lines_of(message)) + "\n", charset="utf-8", cte="quoted-printable")
    return mail


def _failed(fault: Exception, target: Target) -> DeliveryFailed:
    """What a mail server's refusal means: 4xx may pass, 5xx does not (RFC 5321, section 4.2.1)."""
    server = mail_server(target.url)
    secrets = (target.url, server.user, server.password, target.sender, *target.recipients)
    if isinstance(fault, smtplib.SMTPRecipientsRefused):
        answers = [(int(code), text) for code, text in fault.recipients.values()]
        code, text = min(answers)
        return _answered("refused every recipient", code, text, secrets)
    if isinstance(fault, smtplib.SMTPAuthenticationError):
        return _answered("refused the login", fault.smtp_code, fault.smtp_error, secrets)
    if isinstance(fault, smtplib.SMTPSenderRefused):
        return _answered("refused the sender", fault.smtp_code, fault.smtp_error, secrets)
    if isinstance(fault, smtplib.SMTPResponseException):
        return _answered("refused", fault.smtp_code, fault.smtp_error, secrets)
    if isinstance(fault, smtplib.SMTPServerDisconnected):
        return DeliveryFailed("the connection ended without an answer")
    if isinstance(fault, smtplib.SMTPException):
        return DeliveryFailed("the server offers no login that is known here", is_final=True)
    return DeliveryFailed(words_of(fault, CONNECT_S))


def _answered(reason: str, code: int, text: bytes | str, secrets: tuple[str, ...]) -> DeliveryFailed:
    said = text if isinstance(text, str) else text.decode("utf-8", "replace")
    words = shown(said, secrets)
    return DeliveryFailed(f"{reason}: {code} {words}".rstrip(), is_final=500 <= code < 600)
