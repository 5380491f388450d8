"""A table of a report, whatever the report's format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic

from app.cli.column import Column, R


@dataclass(frozen=True, slots=True)
class Table(Generic[R]):
    """Rows of one kind, in the order that is asked for."""

    name: str
    columns: Sequence[Column[R]]
    rows: Sequence[R]
    note: str
    """Which rows are not shown, another span than the report's, or what else is to be known."""


def cut(rows: Sequence[R], most: int) -> list[R]:
    """The first `most`; 0: all."""
    return list(rows[: most or None])
