"""Where a replay is sent: decided once, by the base URL alone, whatever a log line contains.

No URL is ever put together from parts: a line's path becomes the request target of an origin-form
request (RFC 9112, section 3.2.1) on a connection whose address comes from the base URL.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.errors import TailraceError

PATH_MAX_BYTES = 65_536
DEFAULT_PORTS = {"http": 80, "https": 443}


class RefusedPath(TailraceError):
    """A path that cannot be sent as it is, and is therefore not sent at all."""


@dataclass(frozen=True, slots=True)
class Target:
    """Scheme, host and port of a base URL."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, base_url: str) -> Target:
        """The target of REPLAY_HOST, --to or --baseline. Raises TailraceError if it is not a base URL."""
        try:
            parts = urlsplit(base_url)
            port = parts.port
        except ValueError:
            raise TailraceError("the target's URL has a bad host or port") from None
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.path not in ("", "/"):
            raise TailraceError("the target must be a base URL such as https://staging.example.com")
        if "@" in parts.netloc:
            raise TailraceError("the target's URL must not contain a password: use a rule's set_headers")
        if port == 0 or parts.query or parts.fragment:
            raise TailraceError(
                "the target must be a base URL, without a query, such as https://staging.example.com"
            )
        return cls(parts.scheme, _ascii_host(parts.hostname), port or DEFAULT_PORTS[parts.scheme])

    @property
    def host_header(self) -> str:
        """The value of Host, without the scheme's default port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host_header}"


def _ascii_host(host: str) -> str:
    """The name in the form that DNS and the Host header use. Raises TailraceError for a bad host."""
    try:
        name = host if host.isascii() else host.encode("idna").decode("ascii")
        if ":" in name:
            ipaddress.IPv6Address(name)
        elif not _HOST(name):
            raise ValueError
    except ValueError:
        raise TailraceError("the target's URL has a bad host or port") from None
    return name


_HOST = re.compile(r"(?=.{1,254}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?").fullmatch
"""The limits of DNS (RFC 1035, section 2.3.4): a longer or an empty label would fail only at the first
request."""


def request_target(path: str) -> bytes:
    """What follows the method on the wire: the path and query of the line, byte for byte.

    Raises RefusedPath for a path without a leading slash, with a byte that would end or split the request
    line (control characters, space), or longer than PATH_MAX_BYTES.
    """
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise RefusedPath("contains half of a surrogate pair") from None
    if not raw.startswith(b"/"):
        raise RefusedPath("does not start with /")
    if len(raw) > PATH_MAX_BYTES:
        raise RefusedPath(f"is longer than {PATH_MAX_BYTES} bytes")
    if min(raw) <= 0x20 or 0x7F in raw:
        raise RefusedPath("contains a space or a control character")
    return raw
