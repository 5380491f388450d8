"""How much of what was asked was sent. Pure."""

from __future__ import annotations

from app.store.replay import RunFigures
from app.store.run_result import Coverage

NOT_ASKED = frozenset({"replayed", "forged-mark", "connection", "method", "rule", "sample", "route", "app"})
"""Reasons that are a choice: the user's own, or that of every replay."""


def coverage_of(figures: RunFigures) -> Coverage:
    """The coverage of a run with these figures."""
    total = figures.total()
    not_asked = {reason: count for reason, count in figures.skipped.items() if reason in NOT_ASKED}
    left_out = {reason: count for reason, count in figures.skipped.items() if reason not in NOT_ASKED}
    asked = total.sent + sum(left_out.values())
    return Coverage(
        in_window=asked + sum(not_asked.values()),
        asked=asked,
        sent=total.sent,
        answered=total.kinds["answered"] + total.kinds["stream"],
        left_out=left_out,
        not_asked=not_asked,
        uncomparable=dict(figures.uncomparable),
    )
