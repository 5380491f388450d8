"""What a message says beside the figures: the dyno that stands out, requests, the last release."""

from __future__ import annotations

from dataclasses import dataclass

from app.alerts.message import Request
from app.platform.release import Release


@dataclass(frozen=True, slots=True)
class Context:
    """What could be found out in time; what could not is empty."""

    dyno: str = ""
    """A sentence, as in Message."""
    requests: tuple[Request, ...] = ()
    release: Release | None = None
    """The last one before the incident began."""
