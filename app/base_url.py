"""A base URL, which is scheme, host and port, and perhaps a path: where a replay sends requests. Pure."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}
EXAMPLE = "such as https://staging.example.com"


class BaseUrl(NamedTuple):
    """The host as DNS and the Host header take it, IPv6 without brackets. `path` comes before each
    request's path: empty, or with a slash at its beginning and none at its end."""

    scheme: str
    host: str
    port: int
    path: str = ""


def parse_base_url(text: str) -> BaseUrl:
    """Raises ValueError, whose text says what the URL must be and never contains a password."""
    if _UNPRINTABLE(text):  # urlsplit would pass over some of them.
        raise ValueError(f"must be a base URL without spaces and control characters, {EXAMPLE}")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(f"must be a base URL with a valid host and port, {EXAMPLE}") from None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or port == 0:
        raise ValueError(f"must be a base URL {EXAMPLE}")
    if "@" in parts.netloc:
        raise ValueError("must not contain a user or password: use a rule's set_headers")
    if "?" in text or "#" in text:
        raise ValueError("must have neither a query nor a fragment")
    port = port or DEFAULT_PORTS[parts.scheme]
    return BaseUrl(parts.scheme, _ascii_host(parts.hostname), port, _base_path(parts.path))


def _base_path(path: str) -> str:
    """Without slashes at its end. Raises ValueError for what some server may read as another path."""
    path = path.rstrip("/")
    if path and not _PATH(path):
        raise ValueError("must have a path of percent-encoded segments, if any, such as /base")
    if any(_DOTS(segment) for segment in path.split("/")):
        raise ValueError("must not have a path with the segments . or ..")
    return path


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


_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f]").search
_PATH = re.compile(r"(?:/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%(?!2[Ff]|5[Cc])[0-9A-Fa-f]{2})+)+").fullmatch
"""Segments of RFC 3986, none of them empty, without an encoded slash or backslash."""

_DOTS = re.compile(r"(?:\.|%2[Ee]){1,2}").fullmatch
_HOST = re.compile(r"(?=.{1,254}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?").fullmatch
"""DNS's limits (RFC 1035, section 2.3.4): a longer or empty label would fail at the first request."""
