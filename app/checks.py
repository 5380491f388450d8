"""Checks of the release phase: each is a function of the settings.

A package lists its own as `CHECKS` in its module `checks`; `python -m app release` collects them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.settings import Settings


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found: `text` in a few words, and warnings of what works but may go wrong."""

    text: str
    warnings: tuple[str, ...] = ()
    """Each says what may happen and, if there is one, the command or setting that prevents it."""


Check = Callable[[Settings], CheckResult | str]
"""Returns what it found. Raises TailraceError, which says what is missing and how to fix it."""
