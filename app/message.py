"""RouterMessage: the JSON of the topic `router`, both ways.

The first nine keys are those of the talk's demo (hone/heroku-replay-ratpack,
spec/helpers/generator.rb), so that its Ruby consumers can read ours; `id`, `app` and
`received_at` are added. `raw` is there only when the line is not valid UTF-8: `msg` then has
U+FFFD in place of the bad bytes, and `raw` has all bytes of the line in base64.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict, cast

import orjson

from app.errors import BadMessage


class RouterMessage(TypedDict):
    """One router line on its way from the drain to the consumers."""

    prival: int
    version: int
    timestamp: str
    hostname: str
    app_name: str
    procid: str
    msgid: str | None
    structured_data: str | None
    msg: str
    id: str
    """`<frame id>.<index of the line in its body>`: the same on every retry of the frame."""
    app: str
    """The name that DRAIN_TOKENS gives the sender; empty without one."""
    received_at: int
    """Unix time in ms at which the drain read the line."""
    raw: NotRequired[str]


@dataclass(frozen=True, slots=True)
class BadValue:
    """A value of the topic that cannot be processed, with the reason: it becomes a dead letter."""

    value: bytes
    reason: str
    is_poison: bool = False
    """True: workers of this group failed on it. False: it is not a message, for any group."""


INDEX_MAX_DIGITS = 9
"""No body holds a billion lines; int() refuses what is much longer."""

RECEIVED_MAX_MS = 10**14
"""The year 5138; Redis refuses an expiry that is much later."""


def message_id(frame_id: str, index: int) -> str:
    """The identity of the line at `index` of the frame."""
    return f"{frame_id}.{index}"


def split_id(identity: str) -> tuple[str, int]:
    """(frame id, index) of an identity. Raises BadMessage for anything else."""
    frame_id, _, index = identity.rpartition(".")
    if not frame_id or not index.isdecimal() or len(index) > INDEX_MAX_DIGITS:
        raise BadMessage(f"not a message id: {identity[:80]!r}")
    return frame_id, int(index)


def encode(message: RouterMessage) -> bytes:
    """The message as UTF-8 JSON."""
    return orjson.dumps(message)


def decode(value: bytes | bytearray | memoryview | str) -> RouterMessage:
    """The message in a JSON value. Raises BadMessage if there is none."""
    try:
        found = orjson.loads(value)
    except orjson.JSONDecodeError as fault:
        raise BadMessage(f"not JSON: {fault}") from None
    return checked(found)


def checked(found: Any) -> RouterMessage:
    """The decoded value, if it has the keys that consumers rely on. Raises BadMessage."""
    try:
        # Written out, because every message of every reader passes here; `_fault` does the same in a loop.
        is_message = (
            type(found) is dict
            and type(found["msg"]) is str
            and type(found["timestamp"]) is str
            and type(found["id"]) is str
            and type(found["app"]) is str
            and type(found["received_at"]) is int
            and 0 <= found["received_at"] < RECEIVED_MAX_MS
        )
    except KeyError:
        is_message = False
    if not is_message:
        raise BadMessage(f"not a router message: {_fault(found)}")
    return cast(RouterMessage, found)


def _fault(found: Any) -> str:
    if type(found) is not dict:
        return "not an object"
    for key, kind in _RELIED_ON:
        if type(found.get(key)) is not kind:
            return f"`{key}` is missing or not of type {kind.__name__}"
    return "`received_at` is not a Unix time in ms"


_RELIED_ON = (("msg", str), ("timestamp", str), ("id", str), ("app", str), ("received_at", int))


def exact_line(message: RouterMessage) -> str:
    """The router line; bytes that are not UTF-8 are surrogates (PEP 383), so none is lost."""
    raw = message.get("raw")
    if raw is None:
        return message["msg"]
    try:
        return base64.b64decode(raw, validate=True).decode("utf-8", "surrogateescape")
    except (TypeError, ValueError):  # Not from our drain: anybody may write to the topic.
        return message["msg"]
