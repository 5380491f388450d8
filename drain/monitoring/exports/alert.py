"""What an alert of Prometheus is here: when, how urgent, and what to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from drain.monitoring.exports.recording import INCOMPLETE

Severity = Literal["critical", "warning"]


@dataclass(frozen=True, slots=True)
class Alert:
    """One alerting rule."""

    name: str
    expr: str
    severity: Severity
    summary: str
    """What is wrong, with templates of Prometheus."""
    action: str
    """What to do."""
    runbook: str
    """The heading in docs/runbook.md that says more."""
    for_: str = ""
    """How long it must hold; empty: not longer than it takes to see it."""
    labels: dict[str, str] = field(default_factory=dict)
    """Further ones."""


def while_complete(expr: str) -> str:
    """Only where the figures are those of now: silence of a worker is no silence of an app."""
    return f"{expr}\nunless on (job) {INCOMPLETE} > 0"
