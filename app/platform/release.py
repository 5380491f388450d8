"""Release: one version of an app, with what explains it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Cause = Literal["deploy", "rollback", "config", "add-on", "scale", "other", ""]
"""Why there is a new version; empty: no message says it."""


@dataclass(frozen=True, slots=True)
class Release:
    """A release as the page, the API and `compare` know it."""

    app: str
    version: int
    """42 for v42; 0 where only its deploy, rollback or config change was seen."""
    at_ms: int
    cause: Cause
    text: str
    """For people: `v42: deploy 9154a1d2`."""
    commit: str = ""
    names: tuple[str, ...] = ()
    """Config vars or add-ons that changed."""
    user: str = ""
    up_ms: int | None = None
    """When the last of its dynos was up and the last of the old ones gone, Unix ms; None: no message says it
    (yet)."""
    next_ms: int | None = None
    """When the next release of the app came; None: it is the latest."""
