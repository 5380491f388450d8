"""The board in Redis. It is written with the messages and the history of a moment in one script."""

from __future__ import annotations

from collections.abc import Sequence

import redis

from app.alerts.board import Board
from app.alerts.engine import Step
from app.alerts.message import Message


def read_board(store: redis.Redis) -> Board:
    """An empty one at first. What cannot be read (a later version's) is left out. Raises redis.RedisError."""
    return Board()


def commit(store: redis.Redis, holder: str, step: Step, messages: Sequence[Message]) -> bool:
    """Stores the step's board, adds its incidents to the history and its messages to the outbox, once for
    each target. False: this holder does not have the lease, and nothing was written. Raises
    redis.RedisError."""
    return False
