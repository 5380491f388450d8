"""The Heroku router's own log line: its `key=value` pairs, its units, its codes. Pure functions.

Router 2.0, which carries nearly all apps since 2025, and the legacy router write:

    at=info method=GET path="/users/1?q=a" host=shop.example.com request_id=8601b555-... fwd=204.204.204.204
    dyno=web.1 connect=0ms service=18ms status=200 bytes=13 protocol=http2.0 tls=true tls_version=tls1.3

    at=info method=GET path="/users/1?q=a" host=shop.example.com request_id=8601b555-... fwd="204.204.204.204"
    dyno=web.1 connect=1ms service=18ms status=200 bytes=13 protocol=https

Router 2.0 logs the path percent-decoded, `fwd` bare, quoted or empty, and no `tls_version` without TLS.
Values with spaces stand in quotes, in which a backslash escapes `"` and itself. Keys may be
missing, empty, new, and in any order (devcenter.heroku.com/articles/http-routing, "Heroku router
log format"; H18 and H27 put `sock=` first). Where a key comes twice, its first value counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple


class RouterLine(NamedTuple):
    """The pairs that Tailrace uses, as sent, without quotes and escapes; "" when missing or empty."""

    sock: str
    """Which side broke the connection: `backend` or `client`."""
    at: str
    """`info`, `error`; `warning` where the client went away."""
    code: str
    method: str
    path: str
    """With the query string."""
    host: str
    request_id: str
    fwd: str
    dyno: str
    connect: str
    service: str
    status: str
    bytes: str
    protocol: str
    """`http1.1` or `http2.0` of Router 2.0; `http` or `https` of the legacy router."""
    tls: str
    """`true` or `false`, of Router 2.0."""
    cause: str
    """Of H26: what is wrong with the request."""
    agent: str
    """Of H31: the client's User-Agent."""

    @property
    def is_router_2(self) -> bool:
        """Whether Router 2.0 wrote it: its path is percent-decoded."""
        return bool(self.tls) or self.protocol in ROUTER_2_PROTOCOLS


ROUTER_2_PROTOCOLS = frozenset({"http1.1", "http2.0"})

H_CODES: dict[str, str] = {
    "H10": "App crashed",
    "H11": "Backlog too deep",
    "H12": "Request timeout",
    "H13": "Connection closed without response",
    "H14": "No web dynos running",
    "H15": "Idle connection",
    "H16": "Redirect to herokuapp.com",
    "H17": "Poorly formatted HTTP response",
    "H18": "Server request interrupted",
    "H19": "Backend connection timeout",
    "H20": "App boot timeout",
    "H21": "Backend connection refused",
    "H22": "Connection limit reached",
    "H23": "Endpoint misconfigured",
    "H24": "Forced close",
    "H25": "HTTP restriction",
    "H26": "Request error",
    "H27": "Client request interrupted",
    "H28": "Client connection idle",
    "H31": "Misdirected request",
    "H32": "TLS certificate mismatch",
    "H33": "HTTP/2 stream broken",
    "H34": "All up dynos are quarantined",
    "H80": "Maintenance mode",
    "H81": "Blank app",
    "H82": "Eco dyno hours exhausted",
    "H83": "Planned service degradation",
    "H99": "Platform error",
}
"""What the router's codes mean (devcenter.heroku.com/articles/error-codes)."""

_new = tuple.__new__  # half the cost of RouterLine(...), which is Python code


def parse(line: str) -> RouterLine | None:
    """The pairs of one router line; None for a text without a single `key=value` pair.

    Raises nothing: bytes that are not UTF-8 may come as lone surrogates (PEP 383), and stay so.
    """
    if "\\" not in line:
        forms = _FWD_QUOTED if ' fwd="' in line else _FWD_BARE
        usual = forms[" code=" in line](line)
        if usual is not None:
            return _new(RouterLine, usual.groups(""))
    return parse_any_order(line)


def parse_any_order(line: str) -> RouterLine | None:
    """What `parse` returns, found the long way, which takes every line."""
    pairs = fields(line)
    return RouterLine(*[pairs.get(key, "") for key in RouterLine._fields]) if pairs else None


def fields(line: str) -> dict[str, str]:
    """All pairs of a line in its order, without quotes and escapes.

    Only spaces separate pairs. Words without `=` are passed over. A value that the line's end cuts
    off within its quotes counts as empty: half a path is another path.
    """
    pairs: dict[str, str] = {}
    for key, quoted, bare in _WORDS.findall(line.rstrip("\r\n")):
        if key and key not in pairs:
            pairs[key] = _ESCAPED.sub(r"\1", quoted) if "\\" in quoted else quoted or bare
    return pairs


_WORDS = re.compile(r'([^ ="]+)=(?:"([^"\\]*(?:\\.[^"\\]*)*)"|".*|([^ ]*))|[^ ]+', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\])')

# The router's own order: one match in place of a dozen words. Nothing may follow but pairs of other keys.
_BARE = r'(?!")([^ ]*)'
_NAMES = "|".join((*RouterLine._fields, "desc"))
_OTHERS = rf'(?: (?!(?:{_NAMES})=)[^ ="\r\n]+=(?!")[^ \r\n]*+)*+[\r\n]*\Z'


def _usual(code: str, fwd: str) -> Callable[[str], re.Match[str] | None]:
    """Matches a line in the router's order; its groups are the fields of a RouterLine."""
    return re.compile(
        rf'(?:sock={_BARE} )?at={_BARE} {code}method={_BARE} path="([^"]*)" host={_BARE} '
        rf"request_id={_BARE} fwd={fwd} dyno={_BARE} connect={_BARE} service={_BARE} status={_BARE} "
        rf'bytes=(?!")([^ \r\n]*)(?: protocol=(?!")([^ \r\n]*))?(?: tls=(?!")([^ \r\n]*))?()(){_OTHERS}'
    ).match


_CODES = ("()", rf'code={_BARE} desc="[^"]*" ')
_FWD_QUOTED = tuple(_usual(code, '"([^"]*)"') for code in _CODES)
_FWD_BARE = tuple(_usual(code, _BARE) for code in _CODES)


def path_only(path: str) -> str:
    """The path without its query string."""
    return path.partition("?")[0]


@lru_cache(maxsize=8192)  # a few hundred values make up nearly all traffic
def milliseconds(raw: str) -> float | None:
    """The ms of `18ms` or `5.25ms`; None for an empty value and for anything else."""
    return float(raw[:-2]) if _MILLISECONDS.fullmatch(raw) else None


_MILLISECONDS = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15})?ms")


def timestamp_ms(timestamp: str) -> int | None:
    """Unix time in ms, rounded down, of a timestamp with an offset or Z; None for anything else.

    Takes RFC 3339 as Logplex sends it, and the talk's form, `2016-04-21 21:56:01 +0000`.
    """
    try:
        return (datetime.fromisoformat(timestamp) - _EPOCH) // _MILLISECOND
    except (ValueError, TypeError):  # no timestamp; one without an offset
        return None


_EPOCH = datetime.fromtimestamp(0, UTC)
_MILLISECOND = timedelta(milliseconds=1)
