"""Where a replay goes: fixed once, from the base URL alone, whatever a log line holds.

No URL is ever glued together: a line's path becomes the request target of an origin-form request
(RFC 9112, section 3.2.1) on a connection that was opened to the target before the line was read.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.base_url import DEFAULT_PORTS, parse_base_url
from app.errors import TailraceError

LONGEST_PATH_BYTES = 65_536


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
            return cls(*parse_base_url(base_url))
        except ValueError as fault:
            raise TailraceError(f"the target {fault}") from None

    @property
    def host_header(self) -> str:
        """The value of Host: without the port where that is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host_header}"


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
