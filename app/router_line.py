"""The Heroku router's own log line: its `key=value` pairs, its units, its codes. Pure functions.

    at=info method=GET path="/users/1?q=a" host=shop.example.com request_id=8601b555-... fwd="204.204.204.204"
    dyno=web.1 connect=1ms service=18ms status=200 bytes=13 protocol=https tls=true tls_version=tls1.3

Values with spaces stand in quotes, in which a backslash escapes `"` and itself. Keys may be
missing, empty, new, and in any order (devcenter.heroku.com/articles/http-routing, "Heroku router
log format"). Where a key comes twice, its first value counts: what follows may be a client's words.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
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

# The router's own order, without escapes: one match does the work of a dozen tokens.
_BARE = r'([^" \t\r\n]*+)'
_QUOTED = r'"([^"\\]*+)"'
_USUAL = re.compile(
    rf"at={_BARE} (?:code={_BARE} desc={_QUOTED} )?method={_BARE} path={_QUOTED} host={_BARE} "
    rf"request_id={_BARE} fwd={_QUOTED} dyno={_BARE} connect={_BARE} service={_BARE} status={_BARE} "
    rf"bytes={_BARE}(?![^ \n])"
)
