"""From notices to messages: with context where it is found in time, without it where not, and never none."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from app.alerts.board import Incident, Notice, notice_of
from app.alerts.compose import plain_message
from app.alerts.context import Context
from app.alerts.engine import Step
from app.alerts.message import Message
from app.alerts.titles import leading
from app.errors import first_words

log = logging.getLogger(__name__)

CONTEXTS_MAX = 20
CONTEXTS_S = 5.0
"""Of one moment: so many are looked for at most, and for so long. Messages are not late because of them."""


@dataclass(slots=True)
class _Contexts:
    """Those of one moment, each looked for once."""

    read: Callable[[Incident], Context]
    _deadline_s: float = field(default_factory=lambda: time.monotonic() + CONTEXTS_S)
    _known: dict[tuple[str, str], Context] = field(default_factory=dict)

    def of(self, incident: Incident) -> Context:
        """What surrounds the incident; nothing, once the moment has taken long enough. Raises nothing."""
        # Targets may be told different parts of an incident; what surrounds it depends on the worst of them.
        name = incident.id, leading(incident).key
        if name not in self._known:
            if len(self._known) >= CONTEXTS_MAX or time.monotonic() >= self._deadline_s:
                return Context()
            self._known[name] = self._found(incident)
        return self._known[name]

    def _found(self, incident: Incident) -> Context:
        try:
            return self.read(incident)
        except Exception as fault:
            log.warning("an alert goes out without context: %s", first_words(fault))
            return Context()


@dataclass(frozen=True, slots=True)
class MessageMaker:
    """Makes the messages of a moment."""

    context: Callable[[Incident], Context]
    make: Callable[[Notice, Context, int], Message]
    """Of a notice, its context, and the moment that was judged, Unix s."""

    def messages(self, step: Step, at_s: int) -> tuple[list[Message], list[Message]]:
        """(one of each notice, in their order; one of each of their incidents as a whole, for the page).
        Context is looked for in the same order, so the first notices have it. Raises nothing."""
        contexts = _Contexts(self.context)
        told = [self._message(notice, contexts, at_s) for notice in step.notices]
        by_part = {_part(one.incident): made for one, made in zip(step.notices, told, strict=True)}
        shown = []
        for whole in _told_wholes(step):
            # Each target may have been told a part of it only.
            made = by_part.get(_part(whole)) or self._message(notice_of(whole), contexts, at_s)
            shown.append(replace(made, to=whole.to))
        return told, shown

    def _message(self, notice: Notice, contexts: _Contexts, at_s: int) -> Message:
        return replace(self._made(notice, contexts.of(notice.incident), at_s), id=notice.id, to=notice.to)

    def _made(self, notice: Notice, context: Context, at_s: int) -> Message:
        for known in (context, Context()):
            try:
                return self.make(notice, known, at_s)
            except Exception as fault:
                log.warning("an alert goes out in plain words: %s", first_words(fault))
        return plain_message(notice, at_s)


def _told_wholes(step: Step) -> list[Incident]:
    """The incidents that are told, and those that were and have ended now."""
    told = {notice.incident.id for notice in step.notices}
    told |= {one.id for one in step.resolved if one.told_s is not None}
    return [one for one in (*step.board.incidents.values(), *step.resolved) if one.id in told]


def _part(incident: Incident) -> tuple[str, bool, tuple[str, ...]]:
    """Two that are the same are told in the same words."""
    return incident.id, incident.resolved_s is None, tuple(state.key for state in incident.alerts)
