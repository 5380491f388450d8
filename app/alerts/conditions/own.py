"""What is wrong with Tailrace itself: `refused`, `losses`, `tailrace`.

Each is about alerts of Tailrace's own (app/store/queries/alerts.py), which the page shows too: every one of
them belongs to one of the three. Those that are only notes belong to none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.alerts.clause import Clause
from app.alerts.condition import Condition, Family, Judgement, Scope, Severity
from app.alerts.conditions.kind import Kind, refuse
from app.alerts.facts import Facts, Needs, Subject

if TYPE_CHECKING:
    from app.store.queries.alert import Alert

OF_REFUSED = ("frames_refused",)
"""Frames that were answered with 401 and the like: Logplex does not send them again."""
OF_LOSSES = ("losses", "log_lost", "dead_letters_dropped")
"""What was sent, and will never be counted."""

NAMES = ("refused", "losses", "tailrace")


@dataclass(frozen=True, slots=True)
class OwnHealth:
    """`refused`, `losses` or `tailrace`."""

    name: str

    scope: Scope = "tailrace"
    severity: Severity = "warning"
    """Of what is no alarm: see evaluate.py."""

    @property
    def text(self) -> str:
        return self.name

    @property
    def family(self) -> Family:
        return "tailrace" if self.name == "tailrace" else "intake"

    @property
    def needs(self) -> Needs:
        return Needs()

    def judge(self, facts: Facts, subject: Subject, min_requests: int) -> Judgement:
        """With a `part` of that alone."""
        found = [alert for alert in facts.health if self._is_of(alert, subject)]
        if not found:
            return Judgement("fine", "nothing of the kind")
        alert = next((one for one in found if one.severity == "alarm"), found[0])
        return Judgement(
            "bad",
            text=f"{alert.title}. {alert.text}".strip(),
            value=float(alert.count),
            action=alert.action,
        )

    def _is_of(self, alert: Alert, subject: Subject) -> bool:
        is_meant = not subject.part or (alert.code, alert.app) == (subject.part, subject.app)
        return is_meant and alert.severity != "note" and kind_of(alert.code) == self.name


def kind_of(code: str) -> str:
    """Which of NAMES an alert belongs to."""
    kind = code.partition(":")[0]
    return "refused" if kind in OF_REFUSED else "losses" if kind in OF_LOSSES else "tailrace"


def _parse(clause: Clause) -> Condition:
    name = clause.words[0]
    if len(clause.words) != 1 or clause.operator:
        raise refuse(clause, f"{name} stands alone, without a limit")
    return OwnHealth(name)


KIND = Kind(NAMES, NAMES, _parse)
