"""What a person asks for who silences a rule, checked: the API and the command line share it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from app.alerts.board import Silence
from app.alerts.rule import Rule
from app.durations import seconds_of
from app.store.bounds import SILENCE_MAX_S

SILENCE_MIN_S = 60
"""A shorter one would end before the next messages that it is meant for."""


class UnknownRule(Exception):
    """No rule in force has this name; `names`: those that have one."""

    def __init__(self, name: str, names: Sequence[str]) -> None:
        self.name = name
        self.names = list(names)
        super().__init__(name)


def check_rule(rules: Sequence[Rule], name: str) -> str:
    """The name; empty: every rule. Raises UnknownRule."""
    names = [rule.name for rule in rules]
    if name and name not in names:
        raise UnknownRule(name, names)
    return name


def silence_for(rules: Sequence[Rule], rule: str, app: str, length: str, now_s: float) -> Silence:
    """The silence that begins now. Raises UnknownRule, and ValueError for a length that cannot be."""
    length_s = seconds_of(length)
    if not SILENCE_MIN_S <= length_s <= SILENCE_MAX_S:
        raise ValueError(f"must be from {SILENCE_MIN_S}s to {SILENCE_MAX_S // 86_400}d")
    return Silence(check_rule(rules, rule), app, int(now_s) + length_s)
