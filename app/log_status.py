"""The status of a message log: what the logs report, and what health, alerts and memory read.

It is in neither package, because the store must not import the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogSize:
    """How much a log holds, if it keeps count."""

    bytes: int
    limit_bytes: int
    """The limit in force."""
    messages_kept: int
    messages_added: int
    messages_trimmed: int
    first_ms: int | None
    """Where its messages begin, Unix ms; None for an empty log."""


@dataclass(frozen=True, slots=True)
class GroupPosition:
    """What a log knows about one consumer group."""

    lag_messages: int | None = None
    """Messages it has not read yet; None if only its workers know."""
    lost: int = 0
    """Messages that the log dropped before the group had read them."""
    refused_full: int = 0
    """Frames refused because the log was full of what the group had to read."""
    refused_full_ms: int | None = None
    """Unix ms of the last of these; None: there was none."""


@dataclass(frozen=True, slots=True)
class RedisShare:
    """What a log uses of Redis's memory."""

    bytes: int
    limit_bytes: int | None
    """None: it no longer grows."""
    keys: Sequence[str] = ()
    """The keys that `bytes` are in."""
    bookkeeping: Sequence[str] = ()
    """Further large keys, each the only one of its kind."""


@dataclass(frozen=True, slots=True)
class LogStatus:
    """The whole status."""

    size: LogSize | None
    """None if the log does not track its size."""
    groups: Mapping[str, GroupPosition]
    redis_share: RedisShare


@dataclass(frozen=True, slots=True)
class LogAdvice:
    """What an operator can do about this log: parts of sentences, with settings and commands in backticks."""

    keep_longer: str
    """How to keep messages until they are read: `raise X`."""
    take_less: str
    """The setting that reduces its use of Redis; empty if it uses none."""
    reconnect: str
    """What to do when workers wait for it: a sentence."""
