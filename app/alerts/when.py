"""Reads a `when` of the file: `errors > 2%`, `p95 > 800ms and requests > 10/min`. Pure."""

from __future__ import annotations

from app.alerts.condition import Condition


def parse_when(text: str) -> tuple[Condition, ...]:
    """Raises ValueError, whose text says what a condition may be and what was probably meant."""
    raise ValueError(f"is not a condition: {text!r}")
