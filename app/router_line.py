"""The Heroku router's own log line: its `key=value` pairs, its units, its codes. Pure functions.

    at=info method=GET path="/users/1?q=a" host=shop.example.com request_id=8601b555-... fwd="204.204.204.204"
    dyno=web.1 connect=1ms service=18ms status=200 bytes=13 protocol=https tls=true tls_version=tls1.3

Values with spaces stand in quotes, in which a backslash escapes `"` and itself. Keys may be
missing, empty, new, and in any order (devcenter.heroku.com/articles/http-routing, "Heroku router
log format"; H18 puts `sock=backend` first). Where a key comes twice, its first value counts.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple


class RouterLine(NamedTuple):
    """The pairs that Tailrace uses, as sent, without quotes and escapes; "" when missing or empty."""

    at: str
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
        usual = _USUAL_WITH_CODE(line) if " code=" in line else _USUAL(line)
        if usual is not None:
            return _new(RouterLine, usual.groups())
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

# The router's own order: one match in place of a dozen words, up to the last key that is needed.
# `_USUAL` is asked only when no `code` can follow it, so what follows changes nothing.
_BARE = r'(?!")([^ ]*)'
_REST = (
    rf'method={_BARE} path="([^"]*)" host={_BARE} request_id={_BARE} fwd="([^"]*)" dyno={_BARE} '
    rf'connect={_BARE} service={_BARE} status={_BARE} bytes=(?!")([^ \r\n]*)(?= |[\r\n]*\Z)'
)
_USUAL = re.compile(rf"at={_BARE}() {_REST}").match
_USUAL_WITH_CODE = re.compile(rf'at={_BARE} code={_BARE} desc="[^"]*" {_REST}').match


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
