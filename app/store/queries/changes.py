"""Figures of a span beside those of an earlier one, and whether a difference is shown or only noise. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Earlier = Literal["hour", "day", "week"]
"""The hour before; the same time yesterday; the same time a week ago."""

OFFSETS_S: dict[Earlier, int] = {"hour": 3_600, "day": 86_400, "week": 7 * 86_400}


@dataclass(frozen=True, slots=True)
class FigureChange:
    """A figure before and after."""

    before: float | None
    after: float | None
    change: float | None
    """(after - before) / before; None where there is nothing to divide by."""
    is_shown: bool
    """Whether the counts are large enough to say that it changed: its 95 % interval does not hold 0."""


@dataclass(frozen=True, slots=True)
class Before:
    """What a span is compared with; times in Unix seconds. It may be longer than the span, where only whole
    hours are kept."""

    earlier: Earlier
    from_s: int
    to_s: int


CHANGED = ("rate", "error_rate", "p50", "p95", "p99")
"""The figures that are compared; percentiles are those of service time."""

Changes = dict[str, FigureChange]
"""Name in CHANGED -> its change."""
