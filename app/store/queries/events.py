"""Events of an app in a span: what the platform said about releases and dynos, joined."""

from __future__ import annotations

from dataclasses import dataclass

import redis

from app.platform.facts import Kind
from app.platform.release import Release
from app.store.queries.spans import SPAN_MAX_S, Span


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event, or several alike that followed one another; see app/platform/facts.py for the fields."""

    id: str
    app: str
    kind: Kind
    at_ms: int
    """The first of them."""
    until_ms: int
    """The last of them."""
    count: int
    text: str
    dyno: str = ""
    version: int = 0
    commit: str = ""
    names: tuple[str, ...] = ()
    state: str = ""
    status: int | None = None
    code: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True)
class Events:
    """The events of an app in a span, newest first; times in Unix seconds. Of all apps together each row says
    whose it is."""

    app: str
    from_s: int
    to_s: int
    releases: list[Release]
    """Newest first. What explains a release is part of it, and not in `rows`."""
    rows: list[EventRow]
    """All other events: builds, scaling, dynos."""
    left_out: int = 0
    """Older events of the span that were omitted because there are many."""
    kept_from_ms: int | None = None
    """Before this, events of dynos were dropped because there were many; None: none was."""


def events(store: redis.Redis, app: str, span: Span | None, now_s: float) -> Events:
    """The events of one app ("" for all); `span` None: all that is kept."""
    span = span or Span(SPAN_MAX_S)
    to_s = int(now_s) if span.until_s is None else span.until_s
    return Events(app, to_s - span.seconds, to_s, [], [])


def find_release(store: redis.Redis, app: str, version: int, now_s: float) -> Release | None:
    """The latest release of this version that is kept; `version` 0: the latest of all."""
    return None
