"""Incidents as they were told: those that are open, and those that ended within the last 31 days."""

from __future__ import annotations

from dataclasses import dataclass

import redis

from app.alerts.board import Incident
from app.alerts.message import Message


@dataclass(frozen=True, slots=True)
class Told:
    """An incident, and the last message that was made of it."""

    incident: Incident
    message: Message | None = None
    """None: it was not told, because it was silenced, or too short."""


def read_open(store: redis.Redis, app: str = "") -> list[Told]:
    """Open incidents, of one app or with "" of all, in no order. Raises redis.RedisError."""
    return []


def read_history(
    store: redis.Redis, from_s: int, to_s: int, app: str = "", *, most: int = 200
) -> list[Told]:
    """Those that ended and overlap the span (Unix s), the newest first, `most` at most; of one app, or with ""
    of all. Raises redis.RedisError."""
    return []
