"""The events of a batch, as parts of platform rows. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from app.platform.facts import Event, Fact
from app.store.event_rows import event_parts as parts_of
from app.store.platform_rows import Part


def event_parts(facts: Sequence[Fact], now_s: int) -> list[Part]:
    """Of the facts of one app. `now_s` (Unix s) decides which events are still kept."""
    return list(parts_of((fact for fact in facts if isinstance(fact, Event)), now_s))
