"""What is wrong with requests of senders, above all frames that are refused and that no sender sends again.

Each process of `web` counts by itself and hands the counts over about once a second: however many are
refused, Redis gets one call a second from each process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import orjson
import redis

from app.store import replies
from app.store.bounds import OTHER
from app.store.dead_letters import DEAD_LETTERS_LUA
from app.store.keys import SENDER_FAULTS, UNKNOWN_TOKENS, WINDOWS, sender_faults_taken, sender_faults_window
from app.store.settle import read_lua

Kind = Literal[
    "password",
    "token",
    "no_token",
    "path",
    "content_type",
    "encoding",
    "too_large",
    "malformed",
    "app_name",
    "newline",
    "platform_topic",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""The last three are of accepted frames; with all others the frame was refused for good. `platform_topic` is
no sender's fault: it counts messages of the platform that the log had no topic for."""

SenderKind = Literal["logplex", "other"]
"""`logplex`: the request has the headers of Logplex or log-shuttle (or of another receiver's senders). Anyone
can send such headers, but what has none of them is a scanner's."""

UNKNOWN_TOKENS_MAX = 50
UNKNOWN_TOKEN_KEPT_S = 7 * 86_400
DIGEST_CHARS = 12
TAKEN_KEPT_S = 86_400
"""A batch whose answer was lost may come again for so long, and counts once."""

_RECORD = DEAD_LETTERS_LUA + read_lua("sender_faults.lua")
_WINDOW = WINDOWS[1]


@dataclass(slots=True)
class Tally:
    """How often, when last (Unix s), and with which token last (its digest; empty without one)."""

    count: int = 0
    last_s: int = 0
    token: str = ""

    def add(self, other: Tally) -> None:
        self.count += other.count
        if other.last_s >= self.last_s:
            self.last_s = other.last_s
            self.token = other.token or self.token


@dataclass(frozen=True, slots=True)
class Batch:
    """What one process of `web` has counted since its last batch."""

    process: str
    """Its name, unlike that of any other process, also of one that has ended."""
    number: int
    """From 1, one more than that of its last batch, which Redis has taken."""
    faults: Mapping[tuple[Kind, SenderKind], Tally]
    tokens: Mapping[str, Tally]
    """Digest -> tally."""


@dataclass(frozen=True, slots=True)
class SenderFault:
    """One kind of fault in requests to `web`. The figures outlive its processes."""

    kind: Kind
    sender: SenderKind
    count_last_hour: int
    count_ever: int
    last_s: int
    token_digest: str
    """The first 12 hex digits of the SHA-256 of the last drain token seen; empty if there was none."""


@dataclass(frozen=True, slots=True)
class UnknownToken:
    """A drain token that DRAIN_TOKENS does not name."""

    token_digest: str
    """The first 12 hex digits of its SHA-256; `(other)`: tokens of a second with too many of them."""
    count: int
    last_s: int


def token_digest(token: str) -> str:
    """What is kept of a drain token: it is a secret, but its owner can compare this. Empty for no token."""
    if not token:
        return ""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST_CHARS]


def record(store: redis.Redis, batch: Batch, now_s: int) -> None:
    """Adds what one process has counted, once, however often it is called with the same batch.

    Raises redis.RedisError: Redis may have taken it all the same, so the caller sends it again, unchanged.
    """
    length_s, kept_s = _WINDOW
    start_s = now_s // length_s * length_s
    by_field = {
        f"{kind} {sender}": (tally.count, tally.last_s, tally.token)
        for (kind, sender), tally in batch.faults.items()
    }
    by_digest = {digest: (tally.count, tally.last_s) for digest, tally in batch.tokens.items()}
    store.register_script(_RECORD)(
        keys=[
            *(SENDER_FAULTS, sender_faults_window(length_s, start_s), UNKNOWN_TOKENS),
            sender_faults_taken(batch.process),
        ],
        args=[
            *(orjson.dumps(by_field), start_s + length_s + kept_s, orjson.dumps(by_digest)),
            *(UNKNOWN_TOKENS_MAX, now_s - UNKNOWN_TOKEN_KEPT_S, batch.number, TAKEN_KEPT_S),
        ],
    )


def sender_faults(answer: object, last_hour: Mapping[str, int]) -> list[SenderFault]:
    """The faults in the hash SENDER_FAULTS, those of today's kinds, the most recent first."""
    found = replies.texts(answer)
    faults = [
        SenderFault(
            kind,
            sender,
            last_hour.get(field, 0),
            int(found[field]),
            int(found.get(f"{field}:at", 0)),
            found.get(f"{field}:token", ""),
        )
        for kind in KINDS
        for sender in get_args(SenderKind)
        if (field := f"{kind} {sender}") in found
    ]
    return sorted(faults, key=lambda fault: -fault.last_s)


def unknown_tokens(answer: object) -> list[UnknownToken]:
    """The tokens in the hash UNKNOWN_TOKENS, the most frequent first."""
    found = replies.texts(answer)
    tokens = [
        UnknownToken(digest, int(count), int(found.get(f"{digest}:at", 0)))
        for digest, count in found.items()
        if not digest.endswith(":at")
    ]
    return sorted(tokens, key=lambda token: (-token.count, token.token_digest))


OTHER_TOKENS = OTHER
"""Stands for the digests of tokens beyond those that a process tells apart between two calls."""
