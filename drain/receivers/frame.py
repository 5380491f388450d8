"""A frame: the parsed body of one request, whatever the protocol. Receivers make it; `ingest` takes it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import NamedTuple

from app.errors import MalformedFrame

FRAME_ID_MAX_CHARACTERS = 64
"""Logplex's are UUIDs, of 36."""


class SyslogMessage(NamedTuple):
    """One message that is kept, with the fields of its syslog header.

    The defaults are what Heroku sends for a router line, for protocols that have no such header.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, which nothing here needs
    """Its place among all messages of its frame, from 0: the same on every retry of the frame."""
    timestamp: str
    """As sent: RFC 3339 with 0 to 6 digits of fraction, or `-`."""
    msg: bytes
    """The text as sent, with its final newline if it has one."""
    # From here on what the messages of a frame mostly have in common: messages.py compares it at once.
    prival: int = 158
    version: int = 1
    hostname: str = "host"
    app_name: str = "heroku"
    procid: str = "router"
    msgid: str | None = None
    structured_data: str | None = None


class Notice(NamedTuple):
    """The sender's own report of an error, mostly that messages are missing."""

    index: int  # type: ignore[assignment]
    code: str
    """L10: Logplex's buffer for a drain overflowed; L12: log-shuttle dropped before sending;
    L13: log-shuttle could not deliver. L11, L14 and L15 report something else: see losses.py."""
    dropped: int | None
    """Messages; None if the notice gives no number."""
    since: str
    """Timestamp of the first loss; empty if the notice does not say."""
    source: str
    """Who reports it: `logplex` or `log-shuttle`."""
    drain: str
    """The drain token that the notice names, which may be another drain of the app; else empty."""
    timestamp: str = ""
    """Of the notice, as sent."""
    receiving_drain: str = ""
    """The drain token in the message's HOSTNAME: that of the drain it was sent to. Empty if HOSTNAME is
    something else."""


@dataclass(slots=True)
class Reject:
    """A complete message that cannot be read, although those around it can."""

    index: int
    offset: int
    """Byte of the body at which it begins, its framing included."""
    raw: bytes
    """The message without its framing."""
    framed: bytes
    """The message as it stood in the body."""
    reason: str


@dataclass(slots=True)
class Frame:
    """One body, parsed."""

    id: str
    """The same on every retry; see `frame_id_of`."""
    app: str
    """The name that DRAIN_TOKENS or the drain's URL gives the sender; empty without one."""
    receiver: str
    """`Receiver.name`: dead letters of this frame carry it, and are parsed again by that receiver."""
    size_bytes: int
    """Of the body, unpacked."""
    declared_count: int | None = None
    """How many messages the sender declares; None if it does not."""
    message_count: int = 0
    """Complete messages of any kind, rejects included."""
    uncounted_newlines: int = 0
    """Newlines between two messages, or after the last one, that no octet count covers."""
    messages: list[SyslogMessage] = field(default_factory=list)
    """Router lines."""
    platform: list[SyslogMessage] = field(default_factory=list)
    """What the platform itself says: releases, states of dynos, measured values. All other messages are only
    counted."""
    notices: list[Notice] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    broken: MalformedFrame | None = None
    """Where and why parsing the body stopped. Every message before that is kept."""
    rest: bytes = b""
    """The rest of the body from there."""
    token: str = ""
    """The drain token that the sender gives; empty without one."""


def frame_id_of(given: str, token: str, body: bytes, app_in_url: str = "") -> str:
    """The frame's identity: what its sender gives, else the SHA-256 of token, app in its URL and body.

    So a frame that is sent again is recognised either way. Two equal bodies of a sender without ids are one
    frame: router lines carry timestamps and request ids, so an equal body is a retry. A long id is replaced
    by its digest, because thousands of ids are remembered.
    """
    if not (given and given.isascii() and given.isprintable()):
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass") + b"\0")
        if app_in_url:
            digest.update(b"?app=%b\0" % app_in_url.encode())
        digest.update(body)
        return digest.hexdigest()
    if len(given) > FRAME_ID_MAX_CHARACTERS:
        return hashlib.blake2b(given.encode(), digest_size=16).hexdigest()
    return given
