"""A column of a table, and the row of figures that most tables are made of. Pure.

Names are as they came from clients: each format escapes them in its own way (app/escaping.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from app.store import queries
from app.store.queries.changes import Changes

R = TypeVar("R")
"""What a row of a table is."""


@dataclass(frozen=True, slots=True)
class Row:
    """One route, app, dyno or host."""

    name: str
    count: int
    rate: float | None
    errors: int
    error_rate: float
    aborted: int
    service: queries.Latency
    app: str = ""
    """Whose it is, where those of several apps stand side by side."""
    digest: str = ""
    """Of a route."""
    time_share: float | None = None
    """Its part of the service time of all, 0 to 1."""
    connections: int = 0
    lifetime_ms: float | None = None
    """Median."""
    codes: Mapping[str, int] = field(default_factory=dict)
    changes: Changes = field(default_factory=dict)
    now_rate: float | None = None
    now_error_rate: float | None = None
    idle_s: float | None = None
    """Since its last request; None: never had one, or not known."""
    runtime: queries.DynoRuntime | None = None
    """Of a dyno: what the platform says of it."""


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """What a column shows and sorts by."""

    name: str
    """As `--sort` names it."""
    head: str
    meaning: str
    text: Callable[[R], str]
    value: Callable[[R], float | str | None] = lambda row: None
    """None stands last, whatever the order."""
    is_shown: Callable[[Sequence[R]], bool] = lambda rows: True
    is_left: bool = False
    is_bad: Callable[[R], bool] = lambda row: False
    """Whether what it shows is marked."""


def where(wanted: Callable[[R], object]) -> Callable[[Sequence[R]], bool]:
    """For `is_shown`: only a table with such a row has the column."""
    return lambda rows: any(wanted(row) for row in rows)
