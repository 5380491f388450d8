"""A base URL, which is scheme, host and port and nothing else: where a replay sends requests. Pure."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}
EXAMPLE = "such as https://staging.example.com"


class BaseUrl(NamedTuple):
    """Scheme, host and port; the host as DNS and the Host header take it, IPv6 without brackets."""

    scheme: str
    host: str
    port: int


def parse_base_url(text: str) -> BaseUrl:
    """Raises ValueError, whose text says what the URL must be and never contains a password."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(f"must be a base URL with a valid host and port, {EXAMPLE}") from None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or port == 0:
        raise ValueError(f"must be a base URL {EXAMPLE}")
    if "@" in parts.netloc:
        raise ValueError("must not contain a user or password: use a rule's set_headers")
    if parts.query or parts.fragment:
        raise ValueError("must have neither a query nor a fragment")
    if parts.path not in ("", "/"):
        raise ValueError("must not have a path: requests keep the path of their log line")
    return BaseUrl(parts.scheme, _ascii_host(parts.hostname), port or DEFAULT_PORTS[parts.scheme])


def _ascii_host(host: str) -> str:
    """The host in ASCII. Raises ValueError if it is not a valid host."""
    try:
        named = host if host.isascii() else host.encode("idna").decode("ascii")
        if ":" in named:
            ipaddress.IPv6Address(named)
        elif not _HOST(named):
            raise ValueError
    except ValueError:
        raise ValueError(f"must be a base URL with a valid host and port, {EXAMPLE}") from None
    return named


_HOST = re.compile(r"(?=.{1,254}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?").fullmatch
"""DNS's limits (RFC 1035, section 2.3.4): a longer or empty label would fail at the first request."""
