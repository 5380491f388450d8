"""One action of the API, a path that takes POST: silences.py has them, openapi.py describes them.

Browsers send a login with whatever another site makes them send. So that no other site can act in a
reader's name, an action takes JSON alone, and asks for a header that is not among those that HTML forms and
simple requests can have: a browser asks first whether another site may send such a request (a CORS
preflight), and Tailrace never says yes (OWASP, Cross-Site Request Forgery Prevention, "Custom Request
Headers").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from flask import Request

from drain.dashboard.endpoint import Schema, Source

HEADER = "X-Tailrace"
HEADER_VALUE = "page"
BODY_MAX_BYTES = 4_096


@dataclass(slots=True)
class Refused(Exception):
    """The request is not taken, with this status."""

    status: int
    error: str
    more: dict[str, object] = field(default_factory=dict)
    """What the answer says besides."""


@dataclass(frozen=True, slots=True)
class Action:
    """A path that takes POST with a JSON object."""

    path: str
    summary: str
    fields: Mapping[str, Schema]
    """Of the body; each is text, and must be there."""
    schema: Schema
    """Of the answer."""
    perform: Callable[[Source, Mapping[str, str], float], object]
    """With the body and the Unix time in seconds. Raises Refused and redis.RedisError."""


def read_body(request: Request, fields: Mapping[str, Schema]) -> dict[str, str]:
    """The fields of the body. Raises Refused."""
    if request.mimetype != "application/json":
        raise Refused(415, "the body must be JSON, with `Content-Type: application/json`")
    if request.headers.get(HEADER) != HEADER_VALUE:
        raise Refused(403, f"the header `{HEADER}: {HEADER_VALUE}` is missing: other sites cannot send it")
    request.max_content_length = BODY_MAX_BYTES
    content = _parsed(request.get_data(cache=False))
    for name in sorted(content.keys() | fields.keys()):
        if name not in fields:
            raise _bad(name[:80], f"unknown field `{name[:80]}`", sorted(fields))
        if not isinstance(content.get(name), str):
            raise _bad(name, f"`{name}` must be a text", str(fields[name].get("description", "a text")))
    return content


def bad_field(name: str, value: str, allowed: str) -> Refused:
    """For a field whose value cannot be."""
    return _bad(name, f"invalid value for `{name}`: {value[:80]!r}", allowed)


def _bad(name: str, error: str, allowed: object) -> Refused:
    return Refused(400, error, {"parameter": name, "allowed": allowed})


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        content = None
    if not isinstance(content, dict):
        raise _bad("body", "the body is not a JSON object", "a JSON object")
    return content
