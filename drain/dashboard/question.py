"""One row of the API's table: api.py answers it, openapi.py describes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import redis

from app.log import MessageLog
from app.settings import Settings
from drain.dashboard.answers import Answer
from drain.dashboard.parameters import Parameters

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """Where the figures come from."""

    store: redis.Redis
    settings: Settings
    log: MessageLog


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was found for a question, and when (Unix s)."""

    found: Any
    at_s: float


Encode = Callable[[Loaded, Parameters, float], Answer]
"""The answer from what was found; the last argument is for how many seconds it is kept."""


@dataclass(frozen=True, slots=True)
class Question:
    """What can be asked with GET."""

    path: str
    """As in the OpenAPI document, e.g. `/api/routes/{digest}`."""
    summary: str
    schema: Schema
    """Of the answer."""
    find: Callable[[Source, Parameters, float], object]
    """What is asked for, at a Unix time in seconds. Raises NotThere and redis.RedisError."""
    encode: Encode
    parameters: tuple[str, ...] = ()
    """Names of the document's parameters."""
    fresh_s: float | None = None
    """An answer is kept at least so long; None: as the window says."""
    mimetype: str = "application/json"
    can_be_missing: bool = False
    """404 where what is asked for by its name is not kept."""
