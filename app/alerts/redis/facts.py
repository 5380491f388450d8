"""Reads the facts of a moment: what the rules need, and no more, in a bounded number of windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import redis

from app.alerts.facts import Facts, Subject
from app.alerts.rule import Rule
from app.log import MessageLog
from app.settings import Settings

LAG_MAX_S = 30
"""With a larger lag, figures are not complete."""


@dataclass(frozen=True, slots=True)
class FactsReader:
    """Reads facts, for one process."""

    store: redis.Redis
    log: MessageLog
    settings: Settings

    def read(self, rules: Sequence[Rule], at_s: int, now_s: float, watched: Sequence[Subject] = ()) -> Facts:
        """The facts of the moment `at_s` (Unix s, a multiple of 10), as far as they are kept. `now_s`: the
        time now; of a moment of the past, `health`, `dynos` and `incomplete` are left out. `watched`:
        subjects that are on the board, whose rows are read whether they are busy or not. Raises
        redis.RedisError and LogUnavailable."""
        return Facts(at_s)
