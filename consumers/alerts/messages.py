"""From notices to messages: with context where it is found in time, without it where not, and never none."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from app.alerts.board import Incident, Notice, NoticeKind
from app.alerts.compose import plain_message
from app.alerts.context import Context
from app.alerts.engine import Step
from app.alerts.message import Message
from app.errors import first_words

log = logging.getLogger(__name__)

CONTEXTS_MAX = 20
CONTEXTS_S = 5.0
"""Of one moment: so many are looked for at most, and for so long. Messages are not late because of them."""


@dataclass(frozen=True, slots=True)
class MessageMaker:
    """Makes the messages of a moment."""

    context: Callable[[Incident], Context]
    make: Callable[[Notice, Context, int], Message]
    """Of a notice, its context, and the moment that was judged, Unix s."""

    def messages(self, notices: Sequence[Notice], at_s: int) -> list[Message]:
        """One of each notice, in their order. Context is looked for in the same order, so the first notices
        have it. Raises nothing."""
        deadline_s = time.monotonic() + CONTEXTS_S
        found = []
        for number, notice in enumerate(notices):
            is_late = number >= CONTEXTS_MAX or time.monotonic() >= deadline_s
            made = self._made(notice, Context() if is_late else self._context(notice.incident), at_s)
            found.append(replace(made, id=notice.id, to=notice.to))
        return found

    def shown(self, step: Step, messages: Sequence[Message], at_s: int) -> list[Message]:
        """Messages of the step's incidents as a whole, of those that are told or have ended: for the page.
        `messages`: of its notices. Each target may have been told a part only. Raises nothing."""
        told = {notice.incident.id for notice in step.notices}
        told |= {one.id for one in step.resolved if one.told_s is not None}
        by_view = {_view(one.incident): made for one, made in zip(step.notices, messages, strict=True)}
        found, parted = [], []
        for whole in (*step.board.incidents.values(), *step.resolved):
            if whole.id not in told:
                continue
            if (made := by_view.get(_view(whole))) is not None:
                found.append(replace(made, to=whole.to))
            else:
                kind: NoticeKind = "firing" if whole.resolved_s is None else "resolved"
                parted.append(Notice(kind, whole.notices, whole, whole.to))
        return [*found, *self.messages(parted, at_s)]

    def _context(self, incident: Incident) -> Context:
        try:
            return self.context(incident)
        except Exception as fault:
            log.warning("an alert goes out without context: %s", first_words(fault))
            return Context()

    def _made(self, notice: Notice, context: Context, at_s: int) -> Message:
        for known in (context, Context()):
            try:
                return self.make(notice, known, at_s)
            except Exception as fault:
                log.warning("an alert goes out in plain words: %s", first_words(fault))
        return plain_message(notice, at_s)


def _view(incident: Incident) -> tuple[str, bool, tuple[str, ...]]:
    """What decides whether two of an incident are told alike."""
    return incident.id, incident.resolved_s is None, tuple(state.key for state in incident.alerts)
