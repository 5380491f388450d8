"""What the release phase asks of each service: a check is a function of the settings.

A package offers its own in a module `checks` with `CHECKS`; `python -m app release` collects them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.settings import Settings


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check has found: `text` in a few words, and what works but deserves a warning."""

    text: str
    warnings: tuple[str, ...] = ()
    """Each says what may happen and, where there is one, the command or setting that prevents it."""


Check = Callable[[Settings], CheckResult | str]
"""What is there. Raises TailraceError with what is missing and the fix."""
