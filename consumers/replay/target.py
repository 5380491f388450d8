"""Where a replay goes: fixed once, from the base URL alone, whatever a log line holds.

No URL is ever glued together: a line's path becomes the request target of an origin-form request
(RFC 9112, section 3.2.1) on a connection that was opened to the target before the line was read.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.errors import TailraceError

LONGEST_PATH_BYTES = 65_536
DEFAULT_PORTS = {"http": 80, "https": 443}


class RefusedPath(TailraceError):
    """A path that cannot be sent as it is, and is not sent as anything else."""


@dataclass(frozen=True, slots=True)
class Target:
    """Scheme, host and port of a base URL."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, base_url: str) -> Target:
        """The target of REPLAY_HOST, --to or --baseline. Raises TailraceError for what is no base URL."""
        try:
            parts = urlsplit(base_url)
            port = parts.port
        except ValueError:
            raise TailraceError("the target's URL has a bad host or port") from None
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.path not in ("", "/"):
            raise TailraceError("the target must be a base URL such as https://staging.example.com")
        if "@" in parts.netloc:
            raise TailraceError("the target's URL must not hold a password: use a rule's set_headers")
        if port == 0 or parts.query or parts.fragment:
            raise TailraceError(
                "the target must be a base URL, without a query, such as https://staging.example.com"
            )
        return cls(parts.scheme, _ascii_host(parts.hostname), port or DEFAULT_PORTS[parts.scheme])

    @property
    def host_header(self) -> str:
        """The value of Host: without the port where that is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host_header}"


def _ascii_host(host: str) -> str:
    """The name as DNS and the Host header take it. Raises TailraceError for what is no host."""
    try:
        named = host if host.isascii() else host.encode("idna").decode("ascii")
        if ":" in named:
            ipaddress.IPv6Address(named)
        elif not _HOST(named):
            raise ValueError
    except ValueError:
        raise TailraceError("the target's URL has a bad host or port") from None
    return named


_HOST = re.compile(r"(?=.{1,254}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?").fullmatch
"""DNS's limits (RFC 1035, section 2.3.4): a longer or empty label would fail at the first request."""


def request_target(path: str) -> bytes:
    """The bytes after the method: the path and query of the line, byte for byte.

    Raises RefusedPath for what would not be one path on the target's own host: no leading slash,
    a byte that ends or splits the request line (control characters, space), or more than 64 KB.
    """
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise RefusedPath("has half of a surrogate pair") from None
    if not raw.startswith(b"/"):
        raise RefusedPath("does not start with /")
    if len(raw) > LONGEST_PATH_BYTES:
        raise RefusedPath(f"longer than {LONGEST_PATH_BYTES} bytes")
    if min(raw) <= 0x20 or 0x7F in raw:
        raise RefusedPath("has a space or a control character")
    return raw
