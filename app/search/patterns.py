r"""What the JSON of a message must hold if a pair of its router line has a certain value. Pure.

A search looks for these patterns in the bytes of the log before it decodes or parses anything, so each must
be cheap, must not backtrack, and must never miss a line; it may match others too. `app.message.encode` writes
a line's text with `\"` for a quote, `\\` for a backslash, `\n` and the like for control characters, and UTF-8
for everything else. In the line itself a value stands bare or in quotes, and in quotes a backslash may stand
before a quote or another backslash. So only the beginning of a value that has none of these is looked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import orjson

from app.hosts import comparable

START_MAX = 60
"""Characters of a value that are looked for: more would rule out hardly any line."""

WHOLE_MIN = 12
"""A value with so many characters is rare enough to be looked for without its key, which is faster."""

ALTERNATIVES_MAX = 10

_KEY_ENDS = {"status": "us", "dyno": "yno", "service": "vice", "method": "hod", "request_id": "quest_id"}
"""What is looked for of a key: `re` looks for the first character, and this one is rare in a line. A third of
the time is saved."""

_HOST_NAME = re.compile(r"[a-z0-9_.-]+(?=:|\Z)")
_QUOTE = rb'(?:\\")?+'
_PARAMETERS = rb"(?:(?:;|%3[bB])[^/]*+)?+"
"""Matrix parameters (`/cart;id=1/items`), which are in the path and not in the route's name."""


def starts(key: str, value: str) -> list[re.Pattern[bytes]]:
    """`key=` with this value; none if nothing of the value may be looked for."""
    start = _start(value)
    return [_compiled(key, re.escape(start.encode()))] if start else []


def contains(value: str) -> list[re.Pattern[bytes]]:
    """A value that is long enough to be rare, wherever it stands."""
    return [re.compile(re.escape(start.encode()))] if len(start := _start(value)) >= WHOLE_MIN else []


def app_is(name: str) -> list[re.Pattern[bytes]]:
    """The message's own key `app`."""
    return [re.compile(re.escape(b'"app":' + orjson.dumps(name)))] if name.isascii() else []


def address_is(address: str) -> list[re.Pattern[bytes]]:
    """An IPv4 address in `fwd`. IPv6 addresses have many spellings."""
    return [re.compile(re.escape(address.encode()))] if re.fullmatch("[0-9.]+", address) else []


def host_is(host: str) -> list[re.Pattern[bytes]]:
    """A host in any spelling that app/hosts.py takes for the same."""
    found = _HOST_NAME.match(comparable(host))
    if found is None:
        return []
    return [_compiled("host", b"(?i:" + re.escape(found[0][:START_MAX].encode()) + b")")]


def path_starts(pattern: str) -> list[re.Pattern[bytes]]:
    """A path that a route's name or a pattern of `routes:` may stand for: it begins like the name, up to
    its first `:name` or `*rest`. A client may percent-encode any character."""
    start = re.match(r"[A-Za-z0-9/_.~-]*", pattern[:START_MAX])
    assert start is not None
    if len(start[0]) < 3:
        return []
    written = [_PARAMETERS + b"/" if char == "/" else _percent_encoded(char) for char in start[0]]
    return [_compiled("path", b"".join(written))]


def status_in(ranges: Iterable[tuple[int, int]]) -> list[re.Pattern[bytes]]:
    """A status of three digits in one of the ranges (first, last)."""
    statuses = sorted({status for first, last in ranges for status in range(max(100, first), last + 1)})
    by_hundred: dict[int, list[int]] = {}
    for status in statuses:
        by_hundred.setdefault(status // 100, []).append(status)
    if len(by_hundred) >= 9:
        return []
    alternatives: list[str] = []
    for hundred, some in by_hundred.items():
        few = len(some) <= ALTERNATIVES_MAX
        alternatives += map(str, some) if few else [f"{hundred}[0-9][0-9]"]
    return [_compiled("status", f"(?:{'|'.join(alternatives)})".encode())]


def not_found() -> list[re.Pattern[bytes]]:
    """A status of a path that does not exist: see app/store/bounds.py."""
    return [_compiled("status", b"4")]


def failed() -> list[re.Pattern[bytes]]:
    """What app/outcomes.py calls failed: a status of 5xx, or `at=error`. One pattern with a single beginning
    is many times as fast as two alternatives."""
    return [re.compile(rb"=" + _QUOTE + rb'(?:error|5[0-9][0-9][ "\\])')]


def service_at_least(service_ms: float) -> list[re.Pattern[bytes]]:
    """A service time with as many digits before its point as this one has."""
    digits = len(str(int(service_ms)))
    return [_compiled("service", b"[0-9]{%d}" % digits)] if digits > 1 else []


def _compiled(key: str, value: bytes) -> re.Pattern[bytes]:
    return re.compile(re.escape(_KEY_ENDS.get(key, key).encode()) + b"=" + _QUOTE + value)


def _start(value: str) -> str:
    """The beginning of a value that stands in the JSON as it is."""
    for at, char in enumerate(value[:START_MAX]):
        if char in '"\\' or not char.isprintable() or "\ud800" <= char <= "\udfff":
            return value[:at]
    return value[:START_MAX]


def _percent_encoded(char: str) -> bytes:
    code = f"{ord(char):02x}"
    high, low = code[0], code[1]
    low = f"[{low}{low.upper()}]" if low.isalpha() else low
    return f"(?:{re.escape(char)}|%{high}{low})".encode()
