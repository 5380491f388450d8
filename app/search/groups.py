"""What found requests have in common: by dyno, route, status, code, method, host or client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GroupBy = Literal["dyno", "route", "status", "code", "method", "host", "ip"]


@dataclass(frozen=True, slots=True)
class Group:
    """The found requests that have one value in common; times in ms, None if nothing was measured."""

    name: str
    """Empty: the requests that have none, such as a dyno."""
    count: int
    errors: int
    p50: float | None
    p95: float | None
    time_share: float
    """Of the service time of all found requests, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A route in a span, broken down by the lines of the kept log; times in Unix seconds."""

    app: str
    digest: str
    from_s: int
    to_s: int
    is_whole: bool
    """Whether all of the span was read; if not, only its newest part, from `read_from_s` on."""
    read_from_s: int
    lines_read: int
    requests: int
    """Of the route, in what was read."""
    groups: dict[str, list[Group]]
    """`dyno`, `method`, `status`, `code` -> its groups, largest first."""
