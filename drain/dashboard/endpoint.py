"""One endpoint of the API: endpoints.py lists all, api.py answers them, openapi.py describes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import redis

from app.alerts.redis.budgets import BudgetReader
from app.log import MessageLog
from app.settings import Settings
from drain.dashboard.parameters import Parameters
from drain.dashboard.response_cache import CachedResponse

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """Where the figures come from."""

    store: redis.Redis
    settings: Settings
    log: MessageLog
    scan_lock: Lock = field(default_factory=Lock)
    """Held by whoever scans the log: at most one does, in each process (breakdown.py)."""
    budgets: BudgetReader = field(default_factory=BudgetReader)


@dataclass(slots=True)
class NotFound(Exception):
    """No such route or run; `what` is `route` or `run`."""

    what: str
    name: str


class ScanBusy(Exception):
    """This process scans the log for somebody else."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What an endpoint found, and when (Unix s)."""

    found: Any
    at_s: float


Encode = Callable[[Loaded, Parameters, float], CachedResponse]
"""Makes the response from what was found; the last argument is how many seconds it is kept."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A path that answers GET."""

    path: str
    """As in the OpenAPI document, e.g. `/api/routes/{digest}`."""
    summary: str
    schema: Schema
    """Of the answer."""
    find: Callable[[Source, Parameters, float], object]
    """Reads the figures, at a Unix time in seconds. Raises NotFound and redis.RedisError."""
    encode: Encode
    parameters: tuple[str, ...] = ()
    """Parameters, by their names in the OpenAPI document."""
    fresh_s: float | None = None
    """How long a response is kept at least, in seconds; None: as the window says."""
    mimetype: str = "application/json"
    can_be_missing: bool = False
    """Whether it can answer 404, because a route or run is not kept."""
