"""What a kind of condition says of itself: by which words it is known, and how it is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from app.alerts.clause import Clause, plain
from app.alerts.condition import Condition
from app.masking import safe_repr


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind, registered in registry.py."""

    words: tuple[str, ...]
    """A clause of this kind begins with one of these,"""
    examples: tuple[str, ...]
    """Each reads as it is written."""
    parse: Callable[[Clause], Condition]
    """Raises ValueError, whose text quotes the clause and says what to write."""
    pattern: re.Pattern[str] | None = None
    """or with a word that this matches."""

    def is_of(self, word: str) -> bool:
        return word in self.words or (self.pattern is not None and self.pattern.fullmatch(word) is not None)


def refuse(clause: Clause, fix: str) -> ValueError:
    """The fault of a clause that makes no sense."""
    return ValueError(f"{safe_repr(clause.text)}: {fix}")


def require_words(clause: Clause, count: int, example: str) -> None:
    """Raises ValueError where words stand before the operator that mean nothing there."""
    if len(clause.words) != count:
        raise refuse(clause, f"write it like {example}")


def share_limit(clause: Clause, name: str) -> float:
    """The limit of a percentage. Raises ValueError."""
    if not 0 < clause.share < 1:
        raise refuse(clause, f"a share is above 0% and below 100%, such as {name} > 2%")
    return clause.share


def require_above(clause: Clause, why: str) -> None:
    """Raises ValueError for a limit from below."""
    if clause.operator != ">":
        raise refuse(clause, why)


def factor(clause: Clause) -> float:
    """Of `5x yesterday`. Raises ValueError."""
    if clause.operator == ">" and not 1 < clause.value <= 1000:
        raise refuse(clause, f"{plain(clause.value)}x must be above 1x and at most 1000x")
    if clause.operator == "<" and not 0 < clause.value < 1:
        raise refuse(clause, f"{plain(clause.value)}x must be above 0x and below 1x")
    return clause.value
