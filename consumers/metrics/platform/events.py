"""The events of a batch, as parts of platform rows. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from app.platform.facts import Event, Fact
from app.store.event_rows import event_part
from app.store.platform_rows import Part


def event_parts(facts: Sequence[Fact]) -> list[Part]:
    """Of the facts of one app."""
    return [event_part(fact) for fact in facts if isinstance(fact, Event)]
