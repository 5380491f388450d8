"""Removes who did something from what the platform says, before anything is stored. Pure, in linear time.

Heroku ends what its API logs with ` by user a@example.com` (until about 2016 ` by a@example.com`; an add-on
is `heroku-redis@addons.heroku.com`), as seen in logs that people published. No published line has text behind
the user, or an address elsewhere; both are removed all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from drain.receivers.frame import SyslogMessage
from drain.receivers.platform import API, PLATFORM

_BY_USER = re.compile(rb"(?<!\S)by[ \t]+user(?!\S)[ \t]*(?P<name>[^\n]*)", re.IGNORECASE)
_BY_WORD = re.compile(rb"(?<!\S)by[ \t]++(?P<name>\S++)(?=[ \t\r]*$)", re.IGNORECASE | re.MULTILINE)

# Only at a word's first byte, so that no byte is looked at twice: a message may be one word of 900 kB. The
# local part of an address may be quoted, and then hold spaces (RFC 5321, 4.1.2: 64 bytes at most).
_ADDRESS = re.compile(rb'(?<!\S)(?:[<(]?"(?:[^"\\\n]|\\.){0,66}+"|[^\s@]*+)@\S*')
_REFERENCE = re.compile(rb"[(\[<'\"]*@[^\s@]*")
"""`(@ref:postgresql-curly-12345)`: an add-on."""
_FORMATION = re.compile(rb"[\w.-]+@\d+(?::[\w.-]+)?[,;.]?")
"""`web@3:Standard-2X`, where a message says how an app is scaled."""
_SCALED = re.compile(rb"\s*(?:- )*Scale", re.IGNORECASE)

_UNREAD = re.compile(rb" (?:api|heroku-[a-z0-9-]+) (?P<text>[^\n]*)")
"""What may be the text of a message that was not read, by the PROCID before it."""

Span = tuple[int, int, int]
"""Where it begins to speak of a user, where the user's name begins, and where that ends."""


def without_users(messages: Sequence[SyslogMessage]) -> list[SyslogMessage]:
    """The platform's messages, with users removed: `Release v48 created by user a@example.com` becomes
    `Release v48 created`."""
    return [
        message._replace(msg=_removed(message.msg, is_by_people=_is_by_people(message)))
        if b"@" in message.msg or _is_by_people(message)
        else message
        for message in messages
    ]


def masked(data: bytes) -> bytes:
    """Bytes that could not be read, of any number of messages, with `x` in place of users: as long as
    before, so that octet counts still hold."""
    kept = bytearray(data)
    for found in _UNREAD.finditer(data):
        at = found.start("text")
        for _, start, end in _users(found["text"], is_by_people=True):
            kept[at + start : at + end] = b"x" * (end - start)
    return bytes(kept)


def _is_by_people(message: SyslogMessage) -> bool:
    """Whether it may say who did something: what dynos do is done by none, and samples hold no words."""
    return (message.procid == API or message.app_name != PLATFORM) and not message.msg.startswith(b"source=")


def _removed(msg: bytes, *, is_by_people: bool) -> bytes:
    kept = []
    at = 0
    for start, _, end in _users(msg, is_by_people=is_by_people):
        kept.append(msg[at:start].rstrip(b" \t"))
        at = end
    return b"".join(kept) + msg[at:]


def _users(text: bytes, *, is_by_people: bool) -> Iterator[Span]:
    """Who is named in a text, in order, none overlapping another."""
    spans = list(_addresses(text)) if b"@" in text else []
    if is_by_people:
        # What follows the user's name is unknown, and may say more about who did it.
        spans += [(found.start(), found.start("name"), found.end()) for found in _BY_USER.finditer(text)]
        spans += [(found.start(), found.start("name"), found.end()) for found in _BY_WORD.finditer(text)]
    at = 0
    for start, name, end in sorted(spans):
        if end > at:
            yield max(start, at), max(name, at), end
            at = end


def _addresses(text: bytes) -> Iterator[Span]:
    is_scaling = _SCALED.match(text) is not None
    for found in _ADDRESS.finditer(text):
        word = found[0]
        if _REFERENCE.fullmatch(word) or (is_scaling and _FORMATION.fullmatch(word)):
            continue
        yield found.start(), found.start(), found.end()
