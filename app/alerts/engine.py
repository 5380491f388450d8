"""One moment: rules and facts make a new board, and the notices that are to be sent. Pure.

The same facts make the same board, notices and ids, so a step that was computed and not stored can be
computed again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.alerts.board import Board, Incident, Notice, Silence
from app.alerts.facts import Facts
from app.alerts.rule import Rule


@dataclass(frozen=True, slots=True)
class Step:
    """What one moment makes of the board."""

    board: Board
    notices: tuple[Notice, ...] = ()
    resolved: tuple[Incident, ...] = ()
    """Those that left the board, told or not: for the history."""


def step(board: Board, rules: Sequence[Rule], facts: Facts, silences: Sequence[Silence]) -> Step:
    """Judges the facts by the rules."""
    return Step(replace(board, at_s=facts.at_s, incomplete=facts.incomplete))
