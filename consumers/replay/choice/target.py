"""Where a replay is sent: decided once, by the base URL alone, whatever a log line contains.

No URL is ever put together from parts: a line's path becomes the request target of an origin-form
request (RFC 9112, section 3.2.1) on a connection whose address comes from the base URL.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.base_url import DEFAULT_PORTS, parse_base_url
from app.errors import TailraceError

PATH_MAX_BYTES = 65_536


class RefusedPath(TailraceError):
    """A path that cannot be sent as it is, and is therefore not sent at all."""


@dataclass(frozen=True, slots=True)
class Target:
    """Scheme, host, port and path of a base URL."""

    scheme: str
    host: str
    port: int
    path: str = ""
    """Comes before the path of each request, byte for byte; see BaseUrl."""

    @classmethod
    def parse(cls, base_url: str) -> Target:
        """The target of REPLAY_HOST, --to or --baseline. Raises TailraceError if it is not a base URL."""
        try:
            return cls(*parse_base_url(base_url))
        except ValueError as fault:
            raise TailraceError(f"the target {fault}") from None

    @property
    def host_header(self) -> str:
        """The value of Host, without the scheme's default port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host_header}{self.path}"


def request_target(path: str, base_path: str = "") -> bytes:
    """What follows the method on the wire: the target's base path, and the path and query of a request, byte
    for byte.

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
    return base_path.encode("ascii") + raw
