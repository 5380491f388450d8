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

    at: str
    """`info`, `error`; `warning` where the client went away."""
    method: str
    path: str
    """With the query string."""
    host: str
    request_id: str
    fwd: str
    """The client's address, behind those that it claims to have come through: a comma list."""
    dyno: str
    connect: str
    service: str
    status: str
    bytes: str
    protocol: str
    """`http1.1` or `http2.0` of Router 2.0; `http` or `https` of the legacy router."""
    tls: str
    """`true` or `false`, of Router 2.0."""
    # What only lines of failures have:
    sock: str
    """Which side broke the connection: `backend` or `client`."""
    code: str
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
        answered, failed = _FWD_QUOTED if ' fwd="' in line else _FWD_BARE
        usual = answered(line)
        if usual is not None:
            return _new(RouterLine, usual.groups("") + _NO_FAILURE)
        usual = failed(line)
        if usual is not None:
            sock, at, code, *others = usual.groups("")
            return _new(RouterLine, (at, *others, sock, code, "", ""))
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

# The router's own order: one match in place of a dozen words. A value that begins with a quote never
# matches, nor does a line in which another of RouterLine's keys follows: `parse_any_order` takes those.
_SOME = r'([^ "][^ ]*+)'
_ANY = r'((?!")[^ ]*+)'
_QUOTED = r'"([^"]*+)"'
_RARE = "sock|code|cause|agent|protocol|tls"
_END = rf'(?: tls_version=[^ ]*+\Z|[\r\n]*+\Z|(?: (?!(?:{_RARE})=)[^ ="]++=(?!")[^ ]*+)++\Z)'

_Match = Callable[[str], re.Match[str] | None]


def _usual(start: str, value: str, fwd: str) -> _Match:
    """Matches a line in the router's order; its groups are those of `start`, then method to tls."""
    return re.compile(
        rf"{start} method={value} path={_QUOTED} host={value} request_id={value} fwd={fwd} dyno={value} "
        rf"connect={value} service={value} status={value} bytes={value} "
        rf"protocol=(http[^ \r\n]*+)(?: tls=([tf][^ \r\n]*+))?+{_END}"
    ).match


def _both(fwd: str) -> tuple[_Match, _Match]:
    """For lines of answered requests, whose values are seldom empty, and for those with a code."""
    failure = rf'(?:sock={_ANY} )?+at={_ANY} code={_ANY} desc="[^"]*+"'
    return _usual(f"at={_SOME}", _SOME, fwd), _usual(failure, _ANY, fwd)


_FWD_QUOTED = _both(_QUOTED)
_FWD_BARE = _both(_ANY)
_NO_FAILURE = ("", "", "", "")


def path_only(path: str) -> str:
    """The path without its query string."""
    return path.partition("?")[0]


@lru_cache(maxsize=8192)  # a few hundred values make up nearly all traffic
def milliseconds(raw: str) -> float | None:
    """The ms of `18ms`, `5.25ms` or `397`; None for an empty value and for anything else.

    Heroku's documents show times without a unit for H25 and H26 (`connect=0 service=397`, as the others
    write `0ms`): they are taken for ms. Fractions come from other routers that write the same line.
    Other forms were neither documented nor seen: a sign, an exponent, another unit (`1.5s`) give None, and
    the metrics worker counts the lines that have such a time (`unreadable_times`).
    """
    return float(raw.removesuffix("ms")) if _MILLISECONDS.fullmatch(raw) else None


_MILLISECONDS = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15})?(?:ms)?")


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
