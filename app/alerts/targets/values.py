"""What the values of a target must look like, in a setting as in the file; each raises ValueError with what
it must be, and never repeats what it was given. Pure."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from app.base_url import parse_base_url

URL_MAX_CHARS = 2_000
ADDRESS_MAX_CHARS = 254
"""Of an e-mail address (RFC 5321, section 4.5.3.1.3, less the angle brackets)."""

RECIPIENTS_MAX = 20
SECRET_MIN_CHARS = 16

MAIL_PORTS = {"smtps": 465, "smtp+starttls": 587, "smtp": 25}

_MAIL_EXAMPLE = "such as smtps://user:password@smtp.example.com:465"

_URL = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%#]+").fullmatch
"""RFC 3986's characters. Not a backslash, which some readers of URLs take for the end of the host."""

_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
).fullmatch
"""A dot-atom and a domain (RFC 5322, section 3.4.1): without quotes, comments and letters beyond ASCII, so
that nothing in it can end a header or a command."""


class MailServer(NamedTuple):
    """What a URL of a mail server says."""

    scheme: str
    host: str
    port: int
    user: str
    password: str


def web_url(text: str) -> str:
    """Where a message is posted to, as it was written."""
    parts = _split(text, "such as https://alerts.example.com/hook")
    if parts.scheme not in ("http", "https"):
        raise ValueError("must be a URL that begins with https://")
    if "@" in parts.netloc:
        raise ValueError("must not contain a user or password")
    _valid_host(f"https://{parts.netloc}")
    if parts.scheme == "http" and not is_loopback(host_of(text)):
        raise ValueError("must begin with https://: unencrypted, alerts go to this machine alone (127.0.0.1)")
    return text


def mail_url(text: str) -> str:
    """A mail server, as it was written."""
    parts = _split(text, _MAIL_EXAMPLE)
    if parts.scheme not in MAIL_PORTS:
        raise ValueError(f"must begin with smtps://, smtp+starttls:// or smtp://, {_MAIL_EXAMPLE}")
    login, _, host = parts.netloc.rpartition("@")
    if "@" in login or parts.path not in ("", "/") or "?" in text:
        raise ValueError(
            f"must be a URL {_MAIL_EXAMPLE}; in a user or password, / ? # @ : and % are written "
            "%2F %3F %23 %40 %3A and %25"
        )
    _valid_host(f"https://{host}")
    user, _, password = login.partition(":")
    if not all(unquote(part).isascii() and unquote(part).isprintable() for part in (user, password)):
        raise ValueError("must have a user and password of printable ASCII")
    if bool(user) != bool(password):
        raise ValueError(f"must have both a user and a password, or neither, {_MAIL_EXAMPLE}")
    if user and parts.scheme == "smtp" and not is_loopback(host_of(text)):
        raise ValueError("must begin with smtps:// or smtp+starttls://: a password never goes unencrypted")
    return text


def mail_server(url: str) -> MailServer:
    """Of a URL that `mail_url` accepted."""
    parts = urlsplit(url)
    return MailServer(
        scheme=parts.scheme,
        host=parts.hostname or "",
        port=parts.port or MAIL_PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def mail_address(text: str) -> str:
    """One e-mail address."""
    if len(text) > ADDRESS_MAX_CHARS or not _ADDRESS(text):
        raise ValueError("must be an e-mail address such as alerts@example.com, in ASCII and without a name")
    return text


def mail_addresses(text: str) -> tuple[str, ...]:
    """E-mail addresses between commas, each once."""
    found = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not found or len(found) > RECIPIENTS_MAX:
        raise ValueError(f"must be 1 to {RECIPIENTS_MAX} e-mail addresses, separated by commas")
    for each in found:
        mail_address(each)
    return found


def webhook_secret(text: str) -> str:
    """The key that signs."""
    if len(text) < SECRET_MIN_CHARS or not text.isascii() or not text.isprintable():
        raise ValueError(
            f"must be at least {SECRET_MIN_CHARS} characters of printable ASCII, such as "
            "`openssl rand -hex 32` prints"
        )
    return text


def pagerduty_key(text: str) -> str:
    """An integration key: 32 characters (developer.pagerduty.com, Events API v2, "Send an Alert Event")."""
    if not re.fullmatch(r"[A-Za-z0-9]{32}", text):
        raise ValueError("must be the integration key of an Events API v2 integration: 32 letters and digits")
    return text


def host_of(url: str) -> str:
    """The host alone, which may be shown; empty for what is no URL."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _split(text: str, example: str) -> SplitResult:
    if len(text) > URL_MAX_CHARS:
        raise ValueError(f"must be a URL of at most {URL_MAX_CHARS:,} characters")
    try:
        parts = urlsplit(text) if _URL(text) else None
    except ValueError:
        parts = None
    if parts is None or not parts.scheme or not parts.netloc:
        raise ValueError(f"must be a URL {example}, without spaces and letters beyond ASCII")
    if "#" in text:
        raise ValueError("must not have a fragment: a # in a user, password or query is written %23")
    return parts


def _valid_host(url: str) -> None:
    try:
        parse_base_url(url)
    except ValueError:
        raise ValueError("must have a valid host, and a valid port if any") from None
