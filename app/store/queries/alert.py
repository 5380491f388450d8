"""An alert: one thing that is wrong, in plain words, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["alarm", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Alert:
    """Something an operator should know. `alarm`: the figures are wrong or frozen now."""

    code: str
    """Identifies the alert, so that a page knows which it has already shown."""
    severity: Severity
    title: str
    text: str
    action: str
    """What to do, commands and settings in backticks; empty if there is nothing to do."""
    count: int
    """How much of it; when it grows, a dismissed alert comes back."""
    app: str = ""
    """The app that it is about; empty: Tailrace itself, or no app in particular."""
