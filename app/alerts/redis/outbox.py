"""The outbox: messages on their way to targets, each until that took it, or for ten minutes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import redis

from app.alerts.message import Message

GIVE_UP_S = 600


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for one target."""

    id: str
    """Of the message and the target."""
    target: str
    message: Message
    added_s: float
    attempts: int = 0
    """How often sending it was begun."""
    due_s: float = 0.0
    """When it is tried next."""
    reason: str = ""
    """Why it failed last."""


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """How deliveries to a target go. Times in Unix seconds."""

    name: str
    waiting: int = 0
    delivered_s: int | None = None
    """The last one that it took."""
    failed_s: int | None = None
    reason: str = ""
    """Why it failed then."""
    given_up: int = 0
    """Messages that it never took, all in all."""
    given_up_s: int | None = None


def due(store: redis.Redis, now_s: float) -> list[Delivery]:
    """Those that are due, the oldest first, and those whose sender died. Raises redis.RedisError."""
    return []


def claim(store: redis.Redis, holder: str, delivery: Delivery) -> bool:
    """Just before it is sent. False: it was delivered meanwhile, or this holder does not have the lease."""
    return False


def delivered(store: redis.Redis, delivery: Delivery, now_s: float) -> None:
    """Takes it off the outbox."""


def failed(store: redis.Redis, delivery: Delivery, reason: str, due_s: float | None, now_s: float) -> None:
    """It is due again then; None: it is given up."""


def statuses(store: redis.Redis) -> list[TargetStatus]:
    """Of all targets that had a message."""
    return []


def for_target(message: Message, target: str) -> Message:
    """The message as this target gets it."""
    return replace(message, to=(target,))
