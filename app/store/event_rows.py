"""How events are kept: the parts that event_rows.lua adds."""

from __future__ import annotations

from app.platform.facts import Event
from app.store.platform_rows import Part


def event_part(event: Event) -> Part:
    """The event as the script takes it."""
    return Part((), 1)
