"""What a message log says of itself: facts that the logs give, and that health, alerts and memory take.

They are here, beside the logs and the store, because the store imports no log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogSize:
    """What a log holds that keeps account of it."""

    bytes: int
    limit_bytes: int
    """Its bound in force."""
    messages_kept: int
    messages_added: int
    messages_trimmed: int
    first_ms: int | None
    """Where its messages begin, Unix ms; None for an empty log."""


@dataclass(frozen=True, slots=True)
class GroupPosition:
    """What a log knows of one consumer group."""

    lag_messages: int | None = None
    """Messages that it has still to read; None where only its workers know."""
    lost: int = 0
    """Messages that the log dropped before the group had read them."""
    refused_full: int = 0
    """Frames refused because the log was full of what the group had to read."""
    refused_full_ms: int | None = None
    """Unix ms of the last of these; None: there was none."""


@dataclass(frozen=True, slots=True)
class RedisShare:
    """What a log takes of Redis's memory."""

    bytes: int
    limit_bytes: int | None
    """None: nothing is to be added there."""
    keys: Sequence[str] = ()
    """The keys that `bytes` are in."""
    bookkeeping: Sequence[str] = ()
    """Further large keys, each alone of its kind."""


@dataclass(frozen=True, slots=True)
class LogStatus:
    """All of it."""

    size: LogSize | None
    """None where the log keeps no account of its size."""
    groups: Mapping[str, GroupPosition]
    redis_share: RedisShare


@dataclass(frozen=True, slots=True)
class LogAdvice:
    """What an operator does about this log: parts of sentences, settings and commands in backticks."""

    keep_longer: str
    """So that messages stay until they are read: `raise X`."""
    take_less: str
    """The setting that makes it take less of Redis; empty where it takes nothing there."""
    reconnect: str
    """When workers wait for it: a sentence."""
